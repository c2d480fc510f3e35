//! ASTM E1381 (CLSI LIS1-A) framing and ASTM E1394 (CLSI LIS2-A2) records over TCP: laboratory
//! analysers.

use model::field::{Field, FieldType, KindSpec};

/// One message: from its H record to its L record.
pub static MESSAGE: KindSpec = KindSpec {
    name: "astm.message",
    doc: "A LIS2-A2 message, from header to terminator. Subject is its sender.",
    fields: &[
        Field::new("sender", FieldType::Text, "H-5: sender name or id."),
        Field::new("receiver", FieldType::Text, "H-10: receiver id."),
        Field::new("processing_id", FieldType::Text, "H-12: P, T, D, Q."),
        Field::new("version", FieldType::Text, "H-13."),
        Field::new("records", FieldType::Uint, "Records."),
        Field::new("patients", FieldType::Uint, "P records."),
        Field::new("orders", FieldType::Uint, "O records."),
        Field::new("results", FieldType::Uint, "R records."),
        Field::new("queries", FieldType::Uint, "Q records."),
        Field::new(
            "tests",
            FieldType::Texts,
            "Universal test ids of the results, each once, at most 32.",
        ),
        Field::patient("patient", "P-3 to P-5: the patient's identifier."),
        Field::new("termination", FieldType::Text, "L-3: N normal, and so on."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the records."),
        Field::new(
            "framed",
            FieldType::Bool,
            "Whether in E1381 frames with checksums (else bare records).",
        ),
    ],
};
