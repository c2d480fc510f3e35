//! What two application entities agree on (PS3.8 chapter 9.3 and annex D, PS3.7 annex D).

use std::collections::BTreeMap;

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;

use super::command::MAX_AE;
use super::pdu::Kind;
use super::uid::{Encoding, SopClass, trim, uid};

/// Most SOP classes that are named.
const MAX_CLASSES: usize = 32;

/// One presentation context.
#[derive(Debug, Default)]
struct Context {
    proposed: bool,
    accepted: bool,
    class: Option<SopClass>,
    encoding: Option<Encoding>,
}

/// How a request for an association came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A-ASSOCIATE-AC.
    Accepted,
    /// A-ASSOCIATE-RJ: result, source and reason.
    Rejected([u8; 3]),
    /// A-ABORT before an answer.
    Aborted,
    /// Nothing.
    Unanswered,
}

/// What is known of an association.
#[derive(Debug, Default)]
pub(super) struct Association {
    /// The side that asked for it.
    pub(super) requestor: Option<Direction>,
    called: Box<[u8]>,
    calling: Box<[u8]>,
    contexts: BTreeMap<u8, Context>,
    /// The context whose sub-items are being read.
    current: u8,
    implementation_uid: Box<[u8]>,
    implementation_version: Box<[u8]>,
    responder_version: Box<[u8]>,
    max_pdu: Option<u32>,
    user: Box<[u8]>,
}

impl Association {
    /// An A-ASSOCIATE came in direction `dir`. The answer repeats the titles of the request, which
    /// stand in where that was lost.
    pub(super) fn begin(&mut self, kind: Kind, dir: Direction, called: &[u8], calling: &[u8]) {
        let request = kind == Kind::Request;
        let requestor = if request { dir } else { dir.flipped() };
        if request {
            self.requestor = Some(requestor);
        } else {
            self.requestor.get_or_insert(requestor);
        }
        for (title, sent) in [(&mut self.called, called), (&mut self.calling, calling)] {
            if request || title.is_empty() {
                *title = cut(sent, MAX_AE);
            }
        }
    }

    /// Takes an item or sub-item of either.
    pub(super) fn item(&mut self, kind: Kind, item: u8, value: &[u8]) {
        let request = kind == Kind::Request;
        match (item, request) {
            (0x20, true) => {
                self.current = value.first().copied().unwrap_or_default();
                self.contexts.entry(self.current).or_default().proposed = true;
            }
            (0x21, false) => {
                self.current = value.first().copied().unwrap_or_default();
                self.contexts.entry(self.current).or_default().accepted = value.get(2) == Some(&0);
            }
            (0x30, true) => {
                if let Some(context) = self.contexts.get_mut(&self.current) {
                    context.class = SopClass::from_uid(value);
                }
            }
            (0x40, false) => {
                if let Some(context) = self.contexts.get_mut(&self.current) {
                    context.encoding = Some(Encoding::from_uid(value));
                }
            }
            (0x51, true) => self.max_pdu = value.first_chunk().map(|&max| u32::from_be_bytes(max)),
            (0x52, true) => self.implementation_uid = uid(value).into(),
            (0x55, true) => self.implementation_version = cut(value, MAX_AE),
            (0x55, false) => self.responder_version = cut(value, MAX_AE),
            (0x58, true) => self.user = user_name(value).into(),
            _ => {}
        }
    }

    /// SOP class proposed for a context.
    pub(super) fn class(&self, context: u8) -> Option<&SopClass> {
        self.contexts.get(&context)?.class.as_ref()
    }

    /// How data sets are encoded in a context, where its answer was seen.
    pub(super) fn encoding(&self, context: u8) -> Option<Encoding> {
        self.contexts.get(&context)?.encoding
    }

    /// AE title of the requestor.
    pub(super) fn calling(&self) -> &[u8] {
        &self.calling
    }

    /// AE title of the acceptor.
    pub(super) fn called(&self) -> &[u8] {
        &self.called
    }

    /// The side that asked for it; the originator where that is not known.
    pub(super) fn asked_from(&self) -> Direction {
        self.requestor.unwrap_or(Direction::Forward)
    }

    /// Says how the request came out.
    pub(super) fn announce(&self, outcome: Outcome, out: &mut Emit<'_>) {
        let proposed = self.contexts.values().filter(|context| context.proposed).count();
        let accepted = self.contexts.values().filter(|context| context.accepted).count();
        let mut classes: Vec<&str> = Vec::new();
        for class in self.contexts.values().filter_map(|context| context.class.as_ref()) {
            if classes.len() < MAX_CLASSES && !classes.contains(&class.name()) {
                classes.push(class.name());
            }
        }
        let mut draft = out
            .observe(&super::ASSOCIATION, self.asked_from())
            .word("outcome", outcome.word())
            .text("calling_ae", &self.calling)
            .text("called_ae", &self.called)
            .uint("contexts", proposed as u64)
            .texts("abstract_syntaxes", classes.iter().map(|name| name.as_bytes()), MAX_CLASSES)
            .text("implementation_uid", &self.implementation_uid)
            .text("implementation_version", &self.implementation_version)
            .text("responder_version", &self.responder_version)
            .value("max_pdu", self.max_pdu.map(|max| Value::Uint(max.into())))
            .text("user", &self.user);
        match outcome {
            Outcome::Accepted => draft = draft.uint("accepted_contexts", accepted as u64),
            Outcome::Rejected([result, source, reason]) => {
                draft = draft
                    .word("reject_result", if result == 1 { "permanent" } else { "transient" })
                    .word("reject_source", rejecter(source))
                    .word("reject_reason", reason_words(source, reason));
            }
            Outcome::Aborted | Outcome::Unanswered => {}
        }
        draft.emit();
    }
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected(_) => "rejected",
            Self::Aborted => "aborted",
            Self::Unanswered => "unanswered",
        }
    }
}

fn cut(text: &[u8], most: usize) -> Box<[u8]> {
    let text = trim(text);
    text.get(..most).unwrap_or(text).into()
}

/// User name of a user identity item (PS3.7 D.3.3.7): type, whether an answer is asked for, length
/// and name, then a pass code that is not read. Tickets and assertions name nobody in clear.
fn user_name(value: &[u8]) -> &[u8] {
    match value {
        [1 | 2, _, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            rest.get(..length.min(256)).unwrap_or_default()
        }
        _ => &[],
    }
}

/// Source of a rejection (PS3.8 table 9-21).
const fn rejecter(source: u8) -> &'static str {
    match source {
        1 => "user",
        2 => "acse",
        3 => "presentation",
        _ => "reserved",
    }
}

/// Reason of a rejection, which depends on its source (PS3.8 table 9-21).
const fn reason_words(source: u8, reason: u8) -> &'static str {
    match (source, reason) {
        (1 | 2, 1) => "no-reason-given",
        (1, 2) => "application-context-name-not-supported",
        (1, 3) => "calling-AE-title-not-recognized",
        (1, 7) => "called-AE-title-not-recognized",
        (2, 2) => "protocol-version-not-supported",
        (3, 1) => "temporary-congestion",
        (3, 2) => "local-limit-exceeded",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_code_is_never_read() {
        assert_eq!(user_name(b"\x02\0\0\x03bob\0\x06secret"), b"bob");
        assert_eq!(user_name(b"\x03\0\0\x06ticket"), b"");
        assert_eq!(user_name(b"\x01\0\xff\xffbob"), b"");
    }

    #[test]
    fn reasons_are_those_of_their_source() {
        assert_eq!(reason_words(1, 7), "called-AE-title-not-recognized");
        assert_eq!(reason_words(2, 2), "protocol-version-not-supported");
        assert_eq!(reason_words(3, 2), "local-limit-exceeded");
        assert_eq!(reason_words(3, 0), "reserved");
    }
}
