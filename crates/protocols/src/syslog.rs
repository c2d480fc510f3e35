//! Syslog on the wire: RFC 5424, RFC 3164, over UDP and over TCP with octet counting.

use model::field::{Field, FieldType, KindSpec};

/// One message, without its text.
pub static MESSAGE: KindSpec = KindSpec {
    name: "syslog.message",
    doc: "A log line was sent. Subject is its sender. The text is not kept: it may name patients.",
    fields: &[
        Field::new("facility", FieldType::Uint, "Facility, 0 to 23."),
        Field::new("severity", FieldType::Uint, "Severity, 0 (emergency) to 7 (debug)."),
        Field::new("host", FieldType::Text, "Host name in the header."),
        Field::new("app", FieldType::Text, "Application name in the header."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the message."),
    ],
};
