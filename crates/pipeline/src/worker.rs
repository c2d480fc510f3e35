//! One thread's work: packets in, observations out.
//!
//! Owns a flow engine and, in each flow's slot, what has become of its protocol: still asked for,
//! being parsed, or known to be nobody's. Observations carry the number of the packet that gave
//! them, so that several workers' can be put in order.

use std::sync::Arc;

use model::emit::{ANOMALY, Emit};
use model::flow::{Direction, FlowContext};
use model::net::Mac;
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;
use protocols::{Parser, ProtocolSpec};
use wire::chunk::{Chunk, Next};
use wire::decode::{LinkFrame, Malformed};
use wire::flow::{CloseReason, Flow, Outcome, Report};
use wire::{Config, Engine, EngineStats, FlowSink};

use crate::flows;
use crate::probing::{Probing, Verdict};

/// Flows that are ended at once: some megabytes of observations.
const ENDED_AT_ONCE: usize = 2_048;

/// One thread's work.
pub struct Worker {
    engine: Engine<Slot>,
    sink: Sink,
}

/// Broken messages by protocol, and packets by layer.
pub type MalformedCounts = std::collections::BTreeMap<&'static str, u64>;

impl Worker {
    /// With a configuration of the flow engine and the key under which patients become tokens.
    pub fn new(config: Config, key: SiteKey) -> Self {
        Self {
            engine: Engine::new(config),
            sink: Sink {
                key,
                out: Vec::new(),
                packet: 0,
                arp_serial: 0,
                malformed: MalformedCounts::new(),
            },
        }
    }

    /// Takes one packet, by its number among all.
    pub fn packet(&mut self, number: u64, packet: &capture::Packet<'_>) {
        self.sink.packet = number;
        self.engine.packet(
            packet.at,
            packet.link.0,
            packet.wire_len as usize,
            packet.data,
            &mut self.sink,
        );
    }

    /// Nothing came up to this time: flows may have ended.
    pub fn idle(&mut self, now: Timestamp) {
        self.engine.advance(now, &mut self.sink);
    }

    /// Ends all flows: the input is over. `number` is that of the packet after the last.
    pub fn finish(&mut self, number: u64) {
        while self.finish_some(number) {}
    }

    /// Ends some of them, the oldest first, and says whether there are more: what they have to say
    /// is to be taken in between.
    pub fn finish_some(&mut self, number: u64) -> bool {
        self.sink.packet = number;
        self.engine.finish_some(ENDED_AT_ONCE, &mut self.sink)
    }

    /// What was observed since the last time.
    pub fn take(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.sink.out)
    }

    /// The same into a list that was emptied before, so that its memory is used again.
    pub fn swap(&mut self, emptied: &mut Vec<Observation>) {
        emptied.clear();
        std::mem::swap(&mut self.sink.out, emptied);
    }

    /// Counts of the flow engine.
    pub fn stats(&self) -> EngineStats {
        self.engine.stats()
    }

    /// Broken messages by protocol, and packets by layer.
    pub fn malformed(&self) -> &MalformedCounts {
        &self.sink.malformed
    }
}

struct Sink {
    key: SiteKey,
    out: Vec<Observation>,
    packet: u64,
    arp_serial: u64,
    malformed: MalformedCounts,
}

/// What a worker keeps of each flow.
#[derive(Default)]
struct Slot {
    context: Option<Arc<FlowContext>>,
    serial: u64,
    app: App,
    told: flows::Told,
}

impl Slot {
    /// A flow that nobody parses says little: what its observations share is made anew for each
    /// rather than kept for a million silent flows.
    fn rest(&mut self) {
        if !matches!(self.app, App::Parsing(_)) {
            self.context = None;
        }
    }
}

#[derive(Default)]
enum App {
    /// No payload yet.
    #[default]
    Silent,
    Probing(Box<Probing>),
    /// Boxed, as most flows are never parsed.
    Parsing(Box<Parsing>),
    Unrecognised,
}

/// A parser at work.
struct Parsing {
    parser: Box<dyn Parser>,
    spec: &'static ProtocolSpec,
    /// Bytes of each direction that it asked to be spared while what was kept of that direction was
    /// replayed, when the engine could not be told.
    skip: [u64; 2],
}

impl Parsing {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let skip = &mut self.skip[dir.index()];
        if *skip == 0 {
            return self.parser.data(dir, chunk, out);
        }
        match chunk {
            Chunk::Datagram(_) => self.parser.data(dir, chunk, out),
            Chunk::Gap(lost) => {
                let spared = lost.min(*skip);
                *skip -= spared;
                if lost > spared {
                    return self.parser.data(dir, Chunk::Gap(lost - spared), out);
                }
                Next::More
            }
            Chunk::Stream(bytes) => {
                let spared = usize::try_from(*skip).unwrap_or(usize::MAX).min(bytes.len());
                *skip -= spared as u64;
                if spared < bytes.len() {
                    return self.parser.data(dir, Chunk::Stream(&bytes[spared..]), out);
                }
                Next::More
            }
        }
    }
}

impl App {
    fn name(&self) -> Option<&'static str> {
        match self {
            Self::Parsing(parsing) => Some(parsing.spec.name),
            _ => None,
        }
    }
}

impl Sink {
    /// Runs `emit` for a flow and counts what broke a rule.
    fn emit<T>(
        &mut self,
        flow: &Flow,
        context: &mut Option<Arc<FlowContext>>,
        serial: &mut u64,
        at: Timestamp,
        emit: impl FnOnce(&mut Emit<'_>) -> T,
    ) -> T {
        let context = context.get_or_insert_with(|| Arc::new(flow.context()));
        let before = self.out.len();
        let out = Emit::new(&mut self.out, &self.key, Some(context), at, serial);
        let done = emit(&mut out.of_packet(self.packet));
        self.count_malformed(before);
        done
    }

    /// Counts the anomalies among what was observed since there were `before` observations.
    fn count_malformed(&mut self, before: usize) {
        for o in &self.out[before..] {
            if std::ptr::eq(o.kind, &ANOMALY)
                && let Some(model::Value::Word(protocol)) = o.get("protocol")
            {
                *self.malformed.entry(protocol).or_insert(0) += 1;
            }
        }
    }
}

impl FlowSink for Sink {
    type Slot = Slot;

    fn opened(&mut self, flow: &Flow, slot: &mut Slot, at: Timestamp) {
        self.emit(flow, &mut slot.context, &mut slot.serial, at, |out| flows::start(flow, out));
        slot.rest();
    }

    fn outcome(&mut self, flow: &Flow, slot: &mut Slot, at: Timestamp, outcome: Outcome) {
        self.emit(flow, &mut slot.context, &mut slot.serial, at, |out| {
            flows::outcome(flow, outcome, out);
            flows::crafted(flow, &mut slot.told, false, out);
        });
        slot.rest();
    }

    fn data(
        &mut self,
        flow: &Flow,
        slot: &mut Slot,
        at: Timestamp,
        dir: Direction,
        chunk: Chunk<'_>,
    ) -> Next {
        let Slot { context, serial, app, .. } = slot;
        if matches!(app, App::Unrecognised) {
            return Next::Done;
        }
        let next = self.emit(flow, context, serial, at, |out| match app {
            App::Parsing(parsing) => parsing.data(dir, chunk, out),
            _ => probe(flow, app, dir, chunk, out),
        });
        slot.rest();
        next
    }

    fn report(&mut self, flow: &Flow, slot: &mut Slot, at: Timestamp, report: &Report) {
        let name = slot.app.name();
        self.emit(flow, &mut slot.context, &mut slot.serial, at, |out| {
            flows::update(flow, name, report, out);
            flows::crafted(flow, &mut slot.told, false, out);
        });
        slot.rest();
    }

    fn closed(&mut self, flow: &Flow, mut slot: Slot, at: Timestamp, reason: CloseReason) {
        let Slot { context, serial, app, told } = &mut slot;
        self.emit(flow, context, serial, at, |out| {
            let name = app.name();
            flows::crafted(flow, told, true, out);
            if let App::Parsing(parsing) = app {
                parsing.parser.end(out);
            }
            flows::end(flow, name, reason, out);
        });
    }

    fn arp(&mut self, frame: &LinkFrame<'_>, at: Timestamp) {
        let broadcast = frame.link.dst == Some(Mac::BROADCAST);
        let before = self.out.len();
        let out = Emit::new(&mut self.out, &self.key, None, at, &mut self.arp_serial);
        let out = &mut out.of_packet(self.packet);
        protocols::arp::decode(frame.payload, frame.link.src, broadcast, out);
        self.count_malformed(before);
    }

    fn malformed(&mut self, _at: Timestamp, what: Malformed) {
        *self.malformed.entry(what.layer.name()).or_insert(0) += 1;
    }

    fn keep(&self, _flow: &Flow, slot: &Slot) -> bool {
        matches!(&slot.app, App::Parsing(parsing) if CLINICAL.contains(&parsing.spec.name))
    }
}

/// Protocols whose flows are spared when the flow table is full.
const CLINICAL: [&str; 4] = ["dicom", "hl7", "astm", "mqtt"];

/// Shows bytes to the parsers that have not said no, and opens one once it is sure.
fn probe(flow: &Flow, app: &mut App, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
    let Some(context) = out.flow().cloned() else { return Next::Done };
    let probing = match app {
        App::Probing(probing) => probing,
        _ => {
            *app = App::Probing(Box::new(Probing::new(&context, dir)));
            let App::Probing(probing) = app else { return Next::Done };
            probing
        }
    };
    let verdict = match chunk {
        Chunk::Stream(bytes) => probing.stream(&context, dir, bytes),
        Chunk::Datagram(bytes) => probing.datagram(&context, dir, bytes),
        Chunk::Gap(_) => {
            probing.gap(dir);
            return Next::More;
        }
    };
    match verdict {
        Verdict::Unsure => Next::More,
        // The other direction may still tell; then this one is wanted again.
        Verdict::NotThisWay => Next::More,
        Verdict::Unrecognised => {
            *app = App::Unrecognised;
            flows::protocol(flow, None, out);
            Next::Done
        }
        Verdict::Is(protocol) => {
            flows::protocol(flow, Some(protocol.spec().name), out);
            let App::Probing(probing) = std::mem::take(app) else { return Next::Done };
            let parser = protocol.open(&context);
            let mut parsing = Box::new(Parsing { parser, spec: protocol.spec(), skip: [0; 2] });
            let next = replay(&mut parsing, *probing, dir, chunk, out);
            *app = App::Parsing(parsing);
            next
        }
    }
}

/// Gives a new parser what was kept while probing, the direction that began first, with what was
/// just seen as its last part.
fn replay(
    parsing: &mut Parsing,
    probing: Probing,
    dir: Direction,
    chunk: Chunk<'_>,
    out: &mut Emit<'_>,
) -> Next {
    if let Chunk::Datagram(_) = chunk {
        return parsing.parser.data(dir, chunk, out);
    }
    let mut answer = Next::More;
    for (side, kept) in probing.into_kept() {
        if kept.is_empty() {
            continue;
        }
        match parsing.parser.data(side, Chunk::Stream(&kept), out) {
            Next::Done => return Next::Done,
            next if side == dir => answer = next,
            Next::Skip(count) => parsing.skip[side.index()] = count,
            Next::More => {}
        }
    }
    answer
}
