//! What is normal: told by a baseline, by a time, or learned before a restart.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::rig::{Desk, NORMAL_SECONDS, capture, learn_until};

/// The hospital's normal life and what befell it, as two captures.
fn halves(desk: &Desk) -> [PathBuf; 2] {
    let bytes = std::fs::read(capture()).unwrap();
    let (header, mut rest) = bytes.split_at(24);
    let until: u64 = learn_until().parse().unwrap();
    let mut parts = [header.to_vec(), header.to_vec()];
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let length = 16 + word(8) as usize;
        parts[usize::from(u64::from(word(0)) >= until)].extend(&rest[..length]);
        rest = &rest[length..];
    }
    assert!(parts.iter().all(|part| part.len() > 10_000));
    [desk.file("normal.pcap", &parts[0]), desk.file("attack.pcap", &parts[1])]
}

/// What was claimed, without the numbers of findings and cases.
fn claims(desk: &Desk, folder: &str) -> BTreeSet<String> {
    let findings = desk.lines(&format!("{folder}/findings.jsonl"));
    findings.iter().map(claim).collect()
}

fn claim(finding: &Value) -> String {
    ["at", "detector", "severity", "title", "score", "because"]
        .map(|name| finding[name].to_string())
        .join(" ")
}

#[test]
fn a_baseline_and_a_time_to_learn_until_teach_the_same() {
    let desk = Desk::new();
    let [normal, attack] = halves(&desk);
    desk.command("analyze --out based --baseline").arg(&normal).arg(&attack).output().unwrap();
    let based = claims(&desk, "based");
    assert!(based.iter().any(|claim| claim.contains("scan")), "no scan in {based:?}");
    desk.run_on(
        &format!("analyze --out until --learn-until {}", learn_until()),
        &[&normal, &attack],
    )
    .ended(0);
    let started = |claims: BTreeSet<String>| -> BTreeSet<String> {
        // Conversations that go on over the seam end with the baseline and begin anew: only what
        // both saw whole is compared.
        claims.into_iter().filter(|claim| claim.contains("scan")).collect()
    };
    assert_eq!(started(based), started(claims(&desk, "until")));
}

#[test]
fn what_was_learned_outlives_a_restart() {
    let desk = Desk::new();
    let [normal, attack] = halves(&desk);
    desk.file("w.toml", format!("[learning]\nseconds = {NORMAL_SECONDS}\n"));
    let words = "analyze --config w.toml";
    desk.run_on(&format!("{words} --learned l.json --out first"), &[&normal]).ended(0);
    desk.run_on(&format!("{words} --learned l.json --out second"), &[&attack]).ended(0);
    let ran = desk.command("analyze --out based --baseline").arg(&normal).arg(&attack).output();
    assert!(ran.unwrap().status.success());
    let second = claims(&desk, "second");
    assert!(second.len() >= 2, "{second:?}");
    assert_eq!(second, claims(&desk, "based"), "a restart changed what is found");
    // Without it, the same capture is a new hospital in its first hour.
    desk.run_on(&format!("{words} --out anew"), &[&attack]).ended(0);
    assert_ne!(second, claims(&desk, "anew"), "what was learned makes no difference");
}

#[test]
fn learned_state_that_is_damaged_is_refused_with_its_name_and_kept() {
    let desk = Desk::new();
    let [_, attack] = halves(&desk);
    for text in ["", "{", "[1, 2]", "{\"version\": 900}"] {
        let file = desk.file("l.json", text);
        desk.run_on("analyze --learned l.json", &[&attack]).ended(1).says(&["l.json"]);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "it was written over");
    }
}
