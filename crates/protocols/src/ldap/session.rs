//! Requests that wait for their answers, by number.

use std::collections::VecDeque;

use model::emit::{Draft, Emit};
use model::flow::Direction;
use model::observation::Value;

use super::bind::{self, Bind};
use super::message::{self, Change, MOST_ATTRIBUTES, Search, op};
use crate::ntlm;

use super::{BIND, CHANGE, EXTENDED, SEARCH, SPEC};

/// Requests that may wait at once; the oldest counts as unanswered then.
const MOST_WAITING: usize = 64;

const SUCCESS: u64 = 0;
const REFERRAL: u64 = 10;
const SASL_IN_PROGRESS: u64 = 14;
const STARTTLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

enum Request {
    Bind(Box<Bind>),
    Search(Box<Search>, Found),
    Change(Change),
    Extended(Box<[u8]>),
}

/// What a search gave so far.
#[derive(Default)]
struct Found {
    entries: u64,
    references: u64,
    bytes: u64,
    java: Vec<&'static str>,
    codebase: Box<[u8]>,
}

/// One connection, or all datagrams between two ports.
#[derive(Default)]
pub(super) struct Session {
    waiting: VecDeque<(u64, Request)>,
    /// A log-on in several steps, up to the last one that was answered.
    begun: Option<Box<Bind>>,
    /// A SASL bind succeeded: what follows may be wrapped.
    sasl: bool,
    over: bool,
}

impl Session {
    pub(super) const fn may_be_wrapped(&self) -> bool {
        self.sasl
    }

    /// Nothing more can be read.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// Takes what is inside of a message's envelope, which is `whole` bytes long with it.
    pub(super) fn message(
        &mut self,
        dir: Direction,
        message: &[u8],
        whole: usize,
        out: &mut Emit<'_>,
    ) {
        let Some((number, tag, value)) = message::envelope(message) else {
            out.anomaly(SPEC.name, "message without an operation", dir);
            return;
        };
        match tag {
            op::BIND => {
                self.begun = None;
                let bind = bind::bind(value).map(Box::new);
                self.asks(number, bind.map(Request::Bind), dir, out);
            }
            op::SEARCH => {
                let search = message::search(value);
                let request = search.map(|s| Request::Search(s.into(), Found::default()));
                self.asks(number, request, dir, out);
            }
            op::ADD | op::MODIFY | op::DELETE | op::RENAME => {
                self.asks(number, message::change(tag, value).map(Request::Change), dir, out);
            }
            op::EXTENDED => {
                self.asks(number, message::extended(value).map(Request::Extended), dir, out);
            }
            op::ENTRY | op::REFERENCE => self.found(number, tag, value, whole),
            tag if op::is_answer(tag) => {
                self.found(number, tag, &[], whole);
                if tag == op::BIND_ANSWER {
                    ntlm::say_challenge(SPEC.name, value, Direction::Reverse, out);
                }
                self.answered(number, message::code(value), out);
            }
            op::UNBIND => self.over = true,
            _ => {}
        }
    }

    fn asks(&mut self, number: u64, request: Option<Request>, dir: Direction, out: &mut Emit<'_>) {
        let Some(request) = request else {
            out.anomaly(SPEC.name, "request that ends too early", dir);
            return;
        };
        if self.waiting.len() >= MOST_WAITING
            && let Some((_, oldest)) = self.waiting.pop_front()
        {
            say(oldest, None, out);
        }
        self.waiting.push_back((number, request));
    }

    fn found(&mut self, number: u64, tag: u8, value: &[u8], whole: usize) {
        let search = self.waiting.iter_mut().find_map(|(waiting, request)| match request {
            Request::Search(_, found) if *waiting == number => Some(found),
            _ => None,
        });
        let Some(found) = search else { return };
        found.bytes = found.bytes.saturating_add(whole as u64);
        match tag {
            op::ENTRY => {
                found.entries = found.entries.saturating_add(1);
                message::java(value, &mut found.java, &mut found.codebase);
            }
            op::REFERENCE => found.references = found.references.saturating_add(1),
            _ => {}
        }
    }

    fn answered(&mut self, number: u64, code: Option<u64>, out: &mut Emit<'_>) {
        let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == number) else {
            return;
        };
        let Some((_, request)) = self.waiting.remove(at) else { return };
        match request {
            // The log-on goes on in another request.
            Request::Bind(bind) if code == Some(SASL_IN_PROGRESS) || bind.is_first_step(code) => {
                self.begun = Some(bind);
                return;
            }
            Request::Bind(ref bind) => self.sasl |= code == Some(SUCCESS) && !bind.clear,
            Request::Extended(ref oid) => {
                self.over |= **oid == *STARTTLS && code == Some(SUCCESS);
            }
            _ => {}
        }
        say(request, code, out);
    }

    /// The connection is over.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) {
        let begun = self.begun.take().map(|bind| (0, Request::Bind(bind)));
        for (_, request) in begun.into_iter().chain(std::mem::take(&mut self.waiting)) {
            say(request, None, out);
        }
    }
}

fn say(request: Request, code: Option<u64>, out: &mut Emit<'_>) {
    match request {
        Request::Bind(bind) => {
            let default = bind.default.map(Value::Bool);
            let draft = out
                .observe(&BIND, Direction::Forward)
                .word("method", bind.method)
                .text("mechanism", &bind.mechanism)
                .text("user", &bind.user)
                .text("domain", bind.domain.as_bytes())
                .text("workstation", bind.workstation.as_bytes())
                .value("ntlm_version", bind.ntlm_version.map(u64::from).map(Value::Uint))
                .uint("version", bind.version)
                .flag("clear_text_password", bind.clear)
                .value("default_credential", default);
            end(draft, code);
        }
        Request::Search(search, found) => {
            let draft = out
                .observe(&SEARCH, Direction::Forward)
                .text("base", &search.base)
                .word("scope", search.scope)
                .text("filter", search.filter.as_bytes())
                .texts("attributes", search.attributes.iter().map(AsRef::as_ref), MOST_ATTRIBUTES)
                .uint("results", found.entries)
                .uint("references", found.references)
                .uint("bytes", found.bytes)
                .texts("java", found.java.iter().map(|name| name.as_bytes()), MOST_ATTRIBUTES)
                .text("java_codebase", &found.codebase);
            end(draft, code);
        }
        Request::Change(change) => {
            let draft = out
                .observe(&CHANGE, Direction::Forward)
                .word("action", change.action)
                .text("entry", &change.entry)
                .texts("attributes", change.attributes.iter().map(AsRef::as_ref), MOST_ATTRIBUTES);
            end(draft, code);
        }
        Request::Extended(oid) => {
            let operation = match &*oid {
                STARTTLS => "starttls",
                b"1.3.6.1.4.1.4203.1.11.1" => "password_modify",
                b"1.3.6.1.4.1.4203.1.11.3" => "who_am_i",
                b"1.3.6.1.1.8" => "cancel",
                _ => "other",
            };
            let draft = out
                .observe(&EXTENDED, Direction::Forward)
                .word("operation", operation)
                .text("oid", &oid);
            end(draft, code);
        }
    }
}

fn end(draft: Draft<'_, '_>, code: Option<u64>) {
    let outcome = match code {
        None => "unanswered",
        Some(SUCCESS | REFERRAL) => "success",
        Some(_) => "failure",
    };
    draft.word("outcome", outcome).value("code", code.map(Value::Uint)).emit();
}
