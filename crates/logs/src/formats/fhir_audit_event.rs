//! FHIR AuditEvent, as an EHR or an audit repository exports it: one resource a record, or a
//! Bundle or an array of them. R4 and R4B by the letter; what R5 names otherwise is read too.
//!
//! Of the entities only the patients matter here, and they leave as tokens; names, descriptions,
//! queries and the narrative are never looked at.

use std::collections::BTreeSet;

use model::emit::{Emit, Probe};
use model::flow::Direction;
use model::observation::Party;
use model::time::Timestamp;
use serde_json::Value;

use crate::formats::fhir_agent::{self, codes, text_at};
use crate::formats::syslog5424::party;
use crate::kinds;
use crate::seam::{DecodeError, FormatSpec, LogFormat};

static SPEC: FormatSpec = FormatSpec {
    name: "fhir_audit_event",
    doc: "FHIR AuditEvent: who read or changed which patient's record.",
    kinds: &[&kinds::LINE, &kinds::LOGIN, &kinds::RECORD_ACCESS],
    sources: &[
        "HL7 FHIR R4 AuditEvent",
        "HL7 FHIR R5 AuditEvent",
        "DICOM PS3.15 A.5",
        "IHE Basic Audit Log Patterns",
    ],
};

/// Most patients of one event that are told apart.
const MAX_PATIENTS: usize = 256;

/// Most events of one bundle or array.
const MAX_EVENTS: usize = 10_000;

const EXPECTED_JSON: &str = "one JSON object: a FHIR AuditEvent, or a Bundle of them";

/// FHIR AuditEvent.
#[derive(Debug)]
pub struct FhirAuditEvent;

impl LogFormat for FhirAuditEvent {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn sniff(&self, record: &[u8]) -> Probe {
        let json = matches!(record.trim_ascii_start().first(), Some(b'{' | b'['));
        let named = |word: &[u8]| record.windows(word.len()).any(|window| window == word);
        if json && named(b"\"resourceType\"") && named(b"\"AuditEvent\"") {
            Probe::Yes
        } else {
            Probe::No
        }
    }

    fn decode(&self, record: &[u8], out: &mut Emit<'_>) -> Result<(), DecodeError> {
        let json: Value = serde_json::from_slice(record)
            .map_err(|error| DecodeError::new(place(record, &error), EXPECTED_JSON))?;
        let events = events(&json)?;
        // All are checked before any is told, so that an error means that nothing was emitted.
        let timed: Vec<(&Value, Timestamp)> = events
            .into_iter()
            .map(|event| Ok((event, recorded(event)?)))
            .collect::<Result<_, DecodeError>>()?;
        for (event, at) in timed {
            emit_event(event, at, out);
        }
        Ok(())
    }
}

/// The byte at which JSON broke.
fn place(record: &[u8], error: &serde_json::Error) -> usize {
    let before = error.line().saturating_sub(1);
    let lines = record.split_inclusive(|&byte| byte == b'\n').take(before);
    lines.map(<[u8]>::len).sum::<usize>().saturating_add(error.column().saturating_sub(1))
}

/// The events of a record: itself, or the entries of a Bundle or an array.
fn events(json: &Value) -> Result<Vec<&Value>, DecodeError> {
    let is_event = |value: &&Value| text_at(value, &["resourceType"]) == Some("AuditEvent");
    if is_event(&json) {
        return Ok(vec![json]);
    }
    let found: Vec<&Value> = match json {
        Value::Array(items) => items.iter().filter(is_event).take(MAX_EVENTS).collect(),
        _ => {
            let entries = json.get("entry").and_then(Value::as_array).map(Vec::as_slice);
            let resources = entries.unwrap_or_default().iter().filter_map(|e| e.get("resource"));
            resources.filter(is_event).take(MAX_EVENTS).collect()
        }
    };
    if found.is_empty() { Err(DecodeError::new(0, EXPECTED_JSON)) } else { Ok(found) }
}

fn recorded(event: &Value) -> Result<Timestamp, DecodeError> {
    const EXPECTED: &str = "'recorded' with a FHIR instant, such as 2026-11-23T12:10:09.5Z";
    text_at(event, &["recorded"])
        .filter(|text| text.contains('T'))
        .and_then(|text| text.parse().ok())
        .ok_or(DecodeError::new(0, EXPECTED))
}

/// What sort of event it is.
enum Sort {
    Login(&'static str),
    Application,
    Access,
}

fn sort(codes: &[&str], outcome: &str) -> Sort {
    let has = |wanted: &[&str]| codes.iter().any(|code| wanted.contains(code));
    // DICOM PS3.16 CID 400 and 403; 'login' and 'logout' are the codes of IHE BALP.
    if has(&["110123", "logout", "Logout"]) {
        return Sort::Login("logoff");
    }
    if has(&["110114", "110122", "110126", "login", "Login"]) {
        return Sort::Login(if outcome == "success" { "success" } else { "failure" });
    }
    if has(&["110100", "110101", "110108", "110113", "110120", "110121"]) {
        return Sort::Application;
    }
    Sort::Access
}

fn emit_event(event: &Value, at: Timestamp, out: &mut Emit<'_>) {
    // R4: type and subtype; R5: category and code.
    let mut event_codes = codes(event.get("type"));
    event_codes.extend(codes(event.get("category")));
    event_codes.extend(codes(event.get("subtype")));
    event_codes.extend(codes(event.get("code")));
    let code = event_codes.first().copied().unwrap_or_default();
    let outcome = outcome(event.get("outcome"));
    let agent = fhir_agent::requestor(event);
    let observer = event.get("source").and_then(|source| source.get("observer"));
    let observer = observer.and_then(fhir_agent::reference_name).unwrap_or_default();
    let subject = agent.network.map(party).unwrap_or_default();
    let peer: Option<Party> = (!observer.is_empty()).then(|| party(observer));

    match sort(&event_codes, outcome) {
        Sort::Login(outcome) => out
            .observe(&kinds::LOGIN, Direction::Forward)
            .at(at)
            .subject(subject)
            .peer(peer)
            .word("format", SPEC.name)
            .word("outcome", outcome)
            .text("user", agent.user.unwrap_or_default().as_bytes())
            .text("service", observer.as_bytes())
            .emit(),
        Sort::Application => out
            .observe(&kinds::LINE, Direction::Forward)
            .at(at)
            .subject(peer.unwrap_or_default())
            .peer(None)
            .word("format", SPEC.name)
            .text("app", observer.as_bytes())
            .text("message_id", code.as_bytes())
            .emit(),
        Sort::Access => {
            let (patients, resource, entities) = entities(event);
            let action = text_at(event, &["action"]).unwrap_or_default();
            let purpose = purpose(event, &agent);
            let count = patients.len().max(1);
            let mut patients = patients.into_iter();
            for _ in 0..count {
                let patient = patients.next().unwrap_or_default();
                out.observe(&kinds::RECORD_ACCESS, Direction::Forward)
                    .at(at)
                    .subject(subject.clone())
                    .peer(peer.clone())
                    .word("format", SPEC.name)
                    .text("event", code.as_bytes())
                    .text("action", action.as_bytes())
                    .word("outcome", outcome)
                    .text("user", agent.user.unwrap_or_default().as_bytes())
                    .text("patient", patient.as_bytes())
                    .text("resource", resource.as_bytes())
                    .uint("entities", entities as u64)
                    .text("observer", observer.as_bytes())
                    .text("purpose", purpose.as_bytes())
                    .emit();
            }
        }
    }
}

/// R4 has a code of DICOM (0, 4, 8, 12), R5 a coding with a severity.
fn outcome(outcome: Option<&Value>) -> &'static str {
    let code = match outcome {
        Some(Value::String(code)) => code.as_str(),
        Some(object) => text_at(object, &["code", "code"])
            .or_else(|| codes(object.get("code")).first().copied())
            .unwrap_or("0"),
        None => "0",
    };
    match code {
        "4" | "warning" => "minor",
        "8" | "error" => "serious",
        "12" | "fatal" => "major",
        _ => "success",
    }
}

/// Patients by their identifier, sorted; the type of the first resource that was
/// accessed; how many things were accessed.
fn entities(event: &Value) -> (BTreeSet<&str>, &str, usize) {
    let mut patients = BTreeSet::new();
    let mut resource = "";
    let list = event.get("entity").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for entity in list {
        // `what` since R4, `reference` and `identifier` in STU3.
        let what = entity.get("what").unwrap_or(entity);
        let reference = text_at(what, &["reference"]).unwrap_or_default();
        let (kind, id) = fhir_agent::split_reference(reference);
        let kind = if kind.is_empty() { fhir_agent::type_name(what) } else { kind };
        let role = codes(entity.get("role"));
        let is_patient = kind == "Patient" || (kind.is_empty() && role.contains(&"1"));
        if is_patient {
            let id = if id.is_empty() {
                text_at(what, &["identifier", "value"]).unwrap_or_default()
            } else {
                id
            };
            add(&mut patients, id);
        }
        if !kind.is_empty() && (resource.is_empty() || resource == "Patient") {
            resource = kind;
        }
    }
    // R5 names the patient beside the entities.
    if let Some(patient) = event.get("patient") {
        let (_, id) =
            fhir_agent::split_reference(text_at(patient, &["reference"]).unwrap_or_default());
        let id = if id.is_empty() {
            text_at(patient, &["identifier", "value"]).unwrap_or_default()
        } else {
            id
        };
        add(&mut patients, id);
    }
    (patients, resource, list.len())
}

fn add<'a>(patients: &mut BTreeSet<&'a str>, id: &'a str) {
    // HL7 v2 identifiers carry the assigning authority after '^'.
    let id = id.split('^').next().unwrap_or(id).trim();
    if !id.is_empty() && patients.len() < MAX_PATIENTS {
        patients.insert(id);
    }
}

/// The purpose of use, "break the glass" before any other.
fn purpose<'a>(event: &'a Value, agent: &fhir_agent::Agent<'a>) -> &'a str {
    let mut all = agent.purposes.clone();
    for name in ["purposeOfEvent", "purposeOfUse", "authorization"] {
        all.extend(codes(event.get(name)));
    }
    let glass = all.iter().copied().find(|code| matches!(*code, "BTG" | "ETREAT"));
    glass.or(all.first().copied()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
