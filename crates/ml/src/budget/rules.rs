//! LORD++ and SAFFRON, each with bounded memory: an alert too old to be remembered earns nothing
//! more, which only lowers levels and breaks no promise.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Alerts that are remembered.
const ALERTS: usize = 128;

/// LORD's spending sequence, which adds up to 1: `log(max(j, 2)) / (j * exp(sqrt(log j)))` over its
/// sum (Ramdas and others, 2017, section 4).
fn lord_gamma(j: u64) -> f64 {
    let x = j.max(1) as f64;
    0.079_081_97 * x.max(2.0).ln() / (x * x.ln().sqrt().exp())
}

/// SAFFRON's: `j^-1.6` over its sum (Ramdas and others, 2018, section 4).
fn saffron_gamma(j: u64) -> f64 {
    0.437_490_16 * (j.max(1) as f64).powf(-1.6)
}

/// LORD++ with initial wealth of half of `alpha`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Lord {
    alpha: f64,
    /// Tests so far.
    taken: u64,
    any: bool,
    /// At which test each alert came, with what it earned.
    alerts: VecDeque<(u64, f64)>,
}

impl Lord {
    pub(super) const fn new(alpha: f64) -> Self {
        Self { alpha, taken: 0, any: false, alerts: VecDeque::new() }
    }

    /// The level of the next test.
    pub(super) fn level(&self) -> f64 {
        0.5 * self.alpha * lord_gamma(self.taken + 1) + self.earned()
    }

    /// The part of it that alerts have earned.
    pub(super) fn earned(&self) -> f64 {
        let next = self.taken + 1;
        self.alerts.iter().map(|(at, earned)| earned * lord_gamma(next - at)).sum()
    }

    pub(super) fn took(&mut self, alert: bool) {
        self.taken += 1;
        if !alert {
            return;
        }
        // The first alert pays back the initial wealth: that is what "++" does better than LORD.
        let earned = if self.any { self.alpha } else { 0.5 * self.alpha };
        self.any = true;
        self.alerts.push_back((self.taken, earned));
        if self.alerts.len() > ALERTS {
            self.alerts.pop_front();
        }
    }
}

/// A p-value above it is no candidate, and costs nothing.
const CANDIDATE: f64 = 0.5;

/// SAFFRON with candidates up to one half and half of what may be as initial wealth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Saffron {
    alpha: f64,
    /// Tests so far that were no candidates, and one.
    place: u64,
    any: bool,
    /// What `place` counts from for each alert, with what it earned.
    alerts: VecDeque<(u64, f64)>,
}

impl Saffron {
    pub(super) const fn new(alpha: f64) -> Self {
        Self { alpha, place: 1, any: false, alerts: VecDeque::new() }
    }

    /// The level of the next test.
    pub(super) fn level(&self) -> f64 {
        let earned =
            self.alerts.iter().map(|(from, earned)| earned * saffron_gamma(self.place - from));
        let sum = 0.5 * self.alpha * saffron_gamma(self.place) + earned.sum::<f64>();
        ((1.0 - CANDIDATE) * sum).min(CANDIDATE)
    }

    pub(super) fn took(&mut self, p: f64, alert: bool) {
        if alert {
            let earned = if self.any { self.alpha } else { 0.5 * self.alpha };
            self.any = true;
            // The next test is the first one after it.
            self.alerts.push_back((self.place - 1, earned));
            if self.alerts.len() > ALERTS {
                self.alerts.pop_front();
            }
        }
        // A test that says nothing is counted as one that was no candidate.
        if p.is_nan() || p > CANDIDATE {
            self.place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spending_sequences_add_up_to_one() {
        // The tails: the integral of u * exp(-sqrt(u)) over u = log j, and of j^-1.6.
        let terms = 1_000_000_u64;
        let root = (terms as f64).ln().sqrt();
        let tail = 2.0 * (root.powi(3) + 3.0 * root.powi(2) + 6.0 * root + 6.0) * (-root).exp();
        let lord = (1..=terms).map(lord_gamma).sum::<f64>() + 0.079_081_97 * tail;
        assert!((lord - 1.0).abs() < 1e-5, "{lord}");
        let tail = 0.437_490_16 * (terms as f64).powf(-0.6) / 0.6;
        let saffron = (1..=terms).map(saffron_gamma).sum::<f64>() + tail;
        assert!((saffron - 1.0).abs() < 1e-5, "{saffron}");
    }

    #[test]
    fn levels_of_lord_are_those_of_the_paper_by_hand() {
        let mut lord = Lord::new(0.1);
        for alert in [false, true, false, true, false] {
            lord.took(alert);
        }
        let by_hand = 0.05 * lord_gamma(6) + 0.05 * lord_gamma(4) + 0.1 * lord_gamma(2);
        assert!((lord.level() - by_hand).abs() < 1e-15);
    }

    #[test]
    fn levels_of_saffron_are_those_of_the_paper_by_hand() {
        let mut saffron = Saffron::new(0.1);
        // Candidates: the second (an alert) and the third. t = 5: t - C0 = 5 - 2; after the alert at
        // 2: t - tau - C1 = 5 - 2 - 1.
        for (p, alert) in [(0.9, false), (0.001, true), (0.4, false), (0.7, false)] {
            saffron.took(p, alert);
        }
        let by_hand = 0.5 * (0.05 * saffron_gamma(3) + 0.05 * saffron_gamma(2));
        assert!((saffron.level() - by_hand).abs() < 1e-15, "{} {by_hand}", saffron.level());
    }
}
