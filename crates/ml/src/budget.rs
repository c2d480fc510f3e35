//! From "two false alerts a shift" to a threshold for every single test.
//!
//! Thousands of windows of devices are tested in a shift. A fixed level either wastes the attention
//! that people have or overruns it. A [`Budget`] hands out a level for each p-value as it comes:
//! alerts earn some of it back (they show that there is something to find), silence spends it, and
//! whatever the rule, the sum of all levels in any shift stays within the budget. Since a true
//! p-value is at or below a level `a` with probability `a` at most, that sum bounds the expected
//! number of false alerts in the shift; it needs the levels to be chosen before the p-value is seen,
//! and they are.
//!
//! Three rules. [`Rule::Lord`] is LORD++ (Javanmard and Montanari, 2018; Ramdas, Yang, Wainwright
//! and Jordan, 2017) and [`Rule::Saffron`] is SAFFRON (Ramdas, Zrnic, Wainwright and Jordan, 2018):
//! both keep the false discovery rate of an endless stream at or below `fdr` for independent
//! p-values. [`Rule::Shift`], the default, is LORD++ over one shift: part of the budget is spread
//! evenly over the tests that a shift has (as counted in the last one), the rest is what alerts
//! earn, spent soon after them.
//!
//! **Why that default**: in the simulation beside this file (a week of 5,000 tests a shift, p-values
//! from 8,000 kept scores, one device attacked a day for 20 windows) LORD++ and SAFFRON find nearly
//! nothing: their levels fall with every test without an alert, and soon lie below the smallest
//! p-value that there can be. That is right for their promise, which is a share of the alerts; a
//! hospital's promise is a number of false ones. The figures are in `tests.rs`.
//!
//! A level below the smallest p-value that can be, 1 / (kept scores + 1), finds nothing. Where a shift
//! has more tests than there are kept scores, let evidence add up by device and give the budget to
//! that: [`crate::sequential::Evidence::with_budget`].
//!
//! Deliberately absent: dependence between tests. Windows of one device follow each other; give one
//! p-value per device and window, and leave evidence that adds up to [`crate::sequential`].

mod rules;
mod spent;

use serde::{Deserialize, Serialize};

use rules::{Lord, Saffron};
use spent::Spent;

/// How levels are chosen below the cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Evenly over the shift, and more after an alert.
    #[default]
    Shift,
    /// LORD++ over an endless stream.
    Lord,
    /// SAFFRON over an endless stream.
    Saffron,
}

/// What came of a test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Whether it is an alert.
    pub reject: bool,
    /// The level it was tested at: an alert where `p <= level`. 0 when the budget is used up.
    pub level: f64,
}

/// Share of the budget that is spread evenly; the rest waits for what alerts earn.
const EVEN: f64 = 0.7;

/// What an alert earns, in expected false alerts: LORD++'s `alpha`.
const FDR: f64 = 0.1;

/// An alert budget. Levels for p-values in the order in which they come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    per_shift: f64,
    rule: Rule,
    spent: Spent,
    /// Tests a shift that are expected before one has passed.
    expected: f64,
    lord: Lord,
    saffron: Saffron,
}

impl Budget {
    /// `per_shift` false alerts are bearable in `shift_seconds`; about `tests` p-values are expected
    /// in that time (corrected by what is counted, so a guess will do).
    pub fn new(per_shift: f64, shift_seconds: f64, tests: f64) -> Self {
        Self::with_rule(per_shift, shift_seconds, tests, Rule::default(), FDR)
    }

    /// The same with another rule and another bound on the false discovery rate (0 to 1).
    pub fn with_rule(per_shift: f64, shift_seconds: f64, tests: f64, rule: Rule, fdr: f64) -> Self {
        Self {
            per_shift: per_shift.max(0.0),
            rule,
            spent: Spent::new(shift_seconds),
            expected: tests.max(1.0),
            lord: Lord::new(fdr.clamp(0.0, 1.0)),
            saffron: Saffron::new(fdr.clamp(0.0, 1.0)),
        }
    }

    /// Tests a p-value at a time in seconds (from any start; a time before the last one counts as
    /// the last one; one more than a shift before it says that the clock was wrong, and begins anew
    /// with what was spent). A p-value that is not a number is no alert.
    pub fn test(&mut self, at: f64, p: f64) -> Decision {
        self.spent.pass(at);
        let left = (self.per_shift - self.spent.levels()).max(0.0);
        let wanted = match self.rule {
            Rule::Shift => {
                let tests = self.spent.tests_a_shift(self.expected);
                EVEN * self.per_shift / tests + self.lord.earned()
            }
            Rule::Lord => self.lord.level(),
            Rule::Saffron => self.saffron.level(),
        };
        let level = wanted.min(left).min(1.0);
        let reject = level > 0.0 && p <= level;
        self.spent.spend(level);
        self.lord.took(reject);
        self.saffron.took(p, reject);
        Decision { reject, level }
    }

    /// What is left of the budget now, in expected false alerts.
    pub fn left(&self) -> f64 {
        (self.per_shift - self.spent.levels()).max(0.0)
    }
}

#[cfg(test)]
mod tests;
