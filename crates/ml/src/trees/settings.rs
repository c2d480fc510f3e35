//! How trees are grown, and what may be wrong about it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How trees are grown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeSettings {
    /// How many classes there are: 2 to 1,000.
    pub classes: u32,
    /// Trees a class at most (one in all for two classes): 1 to 10,000.
    pub rounds: u32,
    /// Leaves of a tree at most: 2 to 256.
    pub leaves: u16,
    /// Splits from root to leaf at most: 1 to 32. Few make scoring faster.
    pub depth: u8,
    /// How much of each tree's advice is taken: above 0, at most 1.
    pub rate: f32,
    /// Penalty on the square of a leaf's value, 0 or more.
    pub l2: f32,
    /// Least sum of second derivatives in a leaf (`min_child_weight`), 0 or more.
    pub least_weight: f32,
    /// Share of rows that each round sees: above 0, at most 1.
    pub row_share: f32,
    /// Share of columns that each tree sees: above 0, at most 1.
    pub column_share: f32,
    /// Bins a column at most, with that of missing values: 2 to 255.
    pub bins: u16,
    /// How much each class counts; empty where all count as 1.
    pub class_weights: Vec<f32>,
    /// When to stop before `rounds`.
    pub early: Option<Early>,
    /// Where chance begins.
    pub seed: u64,
}

/// Stops when rows that were kept aside get no better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Early {
    /// Share of rows to keep aside: above 0, at most 0.5.
    pub share: f32,
    /// So many rounds without a smaller loss there end training; the best round is kept.
    pub patience: u32,
}

impl Default for TreeSettings {
    fn default() -> Self {
        Self {
            classes: 2,
            rounds: 100,
            leaves: 31,
            depth: 8,
            rate: 0.1,
            l2: 1.0,
            least_weight: 0.1,
            row_share: 1.0,
            column_share: 1.0,
            bins: 255,
            class_weights: Vec::new(),
            early: None,
            seed: 1,
        }
    }
}

/// Why trees cannot be grown or used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TreeError {
    /// Nothing to learn from.
    #[error("there are no rows to learn from")]
    NoRows,
    /// Rows without values.
    #[error("rows have no columns")]
    NoColumns,
    /// Too many columns for a node.
    #[error("rows have {columns} columns; trees take at most 65535")]
    TooWide {
        /// Columns of a row.
        columns: usize,
    },
    /// The last row is cut.
    #[error("{values} values are no whole number of rows of {width} columns")]
    Ragged {
        /// All values.
        values: usize,
        /// Columns of a row.
        width: usize,
    },
    /// Not one label a row.
    #[error("there are {labels} labels for {rows} rows")]
    Labels {
        /// Rows given.
        rows: usize,
        /// Labels given.
        labels: usize,
    },
    /// Not one weight a row, or a class.
    #[error("there are {weights} weights for {of} {what}")]
    Weights {
        /// What is weighed: rows or classes.
        what: &'static str,
        /// How many there are of it.
        of: usize,
        /// Weights given.
        weights: usize,
    },
    /// A weight that is none.
    #[error("weight {weight} of row or class {at} is not a finite number of 0 or more")]
    BadWeight {
        /// Which, from 0.
        at: usize,
        /// The weight.
        weight: f32,
    },
    /// A label beyond the classes.
    #[error("row {row} has label {label}, but there are only {classes} classes, from 0")]
    BadLabel {
        /// Which row, from 0.
        row: usize,
        /// Its label.
        label: u32,
        /// How many classes there are.
        classes: u32,
    },
    /// Nothing to tell apart.
    #[error("all rows that count are of one class: there is nothing to tell apart")]
    OneClass,
    /// A setting out of its range.
    #[error("setting '{name}' is {value}, but has to be {allowed}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What it was.
        value: f64,
        /// Its range.
        allowed: &'static str,
    },
    /// Rows of another width than those that were learned from.
    #[error("the row has {given} columns, but the trees were grown on {expected}")]
    Width {
        /// What the trees know.
        expected: usize,
        /// What was given.
        given: usize,
    },
    /// Trees that were saved by something else, or damaged.
    #[error("these are no whole trees: {0}")]
    Broken(&'static str),
}

impl TreeSettings {
    /// Whether every setting is in its range.
    pub(super) fn check(&self) -> Result<(), TreeError> {
        let share = "above 0 and at most 1";
        let positive = "a finite number of 0 or more";
        let above = |x: f32| x > 0.0 && x <= 1.0;
        let finite = |x: f32| x.is_finite() && x >= 0.0;
        let checks: [(&'static str, f64, bool, &'static str); 11] = [
            ("classes", self.classes.into(), (2..=1_000).contains(&self.classes), "2 to 1000"),
            ("rounds", self.rounds.into(), (1..=10_000).contains(&self.rounds), "1 to 10000"),
            ("leaves", self.leaves.into(), (2..=256).contains(&self.leaves), "2 to 256"),
            ("depth", self.depth.into(), (1..=32).contains(&self.depth), "1 to 32"),
            ("bins", self.bins.into(), (2..=255).contains(&self.bins), "2 to 255"),
            ("rate", self.rate.into(), above(self.rate), share),
            ("row_share", self.row_share.into(), above(self.row_share), share),
            ("column_share", self.column_share.into(), above(self.column_share), share),
            ("l2", self.l2.into(), finite(self.l2), positive),
            ("least_weight", self.least_weight.into(), finite(self.least_weight), positive),
            {
                let share = self.early.map_or(0.1, |early| early.share);
                let good = share > 0.0 && share <= 0.5;
                ("early.share", share.into(), good, "above 0 and at most 0.5")
            },
        ];
        if let Some((name, value, _, allowed)) = checks.into_iter().find(|check| !check.2) {
            return Err(TreeError::Setting { name, value, allowed });
        }
        let classes = self.classes as usize;
        let weights = self.class_weights.len();
        if weights != 0 && weights != classes {
            return Err(TreeError::Weights { what: "classes", of: classes, weights });
        }
        check_weights(&self.class_weights)
    }
}

pub(super) fn check_weights(weights: &[f32]) -> Result<(), TreeError> {
    let wrong = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0);
    wrong.map_or(Ok(()), |at| Err(TreeError::BadWeight { at, weight: weights[at] }))
}
