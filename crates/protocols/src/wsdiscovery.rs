//! WS-Discovery: devices that announce themselves and are looked for, by SOAP over UDP.
//!
//! Medical devices of IEEE 11073 SDC, cameras (ONVIF) and printers say what they are and where
//! their services are. Deliberately absent: discovery proxies, which are SOAP over HTTP.

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};
use crate::soap::{Envelope, Reader};

/// WS-Discovery over UDP.
#[derive(Debug)]
pub struct WsDiscovery;

/// One message.
pub static MESSAGE: KindSpec = KindSpec {
    name: "wsd.message",
    doc: "A message of WS-Discovery. Subject is its sender.",
    fields: &[
        Field::new(
            "message",
            FieldType::Text,
            "Hello, Bye, Probe, ProbeMatches, Resolve or ResolveMatches.",
        ),
        Field::new(
            "types",
            FieldType::Texts,
            "Local names of the types announced or looked for, such as MedicalDevice, at most 32.",
        ),
        Field::new(
            "scopes",
            FieldType::Texts,
            "Scopes; those of SDC that name a patient or an operator with a token, at most 32.",
        ),
        Field::new("endpoint", FieldType::Text, "Address of the endpoint: the device's own name."),
        Field::new("addresses", FieldType::Texts, "XAddrs: where its services are, at most 32."),
        Field::new("metadata_version", FieldType::Uint, "Grows when the device changes."),
        Field::new("matches", FieldType::Uint, "Devices in an answer."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the datagram."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "ws-discovery",
    transports: &[Transport::Udp],
    kinds: &[&MESSAGE, &ANOMALY],
    doc: "Devices that announce themselves by SOAP over UDP: IEEE 11073 SDC, cameras, printers.",
    sources: &[
        "OASIS WS-Discovery 1.1",
        "WS-Discovery 2005/04",
        "IEEE 11073-20702",
        "IEEE 11073-20701",
    ],
};

/// How far into a datagram the namespace of the discovery is looked for.
const MAX_LOOK: usize = 2048;

impl Protocol for WsDiscovery {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        if text.first() != Some(&b'<') {
            return Probe::No;
        }
        let looked = text.get(..text.len().min(MAX_LOOK)).unwrap_or_default();
        let has = |word: &[u8]| looked.windows(word.len()).any(|window| window == word);
        let ours = has(b"ws-dd/ns/discovery") || has(b"ws/2005/04/discovery");
        if ours && has(b"Envelope") { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(Datagrams)
    }
}

struct Datagrams;

impl Parser for Datagrams {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(bytes) = chunk else { return Next::Done };
        let mut reader = Reader::default();
        if let Err(what) = reader.feed(bytes, out) {
            out.anomaly("ws-discovery", what, dir);
        }
        if let Some(envelope) = reader.end() {
            say(&envelope, bytes.len() as u64, dir, out);
        } else if !bytes.is_empty() {
            out.anomaly("ws-discovery", "datagram that is no envelope", dir);
        }
        Next::More
    }
}

/// Names that the standard gives to messages.
const MESSAGES: [&str; 6] = ["Hello", "Bye", "Probe", "ProbeMatches", "Resolve", "ResolveMatches"];

fn say(envelope: &Envelope, bytes: u64, dir: Direction, out: &mut Emit<'_>) {
    let known = |name: &&&str| name.as_bytes() == envelope.operation;
    let Some(message) = MESSAGES.iter().find(known) else {
        out.anomaly("ws-discovery", "message that the standard does not have", dir);
        return;
    };
    let mut draft = out
        .observe(&MESSAGE, dir)
        .word("message", message)
        .texts("types", envelope.types.iter().map(Vec::as_slice), 32)
        .texts("scopes", envelope.scopes.iter().map(Vec::as_slice), 32)
        .text("endpoint", &envelope.endpoint)
        .texts("addresses", envelope.addresses.iter().map(Vec::as_slice), 32)
        .uint("bytes", bytes);
    if let Some(version) = envelope.version {
        draft = draft.uint("metadata_version", version);
    }
    if message.ends_with("Matches") {
        draft = draft.uint("matches", envelope.matches);
    }
    draft.emit();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive;

    const HELLO: &str = "<?xml version='1.0'?><s:Envelope xmlns:d='http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01'><s:Header><a:Action>x</a:Action></s:Header><s:Body><d:Hello><a:EndpointReference><a:Address>urn:uuid:7</a:Address></a:EndpointReference><d:Types>p:MedicalDevice</d:Types><d:XAddrs>http://10.0.0.9:8080/7</d:XAddrs><d:MetadataVersion>2</d:MetadataVersion></d:Hello></s:Body></s:Envelope>";

    fn told(text: &str) -> Vec<model::observation::Observation> {
        drive::run(
            &WsDiscovery,
            drive::flow(Transport::Udp, 3702),
            &[(Direction::Forward, Chunk::Datagram(text.as_bytes()))],
        )
    }

    #[test]
    fn a_device_says_what_and_where_it_is() {
        let flow = drive::flow(Transport::Udp, 9);
        assert_eq!(WsDiscovery.probe(&flow, Direction::Forward, HELLO.as_bytes()), Probe::Yes);
        let seen = told(HELLO);
        assert_eq!(seen[0].str("message"), Some("Hello"));
        assert_eq!(seen[0].str("endpoint"), Some("urn:uuid:7"));
        assert_eq!(seen[0].texts("types"), [Box::from("MedicalDevice")]);
        assert_eq!(seen[0].uint("metadata_version"), Some(2));
    }

    #[test]
    fn cut_and_hostile_datagrams_are_borne() {
        for end in 0..HELLO.len() {
            told(&HELLO[..end]);
        }
        let bomb = HELLO.replace("<s:Envelope", "<!DOCTYPE a [<!ENTITY b 'c'>]><s:Envelope");
        assert_eq!(told(&bomb)[0].str("what"), Some(crate::xml::ENTITY));
    }

    #[test]
    fn other_datagrams_are_told_no() {
        let flow = drive::flow(Transport::Udp, 3702);
        for other in [&b"<34>Oct 11 x"[..], b"M-SEARCH * HTTP/1.1", b"", b"<a/>", b"\x12\x34\x01\0"]
        {
            assert_eq!(WsDiscovery.probe(&flow, Direction::Forward, other), Probe::No);
        }
    }
}
