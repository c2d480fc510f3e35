//! Curves, thinned so that a report stays small.

use ml::metrics::Ranking;
use serde::{Deserialize, Serialize};

use crate::strata::View;

/// Points of a curve, and times that are kept.
const POINTS: usize = 240;

/// What is drawn rather than told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// False positive rate and true positive rate.
    pub roc: Vec<(f64, f64)>,
    /// Recall and precision.
    pub precision_recall: Vec<(f64, f64)>,
    /// Seconds from the start of an attack to the first alert, in order.
    pub seconds: Vec<f64>,
}

impl Curves {
    pub(super) fn of(view: &View<'_>, ranking: &Ranking) -> Self {
        let mut seconds: Vec<f64> =
            view.incidents.iter().filter(|i| i.malicious).filter_map(|i| i.seconds).collect();
        seconds.sort_unstable_by(f64::total_cmp);
        Self {
            roc: thin(&ranking.roc()),
            precision_recall: thin(&ranking.precision_recall()),
            seconds: evenly(&seconds),
        }
    }
}

/// Drops points until what is left is about as long as the points are far apart: corners and the
/// steep part of small rates, which decide, stay. Distance is taken also on the scale of logarithms.
fn thin(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let log = |x: f64| x.max(1e-5).log10() / 5.0;
    let apart = |a: (f64, f64), b: (f64, f64)| {
        (a.0 - b.0).abs() + (a.1 - b.1).abs() + (log(a.0) - log(b.0)).abs()
    };
    let length: f64 = curve.windows(2).map(|pair| apart(pair[0], pair[1])).sum();
    let step = length / POINTS as f64;
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (i, point) in curve.iter().enumerate() {
        let last = i + 1 == curve.len();
        if last || kept.last().is_none_or(|before| apart(*before, *point) >= step) {
            kept.push(*point);
        }
    }
    kept
}

fn evenly(sorted: &[f64]) -> Vec<f64> {
    if sorted.len() <= POINTS {
        return sorted.to_vec();
    }
    (0..POINTS).map(|i| sorted[i * (sorted.len() - 1) / (POINTS - 1)]).collect()
}
