//! TLS handshakes, as far as they are in clear text.
//!
//! What a client can do, what a server chooses and who it says it is. Nothing is decrypted; client
//! certificates, which name people, are passed over. The handshake inside QUIC is told from `quic`.
//! Deliberately absent: SSL 2.0, DTLS, and TLS that begins inside another protocol (STARTTLS).

mod certificate;
mod handshake;
mod hello;
mod ja4;

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::cursor::Short;

use crate::seam::{Parser, Protocol, ProtocolSpec};

/// SSL 3.0 to TLS 1.3 over TCP.
#[derive(Debug)]
pub struct Tls;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "tls",
    transports: &[Transport::Tcp],
    kinds: &[&CLIENT_HELLO, &SERVER_HELLO, &CERTIFICATE, &ANOMALY],
    doc: "Encrypted connections: software of the client, version, cipher and certificate.",
    sources: &["RFC 8446", "RFC 5246", "RFC 6101", "RFC 7301", "RFC 5280", "FoxIO JA4"],
};

impl Protocol for Tls {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        probe(start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(handshake::Handshake::new())
    }
}

/// Tells the ClientHello that a QUIC client sent, from the body of its message.
///
/// # Errors
/// [`Short`] where its lengths do not add up; nothing is told then.
pub(crate) fn say_quic_client(
    body: &[u8],
    dir: Direction,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let hello = hello::client(body)?;
    handshake::say_client(&hello, ja4::Carrier::Quic, dir, out);
    Ok(())
}

/// Asks for a handshake record with a hello in it, whose version is one of SSL 3.0 to TLS 1.3.
fn probe(start: &[u8]) -> Probe {
    let expected: [fn(u8) -> bool; 11] = [
        |kind| kind == 22,
        |major| major == 3,
        |minor| minor <= 4,
        |length| length <= 0x48,
        |_| true,
        |message| matches!(message, 1 | 2),
        |length| length == 0,
        |_| true,
        |_| true,
        |major| major == 3,
        |minor| minor <= 4,
    ];
    // A server may answer with an alert before it says hello.
    if matches!(
        start,
        [21] | [21, 3] | [21, 3, 0..=4] | [21, 3, 0..=4, 0] | [21, 3, 0..=4, 0, 2, ..]
    ) {
        return Probe::Unsure;
    }
    // Fragments too short for a version hide a hello from those who look at one record only.
    let short = match start {
        [_, _, _, 0, length @ 1..=5, ..] => usize::from(*length),
        _ => expected.len(),
    };
    let ours = expected.iter().take(short.saturating_add(5));
    if start.iter().zip(ours).any(|(byte, fits)| !fits(*byte)) {
        return Probe::No;
    }
    if short == expected.len() {
        return if start.len() >= short { Probe::Yes } else { Probe::Unsure };
    }
    match start.get(short.saturating_add(5)..).unwrap_or_default() {
        [22, 3, 0..=4, ..] => Probe::Yes,
        [] | [22] | [22, 3] => Probe::Unsure,
        _ => Probe::No,
    }
}

/// A ClientHello.
pub static CLIENT_HELLO: KindSpec = KindSpec {
    name: "tls.client_hello",
    doc: "A client offers TLS, over TCP or in QUIC. Subject is the client.",
    fields: &[
        Field::new("sni", FieldType::Text, "Server name."),
        Field::new("ja4", FieldType::Text, "JA4 fingerprint of the client."),
        Field::new(
            "version",
            FieldType::Text,
            "Highest version offered: 1.3, 1.2, 1.1, 1.0, SSL3.",
        ),
        Field::new("alpn", FieldType::Texts, "Application protocols offered."),
        Field::new("ciphers", FieldType::Uint, "Cipher suites offered."),
    ],
};

/// A ServerHello.
pub static SERVER_HELLO: KindSpec = KindSpec {
    name: "tls.server_hello",
    doc: "A server answers. Subject is the server.",
    fields: &[
        Field::new("sni", FieldType::Text, "Server name that the client gave."),
        Field::new("version", FieldType::Text, "Version chosen."),
        Field::new("cipher", FieldType::Text, "Cipher suite chosen."),
        Field::new("alpn", FieldType::Text, "Application protocol chosen."),
    ],
};

/// A server's certificate.
pub static CERTIFICATE: KindSpec = KindSpec {
    name: "tls.certificate",
    doc: "A server's own certificate in clear text. Subject is the server.",
    fields: &[
        Field::new("subject", FieldType::Text, "Distinguished name of the subject."),
        Field::new("issuer", FieldType::Text, "Distinguished name of the issuer."),
        Field::new("names", FieldType::Texts, "Alternative names, at most 16."),
        Field::new("not_before", FieldType::Time, "Valid from."),
        Field::new("not_after", FieldType::Time, "Valid until."),
        Field::new("self_signed", FieldType::Bool, "Whether subject and issuer are the same."),
        Field::new("sha256", FieldType::Text, "SHA-256 of the certificate, hexadecimal."),
    ],
};

#[cfg(test)]
mod tests;
