//! DNS over UDP and TCP (RFC 1035), and its link-local cousins mDNS (RFC 6762) and LLMNR (RFC 4795).
//!
//! The three share one message format (`message`) and differ in who is asked. mDNS and LLMNR are
//! recognised so that they are not taken for DNS, and checked against the format; what they say is
//! not observed. NetBIOS name service has the same header and is refused by its encoded names.
//!
//! Own decoding rather than a crate: only the question, the answers' addresses and a few codes are
//! wanted, nothing has to be kept of a record, and what is cut or loops has to be an observation.
//! DNS over TLS, HTTPS and QUIC are not here: they are encrypted.

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::frames::{Frames, Step};
use crate::seam::{Parser, Protocol, ProtocolSpec};

mod codes;
mod message;
mod name;

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
    kinds: &[],
    doc: "Multicast DNS: recognised, its messages only checked.",
    sources: &["RFC 6762"],
};

static LLMNR_SPEC: ProtocolSpec = ProtocolSpec {
    name: "llmnr",
    transports: &[Transport::Udp],
    kinds: &[],
    doc: "Link-Local Multicast Name Resolution: recognised, its messages only checked.",
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
        Box::new(DnsParser { spec: self.spec, frames: [Frames::new(CAP), Frames::new(CAP)] })
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

struct DnsParser {
    spec: &'static ProtocolSpec,
    frames: [Frames; 2],
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
                say(spec, datagram, dir, out);
                Next::More
            }
            (Chunk::Stream(bytes), Some(frames)) => {
                frames.feed(bytes, |unread| take_framed(spec, unread, dir, out))
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
    out: &mut Emit<'_>,
) -> Step {
    let Some((prefix, rest)) = unread.split_at_checked(2) else { return Step::More };
    let length = prefix.iter().fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
    if length < message::HEADER {
        out.anomaly(spec.name, "message shorter than its header", dir);
        return Step::Stop;
    }
    let Some(body) = rest.get(..length) else { return Step::More };
    say(spec, body, dir, out);
    Step::Used(length.saturating_add(2))
}

/// Says what is in one message.
fn say(spec: &'static ProtocolSpec, bytes: &[u8], dir: Direction, out: &mut Emit<'_>) {
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
    if spec.name != "dns" {
        return;
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
