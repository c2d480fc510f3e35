//! The plots.

use std::fmt::Write;

use ml::intervals::Estimate;

use super::plot::{Axis, Plot, figure};
use super::words::{Unit, name, number, seconds};
use crate::measures::{LEVELS, Measures, level_name};

/// Groups that are drawn; the table has all of them.
const GROUPS: usize = 8;

/// A power of ten in per cent.
fn tick_percent(x: f64) -> String {
    format!("{}\u{a0}%", (1e6 * x).round() / 1e4)
}

/// A power of ten of seconds.
fn tick_seconds(x: f64) -> String {
    format!("{}\u{a0}s", (1e6 * x).round() / 1e6)
}

/// The ROC curve, with false positive rates on the scale of logarithms: that is where it matters.
pub(super) fn roc(measures: &Measures) -> String {
    let curve = &measures.curves.roc;
    if curve.is_empty() {
        return String::new();
    }
    let low = if measures.overall.normals >= 10_000 { 1e-4 } else { 1e-3 };
    let x = Axis::log(
        "False positive rate (normal examples that raise an alarm)",
        low,
        1.0,
        tick_percent,
    );
    let mut plot = Plot::new(x, Axis::share("Attacked examples found"));
    for at in [0.01, 0.001] {
        plot.guide((at, 0.0), (at, 1.0), &tick_percent(at));
    }
    let chance: Vec<(f64, f64)> =
        (0..=40).map(|i| low.powf(1.0 - f64::from(i) / 40.0)).map(|x| (x, x)).collect();
    plot.line(&chance, "guide");
    plot.line(&stairs(curve), "main");
    let auc = measures
        .overall
        .roc_auc
        .value()
        .map_or("too few to say".to_owned(), |area| number(area, Unit::Area));
    let told = format!("ROC curve; area under it {auc}");
    figure("ROC curve", &plot.svg(&told), "")
}

/// The curve of precision over recall.
pub(super) fn precision_recall(measures: &Measures) -> String {
    let curve = &measures.curves.precision_recall;
    if curve.is_empty() || measures.overall.normals == 0 {
        return String::new();
    }
    let x = Axis::share("Attacked examples found (recall)");
    let mut plot = Plot::new(x, Axis::share("Alarms that are right (precision)"));
    let slice = &measures.overall;
    let base = slice.attacks as f64 / (slice.attacks + slice.normals).max(1) as f64;
    plot.guide((0.0, base), (1.0, base), "");
    plot.line(curve, "main");
    let area = measures.overall.average_precision.value();
    let area = area.map_or("too few to say".to_owned(), |area| number(area, Unit::Area));
    figure(
        "Precision and recall",
        &plot.svg(&format!("Precision over recall; average precision {area}")),
        "",
    )
}

/// Steps between points: a rate between two that are reached is not reached.
fn stairs(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::with_capacity(2 * curve.len());
    for point in curve {
        if let Some(last) = steps.last().copied() {
            steps.push((point.0, last.1));
        }
        steps.push(*point);
    }
    steps
}

/// Realised over nominal rates of the largest groups, both on the scale of logarithms.
pub(super) fn calibration(measures: &Measures, most: f64) -> String {
    let mut groups: Vec<_> = measures.groups.iter().collect();
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.normals));
    let x = Axis::log("Promised (nominal) false positive rate", 1e-3, 1e-1, tick_percent);
    let y = Axis::log("Kept (realised) false positive rate", 1e-4, 1.0, tick_percent);
    let mut plot = Plot::new(x, y);
    plot.area(&[(1e-3, 1e-4), (1e-3, 1e-3 * most), (1e-1, 1e-1 * most), (1e-1, 1e-4)], "band");
    plot.line(&[(1e-3, 1e-3), (1e-1, 1e-1)], "guide");
    let mut legend = String::new();
    let mut drawn = 0;
    for (group, rates) in groups {
        let points: Vec<_> = LEVELS
            .iter()
            .rev()
            .filter_map(|level| {
                let Estimate::Known { value, low, high, .. } =
                    rates.realised.get(&level_name(*level))?
                else {
                    return None;
                };
                // A little apart, so that whiskers do not hide each other.
                let at = level * 1.025_f64.powi(drawn as i32 - 3);
                Some((at, value * level, low * level, high * level))
            })
            .collect();
        if points.is_empty() || drawn == GROUPS {
            continue;
        }
        plot.series(drawn, &points);
        let _ = write!(legend, "<li class=\"c{drawn}\">{}</li>", name(group));
        drawn += 1;
    }
    if drawn == 0 {
        return String::new();
    }
    let told = format!(
        "Realised over nominal false positive rate of {drawn} groups; figures are in the table"
    );
    figure(
        "What was promised, and what was kept",
        &plot.svg(&told),
        &format!("<ul class=\"legend\">{legend}</ul>\n"),
    )
}

/// Share of all attacks that were told of within a time.
pub(super) fn times(measures: &Measures) -> String {
    let times = &measures.curves.seconds;
    let incidents = measures.overall.incidents;
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return String::new() };
    if incidents == 0 {
        return String::new();
    }
    let low = 10_f64.powf(first.max(0.01).log10().floor()).min(0.1);
    let high = 10_f64.powf(last.max(1.0).log10().ceil()).max(10.0);
    let x = Axis::log("Time from the start of the attack", low, high, tick_seconds);
    let mut plot = Plot::new(x, Axis::share("Attacks told of"));
    let found = measures.kinds.values().map(|kind| kind.found).sum::<u64>();
    let found = found as f64 / incidents as f64;
    let mut curve = vec![(low, 0.0)];
    curve.extend(
        times
            .iter()
            .enumerate()
            .map(|(place, at)| (*at, found * (place + 1) as f64 / times.len() as f64)),
    );
    curve.push((high, found));
    let steps = stairs(&curve);
    let mut under = steps.clone();
    under.extend([(high, 0.0), (low, 0.0)]);
    plot.area(&under, "area");
    plot.line(&steps, "main");
    let median = measures.overall.seconds_p50.value();
    let told = format!(
        "Share of attacks told of by time; half of those found within {}",
        median.map_or("a time that too few attacks tell".to_owned(), seconds)
    );
    figure("Time to the first alert", &plot.svg(&told), "")
}
