//! How sure a figure is: intervals of 95 % (or any other confidence), and "too few to say".
//!
//! A share (found of all) has Wilson's interval, or Clopper and Pearson's where coverage must never
//! be less than stated; a count over a time has Garwood's; the area under an ROC curve DeLong's;
//! anything else (a median, a ratio) the percentile bootstrap. An [`Estimate`] cannot be made from
//! less data than its caller says is enough: then it says so, and shows no figure at all.

mod estimate;
mod special;

pub use estimate::{Estimate, quantile};
use special::{beta_quantile, gamma_quantile};

use crate::Chance;

/// 95 %: the confidence of all intervals that are reported.
pub const CONFIDENCE: f64 = 0.95;

/// Quantile of the normal distribution, by way of the gamma distribution's.
fn normal_quantile(p: f64) -> f64 {
    // A standard normal square is a gamma of shape one half and scale two.
    let tail = (2.0 * p - 1.0).abs();
    let size = (2.0 * gamma_quantile(0.5, tail)).sqrt();
    if p < 0.5 { -size } else { size }
}

/// How many standard deviations a normal variable is from its mean, either way, with probability
/// `share` only: 1.96 for 0.05.
pub fn two_sided(share: f64) -> f64 {
    normal_quantile(1.0 - share / 2.0)
}

/// Wilson's score interval for a share of `successes` in `trials` (Wilson, 1927): close to its
/// stated coverage also for shares near 0 and 1. (0, 1) without a trial.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let z = normal_quantile(f64::midpoint(1.0, confidence));
    let (n, z2) = (trials as f64, z * z);
    let p = successes.min(trials) as f64 / n;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At the ends the formula gives 0 and 1 but for rounding.
    let low = if successes == 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if successes >= trials { 1.0 } else { (middle + half).min(1.0) };
    (low, high)
}

/// Clopper and Pearson's exact interval for a share (1934): covers at least as often as stated.
/// (0, 1) without a trial.
pub fn clopper_pearson(successes: u64, trials: u64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let successes = successes.min(trials);
    let (k, n) = (successes as f64, trials as f64);
    let low = if successes == 0 { 0.0 } else { beta_quantile(k, n - k + 1.0, tail) };
    let high = if successes == trials { 1.0 } else { beta_quantile(k + 1.0, n - k, 1.0 - tail) };
    (low, high)
}

/// Garwood's exact interval for the mean of a Poisson count (1936). Divide by the time watched to
/// get that of a rate.
pub fn poisson(count: u64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let low = if count == 0 { 0.0 } else { gamma_quantile(count as f64, tail) };
    (low, gamma_quantile(count as f64 + 1.0, 1.0 - tail))
}

/// Percentile bootstrap (Efron, 1979): draws `rounds` samples of the same size with replacement and
/// takes the quantiles of `statistic` over them. Rounds in which `statistic` has no value do not
/// count; `None` where none has one. The same seed gives the same interval.
pub fn bootstrap<T: Copy>(
    sample: &[T],
    rounds: usize,
    confidence: f64,
    seed: u64,
    statistic: impl Fn(&[T]) -> Option<f64>,
) -> Option<(f64, f64)> {
    let mut chance = Chance::new(seed);
    let mut drawn = sample.to_vec();
    let mut values: Vec<f64> = (0..rounds)
        .filter_map(|_| {
            drawn.iter_mut().for_each(|slot| *slot = sample[chance.below(sample.len())]);
            statistic(&drawn)
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Some((quantile(&values, tail)?, quantile(&values, 1.0 - tail)?))
}

#[cfg(test)]
mod tests;
