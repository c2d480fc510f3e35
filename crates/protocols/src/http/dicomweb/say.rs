//! An exchange to its observation.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;

use super::{Asked, Service, TRANSACTION};
use crate::http::content::{Found, Told};
use crate::http::multipart::{MAX_NAMED, Parts};
use crate::redact::query::MAX_NAMES;

/// What the HTTP around it says.
pub(in crate::http) struct Around<'a> {
    pub(in crate::http) status: u16,
    pub(in crate::http) content_type: &'a str,
    pub(in crate::http) user_agent: &'a [u8],
    pub(in crate::http) user: &'a [u8],
    pub(in crate::http) sent: &'a Told,
    pub(in crate::http) received: &'a Told,
}

/// Tells of an exchange; `dir` is the client's.
pub(in crate::http) fn say(asked: &Asked, around: &Around<'_>, dir: Direction, out: &mut Emit<'_>) {
    let Around { status, sent, received, .. } = *around;
    let parts: Option<&Parts> = match (&sent.found, &received.found) {
        (Found::Parts(parts), _) | (_, Found::Parts(parts)) => Some(parts),
        _ => None,
    };
    let datasets = match &received.found {
        Found::Datasets(datasets) => Some(datasets),
        _ => None,
    };
    let store = asked.service == Service::Store;
    let success = (200..300).contains(&status);
    let instances = match (parts, datasets) {
        (Some(parts), _) => Some(parts.parts),
        // A rendered image, or a file alone.
        (None, _) if asked.service == Service::RetrieveUri && success => Some(1),
        _ => None,
    };
    let patients = [parts.map(|p| &p.patients), datasets.map(|d| &d.patients)];
    let patients = patients.into_iter().flatten().max_by_key(|patients| patients.count());
    let patient = asked.patient.or_else(|| patients.and_then(super::Patients::one));
    let uint = |value: Option<u64>| value.map(Value::Uint);
    let texts = |kept: &[Box<str>]| {
        let kept: Box<[Box<str>]> = kept.iter().take(MAX_NAMED).cloned().collect();
        (!kept.is_empty()).then_some(Value::Texts(kept))
    };
    let mut draft = out
        .observe(&TRANSACTION, dir)
        .word("service", asked.service.name())
        .word("action", asked.action)
        .value("level", asked.level.map(|level| Value::Word(level.name())))
        .value("form", asked.form.map(|form| Value::Word(form.name())))
        .texts("keys", asked.keys.iter().map(String::as_bytes), MAX_NAMES)
        .value("limit", uint(asked.limit))
        .value("offset", uint(asked.offset))
        .value("study", asked.study.map(Value::Token))
        .value("patient", patient.map(Value::Token))
        .value("patients", uint(patients.map(super::Patients::count).filter(|count| *count > 0)))
        .value("results", uint(datasets.filter(|_| !store).map(|datasets| datasets.results)))
        .value("instances", uint(instances))
        .value("failed", uint(datasets.filter(|_| store).map(|datasets| datasets.failed)))
        .value("executable", uint(parts.map(|parts| parts.programs).filter(|count| *count > 0)))
        .value("sop_classes", parts.and_then(|parts| texts(&parts.sop_classes)))
        .value("modalities", parts.and_then(|parts| texts(&parts.modalities)))
        .uint("bytes", sent.bytes.saturating_add(received.bytes))
        .uint("status", status)
        .text("content_type", around.content_type.as_bytes())
        .text("user_agent", around.user_agent)
        .text("user", around.user);
    if asked.action == "search" {
        draft = draft.flag("wildcard", asked.wildcard).flag("universal", asked.universal);
    }
    draft.emit();
}
