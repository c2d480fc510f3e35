//! HL7 version 2 over MLLP.

use model::field::{Field, FieldType, KindSpec};

/// One message.
pub static MESSAGE: KindSpec = KindSpec {
    name: "hl7.message",
    doc: "An HL7 v2 message. Subject is its sender.",
    fields: &[
        Field::new("type", FieldType::Text, "Message code: ORU, ADT, ACK, ..."),
        Field::new("trigger", FieldType::Text, "Trigger event: R01, A08, ..."),
        Field::new("structure", FieldType::Text, "Message structure: ORU_R01, ..."),
        Field::new("version", FieldType::Text, "HL7 version."),
        Field::new("sending_application", FieldType::Text, "MSH-3."),
        Field::new("sending_facility", FieldType::Text, "MSH-4."),
        Field::new("receiving_application", FieldType::Text, "MSH-5."),
        Field::new("receiving_facility", FieldType::Text, "MSH-6."),
        Field::new("processing_id", FieldType::Text, "MSH-11: P, T, D."),
        Field::patient(
            "control_id",
            "MSH-10, as a token: some systems build it from patient numbers.",
        ),
        Field::new("ack_code", FieldType::Text, "MSA-1: AA, AE, AR, CA, CE, CR."),
        Field::patient("acked_id", "MSA-2, as a token."),
        Field::new("segments", FieldType::Uint, "Segments."),
        Field::new("obx", FieldType::Uint, "OBX segments: results."),
        Field::new("orders", FieldType::Uint, "ORC segments: orders."),
        Field::patient("patient", "PID-3, or else PID-2 or PID-4: the patient's identifier."),
        Field::new("patients", FieldType::Uint, "PID segments."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size without MLLP's framing."),
        Field::patient(
            "content",
            "Token of the message without MSH-7 and MSH-10: the same content sent twice has the same token.",
        ),
        Field::new("batch", FieldType::Bool, "Whether it came in an FHS or BHS batch."),
    ],
};
