//! What time brings: reports, outcomes that did not come, holes that are not filled, ends.

use model::flow::Direction;
use model::net::Transport;
use model::time::Timestamp;

use super::table::Entry;
use super::tcp::{self, Streams};
use super::{Engine, Times};
use crate::chunk::Chunk;
use crate::clock::Micros;
use crate::flow::{CloseReason, Flow, Outcome, Reported};
use crate::sink::FlowSink;
use crate::wheel::TICK;

/// So much since the last report brings the next one at once.
const REPORT_BYTES: u64 = 1 << 20;

/// So many packets bring it too, at most every so often.
const REPORT_PACKETS: u64 = 1_000;
const REPORT_PAUSE: Micros = 200_000;

impl Times {
    /// How long a flow in its state may be silent.
    fn silence(&self, flow: &Flow) -> Micros {
        let answered = flow.traffic(Direction::Reverse).packets > 0;
        match flow.tuple.transport {
            Transport::Tcp if flow.steps.over() => self.tcp_closed,
            Transport::Tcp
                if flow.steps.syn[0]
                    && !answered
                    && flow.outcome.is_none_or(|o| o != Outcome::Established) =>
            {
                self.tcp_unanswered
            }
            Transport::Tcp => self.tcp_established,
            Transport::Udp if answered => self.udp_answered,
            Transport::Udp => self.udp_unanswered,
            Transport::Icmp | Transport::Icmp6 => self.icmp,
            _ => self.other,
        }
    }

    /// When an answer is overdue.
    fn answer_due(&self, flow: &Flow) -> Micros {
        let wait =
            if flow.tuple.transport == Transport::Tcp { self.tcp_answer } else { self.answer };
        flow.opened_at.saturating_add(wait)
    }

    /// When a flow has to be looked at next.
    pub(super) fn deadline<T>(&self, entry: &Entry<T>, now: Micros) -> Micros {
        let flow = &entry.flow;
        let mut at = flow.touched_at.saturating_add(self.silence(flow));
        if flow.outcome.is_none() && !flow.one_way {
            at = at.min(self.answer_due(flow));
        }
        if flow.has_news() {
            at = at.min(flow.reported.engine_at.saturating_add(self.report));
        } else if entry.streams.iter().any(|stream| stream.waiting()) {
            at = at.min(now.saturating_add(self.report));
        }
        at
    }

    /// Whether a packet that was just counted brings a report.
    pub(super) fn report_due(&self, flow: &Flow, now: Micros) -> bool {
        let pause = now.saturating_sub(flow.reported.engine_at);
        let [packets_out, packets_in] = flow.reported.packets;
        let [bytes_out, bytes_in] = flow.reported.bytes;
        let packets = flow.packets().saturating_sub(packets_out.saturating_add(packets_in));
        let bytes = flow.bytes().saturating_sub(bytes_out.saturating_add(bytes_in));
        pause >= self.report
            || bytes > REPORT_BYTES
            || (packets > REPORT_PACKETS && pause >= REPORT_PAUSE)
    }
}

/// Tells what a flow carried since the last report.
pub(super) fn report<S: FlowSink>(
    entry: &mut Entry<S::Slot>,
    at: Timestamp,
    now: Micros,
    sink: &mut S,
) {
    let growth = entry.flow.growth(at);
    sink.report(&entry.flow, &mut entry.slot, at, &growth);
    let [forward, reverse] = &entry.flow.traffic;
    entry.flow.reported = Reported {
        at,
        engine_at: now,
        packets: [forward.packets, reverse.packets],
        bytes: [forward.bytes, reverse.bytes],
    };
}

impl<T: Default> Engine<T> {
    /// Lets time pass up to `at`, without a packet: for a live capture on which nothing comes.
    pub fn advance<S: FlowSink<Slot = T>>(&mut self, at: Timestamp, sink: &mut S) {
        let span = self.clock.advance(at);
        if span.to < self.next_turn {
            return;
        }
        self.next_turn = (span.to / TICK).saturating_add(1).saturating_mul(TICK);
        self.defrag.expire(span.to, &mut self.stats.fragments);
        let mut due = std::mem::take(&mut self.due);
        while let Some(now) = self.table.wheel.next(span.to, &mut due) {
            self.in_order(&mut due);
            let at = span.capture_time(now);
            for place in due.drain(..) {
                self.wake(place, now, at, sink);
            }
        }
        self.due = due;
    }

    /// Sorts flows by their beginning: an order that does not depend on the table.
    fn in_order(&self, places: &mut [u32]) {
        places.sort_unstable_by_key(|&place| {
            self.table.get(place).map(|entry| (entry.flow.started, entry.flow.id))
        });
    }

    /// A flow's timer went off.
    fn wake<S: FlowSink<Slot = T>>(
        &mut self,
        place: u32,
        now: Micros,
        at: Timestamp,
        sink: &mut S,
    ) {
        let Some(entry) = self.table.get_mut(place) else { return };
        let flow = &mut entry.flow;
        if flow.outcome.is_none() && !flow.one_way && self.times.answer_due(flow) <= now {
            if flow.traffic(Direction::Reverse).packets == 0 {
                flow.outcome = Some(Outcome::Unanswered);
                sink.outcome(flow, &mut entry.slot, at, Outcome::Unanswered);
            } else {
                flow.one_way = true;
            }
        }
        let silent = now.saturating_sub(entry.flow.touched_at);
        if silent >= self.times.silence(&entry.flow) {
            let reason = ended(&entry.flow).unwrap_or(CloseReason::Timeout);
            return self.close(place, reason, at, sink);
        }
        if entry.streams.iter().any(|stream| stream.waiting()) {
            let mut cx = Streams {
                pool: &mut self.pool,
                stats: &mut self.stats.streams,
                max_held: self.config.max_held_per_direction,
            };
            tcp::give_up_stuck(entry, at, &mut cx, sink);
        }
        let pause = now.saturating_sub(entry.flow.reported.engine_at);
        if entry.flow.has_news() && pause >= self.times.report {
            report(entry, at, now, sink);
        }
        let next = self.times.deadline(entry, now);
        self.table.wake(place, next);
    }

    /// Ends a flow: what waits in its streams is delivered, then the layer above hears of it.
    pub(super) fn close<S: FlowSink<Slot = T>>(
        &mut self,
        place: u32,
        reason: CloseReason,
        at: Timestamp,
        sink: &mut S,
    ) {
        let Some(Entry { flow, streams, slot, .. }) = self.table.get_mut(place) else { return };
        for (stream, dir) in streams.iter_mut().zip(Direction::BOTH) {
            let mut deliver = |chunk: Chunk<'_>| sink.data(flow, slot, at, dir, chunk);
            let taken = stream.close(&mut self.pool, &mut deliver);
            tcp::count(flow, dir, &taken, &mut self.stats.streams);
        }
        sink.closed(flow, std::mem::take(slot), at, reason);
        if let Some(count) = self.stats.closed.get_mut(reason.index()) {
            *count = count.saturating_add(1);
        }
        self.table.remove(place);
    }

    /// The input ends: all flows do, the oldest first.
    pub fn finish<S: FlowSink<Slot = T>>(&mut self, sink: &mut S) {
        while self.finish_some(usize::MAX, sink) {}
    }

    /// Ends so many flows of those that are left, the oldest first, and says whether there are more:
    /// for whoever cannot hold at once what a million flows have to say in the end.
    pub fn finish_some<S: FlowSink<Slot = T>>(&mut self, most: usize, sink: &mut S) -> bool {
        let at = self.clock.capture_now();
        if self.ending.is_empty() {
            let mut places: Vec<u32> = self.table.places().collect();
            self.in_order(&mut places);
            places.reverse();
            self.ending = places;
        }
        for _ in 0..most {
            let Some(place) = self.ending.pop() else { break };
            let ended = self.table.get(place).and_then(|entry| ended(&entry.flow));
            self.close(place, ended.unwrap_or(CloseReason::End), at, sink);
        }
        !self.ending.is_empty()
    }
}

/// How a flow ended, if it did.
pub(super) fn ended(flow: &Flow) -> Option<CloseReason> {
    match flow.steps.reset {
        Some(_) => Some(CloseReason::Rst),
        None => flow.steps.over().then_some(CloseReason::Fin),
    }
}
