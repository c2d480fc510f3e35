//! The population stability index.

use serde::{Deserialize, Serialize};

/// How much a distribution has moved, by the rule of thumb of credit scoring (Siddiqi, "Credit Risk
/// Scorecards", 2006): below 0.1 not worth a word, from 0.25 on a different population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stability {
    /// Fewer values than the rule of thumb can be used with.
    TooFew,
    /// Below 0.1, or no more than chance alone gives.
    Stable,
    /// 0.1 to 0.25.
    Moved,
    /// 0.25 and more.
    Different,
}

/// How values are spread now against how they were, in bins of equal mass then.
///
/// `sum((now - then) * ln(now / then))` over the bins' shares; half a value is added to every bin so
/// that an empty one is not infinite. Without any change it is about `chi2(bins - 1) * (1 / then +
/// 1 / now)` (Yurdakul, 2018): with few values it is large by chance alone, which is why
/// [`Self::stability`] asks for more than that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Psi {
    /// Upper ends of all bins but the last.
    edges: Vec<f32>,
    then: Vec<u64>,
    now: Vec<u64>,
}

impl Psi {
    /// Fixes up to `bins` bins from values of the reference; fewer where values are equal. Values
    /// that are not numbers are left out.
    pub fn new(reference: &[f32], bins: usize) -> Self {
        let mut sorted: Vec<f32> = reference.iter().copied().filter(|x| !x.is_nan()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |bin: usize| sorted[(sorted.len() * bin / bins).min(sorted.len() - 1)];
        let mut edges: Vec<f32> =
            if sorted.is_empty() { Vec::new() } else { (1..bins).map(at).collect() };
        edges.dedup();
        let mut psi = Self { then: vec![0; edges.len() + 1], now: Vec::new(), edges };
        for value in sorted {
            let bin = psi.bin(value);
            psi.then[bin] += 1;
        }
        psi.forget();
        psi
    }

    /// The bin of a value: the first whose upper end it is below, so that a value that is common
    /// enough to be two ends is a bin of its own.
    fn bin(&self, value: f32) -> usize {
        self.edges.partition_point(|edge| *edge <= value)
    }

    /// Takes a value of today; one that is not a number is not taken.
    pub fn take(&mut self, value: f32) {
        let bin = self.bin(value);
        if let Some(count) = self.now.get_mut(bin).filter(|_| !value.is_nan()) {
            *count += 1;
        }
    }

    /// Begins a new today.
    pub fn forget(&mut self) {
        self.now = vec![0; self.then.len()];
    }

    /// Values of the reference, and of today.
    pub fn counts(&self) -> (u64, u64) {
        (self.then.iter().sum(), self.now.iter().sum())
    }

    /// The index; 0 is no change. `None` without values of both.
    pub fn index(&self) -> Option<f64> {
        let (then, now) = self.counts();
        if then == 0 || now == 0 {
            return None;
        }
        let half = 0.5 * self.then.len() as f64;
        let parts = self.then.iter().zip(&self.now).map(|(a, b)| {
            let a = (*a as f64 + 0.5) / (then as f64 + half);
            let b = (*b as f64 + 0.5) / (now as f64 + half);
            (b - a) * (b / a).ln()
        });
        Some(parts.sum())
    }

    /// What chance alone gives in one of a thousand cases without change (Yurdakul's distribution,
    /// its quantile by Wilson and Hilferty's cube).
    pub fn by_chance(&self) -> f64 {
        let (then, now) = self.counts();
        let freedom = (self.then.len() as f64 - 1.0).max(1.0);
        let part = 2.0 / (9.0 * freedom);
        let chi2 = freedom * (1.0 - part + 3.090_232 * part.sqrt()).powi(3);
        chi2 * (1.0 / then.max(1) as f64 + 1.0 / now.max(1) as f64)
    }

    /// What the rule of thumb says, where there are at least ten values a bin and the index is more
    /// than chance gives.
    pub fn stability(&self) -> Stability {
        let (then, now) = self.counts();
        let enough = 10 * self.then.len() as u64;
        let Some(index) = self.index().filter(|_| then >= enough && now >= enough) else {
            return Stability::TooFew;
        };
        if index < 0.1 || index < self.by_chance() {
            Stability::Stable
        } else if index < 0.25 {
            Stability::Moved
        } else {
            Stability::Different
        }
    }
}
