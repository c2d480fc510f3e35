//! Observations that every flow gives: start, outcome, protocol, growth, end.

use model::Value;
use model::emit::{ANOMALY, Emit};
use model::flow::Direction;
use model::net::Transport;
use wire::flow::{CloseReason, Flow, Outcome, Report};
use wire::{Notes, kinds};

/// Oddities of packets, with the layer whose rules they break.
const CRAFTED: [(Notes, &str, &str); 6] = [
    (Notes::SOURCE_ROUTE, "ip", "source route"),
    (Notes::BAD_IP_OPTIONS, "ip", "options whose lengths do not add up"),
    (Notes::TUNNELLED_FRAGMENTS, "ip", "fragments of a packet within a packet"),
    (Notes::BAD_TCP_OPTIONS, "tcp", "options whose lengths do not add up"),
    (Notes::URGENT_ZERO, "tcp", "urgent pointer of zero"),
    (Notes::ODD_FLAGS, "tcp", "flags that no stack sets together"),
];

/// What was told of a flow's odd packets, each way.
#[derive(Debug, Default)]
pub struct Told([(Notes, u32); 2]);

/// Packets that no stack sends by itself: said when a sort is first seen, and once more at the end of
/// the flow with how many followed, so that a flood of them is two observations and not a million.
pub fn crafted(flow: &Flow, told: &mut Told, over: bool, out: &mut Emit<'_>) {
    for dir in Direction::BOTH {
        let crafted = flow.crafted[dir.index()];
        let (notes, packets) = &mut told.0[dir.index()];
        let more = crafted.packets.saturating_sub(*packets);
        let news = if over && more > 0 { crafted.notes } else { crafted.notes.without(*notes) };
        if news.is_empty() {
            continue;
        }
        (*notes, *packets) = (crafted.notes, crafted.packets);
        for (_, layer, what) in CRAFTED.into_iter().filter(|(note, ..)| news.has(*note)) {
            out.observe(&ANOMALY, dir)
                .word("protocol", layer)
                .word("what", what)
                .uint("count", more.max(1))
                .emit();
        }
    }
}

/// First packet.
pub fn start(flow: &Flow, out: &mut Emit<'_>) {
    let draft = out
        .observe(&kinds::START, Direction::Forward)
        .word("transport", flow.tuple.transport.name());
    if flow.tuple.transport == Transport::Tcp {
        draft.flag("syn", flow.began_with_syn()).emit();
    } else {
        draft.emit();
    }
}

/// Whether the called side answered.
pub fn outcome(flow: &Flow, outcome: Outcome, out: &mut Emit<'_>) {
    out.observe(&kinds::OUTCOME, Direction::Forward)
        .word("transport", flow.tuple.transport.name())
        .word("outcome", outcome.name())
        .emit();
}

/// The protocol was recognised, or nobody knows it.
pub fn protocol(flow: &Flow, name: Option<&'static str>, out: &mut Emit<'_>) {
    out.observe(&kinds::PROTOCOL, Direction::Forward)
        .word("transport", flow.tuple.transport.name())
        .word("protocol", name.unwrap_or("unrecognised"))
        .emit();
}

/// Growth.
pub fn update(flow: &Flow, name: Option<&'static str>, report: &Report, out: &mut Emit<'_>) {
    let [packets_out, packets_in] = report.packets;
    let [bytes_out, bytes_in] = report.bytes;
    let mut draft = out
        .observe(&kinds::UPDATE, Direction::Forward)
        .word("transport", flow.tuple.transport.name());
    if let Some(name) = name {
        draft = draft.word("protocol", name);
    }
    draft
        .float("seconds", report.elapsed.as_secs_f64())
        .uint("delta_packets_out", packets_out)
        .uint("delta_packets_in", packets_in)
        .uint("delta_bytes_out", bytes_out)
        .uint("delta_bytes_in", bytes_in)
        .emit();
}

/// End.
pub fn end(flow: &Flow, name: Option<&'static str>, reason: CloseReason, out: &mut Emit<'_>) {
    let growth = flow.growth(out.at());
    let [packets_out, packets_in] = growth.packets;
    let [bytes_out, bytes_in] = growth.bytes;
    let mut draft =
        out.observe(&kinds::END, Direction::Forward).word("transport", flow.tuple.transport.name());
    if let Some(name) = name {
        draft = draft.word("protocol", name);
    }
    draft = draft
        .word("state", flow.state().name())
        .word("reason", reason.name())
        .float("seconds", flow.duration().as_secs_f64())
        .uint("delta_packets_out", packets_out)
        .uint("delta_packets_in", packets_in)
        .uint("delta_bytes_out", bytes_out)
        .uint("delta_bytes_in", bytes_in);
    // In the order of the table, which is the quickest to fill in.
    let [there, back] = Direction::BOTH.map(|dir| flow.traffic(dir));
    draft = draft
        .uint("packets_out", there.packets)
        .uint("packets_in", back.packets)
        .uint("bytes_out", there.bytes)
        .uint("bytes_in", back.bytes)
        .uint("payload_out", there.payload)
        .uint("payload_in", back.payload);
    let tcp = flow.tuple.transport == Transport::Tcp;
    if tcp {
        draft = draft
            .uint("missed_out", there.missed)
            .uint("missed_in", back.missed)
            .uint("retransmitted_out", there.retransmitted)
            .uint("retransmitted_in", back.retransmitted);
    }
    draft = draft
        .value("size_mean_out", there.size_mean().map(Value::Float))
        .value("size_mean_in", back.size_mean().map(Value::Float))
        .value("size_std_out", there.size_std().map(Value::Float))
        .value("size_std_in", back.size_std().map(Value::Float))
        .value("gap_mean_out", there.gap_mean().map(Value::Float))
        .value("gap_mean_in", back.gap_mean().map(Value::Float))
        .value("gap_std_out", there.gap_std().map(Value::Float))
        .value("gap_std_in", back.gap_std().map(Value::Float));
    if tcp {
        draft = draft.word("flags_out", there.flag_letters()).word("flags_in", back.flag_letters());
    }
    draft.emit();
}
