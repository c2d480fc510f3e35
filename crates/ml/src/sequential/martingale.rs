//! The conformal test martingale.

use serde::{Deserialize, Serialize};

use super::bets::Bets;

/// Capital that begins at 1 and grows only if p-values are smaller than chance makes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Martingale {
    bets: Bets,
    most: f64,
}

impl Default for Martingale {
    fn default() -> Self {
        Self { bets: Bets::new(0.0), most: 0.0 }
    }
}

impl Martingale {
    /// Bets on the next p-value; what is not within 0 and 1 counts as 1.
    pub fn take(&mut self, p: f64) {
        self.bets.bet(p);
        self.most = self.most.max(self.bets.whole());
    }

    /// Logarithm of the capital now.
    pub fn ln_capital(&self) -> f64 {
        self.bets.whole()
    }

    /// A p-value for "nothing ever changed", valid at any time, however often one looks: one over
    /// the most capital there ever was.
    pub fn p(&self) -> f64 {
        (-self.most).exp().min(1.0)
    }
}
