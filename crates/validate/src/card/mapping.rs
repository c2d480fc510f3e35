//! Which principles of good practice this run gives evidence for.
//!
//! Each line says what the run itself shows, with its figures; where it shows nothing, that is what
//! the line says. Nothing here is a claim of conformity.

use serde_json::{Value, json};

use crate::gates::Outcome;
use crate::measures::level_name;
use crate::report::Report;

/// Properties named `gmlp:1` to `gmlp:10` and `ai-rmf:<subcategory>`, and the gates.
pub(super) fn properties(report: &Report) -> Vec<Value> {
    let measures = &report.measures;
    let all = &measures.overall;
    let values: usize = measures.strata.values().map(std::collections::BTreeMap::len).sum();
    let strata: Vec<&str> = measures.strata.keys().map(String::as_str).collect();
    let sites = measures.strata.get("site").map_or(0, std::collections::BTreeMap::len);
    let of = |outcome| report.verdicts.iter().filter(|v| v.outcome == outcome).count();
    let gates = format!(
        "{} gates passed, {} failed, {} with too little data",
        of(Outcome::Passed),
        of(Outcome::Failed),
        of(Outcome::TooFew)
    );
    let data: Vec<String> = report
        .data
        .iter()
        .map(|card| {
            let used = if card.used_for.is_empty() { "use not stated" } else { &card.used_for };
            format!("{} ({used})", card.name)
        })
        .collect();
    let data = either(!data.is_empty(), data.join("; "));
    let covered =
        either(values > 0, format!("measured by {} ({values} values)", strata.join(", ")));
    let conditions = either(
        all.incidents > 0 || all.normals > 0,
        format!(
            "{} attacks of {} kinds, {} kinds of look-alikes, {sites} sites, {:.1} device-weeks, {} \
             normal and {} attacked examples",
            all.incidents,
            measures.kinds.len(),
            measures.look_alikes.len(),
            all.device_weeks,
            all.normals,
            all.attacks
        ),
    );
    let level = level_name(0.01);
    let worst = measures
        .groups
        .values()
        .filter_map(|group| group.realised.get(&level)?.value())
        .fold(None, |most: Option<f64>, ratio| Some(most.map_or(ratio, |most| most.max(ratio))));
    let monitored = worst.map_or_else(
        || "no evidence in this run".to_owned(),
        |worst| {
            format!(
                "realised over nominal false positive rate at 1 % is at most {worst:.2} in {} groups; {} \
                 columns looked at for drift",
                measures.groups.len(),
                report.drift.len()
            )
        },
    );
    let fairness = either(
        !measures.bias.is_empty(),
        format!("{} comparisons of largest with smallest rate within strata", measures.bias.len()),
    );
    let limits = format!("{} limits stated", crate::report::limits::found(report).len());
    let burden = all.false_alerts_per_shift.value().map_or_else(
        || "no evidence in this run".to_owned(),
        |rate| format!("{rate:.3} false alerts a shift; explanations are part of every alert"),
    );
    let ablation = either(
        !report.ablation.is_empty(),
        format!("{} parts left out one by one", report.ablation.len()),
    );
    let compared = either(
        !report.comparisons.is_empty(),
        format!("{} other results on the same data", report.comparisons.len()),
    );
    let lines = [
        ("gmlp:1", "multi-disciplinary expertise", "not shown by a run".to_owned()),
        (
            "gmlp:2",
            "software engineering and security",
            "deterministic run; signed model package".to_owned(),
        ),
        ("gmlp:3", "representative data", covered.clone()),
        ("gmlp:4", "training data independent of test data", data.clone()),
        ("gmlp:5", "reference data by best available methods", data),
        ("gmlp:6", "model fits data and intended use", ablation),
        ("gmlp:7", "performance of human and machine together", burden),
        ("gmlp:8", "testing under relevant conditions", conditions.clone()),
        ("gmlp:9", "clear information for users", limits.clone()),
        ("gmlp:10", "monitored in use, retraining managed", monitored.clone()),
        ("ai-rmf:MAP 2.2", "limits of knowledge documented", limits),
        (
            "ai-rmf:MEASURE 2.3",
            "performance measured under conditions like those of use",
            conditions,
        ),
        ("ai-rmf:MEASURE 2.4", "behaviour monitored in use", monitored),
        ("ai-rmf:MEASURE 2.5", "valid and reliable", compared),
        ("ai-rmf:MEASURE 2.11", "fairness and bias", format!("{fairness}; {covered}")),
        (
            "ai-rmf:MANAGE 2.4",
            "can be superseded or switched off",
            "rollback to the version before".to_owned(),
        ),
        ("ai-rmf:MANAGE 4.1", "changes managed after deployment", gates.clone()),
    ];
    let mut properties: Vec<Value> = lines
        .into_iter()
        .map(|(id, what, evidence)| json!({ "name": id, "value": format!("{what}: {evidence}") }))
        .collect();
    properties.push(json!({ "name": "wardwatch:gates", "value": gates }));
    for verdict in report.verdicts.iter().filter(|v| v.outcome != Outcome::Passed) {
        let name = format!("wardwatch:gate:{}", verdict.gate);
        let of = if verdict.of.is_empty() { "everything" } else { &verdict.of };
        let value = format!("{of}: {}; {}", verdict.outcome, verdict.why);
        properties.push(json!({ "name": name, "value": value }));
    }
    properties
}

fn either(is: bool, evidence: String) -> String {
    if is { evidence } else { "no evidence in this run".to_owned() }
}
