//! Captures that were cut short or damaged: everything before the fault is kept, and it is said
//! where it is.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;

use crate::captures::{Pcap, gzip, zstandard};
use crate::rig::{Ran, analyze, recorded};

/// A capture of many protocols, small enough to be read over and over: some of each recording.
static MIXED: LazyLock<Pcap> = LazyLock::new(|| {
    let mut all = Pcap::joined(&recorded());
    all.records.retain(|record| record.len() < 700);
    all.records = all.records.into_iter().step_by(3).collect();
    assert!(all.records.len() > 300, "{} records", all.records.len());
    all
});

fn analyze_bytes(folder: &Path, name: &str, bytes: &[u8], threads: usize) -> Ran {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    analyze(&[path], threads)
}

/// What the first so many records give, without any fault.
fn whole(folder: &Path, records: usize) -> Vec<String> {
    analyze_bytes(folder, "whole.pcap", &MIXED.first(records).pcap(), 1).lines
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Pcap,
    Pcapng,
    PcapGz,
    PcapngZst,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Pcap => "cut.pcap",
            Self::Pcapng => "cut.pcapng",
            Self::PcapGz => "cut.pcap.gz",
            Self::PcapngZst => "cut.pcapng.zst",
        }
    }

    fn write(self) -> Vec<u8> {
        match self {
            Self::Pcap => MIXED.pcap(),
            Self::Pcapng => MIXED.pcapng(),
            Self::PcapGz => gzip(&MIXED.pcap()),
            Self::PcapngZst => zstandard(&MIXED.pcapng()),
        }
    }
}

fn formats() -> impl Strategy<Value = Format> {
    prop_oneof![
        Just(Format::Pcap),
        Just(Format::Pcapng),
        Just(Format::PcapGz),
        Just(Format::PcapngZst)
    ]
}

/// The byte that a complaint names.
fn offset_of(complaint: &str) -> u64 {
    let after = complaint.split(", byte ").nth(1).unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no offset in: {complaint}"))
}

#[test]
fn the_same_packets_give_the_same_answers_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let plain = whole(folder.path(), MIXED.records.len());
    for format in [Format::Pcapng, Format::PcapGz, Format::PcapngZst] {
        let ran = analyze_bytes(folder.path(), format.name(), &format.write(), 1);
        assert_eq!(ran.summary.unreadable, Vec::<String>::new(), "{format:?}");
        assert!(ran.lines == plain, "{format:?} is read differently");
    }
}

#[test]
fn a_damaged_capture_does_not_take_the_next_one_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = MIXED.pcap();
    let cut = folder.path().join("cut.pcap");
    std::fs::write(&cut, &bytes[..bytes.len() / 2 + 7]).unwrap();
    let noise = folder.path().join("noise.pcap");
    std::fs::write(&noise, b"this is no capture at all").unwrap();
    let sound = folder.path().join("sound.pcap");
    std::fs::write(&sound, &bytes).unwrap();
    let ran = analyze(&[cut, noise, folder.path().join("missing.pcap"), sound.clone()], 2);
    let unreadable = &ran.summary.unreadable;
    assert_eq!(unreadable.len(), 3, "{unreadable:?}");
    for (complaint, name) in unreadable.iter().zip(["cut.pcap", "noise.pcap", "missing.pcap"]) {
        assert!(complaint.contains(name), "{complaint}");
    }
    let alone = analyze(&[sound], 1).summary.stats.packets;
    assert!(ran.summary.stats.packets > alone, "the sound capture was not read to its end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_capture_cut_short_keeps_all_before_and_says_where(
        format in formats(),
        place in 0.0..1.0_f64,
        threads in 1..3_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = format.write();
        let cut = &bytes[..(bytes.len() as f64 * place) as usize];
        let ran = analyze_bytes(folder.path(), format.name(), cut, threads);
        let kept = ran.summary.stats.packets as usize;
        prop_assert!(kept <= MIXED.records.len());
        let ends = match format {
            Format::Pcap => Some((1, MIXED.pcap_ends())),
            Format::Pcapng => Some((2, MIXED.pcapng_ends())),
            // Where records end in compressed data is the compressor's secret.
            Format::PcapGz | Format::PcapngZst => None,
        };
        let complaints = &ran.summary.unreadable;
        let mut between_records = false;
        if let Some((headers, ends)) = ends {
            let before = ends.iter().skip(headers).filter(|end| **end <= cut.len()).count();
            prop_assert_eq!(kept, before, "packets before the cut");
            between_records = ends.contains(&cut.len());
        }
        prop_assert_eq!(complaints.len(), usize::from(!between_records), "{:?}", complaints);
        for complaint in complaints {
            prop_assert!(complaint.contains(format.name()), "{complaint}");
            let length = Format::Pcapng.write().len() as u64;
            prop_assert!(offset_of(complaint) <= length, "{complaint}");
        }
        prop_assert!(ran.lines == whole(folder.path(), kept), "what came before was read differently");
    }

    #[test]
    fn flipped_bytes_never_stop_the_program_nor_split_its_threads(
        format in formats(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = format.write();
        for (place, mask) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= mask;
        }
        let alone = analyze_bytes(folder.path(), format.name(), &bytes, 1);
        for complaint in &alone.summary.unreadable {
            prop_assert!(complaint.contains(format.name()), "{complaint}");
            offset_of(complaint);
        }
        let together = analyze_bytes(folder.path(), format.name(), &bytes, 3);
        prop_assert!(alone.lines == together.lines, "three threads see something else");
    }

    #[test]
    fn flipped_bytes_inside_packets_never_lose_a_packet(
        flips in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..=255_u8), 1..400),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut damaged = MIXED.clone();
        for (which, place, mask) in flips {
            let record = which.index(damaged.records.len());
            let record = &mut damaged.records[record];
            let place = 16 + place.index(record.len() - 16);
            record[place] ^= mask;
        }
        let ran = analyze_bytes(folder.path(), "damaged.pcap", &damaged.pcap(), 1);
        prop_assert_eq!(&ran.summary.unreadable, &Vec::<String>::new());
        prop_assert_eq!(ran.summary.stats.packets as usize, MIXED.records.len());
    }
}
