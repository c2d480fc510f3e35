//! HL7 version 2 over MLLP.
//!
//! Messages of any size are read segment by segment, of which only the start is held. What a
//! message says of a patient stays here: it leaves as tokens and counts. Versions 2.1 to 2.8 have
//! all that is read here in the same places. UTF-16 is not read, nor is HL7 version 3.

mod bare;
mod lane;
mod message;
mod separators;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};
pub(crate) use bare::Bare;
use lane::Lane;

/// One message.
pub static MESSAGE: KindSpec = KindSpec {
    name: "hl7.message",
    doc: "An HL7 v2 message. Subject is its sender.",
    fields: &[
        Field::new("type", FieldType::Text, "Message code: ORU, ADT, ACK, ..."),
        Field::new("trigger", FieldType::Text, "Trigger event: R01, A08, ..."),
        Field::new("structure", FieldType::Text, "Message structure: ORU_R01, ..."),
        Field::new("version", FieldType::Text, "HL7 version."),
        Field::new("sending_application", FieldType::Text, "MSH-3."),
        Field::new("sending_facility", FieldType::Text, "MSH-4."),
        Field::new("receiving_application", FieldType::Text, "MSH-5."),
        Field::new("receiving_facility", FieldType::Text, "MSH-6."),
        Field::new("processing_id", FieldType::Text, "MSH-11: P, T, D."),
        Field::patient(
            "control_id",
            "MSH-10, as a token: some systems build it from patient numbers.",
        ),
        Field::new("ack_code", FieldType::Text, "MSA-1: AA, AE, AR, CA, CE, CR."),
        Field::patient(
            "acked_id",
            "MSA-2, as the token that the message acknowledged has for its control id.",
        ),
        Field::new("segments", FieldType::Uint, "Segments."),
        Field::new("obx", FieldType::Uint, "OBX segments: results."),
        Field::new("orders", FieldType::Uint, "ORC segments: orders."),
        Field::patient("patient", "PID-3, or else PID-2 or PID-4: the patient's identifier."),
        Field::new("patients", FieldType::Uint, "PID segments."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size without MLLP's framing."),
        Field::patient(
            "content",
            "Token of the message without MSH-7 and MSH-10: the same content sent twice has the same token.",
        ),
        Field::new("batch", FieldType::Bool, "Whether it came in an FHS or BHS batch."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "hl7",
    transports: &[Transport::Tcp],
    kinds: &[&MESSAGE],
    doc: "Messages between clinical systems: admissions, orders, results, acknowledgements.",
    sources: &["HL7 2.5.1 chapter 2 and appendix C", "MLLP release 1"],
};

/// HL7 version 2 over TCP, in MLLP blocks or bare.
#[derive(Debug)]
pub struct Hl7;

impl Protocol for Hl7 {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        separators::probe(start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(Connection {
            forward: Lane::new(Direction::Forward),
            reverse: Lane::new(Direction::Reverse),
        })
    }
}

/// A connection: either side may send.
struct Connection {
    forward: Lane,
    reverse: Lane,
}

impl Parser for Connection {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let (lane, other) = match dir {
            Direction::Forward => (&mut self.forward, &mut self.reverse),
            Direction::Reverse => (&mut self.reverse, &mut self.forward),
        };
        match chunk {
            Chunk::Stream(bytes) => lane.feed(bytes, other, out),
            Chunk::Gap(lost) => lane.gap(lost),
            Chunk::Datagram(_) => return Next::Done,
        }
        Next::More
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.forward.end(&mut self.reverse, out);
        self.reverse.end(&mut self.forward, out);
    }
}
