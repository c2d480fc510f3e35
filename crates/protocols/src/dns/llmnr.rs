//! Link-Local Multicast Name Resolution (RFC 4795): what Windows asks everybody when its server does
//! not know a name.
//!
//! Whoever answers is believed, so that one machine which answers for many names is collecting
//! log-ons. Said as it comes: every question has a flow of its own.

use model::emit::Emit;
use model::field::{Field, FieldType, KindSpec};
use model::flow::Direction;

use super::codes;
use super::message::{MOST_ANSWERS, Message, Walk};

/// A question.
pub static QUERY: KindSpec = KindSpec {
    name: "llmnr.query",
    doc: "Somebody asks everybody on the link for a name. Subject asks.",
    fields: &[
        Field::new("name", FieldType::Text, "Name asked for, lower case."),
        Field::new("type", FieldType::Text, "A, AAAA, PTR, ANY, ..."),
        Field::new(
            "conflict",
            FieldType::Bool,
            "Whether the asker has seen several hosts answer for the name.",
        ),
    ],
};

/// An answer.
pub static RESPONSE: KindSpec = KindSpec {
    name: "llmnr.response",
    doc: "A host says that a name is its own. Subject answers.",
    fields: &[
        Field::new("name", FieldType::Text, "Name asked for, lower case."),
        Field::new("type", FieldType::Text, "A, AAAA, PTR, ANY, ..."),
        Field::new("answers", FieldType::Texts, "Addresses and names given, at most 16."),
        Field::measure("ttl", FieldType::Uint, "s", "Shortest time to live of the answers."),
        Field::new("tentative", FieldType::Bool, "Whether it has not yet made sure of the name."),
    ],
};

/// Says what is in one message.
pub(super) fn say(message: &Message<'_>, walk: &Walk, dir: Direction, out: &mut Emit<'_>) {
    let Some(question) = &message.question else { return };
    if !message.is_response {
        return out
            .observe(&QUERY, dir)
            .text("name", &question.name)
            .value("type", Some(codes::type_name(question.kind)))
            // The place of AA in DNS (RFC 4795, 2.1.1).
            .flag("conflict", message.authoritative)
            .emit();
    }
    let mut draft = out
        .observe(&RESPONSE, dir)
        .text("name", &question.name)
        .value("type", Some(codes::type_name(question.kind)))
        .texts("answers", walk.answers.iter().map(Vec::as_slice), MOST_ANSWERS)
        .flag("tentative", message.recursion_desired);
    if let Some(ttl) = walk.ttl {
        draft = draft.uint("ttl", ttl);
    }
    draft.emit();
}
