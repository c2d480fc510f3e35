//! Observations that every flow gives: start, outcome, protocol, growth, end.

use model::Value;
use model::emit::Emit;
use model::flow::Direction;
use model::net::Transport;
use wire::flow::{CloseReason, Flow, Outcome, Report};
use wire::kinds;

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
