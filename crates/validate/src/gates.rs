//! Gates: what has to hold before a model, a threshold or an update may be used.
//!
//! Three kinds. [`release`] holds the measures of one run against bounds. [`update`] holds a
//! challenger against the champion and refuses it where it is worse in *any* stratum by more than a
//! bound. [`poisoning`] refuses an update of which few devices gave most of what was learned: then
//! whoever owns them owns the model.
//!
//! A gate has three outcomes, not two: where there is too little data it says so, and that is not a
//! pass. Bounds are plain numbers with names, so that they can stand in a settings file, and each
//! verdict repeats the figure and the bound it was held against.
//!
//! Deliberately absent: exceptions. A gate that is in the way is changed in the change plan, by a
//! person, and not here.

mod release;
mod update;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use release::release;
pub use update::{poisoning, update};

/// Bounds. The defaults are those of the product's definition of done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Least true positive rate at a false positive rate of 0.1 %, for every kind of attack that has
    /// scored examples.
    pub tpr_at_01_percent: f64,
    /// Least share of attacks from known devices found, of every kind.
    pub recall_known: f64,
    /// Most realised over nominal rate, in every group with enough data, at 1 % and 0.1 %.
    pub realised_over_nominal: f64,
    /// Most ratio between the realised rates of any two such groups.
    pub between_groups: f64,
    /// Most false alerts a shift.
    pub false_alerts_per_shift: f64,
    /// Most share of look-alikes that are taken for attacks.
    pub look_alikes_flagged: f64,
    /// Most seconds to the first alert, for half of the attacks.
    pub seconds_p50: f64,
    /// What an update may make worse.
    pub update: UpdateBounds,
    /// Who may teach it.
    pub poisoning: PoisoningBounds,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            tpr_at_01_percent: 0.8,
            recall_known: 0.8,
            realised_over_nominal: 1.2,
            between_groups: 2.0,
            false_alerts_per_shift: 2.0,
            look_alikes_flagged: 0.05,
            seconds_p50: 10.0,
            update: UpdateBounds::default(),
            poisoning: PoisoningBounds::default(),
        }
    }
}

/// By how much a challenger may be worse than the champion, in every stratum and overall.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateBounds {
    /// Share of attacks missed more.
    pub attacks_missed: f64,
    /// Rate of false positives more, at the threshold of 1 % (so 0.005 is half as many again).
    pub false_positive_rate: f64,
    /// False alerts per device-week more.
    pub false_alerts_per_device_week: f64,
    /// Area under the ROC curve less.
    pub roc_auc: f64,
    /// True positive rate at a false positive rate of 0.1 % less.
    pub tpr_at_01_percent: f64,
}

impl Default for UpdateBounds {
    fn default() -> Self {
        Self {
            attacks_missed: 0.02,
            false_positive_rate: 0.005,
            false_alerts_per_device_week: 0.05,
            roc_auc: 0.01,
            tpr_at_01_percent: 0.05,
        }
    }
}

/// When few devices gave too much of what was learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoisoningBounds {
    /// The heaviest so many devices ...
    pub devices: usize,
    /// ... may not have given more than this share.
    pub share: f64,
}

impl Default for PoisoningBounds {
    fn default() -> Self {
        Self { devices: 3, share: 0.5 }
    }
}

/// What came of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The bound is kept.
    Passed,
    /// There is too little data to say.
    TooFew,
    /// The bound is broken.
    Failed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::TooFew => "too few to say",
            Self::Failed => "failed",
        })
    }
}

/// One gate, and what it was held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which gate: `recall_known`, `update.false_positive_rate`, ...
    pub gate: String,
    /// Of what: a kind of attack, a stratum and its value; empty for everything.
    pub of: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The figure, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<f64>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// The bound.
    pub bound: f64,
    /// One sentence: what was asked and what was found.
    pub why: String,
}

/// Whether nothing failed. What could not be said does not fail, and is not a pass either: look at
/// the verdicts.
pub fn holds(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| verdict.outcome != Outcome::Failed)
}

#[cfg(test)]
mod tests;
