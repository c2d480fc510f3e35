//! Sequential hypothesis test: deciding between two explanations after as few events as possible.
//!
//! J. Jung, V. Paxson, A. Berger, H. Balakrishnan, "Fast Portscan Detection Using Sequential
//! Hypothesis Testing", IEEE Symposium on Security and Privacy 2004: a benign host's first contacts
//! mostly succeed, a scanner's mostly fail; the likelihood ratio of both walks randomly until it
//! passes a bound that follows from the error rates asked for (Wald).

use serde::{Deserialize, Serialize};

/// What the walk has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Still between the bounds.
    Open,
    /// The upper bound was passed: the events are those of the attack.
    Attack,
}

/// Probabilities of the two explanations and the error rates asked for.
#[derive(Clone, Copy, Debug)]
pub struct Hypotheses {
    /// Probability of a success where the source is benign.
    pub success_benign: f64,
    /// Probability of a success where the source attacks.
    pub success_attack: f64,
    /// Probability asked for of calling a benign source an attacker.
    pub false_alarm: f64,
    /// Probability asked for of finding an attacker.
    pub detection: f64,
}

/// The log-likelihood ratio of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomWalk {
    log_ratio: f64,
    failures: u32,
    successes: u32,
}

impl RandomWalk {
    /// Takes one more event, with a weight of 1 for full evidence.
    pub fn step(&mut self, success: bool, weight: f64, h: &Hypotheses) -> Verdict {
        let (attack, benign) = if success {
            self.successes = self.successes.saturating_add(1);
            (h.success_attack, h.success_benign)
        } else {
            self.failures = self.failures.saturating_add(1);
            (1.0 - h.success_attack, 1.0 - h.success_benign)
        };
        // Held at zero from below: a long honest past is no licence to scan.
        self.log_ratio = (self.log_ratio + weight * (attack / benign).ln()).max(0.0);
        if self.log_ratio >= (h.detection / h.false_alarm).ln() {
            Verdict::Attack
        } else {
            Verdict::Open
        }
    }

    /// Events that failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Events that succeeded.
    pub fn successes(&self) -> u32 {
        self.successes
    }

    /// Begins anew, after a verdict.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: Hypotheses =
        Hypotheses { success_benign: 0.8, success_attack: 0.2, false_alarm: 1e-4, detection: 0.99 };

    #[test]
    fn a_run_of_failures_is_an_attack_and_successes_never_are() {
        let mut walk = RandomWalk::default();
        let needed = (1..=20).find(|_| walk.step(false, 1.0, &H) == Verdict::Attack);
        assert_eq!(needed, Some(7));
        let mut walk = RandomWalk::default();
        assert!((0..1_000).all(|_| walk.step(true, 1.0, &H) == Verdict::Open));
    }

    #[test]
    fn a_benign_host_with_one_failure_in_five_is_not_called_an_attacker() {
        let mut walk = RandomWalk::default();
        assert!((0..10_000).all(|n| walk.step(n % 5 != 0, 1.0, &H) == Verdict::Open));
    }
}
