//! One direction of a TCP connection, put back in order.
//!
//! Bytes in order go straight through, without a copy. Segments past a hole wait until it is
//! filled, or until it is plain that it will not be: the receiver acknowledged it (it got what the
//! sensor did not), the limits are reached, nothing moved for seconds, or the flow ends. Then the
//! hole is a [`Chunk::Gap`] and the stream goes on. Where bytes come twice, the first count.
//!
//! Deliberately absent: what end hosts would make of overlaps. Stacks differ in whom they believe;
//! different content in the same place is counted and noted instead.

mod delivery;
mod held;
mod pool;

pub use pool::Pool;

use crate::chunk::{Chunk, Next};
use held::{Held, distance};

/// Furthest that a segment may lie ahead while the receiver's window is not known: the largest
/// window there is (RFC 7323).
const LARGEST_WINDOW: u32 = 1 << 30;

/// What a segment may lie beyond the window: a window probe, and acknowledgements not yet seen.
const WINDOW_SLACK: u32 = 1 << 16;

/// Skipped without end: nobody wants more of the stream.
const FOREVER: u64 = u64::MAX;

/// A TCP segment, without its header.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Sequence number of the first byte of `payload`.
    pub seq: u32,
    /// What was captured.
    pub payload: &'a [u8],
    /// Bytes after it that were sent and that the capture cut off.
    pub missing: u32,
    /// Whether the stream ends with it.
    pub fin: bool,
}

/// What became of a segment, or of an acknowledgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Bytes that had not been seen before.
    pub fresh: u64,
    /// Bytes given up as lost; negative where some turned up after all.
    pub missed: i64,
    /// Gaps that were passed on.
    pub gaps: u32,
    /// It carried bytes, and all of them had been seen before.
    pub repeated: bool,
    /// It came past a hole, or late.
    pub out_of_order: bool,
    /// It has other content than bytes seen before in its place.
    pub conflict: bool,
    /// It lay outside the receiver's window, and was left out.
    pub out_of_window: bool,
    /// A limit was reached, so that a hole was given up early.
    pub overflow: bool,
}

/// One direction of a connection. What is delivered goes through a function that says what it
/// wants next.
#[derive(Debug, Default)]
pub struct Stream {
    /// Sequence number of the next byte to deliver.
    next: u32,
    /// Highest acknowledgement by the other side.
    acked: u32,
    /// Largest window that the other side announced, scaled.
    window: u32,
    /// Sequence number after the last byte.
    end: u32,
    /// The last hole that was passed over without waiting: from, to.
    hole: [u32; 2],
    /// Bytes that nobody wants.
    skip: u64,
    held: Option<Box<Held>>,
    started: bool,
    has_ack: bool,
    ended: bool,
}

impl Stream {
    /// Sets the sequence number of the first byte: one more than that of the SYN.
    pub fn start(&mut self, next: u32) {
        if !self.started {
            self.next = next;
            self.started = true;
        }
    }

    /// Starts over at another sequence number: a SYN was tried again with a new one.
    pub fn restart(&mut self, next: u32) {
        if self.held.is_none() {
            *self = Self { next, started: true, skip: self.skip, ..Self::default() };
        }
    }

    /// Whether it is known where the stream begins.
    pub const fn started(&self) -> bool {
        self.started
    }

    /// Whether its end was seen, if perhaps not all before it.
    pub const fn ended(&self) -> bool {
        self.ended
    }

    /// Whether nobody wants more of it.
    pub const fn done(&self) -> bool {
        self.skip == FOREVER
    }

    /// Whether segments wait for a hole to be filled.
    pub const fn waiting(&self) -> bool {
        self.held.is_some()
    }

    /// Wants no more of the stream; it is only counted from here on.
    pub fn finish(&mut self, pool: &mut Pool) {
        self.skip = FOREVER;
        self.forget(pool);
    }

    /// Gives back everything held.
    fn forget(&mut self, pool: &mut Pool) {
        if let Some(mut held) = self.held.take() {
            held.clear(pool);
        }
    }

    /// Notes a window that the other side announced, scaled.
    pub fn announced(&mut self, window: u32) {
        self.window = self.window.max(window);
    }

    /// Whether a reset with this sequence number would be believed (RFC 5961 asks for the exact
    /// number; losses at the sensor make it the window here).
    pub fn accepts_reset(&self, seq: u32) -> bool {
        let ahead = distance(self.next, seq);
        let reach = self.window.clamp(WINDOW_SLACK, LARGEST_WINDOW).cast_signed();
        !self.started || (ahead >= -1 && ahead <= reach)
    }

    /// Whether a segment lies further ahead than the receiver would look at.
    fn beyond_window(&self, seq: u32) -> bool {
        let known = self.has_ack && self.window > 0;
        let (edge, reach) = if known {
            (self.acked, self.window.max(WINDOW_SLACK).saturating_add(WINDOW_SLACK))
        } else {
            (self.next, LARGEST_WINDOW)
        };
        distance(edge, seq) > reach.min(LARGEST_WINDOW).cast_signed()
    }

    /// Takes the next segment as captured. `max_bytes` may wait for holes in this direction.
    pub fn segment(
        &mut self,
        segment: Segment<'_>,
        max_bytes: usize,
        pool: &mut Pool,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) -> Taken {
        let mut taken = Taken::default();
        let Segment { seq, payload, missing, fin } = segment;
        self.start(seq);
        let length = (payload.len() as u32).saturating_add(missing);
        let end = seq.wrapping_add(length);
        // An end that the receiver would not believe would hide all that follows.
        if fin && !self.ended && distance(self.next, end) >= 0 && !self.beyond_window(seq) {
            self.ended = true;
            self.end = end;
        }
        if length == 0 {
            return taken;
        }
        let ahead = distance(self.next, seq);
        if ahead == 0 && self.held.is_none() && !self.ended {
            self.deliver(payload, missing, &mut taken, out);
            if self.done() {
                self.forget(pool);
            }
            return taken;
        }
        if distance(self.next, end) <= 0 {
            // A keep-alive repeats the last byte, and is no loss.
            let keep_alive = length == 1 && ahead == -1;
            let fills = self.fill(seq, length, &mut taken);
            taken.repeated = !keep_alive && !fills;
            return taken;
        }
        if ahead > 0 {
            taken.out_of_order = true;
            if self.beyond_window(seq) {
                taken.out_of_window = true;
                return taken;
            }
            let (payload, _) = self.trim(seq, payload, missing);
            if self.wait(seq, payload, max_bytes, pool, &mut taken, out) {
                return taken;
            }
        }
        self.weave(segment, pool, &mut taken, out);
        taken
    }

    /// Delivers a segment that begins at or before the next byte, and what waits behind it. Where
    /// both have bytes for the same place, those that waited came first.
    fn weave(
        &mut self,
        segment: Segment<'_>,
        pool: &mut Pool,
        taken: &mut Taken,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) {
        taken.conflict |=
            self.held.as_ref().is_some_and(|held| held.differs(segment.seq, segment.payload));
        loop {
            let (payload, missing) = self.trim(segment.seq, segment.payload, segment.missing);
            let until = self.held.as_ref().and_then(|held| held.first());
            let free = until.map_or(u32::MAX, |first| first.wrapping_sub(self.next)) as usize;
            let (before, after) = payload.split_at(free.min(payload.len()));
            let last = after.is_empty();
            if !before.is_empty() || missing > 0 {
                self.deliver(before, if last { missing } else { 0 }, taken, out);
            }
            self.drain(pool, taken, out);
            if self.done() {
                self.forget(pool);
            }
            if last {
                return;
            }
        }
    }

    /// Cuts off what was delivered before and what lies after the end of the stream.
    fn trim<'a>(&self, seq: u32, payload: &'a [u8], missing: u32) -> (&'a [u8], u32) {
        let (mut payload, mut missing) = (payload, missing);
        if self.ended {
            let room = u32::try_from(distance(seq, self.end)).unwrap_or(0);
            let captured = (room as usize).min(payload.len());
            payload = payload.get(..captured).unwrap_or_default();
            missing = missing.min(room.saturating_sub(captured as u32));
        }
        let old = u32::try_from(distance(seq, self.next)).unwrap_or(0);
        let cut = (old as usize).min(payload.len());
        let left = missing.saturating_sub(old.saturating_sub(cut as u32));
        (payload.get(cut..).unwrap_or_default(), left)
    }

    /// Whether a late segment lies in the hole that was passed over last.
    fn fill(&mut self, seq: u32, length: u32, taken: &mut Taken) -> bool {
        let [from, to] = self.hole;
        let end = seq.wrapping_add(length);
        if from == to || distance(from, seq) < 0 || distance(end, to) < 0 {
            return false;
        }
        // The longer rest stays open.
        self.hole = if distance(from, seq) > distance(end, to) { [from, seq] } else { [end, to] };
        taken.missed = taken.missed.saturating_sub(i64::from(length));
        taken.fresh = taken.fresh.saturating_add(u64::from(length));
        taken.out_of_order = true;
        true
    }

    /// Keeps a segment past a hole. False where the hole is given up, so that it can be delivered.
    fn wait(
        &mut self,
        seq: u32,
        payload: &[u8],
        max_bytes: usize,
        pool: &mut Pool,
        taken: &mut Taken,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) -> bool {
        loop {
            let ahead = u32::try_from(distance(self.next, seq)).unwrap_or(0);
            if ahead == 0 || payload.is_empty() {
                return ahead != 0;
            }
            // Nobody wants what is in the hole.
            if self.skip >= u64::from(ahead) && self.held.is_none() {
                self.pass(ahead, taken);
                return false;
            }
            let held = self.held.get_or_insert_default();
            let kept = held.insert(pool, seq, payload, max_bytes);
            taken.fresh = taken.fresh.saturating_add(u64::from(kept.fresh));
            taken.conflict |= kept.conflict;
            if !kept.full {
                taken.repeated |= kept.fresh == 0 && !payload.is_empty();
                self.give_up_acknowledged(pool, taken, out);
                return true;
            }
            taken.overflow = true;
            if self.held.as_ref().is_some_and(|held| held.is_empty()) {
                self.held = None;
                self.lose(ahead, taken, out);
                return false;
            }
            self.give_up(pool, taken, out);
        }
    }

    /// The other side acknowledged everything before `ack`.
    pub fn acknowledged(
        &mut self,
        ack: u32,
        pool: &mut Pool,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) -> Taken {
        if !self.has_ack || distance(self.acked, ack) > 0 {
            self.acked = ack;
            self.has_ack = true;
        }
        let mut taken = Taken::default();
        if self.held.is_some() {
            self.give_up_acknowledged(pool, &mut taken, out);
        }
        taken
    }

    /// Gives up the first hole if nothing moved since this was last asked.
    pub fn give_up_if_stuck(
        &mut self,
        pool: &mut Pool,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) -> Taken {
        let mut taken = Taken::default();
        let next = self.next;
        let Some(held) = self.held.as_mut() else { return taken };
        if held.seen_at.replace(next) == Some(next) {
            self.give_up(pool, &mut taken, out);
        }
        taken
    }

    /// The flow ends: whatever waits is delivered.
    pub fn close(&mut self, pool: &mut Pool, out: &mut impl FnMut(Chunk<'_>) -> Next) -> Taken {
        let mut taken = Taken::default();
        while self.held.is_some() {
            self.give_up(pool, &mut taken, out);
        }
        // What the receiver acknowledged beyond that was never seen. A FIN counts as one number.
        let edge = if self.ended { self.end } else { self.acked };
        let unseen = distance(self.next, edge);
        if self.started && (self.has_ack || self.ended) && (1..1 << 24).contains(&unseen) {
            taken.missed = taken.missed.saturating_add(i64::from(unseen));
        }
        taken
    }
}

#[cfg(test)]
mod tests;
