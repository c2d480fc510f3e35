//! Every figure with its slice and its interval, as CycloneDX writes them: all text.

use ml::intervals::Estimate;
use serde_json::{Value, json};

use crate::measures::{Measures, Slice};

/// Figures overall, by stratum, by kind of attack and of look-alike, by group of calibration.
pub(super) fn all(measures: &Measures) -> Vec<Value> {
    let mut metrics = Vec::new();
    slice(&measures.overall, "overall", &mut metrics);
    for (stratum, values) in &measures.strata {
        for (value, of) in values {
            slice(of, &format!("{stratum}: {value}"), &mut metrics);
        }
    }
    for (kind, of) in &measures.kinds {
        let name = format!("attack: {kind}");
        for (what, figure) in [
            ("recall", &of.recall),
            ("recall of known devices", &of.recall_known),
            ("recall of strangers", &of.recall_stranger),
            ("true positive rate at a false positive rate of 1 %", &of.tpr_at_1_percent),
            ("true positive rate at a false positive rate of 0.1 %", &of.tpr_at_01_percent),
            ("seconds to the first alert, median", &of.seconds_p50),
            ("seconds to the first alert, 95th percentile", &of.seconds_p95),
        ] {
            metric(what, figure, &name, &mut metrics);
        }
    }
    for (kind, of) in &measures.look_alikes {
        let name = format!("look-alike: {kind}");
        metric("share taken for an attack", &of.flagged_share, &name, &mut metrics);
    }
    for (group, of) in &measures.groups {
        let name = format!("calibration group: {group}");
        for (level, figure) in &of.realised {
            metric(&realised(level), figure, &name, &mut metrics);
        }
    }
    metrics
}

fn realised(level: &str) -> String {
    format!("realised over nominal false positive rate at {level}")
}

fn slice(of: &Slice, name: &str, metrics: &mut Vec<Value>) {
    for (what, figure) in [
        ("recall", &of.recall),
        ("false alerts per device-week", &of.false_alerts_per_device_week),
        ("false alerts per shift", &of.false_alerts_per_shift),
        ("share of alerts that are right", &of.alert_precision),
        ("precision at the alert budget", &of.precision_at_budget),
        ("look-alikes taken for attacks", &of.look_alikes_flagged),
        ("seconds to the first alert, median", &of.seconds_p50),
        ("seconds to the first alert, 95th percentile", &of.seconds_p95),
        ("area under the ROC curve", &of.roc_auc),
        ("average precision", &of.average_precision),
        ("true positive rate at a false positive rate of 1 %", &of.tpr_at_1_percent),
        ("true positive rate at a false positive rate of 0.1 %", &of.tpr_at_01_percent),
        ("false positive rate at the common threshold of 1 %", &of.false_positive_rate),
    ] {
        metric(what, figure, name, metrics);
    }
    for (level, figure) in &of.realised {
        metric(&realised(level), figure, name, metrics);
    }
    for (what, value) in [
        ("Brier score", of.brier),
        ("expected calibration error", of.ece),
        ("mean error of p-values", of.p_error),
    ] {
        if let Some(value) = value {
            metrics.push(json!({ "type": what, "value": number(value), "slice": name }));
        }
    }
}

/// What has no row at all is left out; what has too few says so in place of a figure.
fn metric(what: &str, figure: &Estimate, slice: &str, metrics: &mut Vec<Value>) {
    match figure {
        Estimate::Known { value, low, high, .. } => metrics.push(json!({
            "type": what,
            "value": number(*value),
            "slice": slice,
            "confidenceInterval": { "lowerBound": number(*low), "upperBound": number(*high) },
        })),
        Estimate::TooFew { count: 0, .. } => {}
        Estimate::TooFew { count, needed } => {
            let value = format!("too few to say ({count} of {needed})");
            metrics.push(json!({ "type": what, "value": value, "slice": slice }));
        }
    }
}

fn number(x: f64) -> String {
    // Six digits that matter, whatever the size; without noughts at the end.
    let rounded: f64 = format!("{x:.5e}").parse().unwrap_or(x);
    rounded.to_string()
}
