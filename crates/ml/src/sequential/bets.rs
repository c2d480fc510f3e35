//! Capital in several bets side by side, in logarithms.

use serde::{Deserialize, Serialize};

/// Exponents of the bets: from bold (pays only for very small p-values) to timid. 1 does not bet.
const EXPONENTS: [f64; 5] = [0.15, 0.3, 0.5, 0.75, 1.0];

/// Share of the whole capital that is dealt anew among the bets at every step.
const JUMP: f64 = 0.01;

/// Smaller p-values pay no more: far below any that a conformal p-value can be.
const SMALLEST: f64 = 1e-12;

/// The logarithm of no capital. Not minus infinity, which JSON cannot write.
pub(super) const NOTHING: f64 = -1e9;

/// Logarithm of the capital in each bet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bets([f64; EXPONENTS.len()]);

impl Bets {
    /// The logarithm of a sum of capital, dealt evenly.
    pub(super) fn new(whole: f64) -> Self {
        Self([whole - (EXPONENTS.len() as f64).ln(); EXPONENTS.len()])
    }

    /// The logarithm of the whole capital.
    pub(super) fn whole(&self) -> f64 {
        let most = self.0.iter().copied().fold(NOTHING, f64::max);
        most + self.0.iter().map(|bet| (bet - most).exp()).sum::<f64>().ln()
    }

    /// Adds capital, dealt evenly; `ln` is its logarithm.
    pub(super) fn add(&mut self, ln: f64) {
        let each = ln - (EXPONENTS.len() as f64).ln();
        self.0.iter_mut().for_each(|bet| *bet = ln_sum(*bet, each));
    }

    /// Multiplies the capital by a factor; `ln` is its logarithm.
    pub(super) fn scale(&mut self, ln: f64) {
        self.0.iter_mut().for_each(|bet| *bet = (*bet + ln).max(NOTHING));
    }

    /// Bets on a p-value: the mean of what comes out is at most what went in, if `P(p <= a) <= a`.
    /// What is not within 0 and 1 counts as 1.
    pub(super) fn bet(&mut self, p: f64) {
        let dealt = self.whole() + (JUMP / EXPONENTS.len() as f64).ln();
        let ln_p = if (0.0..=1.0).contains(&p) { p.max(SMALLEST).ln() } else { 0.0 };
        for (bet, k) in self.0.iter_mut().zip(EXPONENTS) {
            let kept = ln_sum(*bet + (1.0 - JUMP).ln(), dealt);
            *bet = (kept + k.ln() + (k - 1.0) * ln_p).max(NOTHING);
        }
    }
}

/// Logarithm of the sum of two numbers given by theirs.
fn ln_sum(a: f64, b: f64) -> f64 {
    let most = a.max(b);
    most + (a.min(b) - most).exp().ln_1p()
}
