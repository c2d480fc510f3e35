//! Who takes part in a FHIR AuditEvent, and the shapes of FHIR that this needs.
//!
//! An agent that is a patient (somebody who reads the own record in a portal) is not named: a
//! patient is no account.

use serde_json::Value;

/// The one who asked.
#[derive(Debug, Default)]
pub(super) struct Agent<'a> {
    /// Account, where it is not a patient's.
    pub(super) user: Option<&'a str>,
    /// Address or name of where the user sat.
    pub(super) network: Option<&'a str>,
    /// Codes of purpose of use.
    pub(super) purposes: Vec<&'a str>,
}

/// Most agents of an event that are looked at.
const MAX_AGENTS: usize = 64;

/// The agent that asked: the one marked so, people before programs; else the first. Where it has no
/// address, the first agent that has one (the machine it used) lends its own.
pub(super) fn requestor(event: &Value) -> Agent<'_> {
    let agents =
        event.get("agent").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let agents = agents.get(..agents.len().min(MAX_AGENTS)).unwrap_or_default();
    let asked = |agent: &&Value| agent.get("requestor").and_then(Value::as_bool) == Some(true);
    let Some(chosen) = agents.iter().find(asked).or_else(|| agents.first()) else {
        return Agent::default();
    };
    let network = network(chosen).or_else(|| agents.iter().find_map(network));
    let mut purposes = codes(chosen.get("purposeOfUse"));
    purposes.extend(codes(chosen.get("authorization")));
    Agent { user: user(chosen), network, purposes }
}

fn user(agent: &Value) -> Option<&str> {
    if is_patient(agent) {
        return None;
    }
    // `userId` is STU3's.
    let who = agent.get("who").or_else(|| agent.get("userId"));
    who.and_then(|who| text_at(who, &["identifier", "value"]))
        .or_else(|| text_at(agent, &["userId", "value"]))
        .or_else(|| text_at(agent, &["altId"]))
        .or_else(|| who.and_then(reference_id))
        .or_else(|| who.and_then(|who| text_at(who, &["display"])))
        .or_else(|| text_at(agent, &["name"]))
}

fn is_patient(agent: &Value) -> bool {
    let who = agent.get("who").unwrap_or(&Value::Null);
    let (of, _) = split_reference(text_at(who, &["reference"]).unwrap_or_default());
    let patient = |kind: &str| matches!(kind, "Patient" | "RelatedPerson");
    let mut roles = codes(agent.get("type"));
    roles.extend(codes(agent.get("role")));
    patient(of)
        || text_at(who, &["type"]).is_some_and(patient)
        // HL7 v3 RoleClass and ParticipationType, and what portals write.
        || roles.iter().any(|role| matches!(*role, "PAT" | "PATSBJ" | "PATIENT" | "patient" | "Patient"))
}

/// Where an agent sat: R4 `network.address`, R5 `networkString`.
fn network(agent: &Value) -> Option<&str> {
    let text =
        text_at(agent, &["network", "address"]).or_else(|| text_at(agent, &["networkString"]));
    text.map(str::trim).filter(|text| !text.is_empty() && text.len() <= 253)
}

/// The name of whom a reference points to: what is shown, or its identifier, or its id.
pub(super) fn reference_name(reference: &Value) -> Option<&str> {
    let (kind, _) = split_reference(text_at(reference, &["reference"]).unwrap_or_default());
    if matches!(kind, "Patient" | "RelatedPerson") {
        return None;
    }
    text_at(reference, &["display"])
        .or_else(|| text_at(reference, &["identifier", "value"]))
        .or_else(|| reference_id(reference))
}

fn reference_id(reference: &Value) -> Option<&str> {
    let (_, id) = split_reference(text_at(reference, &["reference"])?);
    Some(id).filter(|id| !id.is_empty())
}

/// Type and logical id of `[base/]Type/id[/_history/n]`, or of a URN or a bare text the text itself.
pub(super) fn split_reference(reference: &str) -> (&str, &str) {
    let reference = reference.split("/_history/").next().unwrap_or(reference);
    let Some((before, id)) = reference.rsplit_once('/') else { return ("", reference) };
    let kind = before.rsplit('/').next().unwrap_or(before);
    if is_type(kind) { (kind, id) } else { ("", reference) }
}

/// The resource type that a reference states beside its target, empty where it states none.
pub(super) fn type_name(reference: &Value) -> &str {
    text_at(reference, &["type"]).filter(|kind| is_type(kind)).unwrap_or_default()
}

fn is_type(kind: &str) -> bool {
    kind.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
        && kind.len() <= 64
        && kind.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Codes of a Coding, of a CodeableConcept, or of an array of either.
pub(super) fn codes(value: Option<&Value>) -> Vec<&str> {
    let concepts = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut found = Vec::new();
    for concept in concepts.iter().take(MAX_AGENTS) {
        found.extend(text_at(concept, &["code"]));
        let codings = concept.get("coding").and_then(Value::as_array).map(Vec::as_slice);
        let codings = codings.unwrap_or_default().iter().take(MAX_AGENTS);
        found.extend(codings.filter_map(|coding| text_at(coding, &["code"])));
    }
    found
}

/// The text at a path of names.
pub(super) fn text_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |at, name| at.get(name))?.as_str()
}
