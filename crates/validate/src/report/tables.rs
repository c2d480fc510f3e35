//! The tables.

use std::collections::BTreeMap;

use ml::drift::Stability;
use ml::intervals::Estimate;

use super::html::{Cell, Table};
use super::plot::bar;
use super::words::{self, Unit, count, name, plain};
use super::{ByKind, Report};
use crate::gates::Outcome;
use crate::measures::{Group, Measures, Slice, level_name};

fn figure(of: &Estimate, unit: Unit) -> Cell {
    Cell::html(words::estimate(of, unit))
}

/// A figure with its interval as a bar; all bars of a column have one scale.
fn barred(of: &Estimate, unit: Unit, most: f64) -> Cell {
    let text = words::estimate(of, unit);
    Cell::html(match of {
        Estimate::Known { value, low, high, .. } if most > 0.0 => {
            format!("{text}{}", bar(*value, *low, *high, most))
        }
        _ => text,
    })
}

/// The scale of a column: the largest figure, with some room for the interval.
fn scale<'a>(column: impl Iterator<Item = &'a Estimate>) -> f64 {
    column.filter_map(|e| Some(e.value()?.max(0.6 * e.interval()?.1))).fold(0.0, f64::max) * 1.15
}

fn mark(outcome: Outcome) -> String {
    let class = match outcome {
        Outcome::Passed => "passed",
        Outcome::TooFew => "too_few",
        Outcome::Failed => "failed",
    };
    format!("<span class=\"mark {class}\">{outcome}</span>")
}

/// The name of a gate in words, escaped.
fn gate(id: &str) -> String {
    let (what, level) = match id.rsplit_once('_') {
        Some((what, level)) if level.starts_with("0.") => (what, level.parse::<f64>().ok()),
        _ => (id, None),
    };
    let words = match what {
        "tpr_at_01_percent" => "Found at FPR 0.1\u{a0}%",
        "tpr_known_at_01_percent" => "Known devices, found at FPR 0.1\u{a0}%",
        "recall_known" => "Attacks from known devices",
        "realised_over_nominal" => "Realised over nominal",
        "realised_after_change" => "Realised over nominal after a change",
        "between_groups" => "Between groups",
        "false_alerts_per_shift" => "False alerts a shift",
        "look_alikes_flagged" => "Look-alikes",
        "seconds_p50" => "Time to the first alert",
        "roc_auc" => "Area under the ROC curve",
        "novel_at_3_percent" => "Kinds not learned from",
        "poisoning" => "Few devices dominate",
        _ => return name(&id.replace("update.", "Update: ").replace("beside_", "Beside ")),
    };
    level.map_or(words.to_owned(), |level| format!("{words}, at {}", words::percent(level)))
}

pub(super) fn gates(report: &Report) -> String {
    let mut verdicts: Vec<_> = report.verdicts.iter().collect();
    // What failed first; within that, in the order of the gates.
    verdicts.sort_by_key(|verdict| match verdict.outcome {
        Outcome::Failed => 0,
        Outcome::TooFew => 1,
        Outcome::Passed => 2,
    });
    let mut table = Table::new("Gates", &["Gate", "Of", "Outcome", "Asked and found"]);
    for verdict in verdicts {
        table.row(vec![
            Cell::html(gate(&verdict.gate)),
            Cell::html(if verdict.of.is_empty() {
                "everything".to_owned()
            } else {
                name(&verdict.of)
            }),
            Cell::html(mark(verdict.outcome)),
            Cell::text(&verdict.why),
        ]);
    }
    table.html()
}

pub(super) fn kinds(measures: &Measures) -> String {
    let columns = [
        "Kind of attack",
        "Found",
        "All",
        "From known devices",
        "From strangers",
        "Half told within",
        "95\u{a0}% within",
        "Scored examples",
        "Found at FPR 0.1\u{a0}%",
    ];
    let mut table = Table::new("Attacks by kind", &columns);
    for (kind, of) in &measures.kinds {
        table.row(vec![
            Cell::html(name(kind)),
            Cell::number(format!("{} of {}", of.found, of.incidents)),
            barred(&of.recall, Unit::Share, 1.0),
            figure(&of.recall_known, Unit::Share),
            figure(&of.recall_stranger, Unit::Share),
            figure(&of.seconds_p50, Unit::Seconds),
            figure(&of.seconds_p95, Unit::Seconds),
            Cell::number(count(of.examples)),
            barred(&of.tpr_at_01_percent, Unit::Share, 1.0),
        ]);
    }
    table.html()
}

/// Attacks from known devices alone, which are the harder ones.
pub(super) fn known(measures: &Measures) -> String {
    let columns =
        ["Kind of attack", "Scored examples", "Found at FPR 0.1\u{a0}%", "Attacks told of"];
    let mut table = Table::new("Attacks from known devices alone, by kind", &columns);
    for (kind, of) in measures.kinds.iter().filter(|(_, of)| of.examples_known > 0) {
        table.row(vec![
            Cell::html(name(kind)),
            Cell::number(count(of.examples_known)),
            barred(&of.tpr_known_at_01_percent, Unit::Share, 1.0),
            barred(&of.recall_known, Unit::Share, 1.0),
        ]);
    }
    table.html()
}

pub(super) fn detectors(measures: &Measures) -> String {
    let columns = [
        "Detector",
        "Attacks found",
        "Found first",
        "Found by no other",
        "Look-alikes flagged",
        "False alerts",
    ];
    let mut table = Table::new("What each detector is worth", &columns);
    let mut rows: Vec<_> = measures.detectors.iter().collect();
    rows.sort_by_key(|(_, detector)| {
        std::cmp::Reverse((detector.only, detector.first, detector.found))
    });
    for (detector, of) in rows {
        let counts = [of.found, of.first, of.only, of.look_alikes, of.false_alerts];
        let cells = counts.into_iter().map(|n| Cell::number(count(n)));
        table.row(std::iter::once(Cell::html(name(detector))).chain(cells).collect());
    }
    table.html()
}

pub(super) fn look_alikes(measures: &Measures) -> String {
    let columns = [
        "Look-alike",
        "Taken for an attack",
        "Share",
        "Scored examples",
        "Above the 1\u{a0}% threshold",
    ];
    let mut table = Table::new("Harmless things that look like attacks", &columns);
    for (kind, of) in &measures.look_alikes {
        table.row(vec![
            Cell::html(name(kind)),
            Cell::number(format!("{} of {}", of.flagged, of.incidents)),
            figure(&of.flagged_share, Unit::Share),
            Cell::number(count(of.examples)),
            figure(&of.above_1_percent, Unit::Share),
        ]);
    }
    table.html()
}

pub(super) fn groups(groups: &BTreeMap<String, Group>, caption: &str) -> String {
    let columns = [
        "Group",
        "Normal examples",
        "At 10\u{a0}%",
        "At 1\u{a0}%",
        "At 0.1\u{a0}%",
        "Of devices falsely accused",
        "At 1\u{a0}% without those",
    ];
    let mut table = Table::new(caption, &columns);
    for (group, of) in groups {
        let at = |level: f64| match of.realised.get(&level_name(level)) {
            Some(ratio) => figure(ratio, Unit::Plain),
            None => Cell::html(words::too_few(0)),
        };
        let normals = Cell::number(count(of.normals));
        let accused = Cell::number(count(of.accused));
        let others = match of.others.get(&level_name(0.01)) {
            Some(ratio) => figure(ratio, Unit::Plain),
            None => Cell::number("\u{2013}".to_owned()),
        };
        let row = [normals, at(0.1), at(0.01), at(0.001), accused, others];
        table.row(std::iter::once(Cell::html(name(group))).chain(row).collect());
    }
    table.html()
}

/// One table a stratum.
pub(super) fn strata(measures: &Measures) -> String {
    let columns = [
        "",
        "Normal / attacked",
        "Attacks found",
        "False positives of scores",
        "Found at FPR 1\u{a0}%",
        "ROC AUC",
        "Realised / nominal at 1\u{a0}%",
        "False alerts in 100 device-weeks",
    ];
    let mut all = String::new();
    for (stratum, values) in &measures.strata {
        let caption = format!("By {}", stratum.replace('_', " "));
        let mut table = Table::new(&caption, &columns);
        let most_wrong = scale(values.values().map(|slice| &slice.false_positive_rate));
        let alerts = |slice: &Slice| slice.false_alerts_per_100_device_weeks();
        let per_100: Vec<Estimate> = values.values().map(alerts).collect();
        let most_alerts = scale(per_100.iter());
        for (value, slice) in values {
            let realised = slice.realised.get(&level_name(0.01));
            table.row(vec![
                Cell::html(name(value)),
                if slice.normals + slice.attacks == 0 {
                    Cell::html(words::too_few(0))
                } else {
                    Cell::number(format!("{} / {}", count(slice.normals), count(slice.attacks)))
                },
                barred(&slice.recall, Unit::Share, 1.0),
                barred(&slice.false_positive_rate, Unit::Share, most_wrong),
                barred(&slice.tpr_at_1_percent, Unit::Share, 1.0),
                figure(&slice.roc_auc, Unit::Area),
                realised.map_or_else(|| Cell::html(words::too_few(0)), |r| figure(r, Unit::Plain)),
                barred(&alerts(slice), Unit::Plain, most_alerts),
            ]);
        }
        all.push_str(&table.html());
    }
    all
}

pub(super) fn bias(measures: &Measures) -> String {
    let columns = ["Stratum", "Measure", "Largest", "Smallest", "Ratio", "By chance?"];
    let mut table = Table::new("Largest against smallest within each stratum", &columns);
    let between = [0.01, 0.001].into_iter().filter_map(|level| measures.between_groups(level));
    for of in measures.bias.iter().cloned().chain(between) {
        let unit = if of.measure == "false_positive_rate" || of.measure == "attacks_missed" {
            Unit::Share
        } else {
            Unit::Plain
        };
        let end = |end: &crate::measures::Extreme| {
            let rate = words::estimate(&end.rate, unit);
            Cell::html(format!("{}<br>{rate}", name(&end.value)))
        };
        let real = of.ratio.interval().is_some_and(|(low, _)| low > 1.0);
        let word = if real { "no, the difference is real" } else { "may well be" };
        table.row(vec![
            Cell::html(name(&of.stratum)),
            Cell::html(name(&of.measure)),
            end(&of.largest),
            end(&of.smallest),
            figure(&of.ratio, Unit::Plain),
            Cell::text(word),
        ]);
    }
    table.html()
}

pub(super) fn drift(report: &Report) -> String {
    let columns =
        ["Group", "Feature", "First half", "Second half", "Stability index", "Devices told of", ""];
    let mut table = Table::new("What changed between the halves of the time watched", &columns);
    for of in &report.drift {
        let (outcome, word) = match of.stability {
            Stability::TooFew => ("too_few", "too few to say"),
            Stability::Stable => ("passed", "stable"),
            Stability::Moved => ("too_few", "moved"),
            Stability::Different => ("failed", "different"),
        };
        table.row(vec![
            Cell::html(name(&of.group)),
            Cell::html(name(&of.column)),
            Cell::number(plain(of.before)),
            Cell::number(plain(of.after)),
            Cell::number(of.index.map_or("\u{2013}".to_owned(), plain)),
            Cell::number(count(of.changes)),
            Cell::html(format!("<span class=\"mark {outcome}\">{word}</span>")),
        ]);
    }
    table.html()
}

pub(super) fn ablation(report: &Report) -> String {
    let columns = [
        "Without",
        "ROC AUC",
        "Found at FPR 0.1\u{a0}%",
        "Attacks found",
        "False alerts a shift",
        "Median seconds",
    ];
    let mut table = Table::new("What changes when one part is left out", &columns);
    let change = |x: Option<f64>, points: bool| {
        Cell::number(match x {
            None => "\u{2013}".to_owned(),
            Some(0.0) => "0".to_owned(),
            Some(x) => {
                let sign = if x > 0.0 { "+" } else { "\u{2212}" };
                if points {
                    format!("{sign}{:.1} points", 100.0 * x.abs())
                } else {
                    format!("{sign}{}", plain(x.abs()))
                }
            }
        })
    };
    for of in &report.ablation {
        table.row(vec![
            Cell::html(name(&of.without)),
            change(of.roc_auc, false),
            change(of.tpr_at_01_percent, true),
            change(of.recall, true),
            change(of.false_alerts_per_shift, false),
            change(of.seconds_p50, false),
        ]);
    }
    table.html()
}

/// Another system kind by kind.
pub(super) fn beside(other: &ByKind) -> String {
    let caption = format!("Found at FPR 0.1\u{a0}% by kind of attack, beside {}", other.name);
    let columns = ["Kind of attack", "Scored examples", "Ours", &other.name, "Difference"];
    let mut table = Table::new(&caption, &columns);
    for of in &other.kinds {
        let [ours, theirs] = of.examples.map(count);
        let signed = match of.difference {
            Estimate::Known { value, low, high, .. } => Cell::text(&format!(
                "{:+.1} points ({:+.1} to {:+.1})",
                100.0 * value,
                100.0 * low,
                100.0 * high
            )),
            few => figure(&few, Unit::Share),
        };
        table.row(vec![
            Cell::html(name(&of.kind)),
            Cell::number(if ours == theirs { ours } else { format!("{ours} / {theirs}") }),
            barred(&of.ours, Unit::Share, 1.0),
            barred(&of.theirs, Unit::Share, 1.0),
            signed,
        ]);
    }
    table.html()
}

/// One table for each data set: systems down, figures across.
pub(super) fn comparisons(report: &Report) -> String {
    let mut sets: Vec<&str> = Vec::new();
    for of in &report.comparisons {
        if !sets.contains(&of.data.as_str()) {
            sets.push(&of.data);
        }
    }
    let mut all = String::new();
    for set in sets {
        let of_set: Vec<_> = report.comparisons.iter().filter(|of| of.data == set).collect();
        let mut columns = vec!["System"];
        for (figure, _) in of_set.iter().flat_map(|of| &of.figures) {
            if !columns.contains(&figure.as_str()) {
                columns.push(figure);
            }
        }
        let caption = format!("On {set}");
        let mut table = Table::new(&caption, &columns);
        for of in of_set {
            let cells = columns.iter().skip(1).map(|column| {
                let figure = of.figures.iter().find(|figure| figure.0 == *column);
                Cell::number(figure.map_or("\u{2013}".to_owned(), |figure| match figure.1 {
                    x if x.abs() >= 10_000.0 => count(x.abs().round() as u64),
                    x => format!("{x:.3}"),
                }))
            });
            table.marked(
                std::iter::once(Cell::html(name(&of.name))).chain(cells).collect(),
                of.ours,
            );
        }
        all.push_str(&table.html());
    }
    all
}
