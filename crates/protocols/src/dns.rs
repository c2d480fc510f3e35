//! DNS over UDP and TCP (RFC 1035), and its link-local cousins mDNS (RFC 6762) and LLMNR (RFC 4795).
//!
//! The three share one message format (`message`) and differ in who is asked, and so in what is worth
//! telling (`mdns`, `llmnr`). NetBIOS name service has the same header, is refused by its encoded
//! names and read in `nbns`.
//!
//! Own decoding rather than a crate: only the question, the answers' addresses and a few codes are
//! wanted, nothing has to be kept of a record, and what is cut or loops has to be an observation.
//! DNS over TLS, HTTPS and QUIC are not here: they are encrypted.

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::frames::{Frames, Step};
use crate::repeats::Repeats;
use crate::seam::{Parser, Protocol, ProtocolSpec};

mod codes;
mod llmnr;
mod mdns;
mod message;
mod name;

pub use llmnr::{QUERY as LLMNR_QUERY, RESPONSE as LLMNR_RESPONSE};
pub use mdns::{HOST as MDNS_HOST, QUERY as MDNS_QUERY, SERVICE as MDNS_SERVICE};
use message::{Message, Opcode};

/// A question.
pub static QUERY: KindSpec = KindSpec {
    name: "dns.query",
    doc: "A question. Subject is who asks.",
    fields: &[
        Field::new("name", FieldType::Text, "Name asked for, lower case, without the last dot."),
        Field::new("type", FieldType::Text, "A, AAAA, TXT, ... or TYPEn."),
        Field::new("opcode", FieldType::Text, "NOTIFY, UPDATE, ..., where no plain query."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the message."),
    ],
};

/// An answer.
pub static RESPONSE: KindSpec = KindSpec {
    name: "dns.response",
    doc: "An answer. Subject is the server.",
    fields: &[
        Field::new("name", FieldType::Text, "Name asked for, lower case, without the last dot."),
        Field::new("type", FieldType::Text, "A, AAAA, TXT, ... or TYPEn."),
        Field::new("rcode", FieldType::Text, "NOERROR, NXDOMAIN, SERVFAIL, REFUSED, ..."),
        Field::new("answers", FieldType::Texts, "Addresses and names in the answers, at most 16."),
        Field::new("answer_count", FieldType::Uint, "Records in the answer section."),
        Field::measure("ttl", FieldType::Uint, "s", "Shortest time to live of the answers."),
        Field::new("authoritative", FieldType::Bool, "Whether from the zone's own server."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the message."),
    ],
};

/// Which of the three a [`Dns`] is.
static DNS_SPEC: ProtocolSpec = ProtocolSpec {
    name: "dns",
    transports: &[Transport::Udp, Transport::Tcp],
    kinds: &[&QUERY, &RESPONSE],
    doc: "Questions and answers of the Domain Name System.",
    sources: &["RFC 1035", "RFC 2181", "RFC 6891 (EDNS)", "RFC 7766 (TCP)", "IANA DNS parameters"],
};

static MDNS_SPEC: ProtocolSpec = ProtocolSpec {
    name: "mdns",
    transports: &[Transport::Udp],
    kinds: &[&mdns::QUERY, &mdns::HOST, &mdns::SERVICE, &ANOMALY],
    doc: "Multicast DNS: what devices call themselves and offer.",
    sources: &["RFC 6762", "RFC 6763", "Apple Bonjour Printing Specification 1.2"],
};

static LLMNR_SPEC: ProtocolSpec = ProtocolSpec {
    name: "llmnr",
    transports: &[Transport::Udp],
    kinds: &[&llmnr::QUERY, &llmnr::RESPONSE, &ANOMALY],
    doc: "Link-Local Multicast Name Resolution: who asks for a name, and who answers.",
    sources: &["RFC 4795"],
};

/// Unicast DNS.
pub static DNS: Dns = Dns { spec: &DNS_SPEC };
/// Multicast DNS.
pub static MDNS: Dns = Dns { spec: &MDNS_SPEC };
/// Link-Local Multicast Name Resolution.
pub static LLMNR: Dns = Dns { spec: &LLMNR_SPEC };

const DNS_PORT: u16 = 53;

/// DNS, mDNS or LLMNR.
pub struct Dns {
    spec: &'static ProtocolSpec,
}

impl Protocol for Dns {
    fn spec(&self) -> &'static ProtocolSpec {
        self.spec
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        // Same bytes, different protocol: only the group's port tells the three apart.
        if spec_of(flow).name != self.spec.name {
            return Probe::No;
        }
        match flow.tuple.transport {
            Transport::Udp => probe_datagram(flow, start),
            Transport::Tcp => probe_stream(start),
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(DnsParser {
            spec: self.spec,
            frames: [Frames::new(CAP), Frames::new(CAP)],
            said: Repeats::new(REMEMBERED),
        })
    }
}

/// Which of the three a flow would be.
fn spec_of(flow: &FlowContext) -> &'static ProtocolSpec {
    let ports = [flow.tuple.originator.port, flow.tuple.responder.port];
    match flow.tuple.transport {
        // A resolver may well ask from one of the other two's ports.
        _ if ports.contains(&DNS_PORT) => &DNS_SPEC,
        Transport::Udp if ports.contains(&5353) => &MDNS_SPEC,
        Transport::Udp if ports.contains(&5355) => &LLMNR_SPEC,
        _ => &DNS_SPEC,
    }
}

fn probe_datagram(flow: &FlowContext, datagram: &[u8]) -> Probe {
    let ports = [flow.tuple.originator.port, flow.tuple.responder.port];
    let known_port = ports.contains(&DNS_PORT) || spec_of(flow).name != "dns";
    let odd = if known_port { Probe::Unsure } else { Probe::No };
    let message = match Message::read(datagram) {
        Ok(message) => message,
        // A name that breaks the rules behind a sound header is worth a report.
        Err(_) if known_port && message::has_sound_header(datagram) => return Probe::Yes,
        Err(_) => return odd,
    };
    if message.is_netbios() {
        return Probe::No;
    }
    let whole = message.check().is_ok_and(|walk| walk.trailing == 0);
    match (message.is_plausible(), whole) {
        (true, true) => Probe::Yes,
        (true, false) | (false, true) if known_port => Probe::Yes,
        _ => odd,
    }
}

fn probe_stream(start: &[u8]) -> Probe {
    let Some((prefix, rest)) = start.split_at_checked(2) else { return Probe::Unsure };
    let length = prefix.iter().fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
    if length < message::SMALLEST {
        return Probe::No;
    }
    let shown = rest.get(..length).unwrap_or(rest);
    if message::refused_early(shown) {
        return Probe::No;
    }
    match Message::read(shown) {
        Ok(message) if message.is_plausible() && !message.is_netbios() => {
            if shown.len() < length || message.check().is_ok_and(|walk| walk.trailing == 0) {
                Probe::Yes
            } else {
                Probe::No
            }
        }
        Ok(_) => Probe::No,
        Err(_) if shown.len() < length => Probe::Unsure,
        Err(_) => Probe::No,
    }
}

/// A message over TCP with its length in front (RFC 1035, 4.2.2).
const CAP: usize = 65_537;

/// What a host announces again and again is said once a flow: so many announcements are remembered.
const REMEMBERED: usize = 64;

struct DnsParser {
    spec: &'static ProtocolSpec,
    frames: [Frames; 2],
    said: Repeats<u64>,
}

impl Parser for DnsParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let spec = self.spec;
        let frames = match dir {
            Direction::Forward => self.frames.first_mut(),
            Direction::Reverse => self.frames.last_mut(),
        };
        match (chunk, frames) {
            (Chunk::Datagram(datagram), _) => {
                say(spec, datagram, dir, &mut self.said, out);
                Next::More
            }
            (Chunk::Stream(bytes), Some(frames)) => {
                let said = &mut self.said;
                frames.feed(bytes, |unread| take_framed(spec, unread, dir, said, out))
            }
            // Lengths are the only marks between messages: after a loss none can be found again.
            (Chunk::Gap(_), _) | (_, None) => Next::Done,
        }
    }
}

fn take_framed(
    spec: &'static ProtocolSpec,
    unread: &[u8],
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) -> Step {
    let Some((prefix, rest)) = unread.split_at_checked(2) else { return Step::More };
    let length = prefix.iter().fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
    if length < message::HEADER {
        out.anomaly(spec.name, "message shorter than its header", dir);
        return Step::Stop;
    }
    let Some(body) = rest.get(..length) else { return Step::More };
    say(spec, body, dir, said, out);
    Step::Used(length.saturating_add(2))
}

/// Says what is in one message.
fn say(
    spec: &'static ProtocolSpec,
    bytes: &[u8],
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) {
    let message = match Message::read(bytes) {
        Ok(message) => message,
        Err(error) => return out.anomaly(spec.name, error.what(), dir),
    };
    let walk = match message.check() {
        Ok(walk) => {
            if walk.trailing > 0 {
                out.anomaly(spec.name, "bytes after the last record", dir);
            }
            walk
        }
        Err((error, walk)) => {
            out.anomaly(spec.name, error.what(), dir);
            walk
        }
    };
    match spec.name {
        "mdns" => return mdns::say(&message, dir, said, out),
        "llmnr" => return llmnr::say(&message, &walk, dir, out),
        _ => {}
    }
    if message.questions > 1 {
        out.anomaly(spec.name, "more than one question", dir);
    }
    let size = bytes.len() as u64;
    let opcode = match message.opcode {
        Opcode::Query => None,
        other => Some(model::observation::Value::Word(other.name())),
    };
    let Some(question) = &message.question else {
        // A server may leave the question out of an error.
        if !message.is_response {
            out.anomaly(spec.name, "a query without a question", dir);
        }
        return;
    };
    if !message.is_response {
        return out
            .observe(&QUERY, dir)
            .text("name", &question.name)
            .value("type", Some(codes::type_name(question.kind)))
            .value("opcode", opcode)
            .uint("bytes", size)
            .emit();
    }
    if message.opcode != Opcode::Query {
        return;
    }
    let mut draft = out
        .observe(&RESPONSE, dir)
        .text("name", &question.name)
        .value("type", Some(codes::type_name(question.kind)))
        .value("rcode", Some(codes::rcode_name(message.rcode | walk.extended_rcode)))
        .texts("answers", walk.answers.iter().map(Vec::as_slice), message::MOST_ANSWERS)
        .uint("answer_count", message.answers)
        .flag("authoritative", message.authoritative)
        .uint("bytes", size);
    if let Some(ttl) = walk.ttl {
        draft = draft.uint("ttl", ttl);
    }
    draft.emit();
}

#[cfg(test)]
mod tests;
