//! ARP.

use model::field::{Field, FieldType, KindSpec};

/// One packet.
pub static PACKET: KindSpec = KindSpec {
    name: "arp.packet",
    doc: "An ARP packet. Subject is who sends it, by the Ethernet header.",
    fields: &[
        Field::new("operation", FieldType::Text, "request or reply."),
        Field::new("sender_mac", FieldType::Mac, "Hardware address it claims to have."),
        Field::new(
            "sender_ip",
            FieldType::Ip,
            "Address it claims to have; absent in a probe (RFC 5227).",
        ),
        Field::new("target_mac", FieldType::Mac, "Hardware address of the target, where not zero."),
        Field::new("target_ip", FieldType::Ip, "Address asked for or answered to."),
        Field::new(
            "gratuitous",
            FieldType::Bool,
            "Whether sender and target address are the same.",
        ),
        Field::new("broadcast", FieldType::Bool, "Whether sent to everybody."),
    ],
};
