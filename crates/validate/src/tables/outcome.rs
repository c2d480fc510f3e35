//! What came of a table, in figures that the same input always gives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lint::Finding;
use super::split::Split;
use crate::evaluation::Evaluation;

/// Everything that came of one table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableOutcome {
    /// Every row that was judged.
    pub evaluation: Evaluation,
    /// The figures.
    pub summary: Summary,
    /// What the linter has to say.
    pub findings: Vec<Finding>,
    /// How long it took; not the same in two runs.
    #[serde(skip)]
    pub timing: Timing,
}

/// The figures of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How the table was cut.
    pub split: Split,
    /// The label of normal rows, and whether it was guessed.
    pub normal: String,
    /// Whether it was guessed.
    pub guessed: bool,
    /// Columns that were learned from.
    pub columns: Vec<String>,
    /// Rows learned from, in the largest fold.
    pub learned: u64,
    /// Rows judged, all folds together.
    pub judged: u64,
    /// Rows left out of training because the same row stood there already.
    pub duplicates: u64,
    /// Rows left out of training because the same row stood there with another label.
    pub conflicting: u64,
    /// Area under the ROC curve.
    pub roc_auc: Option<f64>,
    /// The same without rows that also stand in training.
    pub roc_auc_unrepeated: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
    /// F1 of attacks at the calibrated threshold for a false positive rate of 3 %.
    pub f1: Option<f64>,
    /// Nominal false positive rates and what was realised on the normal rows that were judged.
    pub realised: Vec<(f64, f64)>,
    /// How many attacks were found: `all`, `seen` in training, `absent` from training.
    pub recall: BTreeMap<String, Recall>,
    /// The same for each kind of attack.
    pub kinds: BTreeMap<String, Recall>,
}

/// How many of some attacks were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// How many there were.
    pub rows: u64,
    /// Share above the threshold that 3 % of the judged normal rows are above: what ranking allows,
    /// knowing the answer.
    pub at_test_fpr: f64,
    /// Share with a calibrated p-value of at most 3 %: what somebody gets who does not know it.
    pub calibrated: f64,
}

/// How long it took, in seconds of wall time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// Reading and linting.
    pub reading: f64,
    /// Training, all folds together.
    pub training: f64,
    /// Scoring, all folds together.
    pub scoring: f64,
}
