//! Kerberos 5 between clients and their key distribution centre (RFC 4120), over UDP and TCP.
//!
//! Who asks for a ticket for what, with which ciphers, and what the centre says. Three things show
//! here before anybody is inside: a ticket handed out without pre-authentication, whose reply can be
//! cracked at leisure; tickets for services in RC4, which can be too; and names that are tried one
//! after the other. Deliberately absent: what is in tickets, the messages between client and
//! service, and changing passwords.

mod message;
mod names;

use std::collections::VecDeque;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use model::observation::Value;
use wire::chunk::{Chunk, Next};

use crate::frames::{Frames, Step};
use crate::seam::{Parser, Protocol, ProtocolSpec};
use message::{Answer, Message, Request};

/// A ticket was asked for.
pub static EXCHANGE: KindSpec = KindSpec {
    name: "kerberos.exchange",
    doc: "A ticket was asked for, and the key distribution centre answered. Subject is the client.",
    fields: &[
        Field::new("request", FieldType::Text, "as (a log-on) or tgs (a ticket for a service)."),
        Field::staff("client", "Principal of the client, where it is in clear."),
        Field::new("realm", FieldType::Text, "Realm of the service."),
        Field::new("service", FieldType::Text, "Principal of the service asked for."),
        Field::new(
            "etypes",
            FieldType::Texts,
            "Encryption types that the client takes, at most 16.",
        ),
        Field::new(
            "rc4_requested",
            FieldType::Bool,
            "Whether the client takes nothing stronger than RC4.",
        ),
        Field::new(
            "preauth",
            FieldType::Bool,
            "On as: whether the client proved that it knows the key.",
        ),
        Field::new(
            "for_user",
            FieldType::Bool,
            "Whether a service asks in a user's name (S4U2self).",
        ),
        Field::new(
            "outcome",
            FieldType::Text,
            "success, challenge (asks for pre-authentication or for TCP), failure or unanswered.",
        ),
        Field::new("code", FieldType::Uint, "Error code (RFC 4120, 7.5.9)."),
        Field::new("error", FieldType::Text, "What the code means, for the frequent ones."),
        Field::new("ticket_etype", FieldType::Text, "Encryption type of the ticket."),
        Field::new("reply_etype", FieldType::Text, "Encryption type of the reply's own part."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "kerberos",
    transports: &[Transport::Tcp, Transport::Udp],
    kinds: &[&EXCHANGE],
    doc: "Tickets: log-ons to a domain and access to its services.",
    sources: &["RFC 4120", "IANA Kerberos Encryption Type Numbers", "MS-KILE", "MS-SFU"],
};

/// Longest message that is read; tickets with many groups have some ten kilobytes.
const HOLD: usize = 64 << 10;
/// Requests that wait for their answers at once.
const MOST_WAITING: usize = 16;
/// The length in front of a message over TCP.
const PREFIX: usize = 4;

/// Kerberos.
#[derive(Debug)]
pub struct Kerberos;

impl Protocol for Kerberos {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        match flow.tuple.transport {
            Transport::Udp => match message::probe(start, start.len()) {
                Probe::Unsure => Probe::No,
                sure => sure,
            },
            Transport::Tcp => {
                let Some(&[0, high, middle, low]) = start.first_chunk::<PREFIX>() else {
                    // Lengths with a first byte other than zero are absurd.
                    let short = start.len() < PREFIX && start.first().is_none_or(|&b| b == 0);
                    return if short { Probe::Unsure } else { Probe::No };
                };
                let length = usize::try_from(u32::from_be_bytes([0, high, middle, low]));
                message::probe(start.get(PREFIX..).unwrap_or_default(), length.unwrap_or(0))
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(KerberosParser {
            frames: [Frames::new(HOLD), Frames::new(HOLD)],
            waiting: VecDeque::new(),
        })
    }
}

struct KerberosParser {
    frames: [Frames; 2],
    waiting: VecDeque<Request>,
}

impl Parser for KerberosParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Self { frames, waiting } = self;
        let [forward, reverse] = frames;
        let frames = if dir == Direction::Forward { forward } else { reverse };
        match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| {
                let Some(&[a, b, c, d]) = unread.first_chunk() else { return Step::More };
                let length =
                    usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                let whole = length.saturating_add(PREFIX);
                if a != 0 || length == 0 {
                    out.anomaly(SPEC.name, "no message", dir);
                    return Step::Stop;
                }
                if whole > HOLD {
                    return Step::Skip(whole as u64);
                }
                let Some(message) = unread.get(PREFIX..whole) else { return Step::More };
                heard(message, dir, waiting, out);
                Step::Used(whole)
            }),
            Chunk::Datagram(bytes) => {
                heard(bytes, dir, waiting, out);
                Next::More
            }
            Chunk::Gap(_) => Next::Done,
        }
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        for request in std::mem::take(&mut self.waiting) {
            say(&request, None, out);
        }
    }
}

fn heard(message: &[u8], dir: Direction, waiting: &mut VecDeque<Request>, out: &mut Emit<'_>) {
    match message::read(message) {
        None => out.anomaly(SPEC.name, "message that cannot be read", dir),
        Some(Message::Other) => {}
        Some(Message::Request(request)) => {
            // Over UDP, clients ask again with the same number until somebody answers.
            if waiting.iter().any(|known| known.nonce == request.nonce && known.tgs == request.tgs)
            {
                return;
            }
            if waiting.len() >= MOST_WAITING
                && let Some(oldest) = waiting.pop_front()
            {
                say(&oldest, None, out);
            }
            waiting.push_back(request);
        }
        Some(Message::Answer(answer)) => {
            let fits = |request: &Request| answer.tgs.is_none_or(|tgs| tgs == request.tgs);
            if let Some(at) = waiting.iter().position(fits)
                && let Some(request) = waiting.remove(at)
            {
                say(&request, Some(&answer), out);
            }
        }
    }
}

fn say(request: &Request, answer: Option<&Answer>, out: &mut Emit<'_>) {
    const PREAUTH_REQUIRED: i32 = 25;
    const TOO_BIG: i32 = 52;
    let code = answer.and_then(|answer| answer.code);
    let outcome = match (answer, code) {
        (None, _) => "unanswered",
        (Some(_), None) => "success",
        (Some(_), Some(PREAUTH_REQUIRED | TOO_BIG)) => "challenge",
        (Some(_), Some(_)) => "failure",
    };
    // A ticket for a service does not say whose it is until it comes.
    let client = answer.map(|answer| answer.client.as_slice()).unwrap_or_default();
    let client = if request.client.is_empty() { client } else { &request.client };
    let name = |etype: Option<i32>| etype.map(names::etype).map(Value::Word);
    let mut draft = out
        .observe(&EXCHANGE, Direction::Forward)
        .word("request", if request.tgs { "tgs" } else { "as" })
        .text("client", client)
        .text("realm", &request.realm)
        .text("service", &request.service)
        .texts("etypes", request.etypes.iter().map(|e| names::etype(*e).as_bytes()), 16)
        .flag("rc4_requested", names::at_most_rc4(&request.etypes))
        .flag("for_user", request.for_user)
        .word("outcome", outcome)
        .value("code", code.and_then(|code| u64::try_from(code).ok()).map(Value::Uint))
        .value("error", code.and_then(names::error).map(Value::Word))
        .value("ticket_etype", name(answer.and_then(|answer| answer.ticket_etype)))
        .value("reply_etype", name(answer.and_then(|answer| answer.reply_etype)));
    if !request.tgs {
        draft = draft.flag("preauth", request.preauth);
    }
    draft.emit();
}

#[cfg(test)]
mod tests;
