//! Inputs that fuzzing begins with: the captures of `testdata/`, in the shape that each target of
//! `fuzz/` takes.

mod flows;

use std::collections::BTreeMap;
use std::path::Path;

use capture::Files;

use crate::{captures, samples};

/// Most bytes of one input, of one target's inputs together, and most inputs of a target.
const LARGEST: usize = 8_192;
const MOST_BYTES: usize = 49_152;
const MOST: usize = 16;

/// Targets that are neither a protocol nor a format, as in `fuzz/src/lib.rs`.
const OTHERS: [&str; 6] = ["arp", "capture", "packets", "pipeline", "reassembly", "records"];

/// Name of a target, and its inputs.
type Seeds = BTreeMap<String, Vec<Vec<u8>>>;

/// Every fuzz target.
pub(crate) fn targets() -> Vec<String> {
    let protocols = protocols::ALL.iter().map(|protocol| protocol.spec().name.to_owned());
    let formats = logs::formats::ALL.iter().map(|format| log_target(format.spec().name));
    protocols.chain(formats).chain(OTHERS.map(str::to_owned)).collect()
}

/// The target of a log format: `syslog` is a protocol too.
fn log_target(format: &str) -> String {
    format!("log_{format}")
}

/// Writes `fuzz/corpus/` anew.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    let mut seeds = Seeds::new();
    for file in captures::files(root)? {
        let bytes = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        of_file(&bytes, &mut seeds);
        let mut chain = Files::new([&file]);
        while let Some(block) = chain.next_block().map_err(|error| error.to_string())? {
            of_packets(&block, &mut seeds);
        }
        flows::of_capture(&file, &mut seeds)?;
    }
    for format in logs::formats::ALL.iter().map(|format| format.spec().name) {
        let records = samples::records(format).iter().map(|text| text.as_bytes().to_vec());
        seeds.entry(log_target(format)).or_default().extend(records);
    }
    seeds.insert("records".to_owned(), files_of_records());
    seeds.insert("reassembly".to_owned(), segments());
    // They are DNS in another place; a capture of their own comes before, where there is one.
    for (name, port) in [("mdns", 5353_u16), ("llmnr", 5355)] {
        let mut dns = seeds.get("dns").cloned().unwrap_or_default();
        dns.iter_mut().for_each(|seed| seed[1..3].copy_from_slice(&port.to_be_bytes()));
        seeds.entry(name.to_owned()).or_default().extend(dns);
    }
    for target in targets() {
        let folder = root.join("fuzz/corpus").join(&target);
        let count = keep(&folder, seeds.remove(&target).unwrap_or_default())
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        println!("{target}: {count} inputs");
    }
    Ok(())
}

/// Writes as many inputs of a target as there is room for, the small ones first. What fuzzing found
/// (`cargo xtask fuzz --keep`) stays.
fn keep(folder: &Path, mut seeds: Vec<Vec<u8>>) -> std::io::Result<usize> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(folder)?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("found-") {
            std::fs::remove_file(entry.path())?;
        }
    }
    seeds.iter_mut().for_each(|seed| seed.truncate(LARGEST));
    seeds.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    seeds.dedup();
    // Spread over all lengths.
    let step = seeds.len().div_ceil(MOST).max(1);
    let (mut count, mut bytes) = (0, 0);
    for seed in seeds.iter().rev().step_by(step).filter(|seed| !seed.is_empty()) {
        bytes += seed.len();
        if bytes > MOST_BYTES {
            break;
        }
        std::fs::write(folder.join(format!("{count:02}")), seed)?;
        count += 1;
    }
    Ok(count)
}

/// A capture as it is, and as pcapng.
fn of_file(bytes: &[u8], seeds: &mut Seeds) {
    if bytes.len() <= 2 * LARGEST {
        let cut = &bytes[..bytes.len().min(LARGEST)];
        seeds.entry("pipeline".to_owned()).or_default().push(cut.to_vec());
        let files = seeds.entry("capture".to_owned()).or_default();
        files.push(cut.get(..2_048).unwrap_or(cut).to_vec());
        files.extend(pcapng(cut));
    }
}

/// The first packets of a little-endian pcap file, as pcapng.
fn pcapng(pcap: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| pcap.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let mut out = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let length = (padded as u32 + 12).to_le_bytes();
        out.extend([&kind.to_le_bytes()[..], &length, body].concat());
        out.resize(out.len() + padded - body.len(), 0);
        out.extend(length);
    };
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    block(0x0a0d_0d0a, &section);
    block(1, &[&word(20)?.to_le_bytes()[..], &65_535_u32.to_le_bytes()].concat());
    let mut at = 24;
    for _ in 0..8 {
        let (Some(seconds), Some(micros)) = (word(at), word(at + 4)) else { break };
        let (captured, wire) = (word(at + 8)?, word(at + 12)?);
        let Some(data) = pcap.get(at + 16..at + 16 + captured as usize) else { break };
        let time = u64::from(seconds) * 1_000_000 + u64::from(micros);
        let head = [0, (time >> 32) as u32, time as u32, captured, wire];
        block(6, &[&head.map(u32::to_le_bytes).concat()[..], data].concat());
        at += 16 + captured as usize;
    }
    Some(out)
}

/// The first packets of a block, with their link type, and what is in ARP packets.
fn of_packets(block: &capture::Block, seeds: &mut Seeds) {
    let mut packets = vec![1];
    for packet in block.packets() {
        if let Some(arp) = packet.data.get(14..).filter(|_| packet.data[12..].starts_with(&[8, 6]))
        {
            seeds.entry("arp".to_owned()).or_default().push([&[3][..], arp].concat());
        }
        if packets.len() + packet.data.len() < LARGEST / 2 {
            packets.extend([0, 5]);
            packets.extend((packet.data.len() as u16).to_be_bytes());
            packets.extend(packet.data);
        }
    }
    seeds.entry("packets".to_owned()).or_default().push(packets);
}

/// Files of records: a line each, and FHIR as one array.
fn files_of_records() -> Vec<Vec<u8>> {
    let lines = |records: &[&str]| (records.join("\n") + "\n").into_bytes();
    let array = format!("[{}]", samples::FHIR.join(",\n"));
    vec![lines(samples::SYSLOG), lines(samples::FHIR), array.into_bytes()]
}

/// In order; with a hole that is filled; with a hole that is acknowledged and one that stays.
fn segments() -> Vec<Vec<u8>> {
    let segment = |place: u16, flags: u8| -> [u8; 5] {
        let [high, low] = place.to_be_bytes();
        [high, low, 25, 0, flags]
    };
    let stream =
        |first: u32, segments: &[[u8; 5]]| [&first.to_be_bytes()[..], &segments.concat()].concat();
    vec![
        stream(1, &[segment(0, 2), segment(100, 2), segment(200, 6)]),
        stream(u32::MAX - 50, &[segment(0, 2), segment(200, 2), segment(100, 2)]),
        stream(9, &[segment(100, 2), segment(250, 0), segment(400, 2), segment(50, 3)]),
        stream(9, &[segment(100, 2), segment(0, 8), segment(0, 8), segment(90, 2)]),
    ]
}
