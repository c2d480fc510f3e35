//! One stage of the way from a packet to a case, over a capture: what `cargo xtask counts` counts the
//! instructions of. Each stage holds the ones before, so that a difference is what a stage adds.
//!
//! Everything that could differ from run to run is fixed: key of the site, seed of the flow table,
//! one thread. Deliberately absent: clocks. Seconds are what `cargo xtask bench` is for.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use capture::{CaptureError, Files, Packet};
use detect::Engine;
use model::flow::Direction;
use model::privacy::SiteKey;
use model::time::Timestamp;
use pipeline::analyze::{Plan, run};
use pipeline::outputs::Nowhere;
use pipeline::worker::Worker;
use wire::{
    Chunk, CloseReason, Config, Flow, FlowSink, LinkFrame, Malformed, Next, Outcome, Report,
};

/// A stage, and what runs it.
type Stage = (&'static str, fn(&Path) -> Result<u64, String>);

static STAGES: &[Stage] = &[
    ("read", read),
    ("decode", decode),
    ("flows", flows),
    ("streams", streams),
    ("parsers", parsers),
    ("detectors", detectors),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (name, capture) = (arguments.next().unwrap_or_default(), arguments.next());
    let stage = STAGES.iter().find(|(stage, _)| name == *stage);
    let (Some((_, run)), Some(capture)) = (stage, capture) else {
        let names: Vec<&str> = STAGES.iter().map(|(name, _)| *name).collect();
        eprintln!("stages: give one of {} and a capture", names.join(", "));
        return ExitCode::from(2);
    };
    match run(&PathBuf::from(capture)) {
        Ok(packets) => {
            println!("{packets} packets");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("stages: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Walks all packets of a capture, calling `after` behind each block; how many they are.
fn each<T>(
    capture: &Path,
    state: &mut T,
    packet: impl Fn(&mut T, u64, &Packet<'_>),
    after: impl Fn(&mut T),
) -> Result<u64, String> {
    let mut files = Files::new([capture]);
    while let Some(block) = files.next_block().map_err(|error: CaptureError| error.to_string())? {
        for (number, one) in (block.first_packet()..).zip(block.packets()) {
            packet(state, number, &one);
        }
        after(state);
    }
    Ok(files.packets_read())
}

/// The capture alone.
fn read(capture: &Path) -> Result<u64, String> {
    let read = |(): &mut (), _, packet: &Packet<'_>| {
        black_box(packet.data.first());
    };
    each(capture, &mut (), read, |()| {})
}

/// Headers to the innermost packet.
fn decode(capture: &Path) -> Result<u64, String> {
    let decode = |(): &mut (), _, packet: &Packet<'_>| {
        black_box(wire::decode::decode(packet.link.0, packet.wire_len as usize, packet.data));
    };
    each(capture, &mut (), decode, |()| {})
}

/// Hears everything and keeps nothing; asks for the bytes of streams or does not.
struct Deaf {
    streams: Next,
}

impl FlowSink for Deaf {
    type Slot = ();
    fn opened(&mut self, _: &Flow, (): &mut (), _: Timestamp) {}
    fn outcome(&mut self, _: &Flow, (): &mut (), _: Timestamp, _: Outcome) {}
    fn data(
        &mut self,
        _: &Flow,
        (): &mut (),
        _: Timestamp,
        _: Direction,
        chunk: Chunk<'_>,
    ) -> Next {
        black_box(chunk);
        self.streams
    }
    fn report(&mut self, _: &Flow, (): &mut (), _: Timestamp, _: &Report) {}
    fn closed(&mut self, _: &Flow, (): (), _: Timestamp, _: CloseReason) {}
    fn arp(&mut self, _: &LinkFrame<'_>, _: Timestamp) {}
    fn malformed(&mut self, _: Timestamp, _: Malformed) {}
}

fn engine(capture: &Path, streams: Next) -> Result<u64, String> {
    let mut state = (wire::Engine::<()>::new(Config::default()), Deaf { streams });
    let packet = |(engine, sink): &mut (wire::Engine<()>, Deaf), _, packet: &Packet<'_>| {
        let wire_len = packet.wire_len as usize;
        engine.packet(packet.at, packet.link.0, wire_len, packet.data, sink);
    };
    let packets = each(capture, &mut state, packet, |_| {})?;
    let (engine, sink) = &mut state;
    engine.finish(sink);
    Ok(packets)
}

/// The table of flows; nobody wants what they carry.
fn flows(capture: &Path) -> Result<u64, String> {
    engine(capture, Next::Done)
}

/// Streams put in order as well.
fn streams(capture: &Path) -> Result<u64, String> {
    engine(capture, Next::More)
}

/// Protocols recognised and parsed: everything up to observations.
fn parsers(capture: &Path) -> Result<u64, String> {
    let mut state = (Worker::new(Config::default(), SiteKey::new(b"stages")), Vec::new());
    let packets = each(
        capture,
        &mut state,
        |(worker, _), number, packet| worker.packet(number, packet),
        |(worker, told)| worker.swap(told),
    )?;
    state.0.finish(packets);
    black_box(state.0.take());
    Ok(packets)
}

/// The whole way, to findings and cases, which nobody keeps.
fn detectors(capture: &Path) -> Result<u64, String> {
    let mut engine = Engine::new(detect::Settings::default(), assets::Settings::default());
    let plan = Plan {
        baselines: Vec::new(),
        captures: vec![capture.to_path_buf()],
        logs: Vec::new(),
        threads: 1,
        wire: Config::default(),
        key: SiteKey::new(b"stages"),
        speed: None,
    };
    let summary = run(&plan, &mut engine, &mut Nowhere, &mut |_| {});
    let summary = summary.map_err(|error| error.to_string())?;
    match summary.unreadable.first() {
        Some(why) => Err(why.clone()),
        None => Ok(summary.stats.packets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_goes_over_all_packets_and_says_when_it_cannot() {
        let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dicom/store.pcap");
        for (name, run) in STAGES {
            assert_eq!(run(&store), Ok(96), "{name}");
            assert!(run(Path::new("no such capture")).is_err(), "{name}");
        }
    }
}
