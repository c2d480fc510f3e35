//! Captures in memory: records taken apart and written in every format that can be read.

use std::io::Write;
use std::path::{Path, PathBuf};

use drill::{Event, Plan, Speed, Who};

/// Bytes of the header of a pcap file.
pub(crate) const HEADER: usize = 24;

/// A pcap file: its header, and its records with their own headers.
#[derive(Clone)]
pub(crate) struct Pcap {
    pub(crate) header: Vec<u8>,
    pub(crate) records: Vec<Vec<u8>>,
}

impl Pcap {
    /// Takes a little-endian file apart.
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (header, mut rest) = bytes.split_at(HEADER);
        assert_eq!(header[2..4], [0xb2, 0xa1], "{}: not little-endian pcap", path.display());
        let mut records = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
            let (record, tail) = rest.split_at(16 + length);
            records.push(record.to_vec());
            rest = tail;
        }
        Self { header: header.to_vec(), records }
    }

    /// All captures of the same link type and resolution as the first, one after the other.
    pub(crate) fn joined(paths: &[PathBuf]) -> Self {
        let mut all = Self::read(&paths[0]);
        for path in &paths[1..] {
            let next = Self::read(path);
            if (&next.header[..4], &next.header[20..]) == (&all.header[..4], &all.header[20..]) {
                all.records.extend(next.records);
            }
        }
        all
    }

    /// With the first so many records only.
    pub(crate) fn first(&self, count: usize) -> Self {
        Self { header: self.header.clone(), records: self.records[..count].to_vec() }
    }

    /// As a pcap file.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        [self.header.clone(), self.records.concat()].concat()
    }

    /// Where in a pcap file the header and each record end.
    pub(crate) fn pcap_ends(&self) -> Vec<usize> {
        let mut ends = vec![HEADER];
        for record in &self.records {
            ends.push(ends[ends.len() - 1] + record.len());
        }
        ends
    }

    /// Where in a pcapng file the two header blocks and each packet's block end.
    pub(crate) fn pcapng_ends(&self) -> Vec<usize> {
        let bytes = self.pcapng();
        let mut ends = vec![0];
        while ends[ends.len() - 1] < bytes.len() {
            let at = ends[ends.len() - 1];
            let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap());
            ends.push(at + length as usize);
        }
        ends.split_off(1)
    }

    /// As a pcapng file, of one section with one interface.
    pub(crate) fn pcapng(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
        block(&mut out, 0x0a0d_0d0a, &section);
        let resolution: u8 = if self.header[0] == 0x4d { 9 } else { 6 };
        let interface = [
            &self.header[20..22],
            &[0; 2],
            &self.header[16..20],
            &[9, 0, 1, 0, resolution, 0, 0, 0],
            &[0; 4],
        ];
        block(&mut out, 1, &interface.concat());
        for record in &self.records {
            let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
            let ticks = u64::from(word(0)) * 10_u64.pow(resolution.into()) + u64::from(word(4));
            let mut body = vec![0; 4];
            body.extend(((ticks >> 32) as u32).to_le_bytes());
            body.extend((ticks as u32).to_le_bytes());
            body.extend(&record[8..]);
            body.resize(body.len().next_multiple_of(4), 0);
            block(&mut out, 6, &body);
        }
        out
    }
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.extend([&kind.to_le_bytes(), &length[..], body, &length].concat());
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// A small hospital that everything befalls which can, in a folder.
pub(crate) fn stricken(folder: &Path) -> PathBuf {
    let events = drill::catalogue().iter().map(|entry| event(entry.name, Who::Known)).collect();
    let plan = Plan {
        seed: 78,
        baseline_minutes: 1.0,
        attack_minutes: 0.2,
        gap_seconds: 1.0,
        image_kib: 4,
        pace: 0.3,
        events,
        ..Plan::default()
    };
    drill::generate(&plan, folder).unwrap();
    folder.join("capture.pcap")
}

fn event(scenario: &str, who: Who) -> Event {
    Event { scenario: scenario.to_owned(), who, speed: Speed::Fast }
}

/// A small hospital with a minute and a half of normal life and a few attacks, in a folder.
pub(crate) fn hospital(folder: &Path) -> PathBuf {
    let plan = Plan {
        seed: 77,
        baseline_minutes: 1.5,
        attack_minutes: 0.3,
        gap_seconds: 5.0,
        image_kib: 12,
        pace: 0.5,
        loss: 0.001,
        events: vec![
            event("dicom_wildcard_query", Who::Known),
            event("port_scan", Who::Stranger),
            event("mqtt_command", Who::Known),
        ],
        ..Plan::default()
    };
    let made = drill::generate(&plan, folder).unwrap();
    assert!(made.skipped.is_empty(), "{:?}", made.skipped);
    folder.join("capture.pcap")
}
