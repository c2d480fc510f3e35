//! The e-detector.

use serde::{Deserialize, Serialize};

use super::bets::{Bets, NOTHING};

/// Sustained evidence that was enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alarm {
    /// Logarithm of the evidence: at least that of the run length.
    pub ln_evidence: f64,
    /// Steps since there was last no evidence, by the CUSUM of the same bets: a guess at how long
    /// this has been going on.
    pub since: u64,
}

/// A Shiryaev-Roberts e-detector over bets on p-values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    ln_run_length: f64,
    bets: Bets,
    /// One bet of 1 that begins anew whenever it has lost.
    cusum: Bets,
    since: u64,
}

impl Evidence {
    /// Comes by chance once in `run_length` steps (1 or more) on average at most.
    pub fn new(run_length: f64) -> Self {
        let ln_run_length = run_length.max(1.0).ln();
        Self { ln_run_length, bets: Bets::new(NOTHING), cusum: Bets::new(0.0), since: 0 }
    }

    /// One of many, one for each device, that together come by chance `per_shift` times a shift at
    /// most, in expectation: `steps` is how many p-values all of them take in a shift. The way to
    /// keep a budget where there are more tests in a shift than scores behind a p-value.
    pub fn with_budget(per_shift: f64, steps: f64) -> Self {
        Self::new(steps / per_shift.max(f64::MIN_POSITIVE))
    }

    /// Takes the next p-value. After an alarm it begins anew.
    pub fn take(&mut self, p: f64) -> Option<Alarm> {
        self.bets.add(0.0);
        self.bets.bet(p);
        let evidence = self.bets.whole();
        self.cusum.bet(p);
        self.since = self.since.saturating_add(1);
        if self.cusum.whole() <= 0.0 {
            (self.cusum, self.since) = (Bets::new(0.0), 0);
        }
        if evidence < self.ln_run_length {
            return None;
        }
        let alarm = Alarm { ln_evidence: evidence, since: self.since };
        self.reset();
        Some(alarm)
    }

    /// Lets a share (0 to 1) of the evidence go, as after hours in which nothing was seen. The bound
    /// on false alarms still holds: there is less evidence than there might be.
    pub fn forget(&mut self, share: f64) {
        self.bets.scale((1.0 - share.clamp(0.0, 1.0)).ln());
    }

    /// Begins anew, as after a case was closed.
    pub fn reset(&mut self) {
        self.bets = Bets::new(NOTHING);
        (self.cusum, self.since) = (Bets::new(0.0), 0);
    }

    /// How far on the way to an alarm, on the scale of logarithms: 0 to 1.
    pub fn progress(&self) -> f64 {
        if self.ln_run_length > 0.0 {
            (self.bets.whole() / self.ln_run_length).clamp(0.0, 1.0)
        } else {
            1.0
        }
    }
}
