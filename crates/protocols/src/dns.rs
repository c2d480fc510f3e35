//! DNS over UDP and TCP.

use model::field::{Field, FieldType, KindSpec};

/// A question.
pub static QUERY: KindSpec = KindSpec {
    name: "dns.query",
    doc: "A question. Subject is who asks.",
    fields: &[
        Field::new("name", FieldType::Text, "Name asked for, lower case, without the last dot."),
        Field::new("type", FieldType::Text, "A, AAAA, TXT, ... or TYPEn."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the message."),
    ],
};

/// An answer.
pub static RESPONSE: KindSpec = KindSpec {
    name: "dns.response",
    doc: "An answer. Subject is the server.",
    fields: &[
        Field::new("name", FieldType::Text, "Name asked for, lower case, without the last dot."),
        Field::new("type", FieldType::Text, "A, AAAA, TXT, ... or TYPEn."),
        Field::new("rcode", FieldType::Text, "NOERROR, NXDOMAIN, SERVFAIL, REFUSED, ..."),
        Field::new("answers", FieldType::Texts, "Addresses and names in the answers, at most 16."),
        Field::new("answer_count", FieldType::Uint, "Records in the answer section."),
        Field::measure("ttl", FieldType::Uint, "s", "Shortest time to live of the answers."),
        Field::new("authoritative", FieldType::Bool, "Whether from the zone's own server."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the message."),
    ],
};
