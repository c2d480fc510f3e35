//! How fast the engine is by itself: reads a pcap file, drops what the engine tells, and prints the
//! time a packet takes. `cargo run --release -p wire --example floor -- CAPTURE [ROUNDS] [SHARDS]`
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::time::Instant;

use model::flow::Direction;
use model::time::Timestamp;
use wire::{
    Chunk, CloseReason, Config, Engine, Flow, FlowSink, LinkFrame, Malformed, Next, Outcome,
    Report, Shard,
};

/// Counts what it is told.
#[derive(Default)]
struct Count {
    bytes: u64,
    gaps: u64,
    reports: u64,
    outcomes: [u64; 3],
}

impl FlowSink for Count {
    type Slot = ();
    fn opened(&mut self, _: &Flow, (): &mut (), _: Timestamp) {}
    fn outcome(&mut self, _: &Flow, (): &mut (), _: Timestamp, outcome: Outcome) {
        self.outcomes[outcome as usize] += 1;
    }
    fn data(
        &mut self,
        _: &Flow,
        (): &mut (),
        _: Timestamp,
        _: Direction,
        chunk: Chunk<'_>,
    ) -> Next {
        match chunk {
            Chunk::Stream(bytes) | Chunk::Datagram(bytes) => self.bytes += bytes.len() as u64,
            Chunk::Gap(_) => self.gaps += 1,
        }
        Next::More
    }
    fn report(&mut self, _: &Flow, (): &mut (), _: Timestamp, _: &Report) {
        self.reports += 1;
    }
    fn closed(&mut self, _: &Flow, (): (), _: Timestamp, _: CloseReason) {}
    fn arp(&mut self, _: &LinkFrame<'_>, _: Timestamp) {}
    fn malformed(&mut self, _: Timestamp, _: Malformed) {}
}

/// Offsets of the packets: time, captured range, length on the wire. Classic pcap only.
fn packets(file: &[u8]) -> (u32, Vec<(Timestamp, std::ops::Range<usize>, usize)>) {
    let swapped = matches!(file[..4], [0xa1, 0xb2, ..]);
    let nanos = matches!(file[..4], [0x4d, 0x3c, ..] | [_, _, 0x3c, 0x4d]);
    let word = |at: usize| {
        let bytes: [u8; 4] = file[at..at + 4].try_into().unwrap();
        if swapped { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let (mut at, mut out) = (24, Vec::new());
    while at + 16 <= file.len() {
        let (captured, wire) = (word(at + 8) as usize, word(at + 12) as usize);
        let fraction = i64::from(word(at + 4)) * if nanos { 1 } else { 1_000 };
        let end = (at + 16 + captured).min(file.len());
        out.push((Timestamp::from_parts(i64::from(word(at)), fraction), at + 16..end, wire));
        at = end;
    }
    (word(20) & 0xffff, out)
}

fn main() {
    let mut args = std::env::args().skip(1);
    let file = std::fs::read(args.next().expect("a pcap file")).expect("readable");
    let rounds: u32 = args.next().map_or(1, |text| text.parse().unwrap());
    let shards: u32 = args.next().map_or(1, |text| text.parse().unwrap());
    let (link_type, packets) = packets(&file);
    for round in 0..rounds {
        let mut sink = Count::default();
        let shard = (shards > 1).then_some(Shard { index: 0, count: shards });
        let mut engine = Engine::<()>::new(Config { shard, ..Config::default() });
        let began = Instant::now();
        for (at, range, wire) in &packets {
            engine.packet(*at, link_type, *wire, &file[range.clone()], &mut sink);
        }
        let peak = engine.stats();
        engine.finish(&mut sink);
        let took = began.elapsed();
        let each = took.as_nanos() as f64 / packets.len().max(1) as f64;
        println!("round {round}: {} packets, {took:?}, {each:.1} ns each", packets.len());
        if round + 1 == rounds {
            println!(
                "{} bytes, {} gaps, {} reports, outcomes {:?}, {} bytes of memory",
                sink.bytes, sink.gaps, sink.reports, sink.outcomes, peak.memory
            );
            println!("{:#?}", engine.stats());
        }
    }
}
