//! Heads to observations.

use model::emit::Emit;
use model::flow::Direction;
use model::text::MAX_TEXT;

use super::pending::Pending;
use crate::http::head::{Headers, RequestHead, ResponseHead, media_type};
use crate::http::{FHIR, REQUEST, RESPONSE, attack, auth, fhir};
use crate::redact::{self, query};

/// Tells of a request, and keeps what its response will need.
pub(super) fn request(
    head: &RequestHead<'_>,
    bytes: &[u8],
    dir: Direction,
    out: &mut Emit<'_>,
) -> Pending {
    let asked = fhir::asked(out, head);
    let path = redact::path(out, head.target, fhir::speaks(head));
    let names = query::names(out, query::of(head.target));
    let credential = auth::credential(head.headers.authorization);
    let method = method(head.method);
    let mut draft = out
        .observe(&REQUEST, dir)
        .text("method", method.as_bytes())
        .text("path", path.as_bytes())
        .texts("parameters", names.iter().map(String::as_bytes), query::MAX_NAMES)
        .text("host", head.headers.host)
        .text("user_agent", head.headers.user_agent)
        .text("content_type", media_type(head.headers.content_type).as_bytes())
        .word("auth", credential.scheme)
        .text("user", &credential.user)
        .texts("suspicious", attack::shapes(head.target, bytes), 3);
    if let Some(length) = head.headers.framing.length() {
        draft = draft.uint("content_length", length);
    }
    if let Some(default) = credential.default {
        draft = draft.flag("default_credential", default);
    }
    draft.emit();
    Pending {
        method: method.into(),
        path: path.into(),
        credential,
        user_agent: kept(head.headers.user_agent),
        at: out.at(),
        changes: method == "CONNECT" || !head.headers.upgrade.is_empty(),
        fhir: asked.map(Box::new),
    }
}

/// Tells of a response, and of the FHIR interaction that it ends.
pub(super) fn response(
    head: &ResponseHead<'_>,
    request: Option<&Pending>,
    tunnel: bool,
    dir: Direction,
    out: &mut Emit<'_>,
) {
    let content_type = media_type(head.headers.content_type);
    let at = out.at();
    let mut draft = out
        .observe(&RESPONSE, dir)
        .uint("status", head.status)
        .text("server", head.headers.server)
        .text("content_type", content_type.as_bytes());
    if let Some(length) = head.headers.framing.length() {
        draft = draft.uint("content_length", length);
    }
    if !head.headers.challenge.is_empty() {
        draft = draft.word("asks_auth", auth::scheme(head.headers.challenge));
    }
    if let Some(protocol) = upgrade(head.status, &head.headers, tunnel) {
        draft = draft.word("upgrade", protocol);
    }
    if let Some(request) = request {
        draft = draft
            .text("method", request.method.as_bytes())
            .text("path", request.path.as_bytes())
            .word("auth", request.credential.scheme)
            .text("user", &request.credential.user)
            .float("seconds", at.seconds_since(request.at).max(0.0));
        if let Some(default) = request.credential.default {
            draft = draft.flag("default_credential", default);
        }
    }
    draft.emit();
    let Some(request) = request else { return };
    let Some(asked) = request.fhir.as_deref().filter(|asked| asked.holds(&content_type)) else {
        return;
    };
    let mut draft = out
        .observe(&FHIR, dir.flipped())
        .word("interaction", asked.interaction.name())
        .texts("parameters", asked.parameters.iter().map(String::as_bytes), query::MAX_NAMES)
        .uint("status", head.status)
        .text("user_agent", &request.user_agent)
        .text("user", &request.credential.user);
    if let Some(resource) = asked.resource {
        draft = draft.word("resource", resource);
    }
    if let Some(operation) = &asked.operation {
        draft = draft.text("operation", operation.as_bytes());
    }
    if let Some(patient) = asked.patient {
        draft = draft.token("patient", patient);
    }
    draft.emit();
}

/// A method's name; longer than any that exists, it is cut.
fn method(name: &str) -> &str {
    name.get(..32).unwrap_or(name)
}

fn kept(value: &[u8]) -> Box<[u8]> {
    value.get(..value.len().min(MAX_TEXT)).unwrap_or_default().into()
}

fn upgrade(status: u16, headers: &Headers<'_>, tunnel: bool) -> Option<&'static str> {
    if tunnel {
        return Some("tunnel");
    }
    let known = |name: &&str| headers.upgrade.eq_ignore_ascii_case(name.as_bytes());
    (status == 101).then(|| ["websocket", "h2c"].into_iter().find(known).unwrap_or("other"))
}
