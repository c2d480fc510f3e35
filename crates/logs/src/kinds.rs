//! Observations that log formats share.

use model::field::{Field, FieldType, KindSpec};

/// A log line, whatever it says.
pub static LINE: KindSpec = KindSpec {
    name: "log.line",
    doc: "A log line. Subject is the host that wrote it. The text is not kept: it may name patients.",
    fields: &[
        Field::new("format", FieldType::Text, "Format it came in."),
        Field::new("facility", FieldType::Uint, "Syslog facility, 0 to 23."),
        Field::new("severity", FieldType::Uint, "Syslog severity, 0 (emergency) to 7 (debug)."),
        Field::new("app", FieldType::Text, "Program that wrote it."),
        Field::new("message_id", FieldType::Text, "Type of the message (MSGID)."),
        Field::patient(
            "template",
            "Token of the text with numbers, addresses and quoted parts left out: the same sort of line has the same token.",
        ),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the line."),
    ],
};

/// A log-on or log-off.
pub static LOGIN: KindSpec = KindSpec {
    name: "log.login",
    doc: "Somebody logged on or off, or failed to. Subject is where from, peer is the host that tells.",
    fields: &[
        Field::new("format", FieldType::Text, "Format it came in."),
        Field::new("outcome", FieldType::Text, "success, failure or logoff."),
        Field::staff("user", "Account."),
        Field::new("service", FieldType::Text, "Program or system that was logged on to."),
        Field::new("count", FieldType::Uint, "How many times, where the log joined several."),
    ],
};

/// Access to a patient's record.
pub static RECORD_ACCESS: KindSpec = KindSpec {
    name: "audit.access",
    doc: "An audit record of access to data. Subject is where the user sat, peer is the system that tells.",
    fields: &[
        Field::new("format", FieldType::Text, "Format it came in."),
        Field::new("event", FieldType::Text, "Code of the event type, such as 110110."),
        Field::new("action", FieldType::Text, "C, R, U, D or E."),
        Field::new("outcome", FieldType::Text, "success, minor, serious or major."),
        Field::staff("user", "Account of the requestor."),
        Field::patient("patient", "Patient whose record it is."),
        Field::new("resource", FieldType::Text, "Resource type of what was accessed."),
        Field::new("entities", FieldType::Uint, "Things accessed."),
        Field::new("observer", FieldType::Text, "System that tells."),
        Field::new(
            "purpose",
            FieldType::Text,
            "Purpose of use, such as TREAT or BTG (break the glass).",
        ),
    ],
};

/// All kinds of this crate.
pub static ALL: &[&KindSpec] = &[&LINE, &LOGIN, &RECORD_ACCESS];
