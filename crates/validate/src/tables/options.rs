//! What somebody has to say about a table, and what is done with it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ensemble::EnsembleSettings;
use super::split::Split;

/// A column by its name, or by its number from 1. A name that is a number names the column that is
/// called so, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRef(pub String);

impl ColumnRef {
    /// Its place among these, from 0.
    pub(super) fn place(&self, names: &[String], columns: usize) -> Option<usize> {
        let wanted = self.0.trim();
        let same = |name: &String| name.trim().eq_ignore_ascii_case(wanted);
        let number = || wanted.parse::<usize>().ok()?.checked_sub(1);
        names.iter().position(same).or_else(number).filter(|place| *place < columns)
    }
}

impl From<&str> for ColumnRef {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// What the columns of a table are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableOptions {
    /// The column with the answer.
    pub label: ColumnRef,
    /// Columns to leave out.
    #[serde(default)]
    pub ignore: Vec<ColumnRef>,
    /// The column that names the device or site.
    #[serde(default)]
    pub group: Option<ColumnRef>,
    /// The column with the time, as a number that grows.
    #[serde(default)]
    pub time: Option<ColumnRef>,
    /// The label of normal rows; guessed where absent ('normal', 'benign', '0', ...).
    #[serde(default)]
    pub normal: Option<String>,
    /// Whether the first line names the columns; found out where absent.
    #[serde(default)]
    pub header: Option<bool>,
}

impl TableOptions {
    /// Only the label is known.
    pub fn new(label: &str) -> Self {
        let label = label.into();
        Self { label, ignore: Vec::new(), group: None, time: None, normal: None, header: None }
    }
}

/// One table to be validated on.
#[derive(Clone, Debug)]
pub struct TableRun {
    /// The table, or its half to learn from.
    pub file: PathBuf,
    /// The official half to be judged by.
    pub test: Option<PathBuf>,
    /// What its columns are.
    pub options: TableOptions,
    /// How it is cut.
    pub split: Split,
    /// Whether to go on where the linter refuses.
    pub allow_leaks: bool,
    /// The models.
    pub settings: EnsembleSettings,
    /// Where chance begins.
    pub seed: u64,
}
