//! What was not measured: as much a result as what was.

use std::fmt::Write;

use super::Report;
use super::html::escape;
use crate::gates::Outcome;

fn name(text: &str) -> String {
    text.replace('_', " ")
}

/// Strata that a whole validation reports, and what each is.
const EXPECTED: [(&str, &str); 9] = [
    ("class", "device class"),
    ("vendor", "vendor"),
    ("protocol", "protocol"),
    ("rarity", "common and rare models"),
    ("volume", "busy and quiet devices"),
    ("age", "new and old devices"),
    ("encryption", "encrypted and clear traffic"),
    ("shift", "shift"),
    ("site", "site"),
];

/// Sentences about what was not measured, made from what is missing; plain text.
pub(crate) fn found(report: &Report) -> Vec<String> {
    let measures = &report.measures;
    let all = &measures.overall;
    let mut limits: Vec<String> = report.limits.clone();
    let missing: Vec<&str> = EXPECTED
        .iter()
        .filter(|(stratum, _)| !measures.strata.contains_key(*stratum))
        .map(|(_, what)| *what)
        .collect();
    if !missing.is_empty() {
        limits.push(format!("Differences were not looked at by {}.", missing.join(", ")));
    }
    let rare: Vec<String> = measures
        .kinds
        .iter()
        .filter(|(_, kind)| {
            kind.recall.value().is_none() && kind.tpr_at_01_percent.value().is_none()
        })
        .map(|(kind, _)| name(kind))
        .collect();
    if !rare.is_empty() {
        limits.push(format!(
            "Too few attacks of these kinds to say how many are found: {}.",
            rare.join(", ")
        ));
    }
    for (stratum, values) in &measures.strata {
        let silent: Vec<String> = values
            .iter()
            .filter(|(_, slice)| {
                slice.recall.value().is_none()
                    && slice.roc_auc.value().is_none()
                    && slice.false_positive_rate.value().is_none()
                    && slice.false_alerts_per_device_week.value().is_none()
            })
            .map(|(value, _)| name(value))
            .collect();
        if !silent.is_empty() {
            limits.push(format!(
                "By {}, nothing can be said of: {}.",
                name(stratum),
                silent.join(", ")
            ));
        }
    }
    for (stratum, count) in &measures.left_out {
        limits.push(format!("By {}, the {count} smallest values are not shown.", name(stratum)));
    }
    let absent = [
        (all.normals == 0, "No normal examples: no rate of false positives of scores."),
        (all.attacks == 0, "No attacked examples: scores were not held against attacks."),
        (all.incidents == 0, "No attacks as a whole: no recall and no time to the first alert."),
        (
            all.device_weeks <= 0.0,
            "How long and how many devices were watched is not known: no rate of false alerts.",
        ),
        (measures.groups.is_empty(), "No p-values: calibration was not measured."),
        (
            measures.look_alikes.is_empty(),
            "No look-alikes: how often harmless but unusual things are flagged is not known.",
        ),
        (report.drift.is_empty(), "Drift was not looked at."),
        (report.ablation.is_empty(), "No part was left out to see what it is worth."),
        (report.comparisons.is_empty(), "No other system was run on the same data."),
        (report.data.is_empty(), "Where the data comes from is not stated."),
    ];
    limits.extend(absent.iter().filter(|(is, _)| *is).map(|(_, what)| (*what).to_owned()));
    let few = report.verdicts.iter().filter(|v| v.outcome == Outcome::TooFew).count();
    if few > 0 {
        limits.push(format!(
            "For {few} gates there is too little data to say whether they are kept."
        ));
    }
    limits.push(
        "An interval says how sure a figure is on data like this, and nothing of data unlike it."
            .to_owned(),
    );
    limits
}

pub(super) fn section(report: &Report) -> String {
    let mut inner = String::from("<ul class=\"limits\">\n");
    for limit in found(report) {
        let _ = writeln!(inner, "<li>{}</li>", escape(&limit));
    }
    super::html::section("limits", "Limits: what was not measured", &(inner + "</ul>\n"))
}
