//! A table in memory, column by column.

use std::collections::BTreeMap;

/// A table, with the rows of the official test half behind those of the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Columns to learn from.
    pub columns: Vec<Column>,
    /// The label of each row: a place in `kinds`.
    pub labels: Vec<u32>,
    /// What labels are called, in order of their first row.
    pub kinds: Vec<String>,
    /// Which of them is normal.
    pub normal: u32,
    /// Whether the normal label was guessed.
    pub guessed: bool,
    /// The group of each row, a place in `group_names`; empty where there is no such column.
    pub groups: Vec<u32>,
    /// What groups are called.
    pub group_names: Vec<String>,
    /// The time of each row; empty where there is no such column.
    pub times: Vec<f64>,
    /// A fingerprint of each row's features as they are written.
    pub exact: Vec<u64>,
    /// The same with numbers rounded to two digits.
    pub near: Vec<u64>,
    /// The first row of the official test half; as many as there are rows where there is none.
    pub test: usize,
    /// Values that are no number in a column of numbers, taken as missing.
    pub unread: u64,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name, or 'column 7' in a table without names.
    pub name: String,
    /// Whether somebody named it.
    pub named: bool,
    /// Whether it stands behind the label.
    pub behind: bool,
    /// What is in it.
    pub values: Values,
}

/// What is in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers; NaN where missing.
    Numbers(Vec<f32>),
    /// Words: places in `names`, or beyond them where there were too many.
    Words {
        /// One a row.
        codes: Vec<u32>,
        /// The words, in order of their first row.
        names: Vec<String>,
    },
}

impl Table {
    /// How many rows there are.
    pub const fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Whether a row is an attack.
    pub fn attack(&self, row: u32) -> bool {
        self.labels[row as usize] != self.normal
    }

    /// What a row's label is called.
    pub fn kind(&self, row: u32) -> &str {
        &self.kinds[self.labels[row as usize] as usize]
    }

    /// The word that a row has in a column of words.
    pub fn word(&self, column: usize, row: u32) -> Option<&str> {
        match &self.columns.get(column)?.values {
            Values::Numbers(_) => None,
            Values::Words { codes, names } => {
                let code = *codes.get(row as usize)? as usize;
                names.get(code).map(String::as_str)
            }
        }
    }
}

/// Words with numbers, up to a bound.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    places: BTreeMap<String, u32>,
    pub(super) names: Vec<String>,
}

impl Dictionary {
    /// The number of a word, made where it is new and there is room.
    pub(super) fn place(&mut self, word: &str, most: usize) -> Option<u32> {
        if let Some(place) = self.places.get(word) {
            return Some(*place);
        }
        if self.names.len() >= most {
            return None;
        }
        let place = self.names.len() as u32;
        self.names.push(word.to_owned());
        self.places.insert(word.to_owned(), place);
        Some(place)
    }
}
