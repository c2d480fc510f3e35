//! Observations that every flow gives, whatever it carries.
//!
//! "Out" is from the originator to the responder, "in" the other way. Bytes are those of the IP
//! packets as they were on the wire; payload is what TCP or UDP carried.

use model::field::{Field, FieldType, KindSpec};

/// Whether a kind is one that every flow gives.
pub fn is_of_flows(kind: &KindSpec) -> bool {
    [&START, &OUTCOME, &PROTOCOL, &UPDATE, &END].into_iter().any(|one| std::ptr::eq(kind, one))
}

/// First packet of a flow.
pub static START: KindSpec = KindSpec {
    name: "flow.start",
    doc: "The first packet of a flow: somebody calls somebody.",
    fields: &[
        Field::new("transport", FieldType::Text, "tcp, udp, icmp, icmp6, sctp or ip."),
        Field::new(
            "syn",
            FieldType::Bool,
            "TCP: whether it began with a SYN, so that the originator is certain.",
        ),
    ],
};

/// Whether the called side answered.
pub static OUTCOME: KindSpec = KindSpec {
    name: "flow.outcome",
    doc: "Whether the called side answered. Subject is the originator.",
    fields: &[
        Field::new("transport", FieldType::Text, "tcp, udp, icmp, icmp6, sctp or ip."),
        Field::new(
            "outcome",
            FieldType::Text,
            "established, refused (RST or ICMP unreachable) or unanswered (nothing came back in time).",
        ),
    ],
};

/// The application protocol was recognised.
pub static PROTOCOL: KindSpec = KindSpec {
    name: "flow.protocol",
    doc: "The flow's application protocol was recognised from its content.",
    fields: &[
        Field::new("transport", FieldType::Text, "tcp, udp, icmp, icmp6, sctp or ip."),
        Field::new(
            "protocol",
            FieldType::Text,
            "Name of the protocol; 'unrecognised' once every parser has said no.",
        ),
    ],
};

/// Growth of a flow that is still open.
pub static UPDATE: KindSpec = KindSpec {
    name: "flow.update",
    doc: "What an open flow carried since its last report: every few seconds of activity, and sooner after many bytes.",
    fields: &[
        Field::new("transport", FieldType::Text, "tcp, udp, icmp, icmp6, sctp or ip."),
        Field::new("protocol", FieldType::Text, "Application protocol, once recognised."),
        Field::measure(
            "seconds",
            FieldType::Float,
            "s",
            "Time since the last report, or since the start.",
        ),
        Field::measure(
            "delta_packets_out",
            FieldType::Uint,
            "packets",
            "Packets out since the last report.",
        ),
        Field::measure(
            "delta_packets_in",
            FieldType::Uint,
            "packets",
            "Packets in since the last report.",
        ),
        Field::measure(
            "delta_bytes_out",
            FieldType::Uint,
            "bytes",
            "Bytes out since the last report.",
        ),
        Field::measure(
            "delta_bytes_in",
            FieldType::Uint,
            "bytes",
            "Bytes in since the last report.",
        ),
    ],
};

/// End of a flow, with its statistics.
pub static END: KindSpec = KindSpec {
    name: "flow.end",
    doc: "A flow ended: closed, reset, silent for too long, evicted, or the input ended.",
    fields: &[
        Field::new("transport", FieldType::Text, "tcp, udp, icmp, icmp6, sctp or ip."),
        Field::new("protocol", FieldType::Text, "Application protocol, once recognised."),
        Field::new(
            "state",
            FieldType::Text,
            "How it went, in Zeek's terms: S0, S1, SF, REJ, RSTO, RSTR, SH, OTH.",
        ),
        Field::new("reason", FieldType::Text, "Why it ended: fin, rst, timeout, evicted, end."),
        Field::measure("seconds", FieldType::Float, "s", "From first to last packet."),
        Field::measure(
            "delta_packets_out",
            FieldType::Uint,
            "packets",
            "Packets out since the last report.",
        ),
        Field::measure(
            "delta_packets_in",
            FieldType::Uint,
            "packets",
            "Packets in since the last report.",
        ),
        Field::measure(
            "delta_bytes_out",
            FieldType::Uint,
            "bytes",
            "Bytes out since the last report.",
        ),
        Field::measure(
            "delta_bytes_in",
            FieldType::Uint,
            "bytes",
            "Bytes in since the last report.",
        ),
        Field::measure("packets_out", FieldType::Uint, "packets", "Packets out."),
        Field::measure("packets_in", FieldType::Uint, "packets", "Packets in."),
        Field::measure("bytes_out", FieldType::Uint, "bytes", "Bytes out."),
        Field::measure("bytes_in", FieldType::Uint, "bytes", "Bytes in."),
        Field::measure(
            "payload_out",
            FieldType::Uint,
            "bytes",
            "Payload out, without retransmissions.",
        ),
        Field::measure(
            "payload_in",
            FieldType::Uint,
            "bytes",
            "Payload in, without retransmissions.",
        ),
        Field::measure(
            "missed_out",
            FieldType::Uint,
            "bytes",
            "Payload out that the sensor did not see.",
        ),
        Field::measure(
            "missed_in",
            FieldType::Uint,
            "bytes",
            "Payload in that the sensor did not see.",
        ),
        Field::measure(
            "retransmitted_out",
            FieldType::Uint,
            "packets",
            "Packets out that carried only old bytes.",
        ),
        Field::measure(
            "retransmitted_in",
            FieldType::Uint,
            "packets",
            "Packets in that carried only old bytes.",
        ),
        Field::measure("size_mean_out", FieldType::Float, "bytes", "Mean packet size out."),
        Field::measure("size_mean_in", FieldType::Float, "bytes", "Mean packet size in."),
        Field::measure(
            "size_std_out",
            FieldType::Float,
            "bytes",
            "Standard deviation of packet size out.",
        ),
        Field::measure(
            "size_std_in",
            FieldType::Float,
            "bytes",
            "Standard deviation of packet size in.",
        ),
        Field::measure("gap_mean_out", FieldType::Float, "s", "Mean time between packets out."),
        Field::measure("gap_mean_in", FieldType::Float, "s", "Mean time between packets in."),
        Field::measure(
            "gap_std_out",
            FieldType::Float,
            "s",
            "Standard deviation of the time between packets out.",
        ),
        Field::measure(
            "gap_std_in",
            FieldType::Float,
            "s",
            "Standard deviation of the time between packets in.",
        ),
        Field::new("flags_out", FieldType::Text, "TCP flags seen out, as letters (SAFRPU)."),
        Field::new("flags_in", FieldType::Text, "TCP flags seen in, as letters (SAFRPU)."),
    ],
};

/// All kinds of this crate.
pub static ALL: &[&KindSpec] = &[&START, &OUTCOME, &PROTOCOL, &UPDATE, &END];
