//! Patients stay unreadable in damaged traffic too: what a parser says of a broken message does not
//! cite it, and a field that moved into another's place is no way out.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::captures::Pcap;
use crate::rig::{analyze, recorded};

/// Names and numbers of patients in the recordings, and marks of equal length. Not those in URLs and
/// MQTT topics: there the word before an identifier says what it is, and damage takes that word.
const NAMES: [(&[u8], &[u8]); 5] = [
    (b"Synthetic", b"ZZPHIMARK"),
    (b"SYN-", b"ZZPH"),
    (b"SECRETNAME", b"ZZPHSECRET"),
    (b"DOE_JANE", b"ZZPH_ANN"),
    (b"D\0O\0E\0_\0J\0A\0N\0E\0", b"Z\0Z\0P\0H\0_\0A\0N\0N\0"),
];

/// Recordings of protocols that carry patients, marked.
static MARKED: LazyLock<Pcap> = LazyLock::new(|| {
    let carries = ["dicom", "hl7", "astm", "smb", "remote", "syslog"];
    let paths: Vec<_> = recorded()
        .into_iter()
        .filter(|path| carries.iter().any(|name| path.parent().unwrap().ends_with(name)))
        .collect();
    let mut all = Pcap::joined(&paths);
    let mut marks = 0;
    for record in &mut all.records {
        for (name, mark) in NAMES {
            for at in 0..record.len().saturating_sub(name.len()) {
                if record[at..].starts_with(name) {
                    record[at..at + name.len()].copy_from_slice(mark);
                    marks += 1;
                }
            }
        }
    }
    assert!(marks > 80, "{marks} marks");
    all
});

fn marked_lines(capture: &Pcap) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("marked.pcap");
    std::fs::write(&path, capture.pcap()).unwrap();
    let ran = analyze(&[path], 1);
    assert!(ran.lines.len() > 300, "{} lines", ran.lines.len());
    ran.lines.into_iter().filter(|line| line.to_ascii_uppercase().contains("ZZPH")).collect()
}

#[test]
fn no_patient_is_readable() {
    assert_eq!(marked_lines(&MARKED), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_patient_is_readable_in_damaged_packets(
        flips in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..=255_u8), 1..600),
    ) {
        let mut damaged = MARKED.clone();
        for (which, place, mask) in flips {
            let record = which.index(damaged.records.len());
            let record = &mut damaged.records[record];
            // Behind the headers of Ethernet, IP and TCP.
            let headers = (16 + 66).min(record.len() - 1);
            let place = headers + place.index(record.len() - headers);
            record[place] ^= mask;
        }
        prop_assert_eq!(marked_lines(&damaged), Vec::<String>::new());
    }

    #[test]
    fn no_patient_is_readable_when_packets_are_lost(
        lost in prop::collection::vec(any::<prop::sample::Index>(), 1..200),
    ) {
        let mut damaged = MARKED.clone();
        for which in lost {
            damaged.records.remove(which.index(damaged.records.len()));
        }
        prop_assert_eq!(marked_lines(&damaged), Vec::<String>::new());
    }
}
