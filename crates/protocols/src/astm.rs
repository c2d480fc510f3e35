//! ASTM E1381 (CLSI LIS1-A) framing and ASTM E1394 (CLSI LIS2-A2) records over TCP: laboratory
//! analysers.
//!
//! Frames are checked and joined, retransmissions counted once, and records read with or without
//! frames. Results and what they say of a patient are not kept. The predecessors of this protocol
//! that single devices still speak, with fields of their own, are not read, nor is POCT1-A.

mod link;
mod probe;
mod records;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};
use link::Link;

/// One message: from its H record to its L record.
pub static MESSAGE: KindSpec = KindSpec {
    name: "astm.message",
    doc: "A LIS2-A2 message, from header to terminator. Subject is its sender.",
    fields: &[
        Field::new("sender", FieldType::Text, "H-5: sender name or id."),
        Field::new("receiver", FieldType::Text, "H-10: receiver id."),
        Field::new("processing_id", FieldType::Text, "H-12: P, T, D, Q."),
        Field::new("version", FieldType::Text, "H-13."),
        Field::new("records", FieldType::Uint, "Records."),
        Field::new("patients", FieldType::Uint, "P records."),
        Field::new("orders", FieldType::Uint, "O records."),
        Field::new("results", FieldType::Uint, "R records."),
        Field::new("queries", FieldType::Uint, "Q records."),
        Field::new(
            "tests",
            FieldType::Texts,
            "Universal test ids of the results, each once, at most 32.",
        ),
        Field::patient("patient", "P-3 to P-5: the patient's identifier."),
        Field::new("termination", FieldType::Text, "L-3: N normal, and so on."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the records."),
        Field::new(
            "framed",
            FieldType::Bool,
            "Whether in E1381 frames with checksums (else bare records).",
        ),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "astm",
    transports: &[Transport::Tcp],
    kinds: &[&MESSAGE],
    doc: "Laboratory analysers: results, orders, queries.",
    sources: &["ASTM E1381-02 (CLSI LIS1-A)", "ASTM E1394-97 (CLSI LIS2-A2)"],
};

/// ASTM E1394 over TCP, in E1381 frames or bare.
#[derive(Debug)]
pub struct Astm;

impl Protocol for Astm {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        probe::probe(start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(Connection {
            forward: Link::new(Direction::Forward),
            reverse: Link::new(Direction::Reverse),
        })
    }
}

/// A connection: results go one way, orders the other.
struct Connection {
    forward: Link,
    reverse: Link,
}

impl Parser for Connection {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let (link, other) = match dir {
            Direction::Forward => (&mut self.forward, &mut self.reverse),
            Direction::Reverse => (&mut self.reverse, &mut self.forward),
        };
        match chunk {
            Chunk::Stream(bytes) => link.feed(bytes, other, out),
            Chunk::Gap(_) => link.gap(out),
            Chunk::Datagram(_) => return Next::Done,
        }
        Next::More
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.forward.end(out);
        self.reverse.end(out);
    }
}
