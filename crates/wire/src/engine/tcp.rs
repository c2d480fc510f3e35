//! TCP: what a segment means for its connection.

use model::flow::Direction;
use model::time::Timestamp;

use super::table::Entry;
use crate::chunk::Chunk;
use crate::decode::{Packet, Tcp};
use crate::flow::{Flow, Outcome, Scale};
use crate::notes::Notes;
use crate::reassembly::{Pool, Segment, Taken};
use crate::sink::FlowSink;
use crate::stats::StreamStats;

/// Shift of a window whose scale is not known: the largest there is (RFC 7323).
const LARGEST_SHIFT: u8 = 14;

/// What streams need besides themselves.
pub(super) struct Streams<'e> {
    pub(super) pool: &'e mut Pool,
    pub(super) stats: &'e mut StreamStats,
    pub(super) max_held: usize,
}

/// Whether a packet with SYN, in direction `dir` of a flow that has its five-tuple, begins a new
/// connection.
pub(super) fn begins_anew(flow: &Flow, dir: Direction, tcp: Tcp, idle: bool) -> bool {
    if tcp.has(Tcp::RST) {
        return false;
    }
    let same_side = dir == Direction::Forward;
    if tcp.has(Tcp::ACK) {
        // The answer to a SYN that looked like one more of the old connection. Data in the SYN may
        // be acknowledged with it.
        let answered = tcp.ack.wrapping_sub(flow.isn.wrapping_add(1)) <= u32::from(u16::MAX);
        let [called, accepted] = flow.steps.syn;
        return !same_side && called && !answered && (accepted || flow.steps.over());
    }
    let repeated = same_side && flow.steps.syn[0] && tcp.seq == flow.isn;
    !repeated && (flow.steps.over() || idle)
}

/// Takes a segment; it is counted in the flow's packets and bytes already.
pub(super) fn segment<S: FlowSink>(
    entry: &mut Entry<S::Slot>,
    packet: &Packet<'_>,
    dir: Direction,
    at: Timestamp,
    cx: &mut Streams<'_>,
    sink: &mut S,
) {
    let tcp = packet.tcp;
    if tcp.has(Tcp::SYN | Tcp::RST) {
        begin_or_reset(entry, packet, dir);
    } else if tcp.window == 0 {
        let traffic = entry.flow.traffic_mut(dir);
        traffic.zero_windows = traffic.zero_windows.saturating_add(1);
    }
    if entry.flow.outcome.is_none()
        && let Some(outcome) = outcome(&entry.flow, packet, dir)
    {
        entry.flow.outcome = Some(outcome);
        sink.outcome(&entry.flow, &mut entry.slot, at, outcome);
    }
    if tcp.has(Tcp::RST) {
        return;
    }
    if tcp.has(Tcp::ACK) {
        acknowledged(entry, packet, dir, at, cx, sink);
    }
    if packet.payload.is_empty() && packet.missing == 0 && !tcp.has(Tcp::FIN) {
        return;
    }
    let Entry { flow, streams: [forward, reverse], slot, .. } = entry;
    let stream = if dir == Direction::Forward { forward } else { reverse };
    let segment = Segment {
        seq: tcp.seq.wrapping_add(u32::from(tcp.has(Tcp::SYN))),
        payload: packet.payload,
        missing: packet.missing,
        fin: tcp.has(Tcp::FIN),
    };
    let mut deliver = |chunk: Chunk<'_>| sink.data(flow, slot, at, dir, chunk);
    let taken = stream.segment(segment, cx.max_held, cx.pool, &mut deliver);
    let fin = stream.ended();
    if fin {
        match dir {
            Direction::Forward => flow.steps.fin[0] = true,
            Direction::Reverse => flow.steps.fin[1] = true,
        }
    }
    count(flow, dir, &taken, cx.stats);
    settle(entry, cx);
}

/// SYNs start streams and set scales; a RST that is believed ends the flow.
fn begin_or_reset<T>(entry: &mut Entry<T>, packet: &Packet<'_>, dir: Direction) {
    let Entry { flow, streams: [forward, reverse], .. } = entry;
    let forward_goes = dir == Direction::Forward;
    let stream = if forward_goes { forward } else { reverse };
    let tcp = packet.tcp;
    if tcp.has(Tcp::RST) {
        if stream.accepts_reset(tcp.seq) {
            flow.steps.reset = flow.steps.reset.or(Some(dir));
        } else {
            flow.notes.add(Notes::OUT_OF_WINDOW);
        }
        return;
    }
    let scale = tcp.scale.map_or(Scale::Absent, Scale::Shift);
    let first = tcp.seq.wrapping_add(1);
    let [called, accepted] = &mut flow.steps.syn;
    match (forward_goes, tcp.has(Tcp::ACK)) {
        (true, false) if !*accepted => {
            // Tried again with another number: the first try never arrived.
            if *called && tcp.seq != flow.isn {
                stream.restart(first);
            }
            *called |= !stream.started() || tcp.seq == flow.isn;
            if *called {
                flow.isn = tcp.seq;
            }
            flow.scales[0] = scale;
        }
        (false, _) => {
            *accepted = true;
            flow.scales[1] = scale;
        }
        _ => {}
    }
    stream.start(first);
}

/// What a packet tells of whether the call was answered.
fn outcome(flow: &Flow, packet: &Packet<'_>, dir: Direction) -> Option<Outcome> {
    let [called, accepted] = flow.steps.syn;
    let tcp = packet.tcp;
    if tcp.has(Tcp::RST) {
        let refused = called && !accepted && dir == Direction::Reverse;
        return refused.then_some(Outcome::Refused);
    }
    if accepted {
        return Some(Outcome::Established);
    }
    if tcp.has(Tcp::SYN) || !tcp.has(Tcp::ACK) {
        return None;
    }
    // Without a SYN-ACK seen: data after the SYN, in either direction; without any SYN, packets
    // both ways of which at least one carries data.
    let other = flow.traffic(dir.flipped());
    let data = !packet.payload.is_empty() || packet.missing > 0;
    let answered = if called {
        data
    } else {
        other.packets > 0 && other.flags & Tcp::RST == 0 && (data || other.payload > 0)
    };
    answered.then_some(Outcome::Established)
}

/// The sender has everything before its acknowledgement number, and has room for its window.
fn acknowledged<S: FlowSink>(
    entry: &mut Entry<S::Slot>,
    packet: &Packet<'_>,
    dir: Direction,
    at: Timestamp,
    cx: &mut Streams<'_>,
    sink: &mut S,
) {
    let Entry { flow, streams: [forward, reverse], slot, .. } = entry;
    let tcp = packet.tcp;
    let stream = match dir {
        Direction::Forward => reverse,
        Direction::Reverse => forward,
    };
    let forward = dir == Direction::Forward;
    if !stream.started() && flow.steps.syn[0] == forward && tcp.has(Tcp::SYN) != forward {
        // The SYN that this answers, or the SYN-ACK, was not seen; here is where its stream begins.
        stream.start(tcp.ack);
    }
    stream.announced(u32::from(tcp.window) << shift(flow, dir, tcp));
    let back = dir.flipped();
    let mut deliver = |chunk: Chunk<'_>| sink.data(flow, slot, at, back, chunk);
    let waited = stream.waiting();
    let taken = stream.acknowledged(tcp.ack, cx.pool, &mut deliver);
    if waited {
        count(flow, back, &taken, cx.stats);
        settle(entry, cx);
    }
}

/// Scale of the window in a packet. Windows in SYNs are never scaled.
fn shift(flow: &Flow, dir: Direction, tcp: Tcp) -> u8 {
    let [forward, reverse] = flow.scales;
    let (own, other) = match dir {
        Direction::Forward => (forward, reverse),
        Direction::Reverse => (reverse, forward),
    };
    match (own, other) {
        _ if tcp.has(Tcp::SYN) => 0,
        (Scale::Absent, _) | (_, Scale::Absent) => 0,
        (Scale::Shift(shift), _) => shift,
        (Scale::Unknown, _) => LARGEST_SHIFT,
    }
}

/// Nobody wants more of one direction: then nobody wants more of the flow.
fn settle<T>(entry: &mut Entry<T>, cx: &mut Streams<'_>) {
    let [forward, reverse] = &mut entry.streams;
    if forward.done() != reverse.done() {
        forward.finish(cx.pool);
        reverse.finish(cx.pool);
    }
}

/// Adds what became of a segment to the statistics.
pub(super) fn count(flow: &mut Flow, dir: Direction, taken: &Taken, stats: &mut StreamStats) {
    let traffic = flow.traffic_mut(dir);
    traffic.payload = traffic.payload.saturating_add(taken.fresh);
    if *taken == (Taken { fresh: taken.fresh, ..Taken::default() }) {
        return;
    }
    traffic.missed = traffic.missed.saturating_add_signed(taken.missed);
    stats.missed_bytes = stats.missed_bytes.saturating_add_signed(taken.missed);
    stats.gaps = stats.gaps.saturating_add(u64::from(taken.gaps));
    let add = |flag: bool, count: &mut u32, sum: &mut u64| {
        *count = count.saturating_add(u32::from(flag));
        *sum = sum.saturating_add(u64::from(flag));
    };
    add(taken.repeated, &mut traffic.retransmitted, &mut stats.retransmitted);
    add(taken.out_of_order, &mut traffic.out_of_order, &mut stats.out_of_order);
    stats.conflicts = stats.conflicts.saturating_add(u64::from(taken.conflict));
    stats.out_of_window = stats.out_of_window.saturating_add(u64::from(taken.out_of_window));
    stats.overflows = stats.overflows.saturating_add(u64::from(taken.overflow));
    if taken.conflict {
        flow.notes.add(Notes::CONFLICT);
    }
    if taken.out_of_window {
        flow.notes.add(Notes::OUT_OF_WINDOW);
    }
}

/// Gives up holes that nothing fills.
pub(super) fn give_up_stuck<S: FlowSink>(
    entry: &mut Entry<S::Slot>,
    at: Timestamp,
    cx: &mut Streams<'_>,
    sink: &mut S,
) {
    let Entry { flow, streams, slot, .. } = entry;
    for (stream, dir) in streams.iter_mut().zip(Direction::BOTH) {
        let mut deliver = |chunk: Chunk<'_>| sink.data(flow, slot, at, dir, chunk);
        let taken = stream.give_up_if_stuck(cx.pool, &mut deliver);
        count(flow, dir, &taken, cx.stats);
    }
    settle(entry, cx);
}
