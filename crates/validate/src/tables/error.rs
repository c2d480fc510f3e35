//! What may be wrong with a table, and what to do about it.

use std::path::PathBuf;

use thiserror::Error;

use super::lint::Finding;

/// Why a table cannot be validated on.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("{}: {why}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// No row in it.
    #[error("{}: there are no rows in this file", .file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A row with more or fewer fields than the first.
    #[error("{}: line {line}: {found} fields where the first line has {expected}; mend or remove that line", .file.display())]
    Ragged {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Fields of the first line.
        expected: usize,
        /// Fields of this one.
        found: usize,
    },
    /// Bytes that are no UTF-8.
    #[error("{}: line {line}, column {column}: not UTF-8; convert the file, for instance with 'iconv -f latin1 -t utf-8'", .file.display())]
    NotText {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: usize,
    },
    /// Larger than what is read.
    #[error("{}: line {line}: {what} is more than the {most} that are read; cut the table down", .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        most: u64,
    },
    /// A column that is not there.
    #[error("{}: there is no column '{column}' for {role}; there are {columns}: {names}", .file.display())]
    NoColumn {
        /// The file.
        file: PathBuf,
        /// What was asked for.
        column: String,
        /// What it was meant to be.
        role: &'static str,
        /// How many columns there are.
        columns: usize,
        /// The first names.
        names: String,
    },
    /// A row without a label, or with a time that is none.
    #[error("{}: line {line}: the column of the {role} is empty or no {role}; mend or remove that line", .file.display())]
    NoValue {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Whose value is missing.
        role: &'static str,
    },
    /// Nobody knows which label is the normal one.
    #[error("none of the labels is known to mean normal ({labels}); name it with --normal")]
    NoNormal {
        /// The first labels.
        labels: String,
    },
    /// One class only.
    #[error("{place}: {what}; both normal rows and attacks are needed to learn and to judge")]
    OneClass {
        /// Where: the rows to learn from, or those to be judged by.
        place: String,
        /// What is missing.
        what: &'static str,
    },
    /// No column is left to learn from.
    #[error("no column is left to learn from: all are label, group, time or ignored")]
    NoFeatures,
    /// A way of cutting that needs more than was said.
    #[error("this split needs {0}")]
    Split(&'static str),
    /// The linter refuses.
    #[error("refused, because any result would mean little:{}\nLeave such columns out with --ignore, or go on with --allow-leaks and a warning in the report", list(.0))]
    Leaks(Vec<Finding>),
    /// The trees cannot be grown.
    #[error("the trees cannot be grown: {0}")]
    Trees(#[from] ml::trees::TreeError),
}

fn list(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n- {}", finding.says)).collect()
}
