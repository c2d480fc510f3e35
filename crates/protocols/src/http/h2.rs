//! HTTP/2 in clear text (RFC 9113): with prior knowledge, or after an upgrade of HTTP/1.1.
//!
//! Streams are told of with the observations of HTTP/1, and their bodies read the same way. Over
//! TLS it is TLS. Deliberately absent: what servers push, priorities, flow control, and a
//! connection whose beginning was not seen: its header tables are not known.

mod connection;
mod floods;
mod frame;
mod hpack;
mod huffman;
mod message;
mod statics;
mod stream;

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use super::KINDS;
use crate::frames::Frames;
use crate::seam::{Parser, Protocol, ProtocolSpec};

pub(super) use connection::Connection;

/// HTTP/2 over TCP, with prior knowledge.
#[derive(Debug)]
pub struct Http2;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "http2",
    transports: &[Transport::Tcp],
    kinds: KINDS,
    doc: "HTTP/2 in clear text: gRPC between services, and what else does without TLS.",
    sources: &["RFC 9113", "RFC 7541", "CVE-2023-44487", "CVE-2024-27316"],
};

impl Protocol for Http2 {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        let seen = start.get(..start.len().min(frame::PREFACE.len())).unwrap_or_default();
        match frame::PREFACE.starts_with(seen) {
            true if seen.len() == frame::PREFACE.len() => Probe::Yes,
            true => Probe::Unsure,
            false => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        let frames = || Frames::new(connection::MAX_PENDING);
        Box::new(Flow { frames: [frames(), frames()], connection: Connection::new() })
    }
}

/// Parser of one connection.
struct Flow {
    frames: [Frames; 2],
    connection: Connection,
}

impl Parser for Flow {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Self { frames, connection } = self;
        let Some(frames) = frames.get_mut(dir.index()) else { return Next::Done };
        let next = match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| connection.take(dir, unread, out)),
            Chunk::Gap(lost) => {
                let held = !frames.pending().is_empty();
                if held || !connection.gap(dir, lost, out) { Next::Done } else { Next::More }
            }
            Chunk::Datagram(_) => Next::Done,
        };
        if next == Next::Done {
            connection.end(out);
        }
        next
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.connection.end(out);
    }
}

#[cfg(test)]
mod tests;
