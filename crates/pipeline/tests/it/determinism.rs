//! The same input gives the same answers, however it is run.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::captures::{hospital, stricken};
use crate::rig::{Ran, analyze, analyze_with, label, recorded};

/// Fails with the first line that differs.
fn same(one: &Ran, other: &Ran, which: &str) {
    for (number, (a, b)) in one.lines.iter().zip(&other.lines).enumerate() {
        assert_eq!(a, b, "{which}: line {number}");
    }
    assert_eq!(one.lines.len(), other.lines.len(), "{which}: lines");
    assert_eq!(one.summary.stats.observations, other.summary.stats.observations, "{which}");
    assert_eq!(one.summary.stats.malformed, other.summary.stats.malformed, "{which}");
    assert_eq!(one.summary.stats.drops, other.summary.stats.drops, "{which}");
    assert_eq!(one.summary.stats.not_understood, other.summary.stats.not_understood, "{which}");
    assert_eq!(one.summary.stats.flows, other.summary.stats.flows, "{which}");
}

#[test]
fn a_recorded_capture_gives_the_same_twice_and_with_more_threads() {
    for capture in recorded() {
        let label = label(&capture);
        let captures = [capture];
        let alone = analyze(&captures, 1);
        assert!(!alone.told.observations.is_empty(), "{label}: nothing was seen");
        same(&alone, &analyze(&captures, 1), &format!("{label} again"));
        for threads in [2, 5] {
            same(&alone, &analyze(&captures, threads), &format!("{label}, {threads} threads"));
        }
    }
}

#[test]
fn all_captures_as_one_give_the_same_with_more_threads() {
    let captures: Vec<PathBuf> = recorded();
    let alone = analyze(&captures, 1);
    for threads in [2, 5] {
        same(&alone, &analyze(&captures, threads), &format!("{threads} threads"));
    }
}

#[test]
fn a_hospital_under_attack_gives_the_same_twice_and_with_more_threads() {
    let folder = tempfile::tempdir().unwrap();
    let captures = [hospital(folder.path())];
    let run = |threads| {
        let learned = detect::Settings { learning_seconds: 88.0, ..detect::Settings::default() };
        analyze_with(&captures, threads, learned)
    };
    let alone = run(1);
    assert!(!alone.told.findings.is_empty(), "no attack was found, so nothing is compared");
    same(&alone, &run(1), "again");
    for threads in [2, 5] {
        same(&alone, &run(threads), &format!("{threads} threads"));
    }
}

/// A debug build stops where a detector asks an observation for a field that its kind has not.
#[test]
fn whatever_befalls_a_hospital_no_detector_stops_the_run_and_threads_agree() {
    let folder = tempfile::tempdir().unwrap();
    let captures = [stricken(folder.path())];
    let run = |threads| {
        let learned = detect::Settings { learning_seconds: 59.0, ..detect::Settings::default() };
        analyze_with(&captures, threads, learned)
    };
    let alone = run(1);
    let detectors: BTreeSet<&str> =
        alone.told.findings.iter().map(|finding| finding.detector.as_str()).collect();
    assert!(detectors.len() > 12, "few detectors spoke: {detectors:?}");
    same(&alone, &run(3), "3 threads");
}
