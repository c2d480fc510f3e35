//! ICMP for IPv4 and IPv6.

use model::field::{Field, FieldType, KindSpec};

/// A message other than a repeated echo.
pub static MESSAGE: KindSpec = KindSpec {
    name: "icmp.message",
    doc: "The first message of each type in a flow, and every error. Subject is its sender.",
    fields: &[
        Field::new("type", FieldType::Uint, "Type."),
        Field::new("code", FieldType::Uint, "Code."),
        Field::new(
            "name",
            FieldType::Text,
            "echo_request, echo_reply, unreachable, redirect, time_exceeded, router_advertisement, neighbor_solicitation, ...",
        ),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of its payload."),
        Field::new(
            "about",
            FieldType::Ip,
            "Destination of the packet that an error is about, gateway of a redirect, or target of a neighbour message.",
        ),
        Field::new(
            "about_mac",
            FieldType::Mac,
            "Link-layer address option of a neighbour message or router advertisement.",
        ),
    ],
};
