//! Whether some pay for others: realised rates by group, and the largest rate over the smallest.
//!
//! Of many values one is always largest, by chance alone. So the interval of a ratio is made for the
//! number of pairs that could have been the extreme ones (Bonferroni): where its lower end is above
//! 1, the difference is real.

use std::collections::BTreeMap;

use ml::intervals::Estimate;
use serde::{Deserialize, Serialize};

use super::{ACCUSED, CASE, LEVELS, Slice};
use crate::evaluation::{Example, Label};
use crate::strata::View;

/// Expected alarms below which a realised rate says nothing.
const EXPECTED: f64 = 5.0;

/// Expected false positives below which a group is not compared with others. The interval of a
/// ratio of two such groups that are alike reaches, at the confidence that twenty groups ask for
/// (190 pairs, 3.65 standard deviations), from 0.48 to 2.07 with 50 in each: as far as a bound of 2.
/// With 20 it would reach to 3.2, and the largest of twenty alike groups lies at 2.3 times the
/// smallest by chance alone.
pub const COMPARABLE: f64 = 50.0;

/// A group of calibration: what its p-values promised and kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Normal examples with a p-value.
    pub normals: u64,
    /// Realised over nominal rate, by nominal level; 1 is right.
    pub realised: BTreeMap<String, Estimate>,
    /// Normal examples of devices that an alert had named, falsely: they teach nothing, and their
    /// p-values do not follow what they do.
    #[serde(default)]
    pub accused: u64,
    /// Realised over nominal rate without those, where there are any.
    #[serde(default)]
    pub others: BTreeMap<String, Estimate>,
}

/// One end of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    /// The value of the stratum.
    pub value: String,
    /// Its rate.
    pub rate: Estimate,
}

/// The largest rate within a stratum against the smallest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bias {
    /// Name of the stratum.
    pub stratum: String,
    /// What was compared: `false_positive_rate`, `false_alerts_per_device_week`, `realised_...`.
    pub measure: String,
    /// Who has the largest.
    pub largest: Extreme,
    /// Who has the smallest.
    pub smallest: Extreme,
    /// Largest over smallest, with half an event added to both so that it is finite.
    pub ratio: Estimate,
}

/// The name of a level in JSON: `0.01`.
pub fn level_name(level: f64) -> String {
    level.to_string()
}

/// Realised over nominal at every level, of the normal examples with a p-value.
pub(super) fn realised<'a>(
    examples: impl Iterator<Item = &'a Example>,
) -> BTreeMap<String, Estimate> {
    let mut rows = 0_u64;
    let mut reached = [0_u64; LEVELS.len()];
    for p in examples.filter(|e| e.truth == Label::Normal).filter_map(|e| e.p) {
        rows += 1;
        for (count, level) in reached.iter_mut().zip(LEVELS) {
            *count += u64::from(p <= level);
        }
    }
    if rows == 0 {
        return BTreeMap::new();
    }
    let at = |(reached, level): (u64, f64)| {
        let needed = (EXPECTED / level).ceil() as u64;
        (level_name(level), Estimate::share(reached, rows, needed).times(1.0 / level))
    };
    reached.into_iter().zip(LEVELS).map(at).collect()
}

/// Realised rates by group of calibration.
pub(super) fn groups(
    view: &View<'_>,
    counts: impl Fn(&Example) -> bool,
) -> BTreeMap<String, Group> {
    let mut by_group: BTreeMap<&str, Vec<&Example>> = BTreeMap::new();
    let normal = view.examples.iter().filter(|e| e.truth == Label::Normal && e.p.is_some());
    for example in normal.filter(|example| counts(example)) {
        by_group.entry(&example.group).or_default().push(example);
    }
    let group = |(name, examples): (&str, Vec<&Example>)| {
        let all = realised(examples.iter().copied());
        let is_accused = |e: &&&Example| e.strata.get(CASE).is_some_and(|case| case == ACCUSED);
        let accused = examples.iter().filter(is_accused).count() as u64;
        let others = match accused {
            0 => BTreeMap::new(),
            _ => realised(examples.iter().filter(|e| !is_accused(e)).copied()),
        };
        let normals = examples.len() as u64;
        (name.to_owned(), Group { normals, realised: all, accused, others })
    };
    by_group.into_iter().map(group).collect()
}

/// Events and trials of a rate. Trials are device-weeks where it is one of time.
struct Rate<'a> {
    value: &'a str,
    rate: Estimate,
    events: f64,
    trials: f64,
    share: bool,
}

pub(super) fn within(strata: &BTreeMap<String, BTreeMap<String, Slice>>) -> Vec<Bias> {
    let mut found = Vec::new();
    for (stratum, slices) in strata {
        let of_scores = slices.iter().filter_map(|(value, slice)| {
            let rate = slice.false_positive_rate;
            let trials = slice.normals as f64;
            Some(Rate { value, rate, events: rate.value()? * trials, trials, share: true })
        });
        found.extend(compare(stratum, "false_positive_rate", of_scores.collect()));
        let of_alerts = slices.iter().filter_map(|(value, slice)| {
            let rate = slice.false_alerts_per_device_week;
            rate.value()?;
            let (events, trials) = (slice.false_alerts as f64, slice.device_weeks);
            Some(Rate { value, rate, events, trials, share: false })
        });
        found.extend(compare(stratum, "false_alerts_per_device_week", of_alerts.collect()));
        let missed = slices.iter().filter_map(|(value, slice)| {
            let trials = slice.incidents as f64;
            let rate = missed(slice.recall);
            Some(Rate { value, rate, events: rate.value()? * trials, trials, share: true })
        });
        found.extend(compare(stratum, "attacks_missed", missed.collect()));
    }
    found
}

/// The share missed of a share found.
pub(crate) const fn missed(recall: Estimate) -> Estimate {
    match recall {
        Estimate::Known { value, low, high, count } => {
            Estimate::Known { value: 1.0 - value, low: 1.0 - high, high: 1.0 - low, count }
        }
        few @ Estimate::TooFew { .. } => few,
    }
}

pub(super) fn between_groups(groups: &BTreeMap<String, Group>, level: f64) -> Option<Bias> {
    let name = level_name(level);
    let rates = groups.iter().filter_map(|(value, group)| {
        let rate = *group.realised.get(&name)?;
        let trials = group.normals as f64;
        let enough = trials * level >= COMPARABLE;
        let events = rate.value().filter(|_| enough)? * level * trials;
        Some(Rate { value, rate, events, trials, share: true })
    });
    compare("group", &format!("realised_over_nominal_{name}"), rates.collect())
}

/// Compares the largest rate with the smallest. `None` with fewer than two.
fn compare(stratum: &str, measure: &str, rates: Vec<Rate<'_>>) -> Option<Bias> {
    let smoothed = |rate: &Rate<'_>| {
        (rate.events + 0.5) / if rate.share { rate.trials + 1.0 } else { rate.trials }
    };
    let by_rate = |a: &&Rate<'_>, b: &&Rate<'_>| smoothed(a).total_cmp(&smoothed(b));
    let (largest, smallest) = (rates.iter().max_by(by_rate)?, rates.iter().min_by(by_rate)?);
    if rates.len() < 2 {
        return None;
    }
    let value = smoothed(largest) / smoothed(smallest);
    // Katz's interval of a ratio (1978), on the scale of logarithms.
    let part = |rate: &Rate<'_>| {
        let of_trials = if rate.share { 1.0 / (rate.trials + 1.0) } else { 0.0 };
        (1.0 / (rate.events + 0.5) - of_trials).max(0.0)
    };
    let pairs = rates.len() * (rates.len() - 1) / 2;
    let reach =
        ml::intervals::two_sided(0.05 / pairs as f64) * (part(largest) + part(smallest)).sqrt();
    let end = |rate: &Rate<'_>| Extreme { value: rate.value.to_owned(), rate: rate.rate };
    let ratio = Estimate::Known {
        value,
        low: value * (-reach).exp(),
        high: value * reach.exp(),
        count: rates.len() as u64,
    };
    Some(Bias {
        stratum: stratum.to_owned(),
        measure: measure.to_owned(),
        largest: end(largest),
        smallest: end(smallest),
        ratio,
    })
}
