//! What one threshold does: four counts, and the shares that people speak of.

use serde::{Deserialize, Serialize};

/// Counts of right and wrong answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Positives with an alarm.
    pub true_positives: u64,
    /// Negatives with an alarm.
    pub false_positives: u64,
    /// Negatives without one.
    pub true_negatives: u64,
    /// Positives without one.
    pub false_negatives: u64,
}

impl Confusion {
    /// Counts one answer.
    pub const fn count(&mut self, alarm: bool, positive: bool) {
        match (alarm, positive) {
            (true, true) => self.true_positives += 1,
            (true, false) => self.false_positives += 1,
            (false, false) => self.true_negatives += 1,
            (false, true) => self.false_negatives += 1,
        }
    }

    /// Share of alarms that are right; `None` without an alarm.
    pub fn precision(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Share of positives with an alarm (true positive rate); `None` without a positive.
    pub fn recall(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Share of negatives with an alarm (false positive rate); `None` without a negative.
    pub fn fpr(&self) -> Option<f64> {
        share(self.false_positives, self.false_positives + self.true_negatives)
    }

    /// Share of all answers that are right; `None` without any.
    pub fn accuracy(&self) -> Option<f64> {
        let right = self.true_positives + self.true_negatives;
        share(right, right + self.false_positives + self.false_negatives)
    }

    /// Harmonic mean of precision and recall; `None` with neither a positive nor an alarm.
    pub fn f1(&self) -> Option<f64> {
        share(
            2 * self.true_positives,
            2 * self.true_positives + self.false_positives + self.false_negatives,
        )
    }
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}
