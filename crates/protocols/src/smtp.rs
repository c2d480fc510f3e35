//! SMTP (RFC 5321) in clear text: who hands mail to whom, log-ons, and whether TLS was begun.
//!
//! Devices report faults by mail, with passwords in clear text; stolen records leave by it. Addresses
//! leave as tokens, their domains readable. Deliberately absent: headers, bodies and attachments,
//! which are only measured, and everything after STARTTLS.

mod auth;
mod probe;
mod session;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};
use session::Session;

/// A session began.
pub static SESSION: KindSpec = KindSpec {
    name: "smtp.session",
    doc: "A client said hello to a mail server. Subject is the client.",
    fields: &[
        Field::new("software", FieldType::Text, "Greeting of the server."),
        Field::new("client", FieldType::Text, "Name that the client gives itself."),
        Field::new("extended", FieldType::Bool, "Whether it asked for extensions (EHLO, LHLO)."),
        Field::new("starttls", FieldType::Bool, "Whether the server offers TLS."),
        Field::new("mechanisms", FieldType::Texts, "Log-on mechanisms offered, at most 8."),
    ],
};

/// A log-on.
pub static LOGIN: KindSpec = KindSpec {
    name: "smtp.login",
    doc: "A log-on to a mail server and its outcome. Subject is the client.",
    fields: &[
        Field::new("mechanism", FieldType::Text, "PLAIN, LOGIN, CRAM-MD5, NTLM and so on."),
        Field::staff("user", "User name, where it can be read."),
        crate::ntlm::DOMAIN,
        crate::ntlm::WORKSTATION,
        crate::ntlm::VERSION,
        crate::credentials::CLEAR_TEXT,
        crate::credentials::DEFAULT,
        Field::new("outcome", FieldType::Text, "success, failure or unknown."),
        Field::new("code", FieldType::Uint, "Reply code."),
    ],
};

/// A message.
pub static MAIL: KindSpec = KindSpec {
    name: "smtp.mail",
    doc: "A message was handed over, or was to be. Subject is the client.",
    fields: &[
        Field::patient("sender", "Address of the sender, as a token."),
        Field::new("sender_domain", FieldType::Text, "Domain of the sender."),
        Field::new("recipients", FieldType::Uint, "Recipients that the server took."),
        Field::new("refused_recipients", FieldType::Uint, "Recipients that it refused."),
        Field::new("recipient_domains", FieldType::Texts, "Their domains, each once, at most 16."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the message."),
        Field::new(
            "outcome",
            FieldType::Text,
            "accepted, refused, aborted (begun and left) or unknown.",
        ),
        Field::new("code", FieldType::Uint, "Reply code that decided it."),
    ],
};

/// TLS.
pub static STARTTLS: KindSpec = KindSpec {
    name: "smtp.starttls",
    doc: "A client asked for TLS. Subject is the client.",
    fields: &[Field::new("outcome", FieldType::Text, "success, failure or unknown.")],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "smtp",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION, &LOGIN, &MAIL, &STARTTLS, &crate::ntlm::CHALLENGE],
    doc: "Mail: servers, log-ons, and messages by size and domain.",
    sources: &[
        "RFC 5321",
        "RFC 4954 (AUTH)",
        "RFC 4616 (PLAIN)",
        "RFC 2195 (CRAM-MD5)",
        "RFC 3030 (BDAT)",
        "RFC 3207 (STARTTLS)",
        "MS-SMTPNTLM",
    ],
};

/// SMTP.
#[derive(Debug)]
pub struct Smtp;

impl Protocol for Smtp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, dir: Direction, start: &[u8]) -> Probe {
        match dir {
            Direction::Forward => probe::command(start),
            Direction::Reverse => probe::greeting(start, flow.tuple.responder.port),
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(SmtpParser { session: Session::default() })
    }
}

struct SmtpParser {
    session: Session,
}

impl Parser for SmtpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        match chunk {
            Chunk::Stream(bytes) => self.session.feed(dir, bytes, out),
            Chunk::Gap(lost) => self.session.gap(dir, lost, out),
            Chunk::Datagram(_) => return Next::Done,
        }
        if self.session.is_over() {
            self.session.end(out);
            return Next::Done;
        }
        Next::More
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.session.end(out);
    }
}

#[cfg(test)]
mod tests;
