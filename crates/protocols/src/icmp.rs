//! ICMP for IPv4 and IPv6, neighbour discovery included.
//!
//! A datagram here is the ICMP message from its type byte on. Repeated echoes are said once a flow;
//! errors and redirects always, since each is about another packet; neighbour messages whenever
//! what they claim is new, since that is how neighbours are impersonated. Multicast listener
//! reports are named and not read.

use std::net::IpAddr;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::{Mac, Transport};
use model::observation::Value;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};

mod message;

use message::Message;

/// A message other than a repeated echo.
pub static MESSAGE: KindSpec = KindSpec {
    name: "icmp.message",
    doc: "The first message of each type in a flow, every error, and every new claim of a neighbour. Subject is its sender.",
    fields: &[
        Field::new("type", FieldType::Uint, "Type."),
        Field::new("code", FieldType::Uint, "Code."),
        Field::new(
            "name",
            FieldType::Text,
            "echo_request, echo_reply, unreachable, redirect, time_exceeded, router_advertisement, neighbor_solicitation, ...",
        ),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of its payload."),
        Field::new(
            "about",
            FieldType::Ip,
            "Destination of the packet that an error is about, gateway of a redirect, or target of a neighbour message.",
        ),
        Field::new(
            "about_mac",
            FieldType::Mac,
            "Link-layer address option of a neighbour message or router advertisement.",
        ),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "icmp",
    transports: &[Transport::Icmp, Transport::Icmp6],
    kinds: &[&MESSAGE],
    doc: "Errors, echoes, redirects and neighbour discovery.",
    sources: &["RFC 792", "RFC 1256", "RFC 4443", "RFC 4861", "IANA ICMP parameters"],
};

/// ICMP for both versions of IP.
pub struct Icmp;

impl Protocol for Icmp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, _start: &[u8]) -> Probe {
        // The IP header's protocol number has said it.
        match flow.tuple.transport {
            Transport::Icmp | Transport::Icmp6 => Probe::Yes,
            _ => Probe::No,
        }
    }

    fn open(&self, flow: &FlowContext) -> Box<dyn Parser> {
        let v6 = flow.tuple.transport == Transport::Icmp6;
        Box::new(IcmpParser { v6, seen: [[0; 4]; 2], claims: [None; CLAIMS], oldest: 0 })
    }
}

/// How many neighbours' claims of a flow are remembered.
const CLAIMS: usize = 8;

type Claim = (u8, Option<IpAddr>, Option<Mac>);

struct IcmpParser {
    v6: bool,
    /// A bit for each type that was seen, each way.
    seen: [[u64; 4]; 2],
    /// Latest claims, the oldest overwritten first.
    claims: [Option<Claim>; CLAIMS],
    oldest: usize,
}

impl Parser for IcmpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(datagram) = chunk else { return Next::More };
        let message = match Message::read(datagram, self.v6) {
            Ok(message) => message,
            Err(what) => {
                out.anomaly(SPEC.name, what, dir);
                return Next::More;
            }
        };
        if let Some(what) = message.broken {
            out.anomaly(SPEC.name, what, dir);
        }
        let first = self.first_of_type(message.kind, dir);
        let claimed = self.is_new_claim(&message);
        if first || message.is_error || claimed {
            say(&message, dir, out);
        }
        Next::More
    }
}

impl IcmpParser {
    fn first_of_type(&mut self, kind: u8, dir: Direction) -> bool {
        let way = self.seen.get_mut(dir.index());
        let Some(word) = way.and_then(|words| words.get_mut(usize::from(kind / 64))) else {
            return false;
        };
        let bit = 1_u64 << (kind % 64);
        let first = *word & bit == 0;
        *word |= bit;
        first
    }

    fn is_new_claim(&mut self, message: &Message) -> bool {
        if message.about.is_none() && message.about_mac.is_none() {
            return false;
        }
        let claim = Some((message.kind, message.about, message.about_mac));
        if self.claims.contains(&claim) {
            return false;
        }
        if let Some(slot) = self.claims.get_mut(self.oldest) {
            *slot = claim;
        }
        self.oldest = self.oldest.wrapping_add(1) % CLAIMS;
        true
    }
}

fn say(message: &Message, dir: Direction, out: &mut Emit<'_>) {
    let mut draft = out
        .observe(&MESSAGE, dir)
        .uint("type", message.kind)
        .uint("code", message.code)
        .uint("bytes", message.payload)
        .value("about", message.about.map(Value::Ip))
        .value("about_mac", message.about_mac.map(Value::Mac));
    if let Some(name) = message.name {
        draft = draft.word("name", name);
    }
    draft.emit();
}

#[cfg(test)]
mod tests;
