//! Heads and what their bodies held to observations.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use model::privacy::Token;
use model::text::MAX_TEXT;

use super::pending::Pending;
use crate::http::content::{Found, Told};
use crate::http::fhir::{Export, Links};
use crate::http::head::{Headers, RequestHead, ResponseHead, media_type};
use crate::http::oauth::{MAX_SCOPES, TOKEN};
use crate::http::websocket::Offer;
use crate::http::{FHIR, REQUEST, RESPONSE, attack, auth, dicomweb, fhir};
use crate::ntlm;
use crate::redact::{self, query};

/// Tells of a request, and keeps what its response will need.
pub(in crate::http) fn request(
    head: &RequestHead<'_>,
    bytes: &[u8],
    version: &'static str,
    links: &Links,
    dir: Direction,
    out: &mut Emit<'_>,
) -> Pending {
    let asked = links.follow(head.method, head.target, fhir::asked(out, head), out);
    let dicomweb = dicomweb::asked(out, head);
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
    if !version.is_empty() {
        draft = draft.word("version", version);
    }
    draft.emit();
    Pending {
        method: method.into(),
        path: path.into(),
        credential,
        user_agent: kept(head.headers.user_agent),
        at: out.at(),
        changes: method == "CONNECT" || !head.headers.upgrade.is_empty(),
        offer: Offer::of(&head.headers),
        fhir: asked.map(Box::new),
        dicomweb: dicomweb.map(Box::new),
        sent: Told::default(),
    }
}

/// An exchange whose response has begun.
#[derive(Debug)]
pub(in crate::http) struct Answer {
    pub(in crate::http) request: Pending,
    status: u16,
    content_type: Box<str>,
    location: Option<Token>,
}

impl Answer {
    /// Whether what it ends is told with its size.
    pub(in crate::http) fn tells_of_bytes(&self) -> bool {
        self.request.fhir.is_some() || self.request.dicomweb.is_some()
    }
}

/// Tells of a response. What it ends is told when its body is over, where there is more to tell.
pub(in crate::http) fn response(
    head: &ResponseHead<'_>,
    request: Option<Pending>,
    tunnel: bool,
    dir: Direction,
    out: &mut Emit<'_>,
) -> Option<Answer> {
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
    if let Some(request) = &request {
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
    if let Some(blob) = auth::challenge(head.headers.challenge) {
        ntlm::say_challenge("http", &blob, dir, out);
    }
    let mut request = request?;
    request.fhir = request.fhir.filter(|asked| asked.holds(&content_type));
    request.dicomweb = request.dicomweb.filter(|asked| asked.holds(&content_type));
    let location = fhir::location(head.headers.content_location, out);
    Some(Answer { request, status: head.status, content_type: content_type.into(), location })
}

/// Tells of what an exchange was, now that it is over; `dir` is the client's.
pub(in crate::http) fn exchange(
    answer: &Answer,
    received: &Told,
    links: &mut Links,
    dir: Direction,
    out: &mut Emit<'_>,
) {
    let request = &answer.request;
    if let Some(asked) = request.fhir.as_deref() {
        interaction(asked, answer, received, links, dir, out);
    }
    if let Some(asked) = request.dicomweb.as_deref() {
        let around = dicomweb::Around {
            status: answer.status,
            content_type: &answer.content_type,
            user_agent: &request.user_agent,
            user: &request.credential.user,
            sent: &request.sent,
            received,
        };
        dicomweb::say(asked, &around, dir, out);
    }
    if let Found::Grant(grant) = &request.sent.found {
        out.observe(&TOKEN, dir)
            .word("grant", grant.kind)
            .text("client", &grant.client)
            .texts("scopes", grant.scopes.iter().map(|scope| &**scope), MAX_SCOPES)
            .flag("system", grant.system)
            .uint("status", answer.status)
            .emit();
    }
}

fn interaction(
    asked: &fhir::Asked,
    answer: &Answer,
    received: &Told,
    links: &mut Links,
    dir: Direction,
    out: &mut Emit<'_>,
) {
    let Answer { request, status, location, .. } = answer;
    let summary = match &received.found {
        Found::Resource(summary) => Some(summary),
        _ => None,
    };
    let sent = match &request.sent.found {
        Found::Resource(summary) => Some(summary),
        _ => None,
    };
    links.learn(asked, summary, location.filter(|_| *status == 202));
    let ndjson = answer.content_type.contains("ndjson");
    let export = asked.export.or_else(|| {
        let manifest = summary.is_some_and(|summary| summary.manifest);
        if ndjson { Some(Export::File) } else { manifest.then_some(Export::Status) }
    });
    let word = |word: Option<&'static str>| word.map(Value::Word);
    let uint = |count: Option<u64>| count.map(Value::Uint);
    let text = |text: Option<&Box<str>>| text.cloned().map(Value::Text);
    let lines = match received.found {
        Found::Lines(lines) => Some(lines),
        _ => None,
    };
    let bundle = |summary: Option<&fhir::Summary>| {
        summary.filter(|summary| summary.bundle.is_some()).map(|summary| summary.entries)
    };
    let batch = sent.filter(|sent| sent.entries > 0);
    let method = |place: usize| uint(batch.and_then(|b| b.methods.get(place)).copied());
    out.observe(&FHIR, dir)
        .word("interaction", asked.interaction.name())
        .value("scope", word(asked.scope.map(fhir::Scope::name)))
        .value("resource", word(asked.resource))
        .text("operation", asked.operation.as_deref().unwrap_or_default().as_bytes())
        .value("export", word(export.map(Export::name)))
        .value("patient", asked.patient.map(Value::Token))
        .texts("parameters", asked.parameters.iter().map(String::as_bytes), query::MAX_NAMES)
        .value("count", uint(asked.paging.count))
        .value("offset", uint(asked.paging.offset))
        .value("includes", uint(Some(asked.paging.includes).filter(|count| *count > 0)))
        .value("chained", asked.paging.chained.then_some(Value::Bool(true)))
        .value("page", uint(asked.page))
        .value("bundle", text(sent.or(summary).and_then(|s| s.bundle.as_ref())))
        .value("total", uint(summary.and_then(|summary| summary.total)))
        .value("entries", uint(batch.map(|b| b.entries).or(lines).or(bundle(summary))))
        .value("more", bundle(summary).and(summary).map(|s| Value::Bool(s.next.is_some())))
        .value("reads", method(0))
        .value("writes", method(1))
        .value("deletes", method(2))
        .uint("status", *status)
        .value("issue", text(summary.and_then(|summary| summary.issue.as_ref())))
        .uint("bytes", request.sent.bytes.saturating_add(received.bytes))
        .text("user_agent", &request.user_agent)
        .text("user", &request.credential.user)
        .emit();
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
