//! How a stream hands on what it has: bytes, gaps, and nothing of what nobody wants.

use super::held::distance;
use super::{FOREVER, Pool, Stream, Taken};
use crate::chunk::{Chunk, Next};

impl Stream {
    /// Gives up holes that the receiver no longer waits for.
    pub(super) fn give_up_acknowledged(
        &mut self,
        pool: &mut Pool,
        taken: &mut Taken,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) {
        while let Some(first) = self.held.as_ref().and_then(|held| held.first()) {
            if !self.has_ack || distance(first, self.acked) < 0 {
                return;
            }
            self.give_up(pool, taken, out);
        }
    }

    /// Gives up the first hole, and delivers what waits behind it.
    pub(super) fn give_up(
        &mut self,
        pool: &mut Pool,
        taken: &mut Taken,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) {
        let Some(first) = self.held.as_ref().and_then(|held| held.first()) else {
            self.held = None;
            return;
        };
        if let Ok(hole @ 1..) = u32::try_from(distance(self.next, first)) {
            self.lose(hole, taken, out);
        }
        self.drain(pool, taken, out);
    }

    /// Delivers what waits, as far as no hole is in the way.
    pub(super) fn drain(
        &mut self,
        pool: &mut Pool,
        taken: &mut Taken,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) {
        while let Some(held) = self.held.as_mut() {
            if self.skip == FOREVER {
                return self.forget(pool);
            }
            let Some(first) = held.first() else {
                self.held = None;
                return;
            };
            let ahead = distance(self.next, first);
            match u32::try_from(ahead) {
                Ok(hole @ 1..) if self.skip >= u64::from(hole) => self.pass(hole, taken),
                Ok(1..) => return,
                _ => {}
            }
            let Some(part) = self.held.as_mut().and_then(|held| held.take_first()) else { return };
            let old = usize::try_from(distance(part.seq, self.next)).unwrap_or(0);
            let mut counted = Taken::default();
            self.deliver(part.bytes.get(old..).unwrap_or_default(), 0, &mut counted, out);
            pool.give_back(part.bytes);
        }
    }

    /// Passes over a hole in bytes that nobody wants; they may still turn up.
    pub(super) fn pass(&mut self, hole: u32, taken: &mut Taken) {
        let to = self.next.wrapping_add(hole);
        self.hole = [self.next, to];
        self.next = to;
        self.used_up(u64::from(hole));
        taken.missed = taken.missed.saturating_add(i64::from(hole));
    }

    /// Tells that bytes are lost for good.
    pub(super) fn lose(
        &mut self,
        lost: u32,
        taken: &mut Taken,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) {
        let unwanted = self.skip;
        self.pass(lost, taken);
        let wanted = u64::from(lost).saturating_sub(unwanted);
        if wanted > 0 {
            taken.gaps = taken.gaps.saturating_add(1);
            let next = out(Chunk::Gap(wanted));
            self.heed(next);
        }
    }

    pub(super) fn deliver(
        &mut self,
        payload: &[u8],
        missing: u32,
        taken: &mut Taken,
        out: &mut impl FnMut(Chunk<'_>) -> Next,
    ) {
        self.next = self.next.wrapping_add(payload.len() as u32);
        taken.fresh = taken.fresh.saturating_add(payload.len() as u64);
        let unwanted = usize::try_from(self.skip).unwrap_or(usize::MAX).min(payload.len());
        self.used_up(unwanted as u64);
        let wanted = payload.get(unwanted..).unwrap_or_default();
        if !wanted.is_empty() {
            let next = out(Chunk::Stream(wanted));
            self.heed(next);
        }
        if missing > 0 {
            taken.fresh = taken.fresh.saturating_add(u64::from(missing));
            self.lose(missing, taken, out);
            self.hole = [0; 2];
        }
    }

    pub(super) fn used_up(&mut self, count: u64) {
        if self.skip != FOREVER {
            self.skip = self.skip.saturating_sub(count);
        }
    }

    pub(super) fn heed(&mut self, next: Next) {
        match next {
            Next::More => {}
            Next::Skip(count) => self.skip = count.min(FOREVER.saturating_sub(1)),
            Next::Done => self.skip = FOREVER,
        }
    }
}
