//! Observations that every flow gives: start, outcome, protocol, growth, end.

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
    let sides = [(Direction::Forward, &FORWARD), (Direction::Reverse, &REVERSE)];
    for (dir, names) in sides {
        let traffic = flow.traffic(dir);
        draft = draft
            .uint(names.packets, traffic.packets)
            .uint(names.bytes, traffic.bytes)
            .uint(names.payload, traffic.payload);
        if flow.tuple.transport == Transport::Tcp {
            draft = draft
                .uint(names.missed, traffic.missed)
                .uint(names.retransmitted, traffic.retransmitted)
                .value(names.flags, Some(model::Value::Word(traffic.flag_letters())));
        }
        let measures = [
            (names.size_mean, traffic.size_mean()),
            (names.size_std, traffic.size_std()),
            (names.gap_mean, traffic.gap_mean()),
            (names.gap_std, traffic.gap_std()),
        ];
        for (name, measure) in measures {
            draft = draft.value(name, measure.map(model::Value::Float));
        }
    }
    draft.emit();
}

struct Names {
    packets: &'static str,
    bytes: &'static str,
    payload: &'static str,
    missed: &'static str,
    retransmitted: &'static str,
    flags: &'static str,
    size_mean: &'static str,
    size_std: &'static str,
    gap_mean: &'static str,
    gap_std: &'static str,
}

static FORWARD: Names = Names {
    packets: "packets_out",
    bytes: "bytes_out",
    payload: "payload_out",
    missed: "missed_out",
    retransmitted: "retransmitted_out",
    flags: "flags_out",
    size_mean: "size_mean_out",
    size_std: "size_std_out",
    gap_mean: "gap_mean_out",
    gap_std: "gap_std_out",
};

static REVERSE: Names = Names {
    packets: "packets_in",
    bytes: "bytes_in",
    payload: "payload_in",
    missed: "missed_in",
    retransmitted: "retransmitted_in",
    flags: "flags_in",
    size_mean: "size_mean_in",
    size_std: "size_std_in",
    gap_mean: "gap_mean_in",
    gap_std: "gap_std_in",
};
