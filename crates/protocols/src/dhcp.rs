//! DHCP for IPv4 (RFC 2131, RFC 2132), BOOTP included.
//!
//! Who gives addresses, routes and boot files on a ward is the first thing a rogue server changes,
//! and what a client asks for tells its operating system. Option overload (52) and options given in
//! parts (RFC 3396) are put together before anything is read.
//!
//! Own decoding rather than a crate: options are kept as bytes and read once, so that one broken
//! option costs that option and not the message. DHCPv6 is not here.

use std::net::{IpAddr, Ipv4Addr};

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use model::observation::{Party, Value};
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};

mod message;
mod options;

use message::{Message, OpCode};
use options::Options;

/// One message.
pub static MESSAGE: KindSpec = KindSpec {
    name: "dhcp.message",
    doc: "A DHCP message. Subject is its sender.",
    fields: &[
        Field::new(
            "type",
            FieldType::Text,
            "discover, offer, request, decline, ack, nak, release, inform; bootp without option 53, other beyond these.",
        ),
        Field::new("client_mac", FieldType::Mac, "Hardware address of the client."),
        Field::new("host_name", FieldType::Text, "Option 12."),
        Field::new("vendor_class", FieldType::Text, "Option 60."),
        Field::new(
            "parameters",
            FieldType::Text,
            "Option 55 as numbers with commas: tells operating systems apart.",
        ),
        Field::new("mud_url", FieldType::Text, "Option 161: the maker's MUD file."),
        Field::new("requested_ip", FieldType::Ip, "Option 50."),
        Field::new("client_ip", FieldType::Ip, "ciaddr, where not zero."),
        Field::new("assigned_ip", FieldType::Ip, "yiaddr, where not zero."),
        Field::new("server_id", FieldType::Ip, "Option 54."),
        Field::new("routers", FieldType::Texts, "Option 3."),
        Field::new("dns_servers", FieldType::Texts, "Option 6."),
        Field::new("domain", FieldType::Text, "Option 15."),
        Field::new("boot_server", FieldType::Text, "Option 66 or siaddr."),
        Field::new("boot_file", FieldType::Text, "Option 67, or the header's file field."),
        Field::new("routes", FieldType::Bool, "Whether option 121 or 249 sets routes."),
        Field::new("proxy", FieldType::Text, "Option 252: proxy configuration."),
        Field::measure("lease", FieldType::Uint, "s", "Option 51."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "dhcp",
    transports: &[Transport::Udp],
    kinds: &[&MESSAGE],
    doc: "Addresses, routes and boot files given to devices.",
    sources: &[
        "RFC 2131",
        "RFC 2132",
        "RFC 3396 (long options)",
        "RFC 3442 (routes)",
        "RFC 8520 (MUD URL)",
    ],
};

/// DHCP for IPv4.
pub struct Dhcp;

impl Protocol for Dhcp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        let Ok(message) = Message::read(start) else { return Probe::No };
        let ports = [flow.tuple.originator.port, flow.tuple.responder.port];
        let usual = ports.iter().all(|port| matches!(port, 67 | 68));
        if message.has_cookie || usual { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(DhcpParser)
    }
}

struct DhcpParser;

impl Parser for DhcpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(datagram) = chunk else { return Next::More };
        match Message::read(datagram) {
            Ok(message) => say(&message, dir, out),
            Err(what) => out.anomaly(SPEC.name, what, dir),
        }
        Next::More
    }
}

fn say(message: &Message<'_>, dir: Direction, out: &mut Emit<'_>) {
    if !message.has_cookie {
        out.anomaly(SPEC.name, "no magic cookie before the options", dir);
    }
    let (options, broken) = Options::read(message);
    if let Some(what) = broken {
        out.anomaly(SPEC.name, what, dir);
    }
    let kind = options.first(53).map_or("bootp", message_type);
    let boot_server = options.get(66).map(<[u8]>::to_vec).or_else(|| {
        (!message.next_server.is_unspecified()).then(|| message.next_server.to_string().into())
    });
    let addresses = |code| options.addresses(code).map(|ip| ip.to_string()).collect::<Vec<_>>();
    let (routers, servers) = (addresses(3), addresses(6));
    let sender = sender(message, out, dir);
    let receiver = receiver(message, kind, out, dir);

    let mut draft = out.observe(&MESSAGE, dir).subject(sender).peer(receiver);
    draft = draft
        .word("type", kind)
        .value("client_mac", message.client_mac().map(Value::Mac))
        .text("host_name", options.get(12).unwrap_or_default())
        .text("vendor_class", options.get(60).unwrap_or_default())
        .text("parameters", numbers(options.get(55).unwrap_or_default()).as_bytes())
        .text("mud_url", options.get(161).unwrap_or_default())
        .value("requested_ip", ip(options.address(50)))
        .value("client_ip", ip(given(message.client)))
        .value("assigned_ip", ip(given(message.assigned)))
        .value("server_id", ip(options.address(54)))
        .texts("routers", routers.iter().map(String::as_bytes), MOST_SERVERS)
        .texts("dns_servers", servers.iter().map(String::as_bytes), MOST_SERVERS)
        .text("domain", options.get(15).unwrap_or_default())
        .text("boot_server", boot_server.as_deref().unwrap_or_default())
        .text("boot_file", options.boot_file())
        .text("proxy", options.get(252).unwrap_or_default());
    if message.op == OpCode::Reply {
        draft = draft.flag("routes", options.get(121).is_some() || options.get(249).is_some());
    }
    if let Some(seconds) = options.number(51) {
        draft = draft.uint("lease", seconds);
    }
    draft.emit();
}

/// Most routers or name servers of a message that are kept.
const MOST_SERVERS: usize = 16;

const fn message_type(code: u8) -> &'static str {
    match code {
        1 => "discover",
        2 => "offer",
        3 => "request",
        4 => "decline",
        5 => "ack",
        6 => "nak",
        7 => "release",
        8 => "inform",
        _ => "other",
    }
}

/// Who sent it. All clients without an address share one flow (0.0.0.0 to everybody), so for them
/// only the message itself can say who it is.
fn sender(message: &Message<'_>, out: &Emit<'_>, dir: Direction) -> Party {
    let mut party = side(out, dir);
    let nameless = party.ip.is_none_or(|ip| ip.is_unspecified());
    if message.op == OpCode::Request && nameless {
        party.ip = given(message.client).map(IpAddr::V4);
        party.mac = message.client_mac().or(party.mac);
    }
    party
}

/// Whom it was sent to. An answer to a client without address goes to everybody; it is meant for
/// the client, who has its address once the server confirms it.
fn receiver(message: &Message<'_>, kind: &str, out: &Emit<'_>, dir: Direction) -> Option<Party> {
    let mut party = side(out, dir.flipped());
    if message.op == OpCode::Reply && message.relay.is_unspecified() {
        party.mac = message.client_mac();
        party.ip = match kind {
            "ack" => given(message.assigned).or(given(message.client)).map(IpAddr::V4),
            _ => None,
        };
    }
    (!party.is_empty()).then_some(party)
}

fn side(out: &Emit<'_>, dir: Direction) -> Party {
    let Some(flow) = out.flow() else { return Party::default() };
    let [originator, responder] = flow.macs;
    let (endpoint, mac) = match dir {
        Direction::Forward => (flow.tuple.originator, originator),
        Direction::Reverse => (flow.tuple.responder, responder),
    };
    Party { ip: Some(endpoint.ip), mac, port: Some(endpoint.port), name: None }
}

fn given(address: Ipv4Addr) -> Option<Ipv4Addr> {
    (!address.is_unspecified()).then_some(address)
}

fn ip(address: Option<Ipv4Addr>) -> Option<Value> {
    address.map(|ip| Value::Ip(ip.into()))
}

/// Numbers with commas.
fn numbers(bytes: &[u8]) -> String {
    let texts: Vec<String> = bytes.iter().map(u8::to_string).collect();
    texts.join(",")
}

#[cfg(test)]
mod tests;
