//! Flows of a capture as pieces with their direction, for the targets of protocols.
//!
//! The shape is that of `fuzz/src/protocol.rs`: transport, port, then pieces of two bytes of head
//! (direction, gap, length) and their bytes.

use std::path::Path;

use capture::Files;
use model::emit::Probe;
use model::flow::{Direction, FlowContext};
use model::time::Timestamp;
use protocols::Protocol;
use wire::{
    Chunk, CloseReason, Config, Engine, Flow, FlowSink, LinkFrame, Malformed, Next, Outcome, Report,
};

use super::{LARGEST, Seeds};

/// Longest piece that its head can tell.
const PIECE: usize = 0x3fff;

/// Adds the flows of a capture to the seeds of the protocols that they are in.
pub(crate) fn of_capture(file: &Path, seeds: &mut Seeds) -> Result<(), String> {
    let mut engine = Engine::new(Config::default());
    let mut sink = Sink { seeds };
    let mut chain = Files::new([file]);
    while let Some(block) = chain.next_block().map_err(|error| error.to_string())? {
        for packet in block.packets() {
            let wire_len = packet.wire_len as usize;
            engine.packet(packet.at, packet.link.0, wire_len, packet.data, &mut sink);
        }
    }
    engine.finish(&mut sink);
    Ok(())
}

/// What is kept of a flow.
#[derive(Default)]
struct Pieces {
    encoded: Vec<u8>,
    /// The start of each direction of a stream, or its first datagram.
    starts: [Vec<u8>; 2],
}

struct Sink<'a> {
    seeds: &'a mut Seeds,
}

impl FlowSink for Sink<'_> {
    type Slot = Pieces;

    fn opened(&mut self, _: &Flow, _: &mut Pieces, _: Timestamp) {}

    fn outcome(&mut self, _: &Flow, _: &mut Pieces, _: Timestamp, _: Outcome) {}

    fn data(
        &mut self,
        _: &Flow,
        slot: &mut Pieces,
        _: Timestamp,
        dir: Direction,
        chunk: Chunk<'_>,
    ) -> Next {
        let back = if dir == Direction::Forward { 0 } else { 0x8000 };
        let start = &mut slot.starts[dir.index()];
        match chunk {
            Chunk::Gap(lost) => {
                let length = lost.saturating_sub(1).min(PIECE as u64) as u16;
                slot.encoded.extend((back | 0x4000 | length).to_be_bytes());
            }
            Chunk::Stream(bytes) | Chunk::Datagram(bytes) => {
                if matches!(chunk, Chunk::Stream(_)) || start.is_empty() {
                    start.extend(bytes);
                }
                for piece in bytes.chunks(PIECE) {
                    slot.encoded.extend((back | piece.len() as u16).to_be_bytes());
                    slot.encoded.extend(piece);
                }
            }
        }
        if slot.encoded.len() > LARGEST { Next::Done } else { Next::More }
    }

    fn report(&mut self, _: &Flow, _: &mut Pieces, _: Timestamp, _: &Report) {}

    fn closed(&mut self, flow: &Flow, slot: Pieces, _: Timestamp, _: CloseReason) {
        let context = flow.context();
        for protocol in protocols::ALL.iter().filter(|p| is(**p, &context, &slot.starts)) {
            let spec = protocol.spec();
            let transport = context.tuple.transport;
            let Some(choice) = spec.transports.iter().position(|one| *one == transport) else {
                continue;
            };
            let [high, low] = context.tuple.responder.port.to_be_bytes();
            let seed = [&[choice as u8, high, low][..], &slot.encoded].concat();
            self.seeds.entry(spec.name.to_owned()).or_default().push(seed);
        }
    }

    fn arp(&mut self, _: &LinkFrame<'_>, _: Timestamp) {}

    fn malformed(&mut self, _: Timestamp, _: Malformed) {}
}

/// Whether a flow is in a protocol by what it began with, either way.
fn is(protocol: &dyn Protocol, flow: &FlowContext, starts: &[Vec<u8>; 2]) -> bool {
    [Direction::Forward, Direction::Reverse].into_iter().any(|dir| {
        let start = &starts[dir.index()];
        let start = start.get(..4_096).unwrap_or(start);
        protocol.spec().transports.contains(&flow.tuple.transport)
            && !start.is_empty()
            && protocol.probe(flow, dir, start) == Probe::Yes
    })
}
