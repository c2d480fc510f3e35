//! SSH (RFC 4253): what both sides say they are, what they can do, with which key the server proves
//! itself, and how the log-on went as far as sizes tell.
//!
//! The lists of algorithms name the software better than its banner does (HASSH), and one host key on
//! many devices is a finding of its own. Deliberately absent: keys exchanged again within a session,
//! host certificates' fingerprints, version 1 beyond its banner, and everything that is encrypted.

mod kex;
mod outcome;
mod side;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use super::SESSION;
use crate::seam::{Parser, Protocol, ProtocolSpec};
use kex::Agreed;
use outcome::Turns;
use side::{Heard, Phase, Side};

/// What was agreed on.
pub static HANDSHAKE: KindSpec = KindSpec {
    name: "ssh.handshake",
    doc: "Both sides of an SSH connection said what they can do. Subject is the client.",
    fields: &[
        Field::new("hassh", FieldType::Text, "HASSH of the client: MD5 of its algorithms."),
        Field::new("hassh_server", FieldType::Text, "HASSHServer of the server."),
        Field::new("kex", FieldType::Text, "Key exchange agreed on."),
        Field::new("host_key_algorithm", FieldType::Text, "Signature of the host agreed on."),
        Field::new("cipher", FieldType::Text, "Cipher from server to client agreed on."),
        Field::new(
            "mac",
            FieldType::Text,
            "MAC from server to client; none where the cipher has its own.",
        ),
        Field::new("compression", FieldType::Text, "Compression from server to client."),
        Field::new("host_key_type", FieldType::Text, "Type of the host key."),
        Field::new(
            "host_key",
            FieldType::Text,
            "Fingerprint of the host key, SHA256:... as OpenSSH prints it.",
        ),
        Field::new(
            "weak",
            FieldType::Texts,
            "Algorithms agreed on that RFC 8758, RFC 9142 or the SHA-1 and CBC attacks rule out.",
        ),
    ],
};

/// How the log-on went.
pub static AUTHENTICATION: KindSpec = KindSpec {
    name: "ssh.authentication",
    doc: "How an SSH log-on went, inferred from sizes of what is encrypted. Subject is the client.",
    fields: &[
        Field::new("outcome", FieldType::Text, "success, failure or unknown."),
        Field::new(
            "failures",
            FieldType::Uint,
            "Attempts that were refused, at least; the first question without credentials is none.",
        ),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "ssh",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION, &HANDSHAKE, &AUTHENTICATION],
    doc: "Secure shell: software, algorithms, host key and how the log-on went.",
    sources: &[
        "RFC 4253",
        "RFC 4252",
        "RFC 4419 (group exchange)",
        "RFC 5656 (ECDH)",
        "RFC 9142",
        "RFC 8758",
        "Salesforce, HASSH (github.com/salesforce/hassh)",
    ],
};

/// SSH.
pub struct Ssh;

impl Protocol for Ssh {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        if flow.tuple.transport != Transport::Tcp {
            return Probe::No;
        }
        match start.strip_prefix(b"SSH-") {
            Some([b'1' | b'2', b'.', b'0'..=b'9', ..]) => Probe::Yes,
            Some(rest) if rest.len() < 3 => Probe::Unsure,
            None if b"SSH-".starts_with(start) => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(SshParser {
            sides: [Side::new(), Side::new()],
            agreed: Agreed::default(),
            turns: None,
            told: Told::Nothing,
        })
    }
}

/// How much was said already.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    Session,
    Handshake,
    All,
}

struct SshParser {
    sides: [Side; 2],
    agreed: Agreed,
    turns: Option<Turns>,
    told: Told,
}

impl Parser for SshParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let [client, server] = &mut self.sides;
        let side = if dir == Direction::Forward { client } else { server };
        match chunk {
            Chunk::Stream(bytes) => {
                let agreed = &mut self.agreed;
                // Said behind what came whole before it, however the bytes are cut.
                let mut odd = None;
                let hidden = side.feed(bytes, |heard| match heard {
                    Heard::OldVersion => odd = Some("version before 2"),
                    Heard::Broken => odd = Some("no packet of the handshake"),
                    Heard::Kexinit(payload) => agreed.offered(dir, payload),
                    Heard::Message(payload) => agreed.message(dir, payload),
                });
                self.progress(out);
                if let Some(what) = odd {
                    out.anomaly(SPEC.name, what, dir);
                }
                if hidden > 0 {
                    self.hidden(dir, hidden, out);
                }
            }
            Chunk::Gap(_) => {
                side.phase = Phase::Over;
                self.turns = None;
                self.progress(out);
            }
            Chunk::Datagram(_) => return Next::Done,
        }
        let blind = self.told == Told::Handshake && self.turns.is_none();
        if blind || self.sides.iter().all(|side| side.phase == Phase::Over) {
            self.end(out);
        }
        if self.told == Told::All { Next::Done } else { Next::More }
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.say_session(out);
        self.say_handshake(out);
        if self.told == Told::All {
            return;
        }
        self.told = Told::All;
        if let Some((outcome, failures)) = self.turns.take().and_then(Turns::at_the_end) {
            say_authentication(outcome, failures, out);
        }
    }
}

impl SshParser {
    /// Says what is whole by now.
    fn progress(&mut self, out: &mut Emit<'_>) {
        if self.sides.iter().all(|side| side.phase > Phase::Banner) {
            self.say_session(out);
        }
        let [client, server] = &self.sides;
        if client.phase >= Phase::Hidden && server.phase >= Phase::Hidden {
            self.say_handshake(out);
            if self.told == Told::Handshake && self.turns.is_none() && !self.is_torn() {
                self.turns = Some(Turns::new(self.agreed.sizes()));
            }
        }
    }

    fn is_torn(&self) -> bool {
        self.sides.iter().any(|side| side.phase == Phase::Over)
    }

    /// So many encrypted bytes went by.
    fn hidden(&mut self, dir: Direction, bytes: u64, out: &mut Emit<'_>) {
        // What a side sends before the other one switched counts for the turns to come.
        if let Some(turns) = &mut self.turns
            && let Some((outcome, failures)) = turns.sent(dir, bytes)
        {
            self.told = Told::All;
            say_authentication(outcome, failures, out);
        }
    }

    fn say_session(&mut self, out: &mut Emit<'_>) {
        if self.told >= Told::Session {
            return;
        }
        self.told = Told::Session;
        let [client, server] = &self.sides;
        out.observe(&SESSION, Direction::Forward)
            .word("service", SPEC.name)
            .text("software", server.banner.as_deref().unwrap_or_default())
            .text("client", client.banner.as_deref().unwrap_or_default())
            .emit();
    }

    fn say_handshake(&mut self, out: &mut Emit<'_>) {
        if self.told >= Told::Handshake || !self.agreed.is_known() {
            return;
        }
        self.told = Told::Handshake;
        self.agreed.say(out);
    }
}

fn say_authentication(outcome: &'static str, failures: u32, out: &mut Emit<'_>) {
    out.observe(&AUTHENTICATION, Direction::Forward)
        .word("outcome", outcome)
        .uint("failures", failures)
        .emit();
}

#[cfg(test)]
mod tests;
