//! NTP and SNTP.

use model::field::{Field, FieldType, KindSpec};

/// One packet.
pub static MESSAGE: KindSpec = KindSpec {
    name: "ntp.message",
    doc: "An NTP packet. Subject is its sender.",
    fields: &[
        Field::new(
            "mode",
            FieldType::Text,
            "client, server, symmetric, broadcast, control or private.",
        ),
        Field::new("version", FieldType::Uint, "Version."),
        Field::new("stratum", FieldType::Uint, "Stratum."),
        Field::new("reference", FieldType::Text, "Reference id: four letters or an address."),
        Field::measure(
            "offset",
            FieldType::Float,
            "s",
            "Transmit time minus the sensor's time; only from servers that say they know the time.",
        ),
        Field::new(
            "request",
            FieldType::Uint,
            "Request code of a private-mode packet (42 is monlist).",
        ),
    ],
};
