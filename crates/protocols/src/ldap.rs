//! LDAP version 2 and 3 (RFC 4511) over TCP, and the directory's UDP service (CLDAP).
//!
//! Who binds how and with which outcome, what is searched for, and what is changed. A filter leaves
//! as its shape: names of attributes, and values only of those that name kinds of entries and not
//! people. Answers are counted, and looked at for Java objects, which no directory of a hospital
//! hands out and every attack on JNDI does (RFC 2713, CVE-2021-44228). Deliberately absent: values
//! of entries, controls, and all that follows StartTLS or is wrapped by SASL.

mod bind;
mod filter;
mod message;
mod probe;
mod session;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::ber::{self, NoHeader};
use crate::frames::{Frames, Step};
use crate::seam::{Parser, Protocol, ProtocolSpec};
use session::Session;

/// A log-on.
pub static BIND: KindSpec = KindSpec {
    name: "ldap.bind",
    doc: "A client bound to a directory, and the server answered. Subject is the client.",
    fields: &[
        Field::new(
            "method",
            FieldType::Text,
            "anonymous, unauthenticated (a name without password), simple, sasl or ntlm.",
        ),
        Field::new("mechanism", FieldType::Text, "SASL mechanism."),
        Field::staff("user", "Distinguished name, or the name within the SASL credentials."),
        crate::ntlm::DOMAIN,
        crate::ntlm::WORKSTATION,
        crate::ntlm::VERSION,
        Field::new("version", FieldType::Uint, "2 or 3."),
        crate::credentials::CLEAR_TEXT,
        crate::credentials::DEFAULT,
        Field::new("outcome", FieldType::Text, "success, failure or unanswered."),
        Field::new(
            "code",
            FieldType::Uint,
            "Result code (RFC 4511, appendix A); 49 is a wrong password.",
        ),
    ],
};

/// A search.
pub static SEARCH: KindSpec = KindSpec {
    name: "ldap.search",
    doc: "A search, with how much it gave. Subject is the client.",
    fields: &[
        Field::staff("base", "Distinguished name where it begins."),
        Field::new("scope", FieldType::Text, "base, one, subtree or children."),
        Field::new(
            "filter",
            FieldType::Text,
            "Shape of the filter: values are ? except for kinds of entries.",
        ),
        Field::new("attributes", FieldType::Texts, "Attributes asked for, at most 16."),
        Field::new("results", FieldType::Uint, "Entries in the answer."),
        Field::new("references", FieldType::Uint, "References to other servers in the answer."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the answer."),
        Field::new("outcome", FieldType::Text, "success, failure or unanswered."),
        Field::new("code", FieldType::Uint, "Result code."),
        Field::new(
            "java",
            FieldType::Texts,
            "Attributes of RFC 2713 in the answer: a Java object is handed out.",
        ),
        Field::new(
            "java_codebase",
            FieldType::Text,
            "Where such an object's code is to be loaded from.",
        ),
    ],
};

/// A change.
pub static CHANGE: KindSpec = KindSpec {
    name: "ldap.change",
    doc: "An entry was to be added, modified, deleted or renamed. Subject is the client.",
    fields: &[
        Field::new("action", FieldType::Text, "add, modify, delete or rename."),
        Field::staff("entry", "Distinguished name of the entry."),
        Field::new("attributes", FieldType::Texts, "Attributes written, at most 16."),
        Field::new("outcome", FieldType::Text, "success, failure or unanswered."),
        Field::new("code", FieldType::Uint, "Result code."),
    ],
};

/// An extended operation.
pub static EXTENDED: KindSpec = KindSpec {
    name: "ldap.extended",
    doc: "An extended operation, such as StartTLS. Subject is the client.",
    fields: &[
        Field::new(
            "operation",
            FieldType::Text,
            "starttls, password_modify, who_am_i, cancel or other.",
        ),
        Field::new("oid", FieldType::Text, "Its object identifier."),
        Field::new("outcome", FieldType::Text, "success, failure or unanswered."),
        Field::new("code", FieldType::Uint, "Result code."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "ldap",
    transports: &[Transport::Tcp, Transport::Udp],
    kinds: &[&BIND, &SEARCH, &CHANGE, &EXTENDED, &crate::ntlm::CHALLENGE],
    doc: "Directories: log-ons, searches and changes.",
    sources: &[
        "RFC 4511",
        "RFC 4513",
        "RFC 4515 (filters)",
        "RFC 2713 (Java objects)",
        "MS-ADTS (CLDAP, Sicily)",
        "CVE-2021-44228",
    ],
};

/// A message up to this is looked at whole.
const HOLD: usize = 32 << 10;
/// What is looked at of a longer one: entries with pictures and certificates.
const HEAD: usize = 4 << 10;
/// Longest message that is believed.
const LONGEST: usize = 256 << 20;

/// LDAP and CLDAP.
#[derive(Debug)]
pub struct Ldap;

impl Protocol for Ldap {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        probe::probe(start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(LdapParser {
            frames: [Frames::new(HOLD), Frames::new(HOLD)],
            session: Session::default(),
        })
    }
}

struct LdapParser {
    frames: [Frames; 2],
    session: Session,
}

impl Parser for LdapParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Self { frames, session } = self;
        let [forward, reverse] = frames;
        let frames = if dir == Direction::Forward { forward } else { reverse };
        let next = match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| take(unread, dir, session, out)),
            Chunk::Datagram(bytes) => {
                datagram(bytes, dir, session, out);
                Next::More
            }
            Chunk::Gap(_) => Next::Done,
        };
        if next == Next::Done {
            self.session.end(out);
        }
        next
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.session.end(out);
    }
}

fn take(unread: &[u8], dir: Direction, session: &mut Session, out: &mut Emit<'_>) -> Step {
    let header = match ber::header(unread) {
        Err(NoHeader::Short) => return Step::More,
        Ok(header) if header.tag == ber::SEQUENCE && header.length <= LONGEST => header,
        _ => {
            // Wrapped by SASL; that has a length of four bytes in front.
            if !session.may_be_wrapped() {
                out.anomaly(SPEC.name, "no message", dir);
            }
            return Step::Stop;
        }
    };
    let whole = header.whole();
    let looked_at = if whole <= HOLD { whole } else { HEAD };
    let Some(message) = unread.get(header.head..looked_at) else { return Step::More };
    session.message(dir, message, whole, out);
    if session.is_over() {
        return Step::Stop;
    }
    Step::Skip(whole as u64)
}

/// A datagram holds whole messages, one behind the other.
fn datagram(bytes: &[u8], dir: Direction, session: &mut Session, out: &mut Emit<'_>) {
    let mut unread = bytes;
    while let Ok(header) = ber::header(unread) {
        let whole = header.whole().min(unread.len());
        if header.tag != ber::SEQUENCE || header.whole() > unread.len() {
            out.anomaly(SPEC.name, "no message", dir);
            return;
        }
        session.message(dir, unread.get(header.head..whole).unwrap_or_default(), whole, out);
        unread = unread.get(whole..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
