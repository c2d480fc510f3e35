//! The page on detectors.

use std::fmt::Write;

use model::finding::FindingKind;

use super::cell;
use crate::detectors;

/// A table of all detectors, and a section on each.
pub(crate) fn detectors() -> String {
    let specs = detectors::all();
    let mut out = String::from(
        "# Detectors\n\n\
         How they work together is in [detection.md](../detection.md). Technique numbers are those of \
         [ATT&CK](https://attack.mitre.org/) Enterprise (`T1…`) and ICS (`T0…`).\n\n\
         | Detector | Finds | Stands on | ATT&CK |\n|---|---|---|---|\n",
    );
    for spec in &specs {
        let name = spec.name;
        let techniques = spec.attack.join(", ");
        let kind = stands_on(spec.kind);
        let _ = writeln!(out, "| [{name}](#{name}) | {} | {kind} | {techniques} |", cell(spec.doc));
    }
    for spec in &specs {
        let _ = write!(out, "\n## {}\n\n{}\n\n", spec.name, spec.doc);
        let _ = writeln!(out, "* Stands on: {}", stands_on(spec.kind));
        let mut reads: Vec<String> = spec.reads.iter().map(|kind| format!("`{kind}`")).collect();
        if detectors::of_windows(spec) {
            reads.push("windows of behaviour ([features.md](features.md))".to_owned());
        }
        let _ = writeln!(out, "* Reads: {}", reads.join(", "));
        let techniques: Vec<String> = spec.attack.iter().map(|id| technique(id)).collect();
        if !techniques.is_empty() {
            let _ = writeln!(out, "* ATT&CK: {}", techniques.join(", "));
        }
        let _ = writeln!(out, "* Next step: {}", spec.next_step);
        let _ = writeln!(out, "* Written from: {}", spec.sources.join("; "));
    }
    out
}

fn stands_on(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Rule => "a fixed rule",
        FindingKind::Anomaly => "a departure from what is normal here",
        FindingKind::Model => "a trained model",
        FindingKind::Intel => "published intelligence",
    }
}

fn technique(id: &str) -> String {
    format!("[{id}](https://attack.mitre.org/techniques/{}/)", id.replace('.', "/"))
}
