//! Plays a capture through the flow engine and every protocol, as the program does, and gives back
//! what was observed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext};
use model::net::Mac;
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;
use protocols::{Parser, Protocol};
use wire::{Chunk, CloseReason, Config, Engine, Flow, FlowSink, LinkFrame, Malformed, Next};

/// What one capture gave.
pub(crate) struct Seen {
    pub(crate) observations: Vec<Observation>,
    /// How many flows were recognised as which protocol.
    pub(crate) flows: BTreeMap<&'static str, usize>,
}

/// A capture of `testdata/`.
pub(crate) fn testdata(name: &str) -> Seen {
    file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name))
}

/// A pcap file, little-endian, with microseconds.
pub(crate) fn file(path: &Path) -> Seen {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(word(0), 0xa1b2_c3d4, "{} is no such pcap file", path.display());
    let (link, mut at) = (word(20), 24);
    let mut engine = Engine::new(Config::default());
    let mut sink = Sink::default();
    while at + 16 <= bytes.len() {
        let time = Timestamp::from_parts(i64::from(word(at)), i64::from(word(at + 4)) * 1000);
        let (captured, wire) = (word(at + 8) as usize, word(at + 12) as usize);
        let packet = &bytes[at + 16..at + 16 + captured];
        engine.packet(time, link, wire, packet, &mut sink);
        at += 16 + captured;
    }
    engine.finish(&mut sink);
    Seen { observations: sink.out, flows: sink.flows }
}

#[derive(Default)]
struct Sink {
    out: Vec<Observation>,
    flows: BTreeMap<&'static str, usize>,
    serial: u64,
}

/// One flow: its parser, or what was seen until there is one.
#[derive(Default)]
struct Slot {
    context: Option<Arc<FlowContext>>,
    parser: Option<Box<dyn Parser>>,
    over: bool,
    serial: u64,
    start: [Vec<u8>; 2],
    refused: [Vec<&'static str>; 2],
    waiting: Vec<(Timestamp, Direction, Vec<u8>, bool)>,
}

impl Slot {
    fn give(
        &mut self,
        at: Timestamp,
        dir: Direction,
        chunk: Chunk<'_>,
        out: &mut Vec<Observation>,
    ) -> Next {
        let (Some(parser), Some(context)) = (&mut self.parser, &self.context) else {
            return Next::More;
        };
        let key = SiteKey::new(b"replay");
        let next =
            parser.data(dir, chunk, &mut Emit::new(out, &key, Some(context), at, &mut self.serial));
        self.over |= next == Next::Done;
        next
    }

    /// Asks the protocols; two that are both sure would be a mistake of theirs.
    fn recognise(&mut self, dir: Direction, bytes: &[u8]) -> Option<&'static dyn Protocol> {
        let context = self.context.as_ref()?;
        let mut sure: Option<&'static dyn Protocol> = None;
        for &protocol in protocols::ALL {
            let spec = protocol.spec();
            let refused = &mut self.refused[dir.index()];
            if !spec.transports.contains(&context.tuple.transport) || refused.contains(&spec.name) {
                continue;
            }
            match protocol.probe(context, dir, bytes) {
                Probe::No => refused.push(spec.name),
                Probe::Unsure => {}
                Probe::Yes => {
                    assert!(
                        sure.is_none(),
                        "{:?} and {:?}",
                        sure.map(|p| p.spec().name),
                        spec.name
                    );
                    sure = Some(protocol);
                }
            }
        }
        sure
    }
}

impl FlowSink for Sink {
    type Slot = Slot;

    fn opened(&mut self, flow: &Flow, slot: &mut Slot, _at: Timestamp) {
        slot.context = Some(Arc::new(flow.context()));
    }

    fn outcome(&mut self, _: &Flow, _: &mut Slot, _: Timestamp, _: wire::Outcome) {}

    fn data(
        &mut self,
        _flow: &Flow,
        slot: &mut Slot,
        at: Timestamp,
        dir: Direction,
        chunk: Chunk<'_>,
    ) -> Next {
        if slot.over {
            return Next::Done;
        }
        if slot.parser.is_some() {
            return slot.give(at, dir, chunk, &mut self.out);
        }
        let (bytes, whole) = match chunk {
            Chunk::Stream(bytes) => (bytes, false),
            Chunk::Datagram(bytes) => (bytes, true),
            Chunk::Gap(_) => return Next::More,
        };
        slot.waiting.push((at, dir, bytes.to_vec(), whole));
        if whole {
            slot.start[dir.index()].clear();
        }
        slot.start[dir.index()].extend_from_slice(bytes);
        let start = std::mem::take(&mut slot.start[dir.index()]);
        let found = slot.recognise(dir, &start);
        slot.start[dir.index()] = start;
        let (Some(protocol), Some(context)) = (found, &slot.context) else { return Next::More };
        *self.flows.entry(protocol.spec().name).or_default() += 1;
        slot.parser = Some(protocol.open(context));
        let mut next = Next::More;
        for (at, way, bytes, whole) in std::mem::take(&mut slot.waiting) {
            let chunk = if whole { Chunk::Datagram(&bytes) } else { Chunk::Stream(&bytes) };
            let asked = slot.give(at, way, chunk, &mut self.out);
            if way == dir || asked == Next::Done {
                next = asked;
            }
        }
        next
    }

    fn report(&mut self, _: &Flow, _: &mut Slot, _: Timestamp, _: &wire::Report) {}

    fn closed(&mut self, _flow: &Flow, mut slot: Slot, at: Timestamp, _reason: CloseReason) {
        if let (Some(mut parser), Some(context), false) =
            (slot.parser.take(), &slot.context, slot.over)
        {
            let key = SiteKey::new(b"replay");
            parser.end(&mut Emit::new(&mut self.out, &key, Some(context), at, &mut slot.serial));
        }
    }

    fn arp(&mut self, frame: &LinkFrame<'_>, at: Timestamp) {
        let key = SiteKey::new(b"replay");
        let mut emit = Emit::new(&mut self.out, &key, None, at, &mut self.serial);
        let broadcast = frame.link.dst == Some(Mac::BROADCAST);
        protocols::arp::decode(frame.payload, frame.link.src, broadcast, &mut emit);
    }

    fn malformed(&mut self, _at: Timestamp, what: Malformed) {
        panic!("{what:?}");
    }
}
