//! Whose record a request is about.

use model::emit::Emit;
use model::privacy::Token;

use super::interaction::Shape;
use crate::redact::{PATIENT, query};

/// The patient of the path, or else of the first parameter that names one. Always the bare id or
/// identifier, so that `Patient/7`, `patient=7` and `subject=Patient/7` give the same token.
pub(super) fn of(emit: &Emit<'_>, shape: &Shape<'_>, query: &[u8]) -> Option<Token> {
    if let Some(("Patient", id)) = shape.instance {
        return Some(emit.token(PATIENT, id));
    }
    query::pairs(query).take(64).find_map(|(name, value)| {
        let value = value?;
        let first = value.split(|&b| b == b',').next().unwrap_or_default();
        let id = named(shape.resource, &name, first)?.trim_ascii();
        (!id.is_empty()).then(|| emit.token(PATIENT, id))
    })
}

/// The bare id or identifier that a parameter gives of a patient.
fn named<'v>(resource: Option<&str>, name: &[u8], value: &'v [u8]) -> Option<&'v [u8]> {
    let end = name.iter().position(|b| matches!(b, b':' | b'.')).unwrap_or(name.len());
    let (base, modifier) = name.split_at(end);
    match (base, modifier, resource) {
        (b"patient" | b"subject", b":identifier" | b".identifier", _)
        | (b"patient" | b"subject", b":Patient.identifier", _)
        | (b"identifier", _, Some("Patient")) => Some(identifier(value)),
        (b"patient", b"" | b":Patient" | b"._id", _) => Some(reference(value)),
        (b"subject", b":Patient" | b"._id", _) => Some(reference(value)),
        // A subject may be a group, a device or a place, unless it is said to be a patient.
        (b"subject", b"", _) if value.contains(&b'/') => patient_reference(value),
        (b"subject", b"", _) => Some(value),
        (b"_id", b"", Some("Patient")) => Some(value),
        _ => None,
    }
}

/// `system|value`, `system|code|value` or `value`.
fn identifier(value: &[u8]) -> &[u8] {
    value.rsplit(|&b| b == b'|').next().unwrap_or_default()
}

fn reference(value: &[u8]) -> &[u8] {
    patient_reference(value).unwrap_or(value)
}

/// The id in `Patient/7`, `https://host/fhir/Patient/7` and `Patient/7/_history/2`.
fn patient_reference(value: &[u8]) -> Option<&[u8]> {
    const TYPE: &[u8] = b"Patient/";
    let at = value.windows(TYPE.len()).rposition(|window| window == TYPE)?;
    let id = value.get(at.saturating_add(TYPE.len())..).unwrap_or_default();
    id.split(|b| matches!(b, b'/' | b'|' | b'?')).next()
}
