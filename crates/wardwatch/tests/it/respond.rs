//! The lab as a person runs it: a hospital in network namespaces, real attackers, blocks that nobody
//! asked for, halts from every state and daemons that die. Needs root and the lab's programs, and is
//! skipped without.
//!
//! Safety is held here and never speed: a busy machine is slower. It takes some minutes, one of them
//! for a restriction that has to end by itself.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::rig;

/// What must have been tried: a lab that leaves one out proves nothing.
const TRIED: [&str; 6] = [
    "forged alerts",
    "heartbeat roll-back",
    "bedside release",
    "flood of alerts",
    "everything killed (kill -9)",
    "ledger",
];
/// States from which everything was halted.
const HALTS: usize = 8;
/// Longest time until everything is taken back.
const HALT_BOUND: f64 = 10.0;

#[test]
fn an_attacked_hospital_loses_no_essential_message_and_every_restriction_goes() {
    let _alone = rig::alone();
    let folder = tempfile::tempdir().unwrap();
    // The sensor gives up its rights, and has to reach its own folder all the same.
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let out = folder.path().join("lab");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardwatch"));
    command.args(["lab", "--runs", "2", "--seed", "3", "--json", "--out"]).arg(&out);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let lab = command.spawn().unwrap();
    let own = format!("wwlab{}-", lab.id());
    let done = lab.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    // Usage: it says what it needs, before it touches anything.
    if done.status.code() == Some(2) && said.contains("the lab ") {
        eprintln!("skipped: {said}");
        return;
    }
    let report: Value = serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{said}", done.status));

    let essential = &report["essential"];
    assert!(essential["sent"].as_u64().unwrap() > 50, "{essential}");
    assert_eq!(essential["lost"], 0, "{essential}");
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    for run in runs {
        assert_eq!(run["others_go_on"], true, "somebody else was cut: {run}");
    }

    let trials = report["trials"].as_array().unwrap();
    let named = |name: &str| trials.iter().filter(|trial| trial["name"] == name).count();
    TRIED.iter().for_each(|name| assert_eq!(named(name), 1, "{name}"));
    let is_halt = |trial: &&Value| trial["name"].as_str().unwrap().starts_with("halt: ");
    let halts: Vec<&Value> = trials.iter().filter(is_halt).collect();
    assert_eq!(halts.len(), HALTS);
    for halt in halts {
        assert!(halt["seconds"].as_f64().unwrap() < HALT_BOUND, "{halt}");
    }
    for trial in trials {
        assert_eq!(trial["good"], true, "{trial}");
    }
    let left = Command::new("ip").args(["netns", "list"]).output().unwrap();
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert!(!left.lines().any(|line| line.starts_with(&own)), "{left}");
}
