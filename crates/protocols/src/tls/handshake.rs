//! Records and handshake messages of a connection, up to where they are encrypted.

use model::emit::Emit;
use model::flow::Direction;
use tls_parser::TlsCipherSuite;
use wire::chunk::{Chunk, Next};
use wire::cursor::Cursor;

use super::hello::ClientHello;
use super::ja4::Carrier;
use super::{CLIENT_HELLO, SERVER_HELLO, certificate, hello, ja4};
use crate::frames::{Frames, Step};
use crate::seam::Parser;

/// Longest record: 2^14 bytes, and what compression and encryption may add (RFC 5246, 6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2048;

/// Longest handshake message that is put together.
const MAX_MESSAGE: usize = 64 * 1024;

/// Parser of one connection.
pub(super) struct Handshake {
    forward: Frames,
    reverse: Frames,
    state: State,
}

#[derive(Default)]
struct State {
    /// The side that sent a ClientHello, or did not send a ServerHello.
    client: Option<Direction>,
    /// Handshake bytes of each direction that make no whole message yet.
    pending: [Vec<u8>; 2],
    /// Whether a direction has gone over to encryption.
    encrypted: [bool; 2],
    server_name: Vec<u8>,
    greeted: bool,
}

/// What a record or a message asks of the rest of its flow.
enum After {
    Next,
    Over,
}

impl Handshake {
    pub(super) fn new() -> Self {
        let cap = MAX_RECORD.saturating_add(5);
        Self { forward: Frames::new(cap), reverse: Frames::new(cap), state: State::default() }
    }
}

impl Parser for Handshake {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Self { forward, reverse, state } = self;
        let frames = match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        };
        match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| state.record(dir, unread, out)),
            // A handshake with a hole says nothing more.
            Chunk::Gap(_) | Chunk::Datagram(_) => Next::Done,
        }
    }
}

impl State {
    fn record(&mut self, dir: Direction, unread: &[u8], out: &mut Emit<'_>) -> Step {
        let mut cursor = Cursor::new(unread);
        let (Ok(kind), Ok(version), Ok(length)) = (cursor.u8(), cursor.u16(), cursor.u16()) else {
            return Step::More;
        };
        // A hello in the form of SSL 2.0, by which old clients ask for TLS, is passed over; what its
        // server answers is not (RFC 5246, appendix E.2).
        if self.client.is_none() && matches!(unread, [0x80..=0xff, _, 1, 3, ..]) {
            let size = usize::from(u16::from_be_bytes([kind & 0x7f, (version >> 8) as u8]));
            if size > MAX_RECORD {
                out.anomaly("tls", "record header", dir);
                return Step::Stop;
            }
            return if unread.len() >= size.saturating_add(2) {
                Step::Used(size.saturating_add(2))
            } else {
                Step::More
            };
        }
        let length = usize::from(length);
        if !(20..=24).contains(&kind) || version >> 8 != 3 || length > MAX_RECORD {
            out.anomaly("tls", "record header", dir);
            return Step::Stop;
        }
        let whole = length.saturating_add(5);
        let Ok(fragment) = cursor.take(length) else { return Step::More };
        let after = match kind {
            22 if self.is_encrypted(dir) => After::Next,
            22 if fragment.is_empty() => {
                out.anomaly("tls", "empty handshake record", dir);
                After::Over
            }
            22 => self.fragment(dir, fragment, out),
            20 => self.change_cipher(dir),
            // Before a handshake is over, data and fatal alerts end what can be read.
            21 if fragment.first() == Some(&1) => After::Next,
            _ => After::Over,
        };
        match after {
            After::Next => Step::Used(whole),
            After::Over => Step::Stop,
        }
    }

    fn is_encrypted(&self, dir: Direction) -> bool {
        let [forward, reverse] = self.encrypted;
        match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        }
    }

    /// Before a ServerHello it is there for middleboxes and means nothing (RFC 8446, appendix D.4);
    /// after it, what follows in its direction is encrypted.
    fn change_cipher(&mut self, dir: Direction) -> After {
        if !self.greeted {
            return After::Next;
        }
        if self.client != Some(dir) {
            return After::Over;
        }
        let [forward, reverse] = &mut self.encrypted;
        match dir {
            Direction::Forward => *forward = true,
            Direction::Reverse => *reverse = true,
        }
        After::Next
    }

    /// Puts messages together that are spread over records.
    fn fragment(&mut self, dir: Direction, fragment: &[u8], out: &mut Emit<'_>) -> After {
        let [forward, reverse] = &mut self.pending;
        let pending = match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        };
        let mut joined = std::mem::take(pending);
        joined.extend_from_slice(fragment);
        let mut cursor = Cursor::new(&joined);
        let mut used = 0;
        while let (Ok(kind), Ok(length)) = (cursor.u8(), cursor.u24()) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > MAX_MESSAGE {
                out.anomaly("tls", "handshake message longer than 64 KiB", dir);
                return After::Over;
            }
            let Ok(body) = cursor.take(length) else { break };
            used = cursor.position();
            if matches!(self.message(dir, kind, body, out), After::Over) {
                return After::Over;
            }
        }
        joined.drain(..used);
        let [forward, reverse] = &mut self.pending;
        match dir {
            Direction::Forward => *forward = joined,
            Direction::Reverse => *reverse = joined,
        }
        After::Next
    }

    fn message(&mut self, dir: Direction, kind: u8, body: &[u8], out: &mut Emit<'_>) -> After {
        match kind {
            // A client that was asked to try again repeats itself: told once.
            1 if self.client == Some(dir) => After::Next,
            1 if self.client.is_none() => self.client_hello(dir, body, out),
            2 if self.client != Some(dir) => self.server_hello(dir, body, out),
            11 if self.client == Some(dir.flipped()) => self.certificate(dir, body, out),
            // ServerHelloDone: the rest of the handshake is keys.
            14 if self.client == Some(dir.flipped()) => After::Over,
            1 | 2 => {
                out.anomaly("tls", "hello from the wrong side", dir);
                After::Over
            }
            _ => After::Next,
        }
    }

    fn client_hello(&mut self, dir: Direction, body: &[u8], out: &mut Emit<'_>) -> After {
        let Ok(hello) = hello::client(body) else {
            out.anomaly("tls", "ClientHello whose lengths do not add up", dir);
            return After::Over;
        };
        self.client = Some(dir);
        let cap = model::text::MAX_TEXT.min(hello.server_name.len());
        self.server_name = hello.server_name.get(..cap).unwrap_or_default().to_vec();
        say_client(&hello, Carrier::Tcp, dir, out);
        After::Next
    }

    fn server_hello(&mut self, dir: Direction, body: &[u8], out: &mut Emit<'_>) -> After {
        let Ok(hello) = hello::server(body) else {
            // Drafts of TLS 1.3 had a shorter one.
            if body.first() == Some(&0x7f) {
                return After::Over;
            }
            out.anomaly("tls", "ServerHello whose lengths do not add up", dir);
            return After::Over;
        };
        self.client = Some(dir.flipped());
        if hello.retry {
            return After::Next;
        }
        if std::mem::replace(&mut self.greeted, true) {
            out.anomaly("tls", "second ServerHello", dir);
            return After::Over;
        }
        let mut draft =
            out.observe(&SERVER_HELLO, dir).text("sni", &self.server_name).text("alpn", hello.alpn);
        if let Some(version) = version(hello.version) {
            draft = draft.word("version", version);
        }
        draft = match TlsCipherSuite::from_id(hello.cipher) {
            Some(known) => draft.word("cipher", known.name),
            None => draft.text("cipher", format!("0x{:04x}", hello.cipher).as_bytes()),
        };
        draft.emit();
        // From TLS 1.3 on all that follows is encrypted.
        if hello.version >= 0x0304 { After::Over } else { After::Next }
    }

    fn certificate(&mut self, dir: Direction, body: &[u8], out: &mut Emit<'_>) -> After {
        match certificate::leaf(body) {
            Ok(Some(der)) => certificate::say(der, dir, out),
            Ok(None) => {}
            Err(_) => {
                out.anomaly("tls", "Certificate whose lengths do not add up", dir);
                return After::Over;
            }
        }
        After::Next
    }
}

/// Tells what a client offers.
pub(super) fn say_client(
    hello: &ClientHello<'_>,
    carrier: Carrier,
    dir: Direction,
    out: &mut Emit<'_>,
) {
    let mut draft = out
        .observe(&CLIENT_HELLO, dir)
        .text("sni", hello.server_name)
        .text("ja4", ja4::ja4(hello, carrier).as_bytes())
        .texts("alpn", hello.alpn.iter().copied(), 16)
        .uint("ciphers", hello.cipher_count() as u64);
    if let Some(version) = version(hello.offered()) {
        draft = draft.word("version", version);
    }
    draft.emit();
}

/// A version by name; none for numbers that nobody gave out, and for drafts.
const fn version(number: u16) -> Option<&'static str> {
    match number {
        0x0304 => Some("1.3"),
        0x0303 => Some("1.2"),
        0x0302 => Some("1.1"),
        0x0301 => Some("1.0"),
        0x0300 => Some("SSL3"),
        _ => None,
    }
}
