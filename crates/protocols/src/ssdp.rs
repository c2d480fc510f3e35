//! SSDP, by which UPnP devices are looked for and announce themselves (UDA 2.0, section 1).
//!
//! Printers, televisions, cameras and routers say what they run and where they describe themselves.
//! The same is announced again every few minutes: it is told once a flow. Deliberately absent: the
//! descriptions themselves, which are fetched over HTTP, and events.

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::repeats::{Repeats, digest};
use crate::seam::{Parser, Protocol, ProtocolSpec};

/// A search.
pub static SEARCH: KindSpec = KindSpec {
    name: "ssdp.search",
    doc: "Somebody looks for devices or services. Subject asks. Said once a flow.",
    fields: &[
        Field::new(
            "target",
            FieldType::Text,
            "What is looked for: ssdp:all, upnp:rootdevice, a type or a name.",
        ),
        Field::new("user_agent", FieldType::Text, "Software that asks."),
    ],
};

/// An announcement or an answer.
pub static DEVICE: KindSpec = KindSpec {
    name: "ssdp.device",
    doc: "A device announces itself or answers a search. Subject is the device. Said once a flow.",
    fields: &[
        Field::new("state", FieldType::Text, "alive, byebye, update or response."),
        Field::new("target", FieldType::Text, "Type of device or service (NT or ST)."),
        Field::new("usn", FieldType::Text, "Unique name of the device and service."),
        Field::new("server", FieldType::Text, "Operating system and product."),
        Field::new("location", FieldType::Text, "Where its description is, without a query."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "ssdp",
    transports: &[Transport::Udp],
    kinds: &[&SEARCH, &DEVICE, &ANOMALY],
    doc: "UPnP devices that are looked for and announce themselves.",
    sources: &["UPnP Device Architecture 2.0, section 1", "draft-cai-ssdp-v1-03"],
};

/// SSDP.
pub struct Ssdp;

impl Protocol for Ssdp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        // SIP over UDP answers in the same way but for the name.
        if matches!(start.first(), Some(b'M' | b'N' | b'H')) && Verb::of(start).is_some() {
            Probe::Yes
        } else {
            Probe::No
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(SsdpParser { said: Repeats::new(REMEMBERED) })
    }
}

/// How many statements of a flow are remembered.
const REMEMBERED: usize = 64;
/// Most lines of a message that are looked at.
const MOST_LINES: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Search,
    Notify,
    Answer,
}

impl Verb {
    fn of(start: &[u8]) -> Option<Self> {
        [
            (&b"M-SEARCH * HTTP/1."[..], Self::Search),
            (b"NOTIFY * HTTP/1.", Self::Notify),
            (b"HTTP/1.1 200 ", Self::Answer),
            (b"HTTP/1.0 200 ", Self::Answer),
        ]
        .into_iter()
        .find(|(head, _)| start.starts_with(head))
        .map(|(_, verb)| verb)
    }
}

/// The lines that are wanted.
#[derive(Debug, Default)]
struct Head<'a> {
    target: &'a [u8],
    state: &'a [u8],
    usn: &'a [u8],
    server: &'a [u8],
    location: &'a [u8],
    user_agent: &'a [u8],
}

impl<'a> Head<'a> {
    fn read(datagram: &'a [u8]) -> Self {
        let mut head = Self::default();
        for line in datagram.split(|byte| *byte == b'\n').skip(1).take(MOST_LINES) {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = line.split_at_checked(colon).unwrap_or_default();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            let slot = match name.trim_ascii().to_ascii_lowercase().as_slice() {
                b"st" | b"nt" => &mut head.target,
                b"nts" => &mut head.state,
                b"usn" => &mut head.usn,
                b"server" => &mut head.server,
                b"location" | b"al" => &mut head.location,
                b"user-agent" => &mut head.user_agent,
                _ => continue,
            };
            *slot = value;
        }
        head
    }
}

struct SsdpParser {
    said: Repeats<u64>,
}

impl Parser for SsdpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(datagram) = chunk else { return Next::More };
        let Some(verb) = Verb::of(datagram) else {
            out.anomaly(SPEC.name, "neither a search nor an announcement", dir);
            return Next::More;
        };
        let head = Head::read(datagram);
        if verb == Verb::Search {
            if self.said.is_new(digest(&[b"search", head.target])) {
                out.observe(&SEARCH, dir)
                    .text("target", head.target)
                    .text("user_agent", head.user_agent)
                    .emit();
            }
            return Next::More;
        }
        if head.usn.is_empty() && head.target.is_empty() {
            out.anomaly(SPEC.name, "an announcement of nothing", dir);
            return Next::More;
        }
        let state = match (verb, head.state) {
            (Verb::Answer, _) => "response",
            (_, b"ssdp:byebye") => "byebye",
            (_, b"ssdp:update") => "update",
            _ => "alive",
        };
        let place =
            head.location.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        if !self.said.is_new(digest(&[state.as_bytes(), head.target, head.usn, head.server, place]))
        {
            return Next::More;
        }
        out.observe(&DEVICE, dir)
            .word("state", state)
            .text("target", head.target)
            .text("usn", head.usn)
            .text("server", head.server)
            .text("location", place)
            .emit();
        Next::More
    }
}

#[cfg(test)]
mod tests;
