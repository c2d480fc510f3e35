//! A figure with its interval, or the word that there is too little data for one.

use serde::{Deserialize, Serialize};

use super::{CONFIDENCE, bootstrap, normal_quantile, poisson, wilson};
use crate::metrics::Ranking;

/// A figure and how sure it is, at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Estimate {
    /// There is enough data to say.
    Known {
        /// The figure.
        value: f64,
        /// Lower end of the interval.
        low: f64,
        /// Upper end of the interval.
        high: f64,
        /// What it stands on: trials of a share, whole units of time of a rate, values of a quantile.
        count: u64,
    },
    /// There is not.
    TooFew {
        /// What there is.
        count: u64,
        /// What would be enough.
        needed: u64,
    },
}

impl Estimate {
    /// A share: `successes` of `trials`, with Wilson's interval.
    pub fn share(successes: u64, trials: u64, needed: u64) -> Self {
        if trials < needed.max(1) {
            return Self::TooFew { count: trials, needed };
        }
        let (low, high) = wilson(successes, trials, CONFIDENCE);
        Self::Known { value: successes as f64 / trials as f64, low, high, count: trials }
    }

    /// A rate: `events` in `exposure` units of time, with Garwood's interval. `needed` is in the
    /// same unit: watching for long and seeing nothing is knowledge.
    pub fn rate(events: u64, exposure: f64, needed: u64) -> Self {
        let count = exposure.max(0.0) as u64;
        if count < needed || exposure.is_nan() || exposure <= 0.0 {
            return Self::TooFew { count, needed };
        }
        let (low, high) = poisson(events, CONFIDENCE);
        let value = events as f64 / exposure;
        Self::Known { value, low: low / exposure, high: high / exposure, count }
    }

    /// A quantile of a sample (0.5: the median), with the bootstrap's interval from 1,000 samples.
    pub fn quantile(sample: &[f64], q: f64, needed: u64, seed: u64) -> Self {
        let count = sample.len() as u64;
        let sorted_quantile = |sample: &[f64]| {
            let mut sorted = sample.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            quantile(&sorted, q)
        };
        let interval = || bootstrap(sample, 1_000, CONFIDENCE, seed, sorted_quantile);
        match (count >= needed.max(1)).then(|| sorted_quantile(sample).zip(interval())) {
            Some(Some((value, (low, high)))) => Self::Known { value, low, high, count },
            _ => Self::TooFew { count, needed },
        }
    }

    /// The area under the ROC curve with DeLong's interval, taken on the scale of log-odds so that
    /// it stays within 0 and 1. `needed` is of the rarer of positives and negatives.
    pub fn roc_auc(ranking: &Ranking, needed: u64) -> Self {
        let count = ranking.positives().min(ranking.negatives());
        match ranking.roc_auc().zip(ranking.roc_auc_variance()) {
            Some((value, variance)) if count >= needed => {
                let (low, high) = on_log_odds(value, variance.sqrt(), count);
                Self::Known { value, low, high, count }
            }
            _ => Self::TooFew { count, needed: needed.max(2) },
        }
    }

    /// Average precision with the interval of Boyd, Eng and Page (2013): that of a share of the
    /// positives on the scale of log-odds. `needed` is of positives.
    pub fn average_precision(ranking: &Ranking, needed: u64) -> Self {
        let count = ranking.positives();
        match ranking.average_precision() {
            Some(value) if count >= needed => {
                let deviation = (value * (1.0 - value) / count as f64).sqrt();
                let (low, high) = on_log_odds(value, deviation, count);
                Self::Known { value, low, high, count }
            }
            _ => Self::TooFew { count, needed },
        }
    }

    /// The figure, where there is one.
    pub const fn value(&self) -> Option<f64> {
        match self {
            Self::Known { value, .. } => Some(*value),
            Self::TooFew { .. } => None,
        }
    }

    /// Lower and upper end of the interval, where there is a figure.
    pub const fn interval(&self) -> Option<(f64, f64)> {
        match self {
            Self::Known { low, high, .. } => Some((*low, *high)),
            Self::TooFew { .. } => None,
        }
    }

    /// What it stands on.
    pub const fn count(&self) -> u64 {
        match self {
            Self::Known { count, .. } | Self::TooFew { count, .. } => *count,
        }
    }

    /// The same figure in another unit: value and interval times `factor`, which is not negative.
    #[must_use]
    pub const fn times(self, factor: f64) -> Self {
        match self {
            Self::Known { value, low, high, count } => {
                Self::Known { value: value * factor, low: low * factor, high: high * factor, count }
            }
            few @ Self::TooFew { .. } => few,
        }
    }
}

/// An interval around a figure between 0 and 1, symmetric on the scale of log-odds. At 0 and 1
/// themselves, where that scale ends, the interval of a share of `count` stands in.
fn on_log_odds(value: f64, deviation: f64, count: u64) -> (f64, f64) {
    let room = value * (1.0 - value);
    if room < 1e-12 || deviation <= 0.0 {
        let (low, high) = wilson((value * count as f64).round() as u64, count, CONFIDENCE);
        return (low.min(value), high.max(value));
    }
    let reach = normal_quantile(f64::midpoint(1.0, CONFIDENCE)) * deviation / room;
    let middle = (value / (1.0 - value)).ln();
    let back = |x: f64| 1.0 / (1.0 + (-x).exp());
    (back(middle - reach), back(middle + reach))
}

/// Quantile of a sorted sample, linear between neighbours (Hyndman and Fan's type 7, which NumPy
/// has too). `None` for an empty one.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let below = sorted[(place.floor() as usize).min(last)];
    let above = sorted[(place.ceil() as usize).min(last)];
    let part = place.fract();
    // Equal neighbours may both be infinite.
    Some(if part == 0.0 || below == above { below } else { below + (above - below) * part })
}
