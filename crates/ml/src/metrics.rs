//! How well scores tell positives (attacks) from negatives (normal life).
//!
//! A [`Ranking`] is made once from all scores, and every measure of ranking is read from it: areas
//! under curves, the share found at a bounded share of false alarms, thresholds, precision at a
//! budget. [`Confusion`] is what one threshold does; [`brier`], [`ece`] and [`realised`] say whether
//! numbers that are meant as probabilities are any. Intervals are in [`crate::intervals`].
//!
//! Scores that are equal are never told apart: they are all above a threshold or all below it, so
//! that no measure depends on the order of the rows. A measure that its data cannot give (no
//! positive, no negative, nothing at all) is `None` and never a number that looks like one.

mod calibration;
mod confusion;

pub use calibration::{brier, ece, realised};
pub use confusion::Confusion;

/// Scores and truths, from the strangest down, with equal scores in one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    steps: Vec<Step>,
    positives: u64,
    negatives: u64,
}

/// What a threshold at one of the scores does: an alarm is a score of at least `score`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The score.
    pub score: f64,
    /// Positives with this score or more.
    pub true_positives: u64,
    /// Negatives with this score or more.
    pub false_positives: u64,
}

impl Ranking {
    /// Ranks pairs of a score (the larger the more it is a positive) and whether it is one. A score
    /// that is not a number says nothing, and ranks last.
    pub fn new(rows: impl IntoIterator<Item = (f64, bool)>) -> Self {
        let mut rows: Vec<(f64, bool)> = rows
            .into_iter()
            // Adding nought makes the two noughts one.
            .map(|(score, is)| (if score.is_nan() { f64::NEG_INFINITY } else { score + 0.0 }, is))
            .collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut ranking = Self::default();
        for (score, is) in rows {
            ranking.positives += u64::from(is);
            ranking.negatives += u64::from(!is);
            let step = Step {
                score,
                true_positives: ranking.positives,
                false_positives: ranking.negatives,
            };
            match ranking.steps.last_mut() {
                Some(last) if last.score == score => *last = step,
                _ => ranking.steps.push(step),
            }
        }
        ranking
    }

    /// Ranks scores with their truths beside them; what is longer is cut to the shorter.
    pub fn of(scores: &[f64], truths: &[bool]) -> Self {
        Self::new(scores.iter().copied().zip(truths.iter().copied()))
    }

    /// How many positives were ranked.
    pub const fn positives(&self) -> u64 {
        self.positives
    }

    /// How many negatives were ranked.
    pub const fn negatives(&self) -> u64 {
        self.negatives
    }

    /// One step for each different score, the largest score first.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Area under the ROC curve: the probability that a positive scores more than a negative, where
    /// equal scores count half (Mann and Whitney's U over its largest value). Exact.
    pub fn roc_auc(&self) -> Option<f64> {
        let pairs = u128::from(self.positives) * u128::from(self.negatives);
        if pairs == 0 {
            return None;
        }
        let mut twice = 0_u128;
        let mut above = 0_u64;
        for (positives, negatives) in self.groups() {
            twice += u128::from(negatives) * (2 * u128::from(above) + u128::from(positives));
            above += positives;
        }
        Some(twice as f64 / (2.0 * pairs as f64))
    }

    /// Variance of [`Self::roc_auc`] over samples of this size (DeLong, DeLong and Clarke-Pearson,
    /// 1988). `None` with fewer than two positives or two negatives.
    pub fn roc_auc_variance(&self) -> Option<f64> {
        let auc = self.roc_auc()?;
        if self.positives < 2 || self.negatives < 2 {
            return None;
        }
        let (m, n) = (self.positives as f64, self.negatives as f64);
        let (mut of_positives, mut of_negatives) = (0.0, 0.0);
        let (mut above, mut beside) = (0_u64, 0_u64);
        for (positives, negatives) in self.groups() {
            let (p, q) = (positives as f64, negatives as f64);
            // The share of negatives that a positive here beats, and of positives that beat a
            // negative here.
            let beaten = (n - beside as f64 - q + 0.5 * q) / n;
            let beating = (above as f64 + 0.5 * p) / m;
            of_positives += p * (beaten - auc).powi(2);
            of_negatives += q * (beating - auc).powi(2);
            above += positives;
            beside += negatives;
        }
        Some(of_positives / (m - 1.0) / m + of_negatives / (n - 1.0) / n)
    }

    /// Area under the curve of precision over recall, as average precision: precision at each step,
    /// weighted by the recall gained there, without interpolation between steps.
    pub fn average_precision(&self) -> Option<f64> {
        if self.positives == 0 {
            return None;
        }
        let gained = self.steps.iter().zip(self.groups()).map(|(step, (positives, _))| {
            let alarms = step.true_positives + step.false_positives;
            positives as f64 * step.true_positives as f64 / alarms as f64
        });
        Some(gained.sum::<f64>() / self.positives as f64)
    }

    /// The lowest step whose share of false positives is at most `fpr`. `None` where even the
    /// highest score raises more false alarms than that.
    pub fn step_at_fpr(&self, fpr: f64) -> Option<&Step> {
        let most = self.negatives as f64 * fpr;
        let inside = self.steps.partition_point(|step| step.false_positives as f64 <= most);
        self.steps.get(inside.checked_sub(1)?)
    }

    /// Share of positives found at the lowest threshold that keeps the false positive rate at or
    /// below `fpr`: a rate that is reached, not one between two that are.
    pub fn tpr_at_fpr(&self, fpr: f64) -> Option<f64> {
        if self.positives == 0 || self.negatives == 0 {
            return None;
        }
        let found = self.step_at_fpr(fpr).map_or(0, |step| step.true_positives);
        Some(found as f64 / self.positives as f64)
    }

    /// The lowest threshold that keeps the false positive rate at or below `fpr`, where an alarm is
    /// a score of at least the threshold; infinite where no score does.
    pub fn threshold_at_fpr(&self, fpr: f64) -> Option<f64> {
        (self.negatives > 0).then(|| self.step_at_fpr(fpr).map_or(f64::INFINITY, |step| step.score))
    }

    /// What a threshold does, where an alarm is a score of at least the threshold.
    pub fn at(&self, threshold: f64) -> Confusion {
        let inside = self.steps.partition_point(|step| step.score >= threshold);
        let (tp, fp) = inside
            .checked_sub(1)
            .and_then(|last| self.steps.get(last))
            .map_or((0, 0), |step| (step.true_positives, step.false_positives));
        Confusion {
            true_positives: tp,
            false_positives: fp,
            true_negatives: self.negatives - fp,
            false_negatives: self.positives - tp,
        }
    }

    /// Share of positives among the `budget` highest scores: what somebody finds who looks at that
    /// many. Of equal scores at the border the expected number is counted. With fewer rows than
    /// `budget`, all are looked at.
    pub fn precision_at(&self, budget: u64) -> Option<f64> {
        let looked = budget.min(self.positives + self.negatives);
        if looked == 0 {
            return None;
        }
        let mut left = looked;
        let mut found = 0.0;
        for (positives, negatives) in self.groups() {
            let taken = left.min(positives + negatives);
            found += taken as f64 * positives as f64 / (positives + negatives) as f64;
            left -= taken;
            if left == 0 {
                break;
            }
        }
        Some(found / looked as f64)
    }

    /// The ROC curve: false positive rate and true positive rate, from (0, 0) to (1, 1). Empty
    /// without positives or negatives.
    pub fn roc(&self) -> Vec<(f64, f64)> {
        if self.positives == 0 || self.negatives == 0 {
            return Vec::new();
        }
        let (m, n) = (self.positives as f64, self.negatives as f64);
        let steps = self.steps.iter();
        std::iter::once((0.0, 0.0))
            .chain(steps.map(|s| (s.false_positives as f64 / n, s.true_positives as f64 / m)))
            .collect()
    }

    /// The curve of recall and precision, in the order of falling thresholds. Empty without
    /// positives.
    pub fn precision_recall(&self) -> Vec<(f64, f64)> {
        if self.positives == 0 {
            return Vec::new();
        }
        let point = |step: &Step| {
            let (tp, fp) = (step.true_positives as f64, step.false_positives as f64);
            (tp / self.positives as f64, tp / (tp + fp))
        };
        self.steps.iter().map(point).collect()
    }

    /// Positives and negatives of each step alone.
    fn groups(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut before = (0, 0);
        self.steps.iter().map(move |step| {
            let here = (step.true_positives - before.0, step.false_positives - before.1);
            before = (step.true_positives, step.false_positives);
            here
        })
    }
}

#[cfg(test)]
mod tests;
