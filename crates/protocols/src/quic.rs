//! QUIC versions 1 and 2, and the drafts before, up to what a client offers.
//!
//! The first packets of a connection are encrypted under keys that anybody on the way can make from
//! the connection id in clear text (RFC 9001, 5.2): against accidents, not against readers. So the
//! ClientHello can be read, and with it the server's name and the client's software, as over TCP.
//! All later packets are encrypted for good. Deliberately absent: what the server answers, Google's
//! own QUIC before the drafts, and connections whose first packets the sensor missed.

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use model::observation::Value;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};
use crate::tls;

mod frames;
mod header;
mod keys;

use frames::{Crypto, Hello};
use header::{Header, Long, Version};
use keys::Keys;

/// A connection begins.
pub static INITIAL: KindSpec = KindSpec {
    name: "quic.initial",
    doc: "A client begins a connection. Subject is the client. Said once a flow, and again with another version or a token.",
    fields: &[
        Field::new("version", FieldType::Text, "1, 2, draft-29, ..."),
        Field::new("token", FieldType::Bool, "Whether it shows a token that the server gave it."),
    ],
};

/// A server asks for something else first.
pub static REFUSAL: KindSpec = KindSpec {
    name: "quic.refusal",
    doc: "A server asks a client to try again. Subject is the server.",
    fields: &[
        Field::new("action", FieldType::Text, "retry (with a token) or version_negotiation."),
        Field::new("versions", FieldType::Texts, "Versions that the server knows, at most 16."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "quic",
    transports: &[Transport::Udp],
    kinds: &[&INITIAL, &REFUSAL, &tls::CLIENT_HELLO, &ANOMALY],
    doc: "Encrypted connections over UDP: server name and software of the client.",
    sources: &["RFC 8999", "RFC 9000", "RFC 9001", "RFC 9369", "FoxIO JA4"],
};

/// QUIC.
pub struct Quic;

impl Protocol for Quic {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        // A long header; all others look like noise on purpose.
        match start.first() {
            Some(0x80..) if header::is_quic(start) => Probe::Yes,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(QuicParser::default())
    }
}

/// Most packets of a flow that are tried to be read, each with a block cipher's work.
const MOST_PACKETS: u8 = 24;
/// Most packets in one datagram.
const MOST_IN_DATAGRAM: usize = 8;

#[derive(Default)]
struct QuicParser {
    client: Option<Direction>,
    keys: Option<Keys>,
    crypto: Crypto,
    said: Option<(Version, bool)>,
    hello_said: bool,
    packets: u8,
}

impl Parser for QuicParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(datagram) = chunk else { return Next::More };
        let mut rest = datagram;
        for _ in 0..MOST_IN_DATAGRAM {
            if rest.is_empty() {
                break;
            }
            self.packets = self.packets.saturating_add(1);
            if self.packets > MOST_PACKETS {
                return Next::Done;
            }
            match Header::read(rest) {
                Ok(Header::Short | Header::Unknown) => break,
                Ok(Header::Negotiation { versions }) => {
                    refusal("version_negotiation", &versions, dir, out);
                    break;
                }
                Ok(Header::Retry) => {
                    refusal("retry", &[], dir, out);
                    // The client begins again under another id, so with other keys.
                    (self.keys, self.crypto) = (None, Crypto::default());
                    break;
                }
                Ok(Header::Initial(packet)) => {
                    rest = packet.after;
                    if *self.client.get_or_insert(dir) == dir {
                        self.initial(&packet, dir, out);
                    }
                }
                Ok(Header::Other { after }) => {
                    // Both sides have what they need; nothing more is in clear text.
                    if self.client == Some(dir.flipped()) {
                        return Next::Done;
                    }
                    rest = after;
                }
                // Behind the first packet there may be padding.
                Err(_) if rest.len() < datagram.len() => break,
                Err(what) => {
                    out.anomaly(SPEC.name, what, dir);
                    break;
                }
            }
        }
        Next::More
    }
}

impl QuicParser {
    fn initial(&mut self, packet: &Long<'_>, dir: Direction, out: &mut Emit<'_>) {
        let begun = (packet.version, packet.has_token);
        if self.said.replace(begun) != Some(begun) {
            out.observe(&INITIAL, dir)
                .value("version", Some(packet.version.name()))
                .flag("token", packet.has_token)
                .emit();
            self.keys = None;
        }
        if self.hello_said {
            return;
        }
        let Some(plain) = self.decrypt(packet) else { return };
        if frames::read(&plain, &mut self.crypto).is_err() {
            return out.anomaly(SPEC.name, "frames that a first packet may not carry", dir);
        }
        match self.crypto.hello() {
            Hello::Partial => {}
            Hello::None => {
                self.hello_said = true;
                out.anomaly(SPEC.name, "a handshake that begins without a ClientHello", dir);
            }
            Hello::Whole(body) => {
                self.hello_said = true;
                if tls::say_quic_client(&body, dir, out).is_err() {
                    out.anomaly(SPEC.name, "ClientHello whose lengths do not add up", dir);
                }
            }
        }
        if self.hello_said {
            self.crypto = Crypto::default();
        }
    }

    /// Keys are those of the first id that the client chose; a packet of a client that has changed
    /// to the server's id is tried under the keys that are known, then under its own.
    fn decrypt(&mut self, packet: &Long<'_>) -> Option<Vec<u8>> {
        if let Some(plain) = self.keys.as_ref().and_then(|keys| keys.open(packet)) {
            return Some(plain);
        }
        let own = Keys::of_client(packet.version, packet.destination)?;
        let plain = own.open(packet)?;
        self.keys = Some(own);
        Some(plain)
    }
}

fn refusal(action: &'static str, versions: &[Version], dir: Direction, out: &mut Emit<'_>) {
    let names: Vec<String> = versions.iter().map(|version| text(&version.name())).collect();
    out.observe(&REFUSAL, dir)
        .word("action", action)
        .texts("versions", names.iter().map(String::as_bytes), 16)
        .emit();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
