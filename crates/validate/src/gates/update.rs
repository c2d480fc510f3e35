//! A challenger against the champion, and who taught it.

use std::collections::BTreeMap;

use ml::intervals::Estimate;

use super::{Bounds, Outcome, PoisoningBounds, UpdateBounds, Verdict};
use crate::measures::{Measures, Slice, missed};

/// An error that may not grow: its name, how to read it, its bound.
struct Watched {
    name: &'static str,
    /// Larger is worse.
    error: fn(&Slice) -> Estimate,
    bound: fn(&UpdateBounds) -> f64,
}

const WATCHED: [Watched; 5] = [
    Watched {
        name: "attacks_missed",
        error: |slice| missed(slice.recall),
        bound: |bounds| bounds.attacks_missed,
    },
    Watched {
        name: "false_positive_rate",
        error: false_positives,
        bound: |bounds| bounds.false_positive_rate,
    },
    Watched {
        name: "false_alerts_per_device_week",
        error: |slice| slice.false_alerts_per_device_week,
        bound: |bounds| bounds.false_alerts_per_device_week,
    },
    Watched {
        name: "roc_auc",
        error: |slice| missed(slice.roc_auc),
        bound: |bounds| bounds.roc_auc,
    },
    Watched {
        name: "tpr_at_01_percent",
        error: |slice| missed(slice.tpr_at_01_percent),
        bound: |bounds| bounds.tpr_at_01_percent,
    },
];

/// By p-values, where there are any: they say what will be an alert. By the common threshold of each
/// run otherwise.
fn false_positives(slice: &Slice) -> Estimate {
    slice.realised.get("0.01").map_or(slice.false_positive_rate, |ratio| ratio.times(0.01))
}

/// Holds a challenger against the champion, both measured on the same data: on two samples, each of
/// the many comparisons fails by chance in one of forty cases.
///
/// An error grown by more than its bound fails, overall and in every stratum, unless so much is
/// within what chance alone gives (the lower end of the difference's interval by Newcombe's hybrid
/// method, 1998, is at or below nought). A stratum that only one of the two has, or with too little
/// data in either, has the outcome "too few to say". Strata that are fine are not listed one by one;
/// each error has one verdict for all that passed.
pub fn update(champion: &Measures, challenger: &Measures, bounds: &Bounds) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for watched in &WATCHED {
        let bound = (watched.bound)(&bounds.update);
        let mut fine = 0_usize;
        let mut worst: Option<(f64, (f64, f64))> = None;
        let gate = format!("update.{}", watched.name);
        for (of, before, after) in pairs(champion, challenger) {
            let errors = before.zip(after).map(|(b, a)| ((watched.error)(b), (watched.error)(a)));
            let Some((value, interval)) = errors.and_then(|(b, a)| grown(&b, &a)) else {
                let measured = |slice: Option<&Slice>| {
                    slice.is_some_and(|slice| (watched.error)(slice).count() > 0)
                };
                if measured(before) || measured(after) {
                    let why = "too little data in the champion's run, the challenger's, or both";
                    verdicts.push(verdict(
                        &gate,
                        &of,
                        Outcome::TooFew,
                        None,
                        bound,
                        why.to_owned(),
                    ));
                }
                continue;
            };
            if value > bound && interval.0 > 0.0 {
                let why = format!(
                    "worse by {value:.4} (95 %: {:.4} to {:.4}); {bound} is allowed",
                    interval.0, interval.1
                );
                let figure = Some((value, interval));
                verdicts.push(verdict(&gate, &of, Outcome::Failed, figure, bound, why));
                continue;
            }
            fine += 1;
            if worst.is_none_or(|(most, _)| value > most) {
                worst = Some((value, interval));
            }
        }
        if fine > 0 {
            let why =
                format!("not worse than allowed in {fine} parts; the figure is the worst of them");
            verdicts.push(verdict(&gate, "", Outcome::Passed, worst, bound, why));
        }
    }
    verdicts
}

/// Everything, then every stratum that either run has.
fn pairs<'a>(
    champion: &'a Measures,
    challenger: &'a Measures,
) -> Vec<(String, Option<&'a Slice>, Option<&'a Slice>)> {
    let mut by_name: BTreeMap<(&str, &str), [Option<&Slice>; 2]> = BTreeMap::new();
    for (place, measures) in [champion, challenger].into_iter().enumerate() {
        for (stratum, values) in &measures.strata {
            for (value, slice) in values {
                by_name.entry((stratum, value)).or_default()[place] = Some(slice);
            }
        }
    }
    let strata = by_name
        .into_iter()
        .map(|((stratum, value), [before, after])| (format!("{stratum}: {value}"), before, after));
    let whole = ("everything".to_owned(), Some(&champion.overall), Some(&challenger.overall));
    std::iter::once(whole).chain(strata).collect()
}

/// By how much an error grew, with the interval of the difference.
fn grown(before: &Estimate, after: &Estimate) -> Option<(f64, (f64, f64))> {
    let (b, (b_low, b_high)) = (before.value()?, before.interval()?);
    let (a, (a_low, a_high)) = (after.value()?, after.interval()?);
    let low = a - b - (a - a_low).hypot(b_high - b);
    let high = a - b + (a_high - a).hypot(b - b_low);
    Some((a - b, (low, high)))
}

/// Refuses what few devices taught: `shares` is how much each device gave, in any unit. Fails where
/// the heaviest `bounds.devices` gave more than `bounds.share`, unless there are so few devices in
/// all that nobody can dominate less (then it is too few to say).
pub fn poisoning(shares: &BTreeMap<String, f64>, bounds: &PoisoningBounds) -> Verdict {
    let mut weights: Vec<(f64, &str)> = shares
        .iter()
        .map(|(device, weight)| (if weight.is_finite() { weight.max(0.0) } else { 0.0 }, &**device))
        .collect();
    // The heaviest first; equal ones by name.
    weights.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let whole: f64 = weights.iter().map(|weight| weight.0).sum();
    let heaviest = &weights[..bounds.devices.min(weights.len())];
    let gate = "poisoning";
    let broken = shares.values().any(|weight| !weight.is_finite() || *weight < 0.0);
    // With equal weights the heaviest few still give their part.
    let fair = bounds.devices as f64 / weights.len().max(1) as f64;
    if whole <= 0.0 || (fair > bounds.share && !broken) {
        let why =
            format!("{} devices taught it: too few to tell whether any dominates", weights.len());
        return verdict(gate, "", Outcome::TooFew, None, bounds.share, why);
    }
    let share = heaviest.iter().map(|weight| weight.0).sum::<f64>() / whole;
    let names: Vec<&str> = heaviest.iter().map(|weight| weight.1).collect();
    let failed = share > bounds.share || broken;
    let outcome = if failed { Outcome::Failed } else { Outcome::Passed };
    let why = if broken {
        "a device's share is not a number or below nought: what was counted cannot be trusted"
            .to_owned()
    } else {
        format!(
            "{} gave {:.1} % of what was learned; {:.0} % is allowed",
            names.join(", "),
            100.0 * share,
            100.0 * bounds.share
        )
    };
    verdict(gate, "", outcome, Some((share, (share, share))), bounds.share, why)
}

fn verdict(
    gate: &str,
    of: &str,
    outcome: Outcome,
    figure: Option<(f64, (f64, f64))>,
    bound: f64,
    why: String,
) -> Verdict {
    Verdict {
        gate: gate.to_owned(),
        of: of.to_owned(),
        outcome,
        figure: figure.map(|figure| figure.0),
        interval: figure.map(|figure| figure.1),
        bound,
        why,
    }
}
