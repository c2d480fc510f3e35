//! What is seen in every recorded capture, line by line.
//!
//! A difference is either a mistake or news; after news, `INSTA_UPDATE=always cargo test -p
//! pipeline` writes the files anew, and the change is read before it is committed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use model::observation::Party;
use model::{Observation, Timestamp};

use crate::rig::{analyze, label, recorded};

/// Most observations that are written out; of longer captures the first, and the counts of all.
const MOST: usize = 110;

/// Fields of flows that would bury the others; the tests of the flow engine hold them.
const STATISTICS: [&str; 3] = ["delta_", "gap_", "size_"];

#[test]
fn every_recorded_capture_is_seen_as_before() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/goldens");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut changed = Vec::new();
    let mut labels = Vec::new();
    for capture in recorded() {
        let label = label(&capture);
        let text = written(&capture);
        let compare = || settings.bind(|| insta::assert_snapshot!(label.as_str(), text));
        if catch_unwind(AssertUnwindSafe(compare)).is_err() {
            changed.push(label.clone());
        }
        labels.push(format!("{label}.snap"));
    }
    assert!(changed.is_empty(), "seen differently: {changed:?}");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.ends_with(".snap") || labels.contains(&name), "{name} has no capture");
    }
}

/// What was seen, for people to compare.
fn written(capture: &Path) -> String {
    let ran = analyze(&[capture.to_owned()], 1);
    let stats = &ran.summary.stats;
    let first = ran.summary.span.map(|(first, _)| first).unwrap_or_default();
    let mut out =
        format!("{} packets, {} bytes, {} flows\n", stats.packets, stats.bytes, stats.flows);
    for trouble in &ran.summary.unreadable {
        writeln!(out, "unreadable: {trouble}").unwrap();
    }
    for (name, counts) in [
        ("lost", &stats.drops),
        ("malformed", &stats.malformed),
        ("not understood", &stats.not_understood),
        ("seen", &stats.observations),
    ] {
        let counts: BTreeMap<_, _> = counts.iter().filter(|(_, count)| **count > 0).collect();
        writeln!(out, "{name}: {counts:?}").unwrap();
    }
    // Growth and starts are told by the ends; they would bury what protocols say.
    let told = |o: &&Observation| !o.is("flow.update") && !o.is("flow.start");
    let lines: Vec<String> =
        ran.told.observations.iter().filter(told).map(|o| line(o, first)).collect();
    out.push('\n');
    for line in lines.iter().take(MOST) {
        writeln!(out, "{line}").unwrap();
    }
    if lines.len() > MOST {
        writeln!(out, "and {} more", lines.len() - MOST).unwrap();
    }
    if !ran.told.findings.is_empty() {
        out.push('\n');
    }
    for finding in &ran.told.findings {
        let at = offset(finding.at, first);
        writeln!(out, "{at} {} {}: {}", finding.severity, finding.detector, finding.title).unwrap();
    }
    out
}

fn line(o: &Observation, first: Timestamp) -> String {
    let fields: serde_json::Map<String, serde_json::Value> = o
        .fields()
        .filter(|(name, _)| !STATISTICS.iter().any(|prefix| name.starts_with(prefix)))
        .map(|(name, value)| (name.to_owned(), serde_json::to_value(value).unwrap()))
        .collect();
    let peer = o.peer.as_ref().map(|peer| format!(" > {}", party(peer))).unwrap_or_default();
    let fields = serde_json::Value::from(fields);
    format!("{} {} {}{peer} {fields}", offset(o.at, first), o.kind.name, party(&o.subject))
}

fn offset(at: Timestamp, first: Timestamp) -> String {
    format!("{:+.6}", at.seconds_since(first))
}

fn party(party: &Party) -> String {
    let port = party.port.map(|port| format!(":{port}")).unwrap_or_default();
    match (party.ip, party.mac, &party.name) {
        (Some(ip), ..) => format!("{ip}{port}"),
        (_, _, Some(name)) => format!("{name}{port}"),
        (_, Some(mac), _) => mac.to_string(),
        _ => "nobody".to_owned(),
    }
}
