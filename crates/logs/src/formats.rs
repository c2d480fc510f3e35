//! The formats, and which one a record is in.

mod fhir_agent;
pub mod fhir_audit_event;
mod syslog3164;
pub mod syslog5424;

use model::emit::Probe;

use crate::seam::LogFormat;

/// Every format, in the order in which they are asked.
pub static ALL: &[&dyn LogFormat] = &[&fhir_audit_event::FhirAuditEvent, &syslog5424::Syslog];

/// The format of a record: the first that is sure, or else the first that could read it.
pub fn recognise(record: &[u8]) -> Option<&'static dyn LogFormat> {
    let mut maybe = None;
    for &format in ALL {
        match format.sniff(record) {
            Probe::Yes => return Some(format),
            Probe::Unsure => maybe = maybe.or(Some(format)),
            Probe::No => {}
        }
    }
    maybe
}

/// A format by its name.
pub fn by_name(name: &str) -> Option<&'static dyn LogFormat> {
    ALL.iter().copied().find(|format| format.spec().name == name)
}
