//! The report for people: one HTML page that needs nothing else.
//!
//! No script, no font and no picture from elsewhere; plots are inline SVG, drawn from the same
//! [`Measures`] that the gates and the model card read. It follows the reader's light or dark
//! setting, prints on A4, and says beside every figure in one sentence how to read it. What was not
//! measured has a section of its own, as long as it has to be.
//!
//! Every text that comes from outside (names of devices, groups, detectors) is hostile and goes
//! through one function that escapes it. Deliberately absent: a clock. When it was made is the caller's to say.

mod html;
pub(crate) mod limits;
mod plot;
mod plots;
mod sections;
mod tables;
mod words;

use serde::{Deserialize, Serialize};

use crate::card::DataCard;
use crate::gates::Verdict;
use crate::measures::{Beside, Measures};

/// Everything that is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was validated: name and version.
    pub title: String,
    /// When, as it is to be shown; nothing is shown where it is empty.
    #[serde(default)]
    pub made_at: String,
    /// From which data.
    #[serde(default)]
    pub data: Vec<DataCard>,
    /// The figures.
    pub measures: Measures,
    /// The gates.
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
    /// What each part of the whole is worth.
    #[serde(default)]
    pub ablation: Vec<Ablation>,
    /// The same data scored by others.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
    /// The same by kind of attack.
    #[serde(default)]
    pub beside: Vec<ByKind>,
    /// What changed between the halves of the time that was watched.
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// Remarks, one paragraph each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What was not measured, beyond what the figures themselves show.
    #[serde(default)]
    pub limits: Vec<String>,
}

/// What changes when one part is left out: figures without it less figures with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ablation {
    /// What was left out.
    pub without: String,
    /// Area under the ROC curve.
    #[serde(default)]
    pub roc_auc: Option<f64>,
    /// True positive rate at a false positive rate of 0.1 %.
    #[serde(default)]
    pub tpr_at_01_percent: Option<f64>,
    /// Share of attacks found.
    #[serde(default)]
    pub recall: Option<f64>,
    /// False alerts a shift.
    #[serde(default)]
    pub false_alerts_per_shift: Option<f64>,
    /// Median seconds to the first alert.
    #[serde(default)]
    pub seconds_p50: Option<f64>,
}

impl Ablation {
    /// Compares a run without a part with the run that has everything.
    pub fn of(without: &str, all: &Measures, less: &Measures) -> Self {
        let (all, less) = (&all.overall, &less.overall);
        let change = |read: fn(&crate::measures::Slice) -> ml::intervals::Estimate| {
            Some(read(less).value()? - read(all).value()?)
        };
        Self {
            without: without.to_owned(),
            roc_auc: change(|slice| slice.roc_auc),
            tpr_at_01_percent: change(|slice| slice.tpr_at_01_percent),
            recall: change(|slice| slice.recall),
            false_alerts_per_shift: change(|slice| slice.false_alerts_per_shift),
            seconds_p50: change(|slice| slice.seconds_p50),
        }
    }
}

/// Another system on the same data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Its name and version.
    pub name: String,
    /// On which data.
    pub data: String,
    /// Name of a figure, as it is to be shown, to the figure.
    pub figures: Vec<(String, f64)>,
    /// Whether it is the one this report is about.
    #[serde(default)]
    pub ours: bool,
}

/// Another system on the same data, kind by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByKind {
    /// The other system.
    pub name: String,
    /// Kinds of attack, in order.
    pub kinds: Vec<Beside>,
}

/// A column that changed, or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The group of devices; empty where there are none.
    #[serde(default)]
    pub group: String,
    /// Name of the column, with its unit.
    pub column: String,
    /// Typical value in the first half.
    pub before: f64,
    /// Typical value in the second.
    pub after: f64,
    /// Population stability index, where there are values enough.
    #[serde(default)]
    pub index: Option<f64>,
    /// What the rule of thumb says of it.
    pub stability: ml::drift::Stability,
    /// How often ADWIN told of a device of the group.
    #[serde(default)]
    pub changes: u64,
}

impl Report {
    /// The page, as UTF-8. The same report gives the same bytes.
    pub fn html(&self) -> String {
        let body = [
            sections::head(self),
            sections::in_short(self),
            sections::gates(self),
            sections::attacks(self),
            sections::false_alerts(self),
            sections::scores(self),
            sections::calibration(self),
            sections::strata(self),
            sections::drift(self),
            sections::ablation(self),
            sections::comparisons(self),
            sections::data(self),
            limits::section(self),
            sections::terms(),
        ];
        html::page(&self.title, &body.concat())
    }
}

#[cfg(test)]
pub(crate) mod tests;
