//! SOAP envelopes: which operation of which service, and for IEEE 11073 SDC which of them change
//! what a device does.
//!
//! Read by the bodies of HTTP (MDPWS, ONVIF, UPnP, printers) and by WS-Discovery. Of a patient's
//! context only the token of the identifier leaves; measured values never do. Deliberately absent:
//! WS-Security, attachments (MTOM), the model of the device (MDIB).

mod envelope;
mod sdc;

use model::emit::Emit;
use model::field::{Field, FieldType, KindSpec};
use model::flow::Direction;
use model::observation::Value;

pub(crate) use envelope::{Envelope, Reader};

/// One SOAP message over HTTP.
pub static MESSAGE: KindSpec = KindSpec {
    name: "soap.message",
    doc: "A SOAP envelope went over HTTP. Subject is its sender.",
    fields: &[
        Field::new("action", FieldType::Text, "wsa:Action, or else the SOAPAction header."),
        Field::new(
            "standard",
            FieldType::Text,
            "sdc, ws-eventing, ws-transfer, ws-discovery, ws-metadata, onvif, upnp, wsd-print or other.",
        ),
        Field::new(
            "service",
            FieldType::Text,
            "Service of SDC: GetService, SetService, StateEventService, ContextService, ...",
        ),
        Field::new("operation", FieldType::Text, "Local name of the first element of the body."),
        Field::new(
            "role",
            FieldType::Text,
            "request, response, report (sent to a subscriber) or fault.",
        ),
        Field::new(
            "changes",
            FieldType::Bool,
            "Whether it asks an SDC device to change its state: SetValue, Activate, SetAlertState, ...",
        ),
        Field::new("handle", FieldType::Text, "OperationHandleRef: which operation of the device."),
        Field::new(
            "invocation",
            FieldType::Text,
            "InvocationState of an SDC operation: Wait, Start, Fin, Fail, Cnclld, ...",
        ),
        Field::new("error", FieldType::Text, "InvocationError of an SDC operation."),
        Field::patient("patient", "Identifier of the patient of a PatientContextState."),
        Field::new("states", FieldType::Uint, "States in an SDC report or request."),
        Field::new(
            "alerts",
            FieldType::Uint,
            "Alert signals and conditions among them that are on.",
        ),
        Field::new("fault", FieldType::Text, "Code of a fault, and its subcode."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the body as sent."),
    ],
};

/// Tells of an envelope; `header` is the SOAPAction of HTTP.
pub(crate) fn say(
    envelope: &Envelope,
    header: &[u8],
    response: bool,
    bytes: u64,
    dir: Direction,
    out: &mut Emit<'_>,
) {
    let action = if envelope.action.is_empty() { header } else { &envelope.action };
    let action = action.trim_ascii();
    let action = action.strip_prefix(b"\"").and_then(|a| a.strip_suffix(b"\"")).unwrap_or(action);
    let standard = sdc::standard(action, &envelope.operation);
    let operation = std::str::from_utf8(&envelope.operation).unwrap_or_default();
    let is_sdc = standard == "sdc";
    let report = is_sdc && operation.ends_with("Report");
    let role = match (&envelope.fault[..], report, response) {
        ([_, ..], ..) => "fault",
        (_, true, _) => "report",
        (_, _, true) => "response",
        _ => "request",
    };
    let mut draft = out
        .observe(&MESSAGE, dir)
        .text("action", action)
        .word("standard", standard)
        .text("operation", &envelope.operation)
        .word("role", role)
        .text("handle", &envelope.handle)
        .text("invocation", &envelope.invocation)
        .text("error", &envelope.error)
        .value("patient", envelope.patient.map(Value::Token))
        .text("fault", &envelope.fault)
        .uint("bytes", bytes);
    if is_sdc {
        draft = draft.text("service", sdc::service(action));
        draft = draft.flag("changes", role == "request" && sdc::changes(operation));
    }
    if envelope.states > 0 {
        draft = draft.uint("states", envelope.states).uint("alerts", envelope.alerts);
    }
    draft.emit();
}
