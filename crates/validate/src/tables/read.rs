//! Reading a table: comma, semicolon or tab, plain, `.gz` or `.zst`, with or without names.
//!
//! A file is read twice: first to find out which columns are numbers, then to keep them. Nothing
//! that a file says is believed further than a bound.

mod lines;
mod shape;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::column::{Column, Dictionary, Table, Values};
use super::{TableError, TableOptions};
use lines::{Line, Lines};
use shape::{Role, Shape};

/// Labels of more kinds are no labels.
const MOST_KINDS: u64 = 1_000;

/// Words of a column, and groups, beyond which new ones are not told apart.
const MOST_WORDS: usize = 65_536;

/// Values in memory.
const MOST_CELLS: u64 = 1 << 29;

/// What stands for a value that is not there.
const MISSING: [&str; 7] = ["", "-", "?", "na", "n/a", "null", "none"];

/// What normal rows are called.
const NORMAL: [&str; 8] =
    ["normal", "normal.", "benign", "background", "legitimate", "0", "0.0", "false"];

/// Reads a table, and the official test half behind it.
///
/// # Errors
/// When a file cannot be read, is no table, is larger than the bounds, or lacks a column.
pub fn read(file: &Path, test: Option<&Path>, options: &TableOptions) -> Result<Table, TableError> {
    let shape = Shape::find(file, options)?;
    let mut reading = Reading::new(&shape);
    reading.file(file, &shape)?;
    let rows = reading.table.rows();
    reading.table.test = rows;
    if let Some(test) = test {
        reading.file(test, &shape)?;
        if reading.table.rows() == rows {
            return Err(TableError::Empty { file: test.to_path_buf() });
        }
    }
    reading.done(options)
}

fn missing(field: &str) -> bool {
    MISSING.iter().any(|word| field.eq_ignore_ascii_case(word))
}

/// A number as `f32` has it; what is written as "Infinity" is one.
fn number(field: &str) -> Option<f32> {
    field.parse::<f32>().ok().filter(|value| !value.is_nan())
}

/// A table on its way.
struct Reading {
    table: Table,
    words: Vec<Dictionary>,
    kinds: Dictionary,
    groups: Dictionary,
    cells: u64,
}

impl Reading {
    fn new(shape: &Shape) -> Self {
        let mut table = Table::default();
        for column in &shape.columns {
            let values = match column.role {
                Role::Number => Values::Numbers(Vec::new()),
                Role::Word => Values::Words { codes: Vec::new(), names: Vec::new() },
                _ => continue,
            };
            table.columns.push(Column {
                name: column.name.clone(),
                named: shape.header,
                behind: column.behind,
                values,
            });
        }
        let words = table.columns.iter().map(|_| Dictionary::default()).collect();
        let (kinds, groups) = (Dictionary::default(), Dictionary::default());
        Self { table, words, kinds, groups, cells: 0 }
    }

    fn file(&mut self, file: &Path, shape: &Shape) -> Result<(), TableError> {
        let mut lines = Lines::open(file)?;
        let mut first = shape.header;
        while let Some(line) = lines.next()? {
            if std::mem::take(&mut first) && shape.is_header(&line) {
                continue;
            }
            line.check(file, shape.columns.len())?;
            self.cells += shape.columns.len() as u64;
            if self.cells > MOST_CELLS {
                return Err(line.too_large(file, "the number of values", MOST_CELLS));
            }
            self.row(file, &line, shape)?;
        }
        Ok(())
    }

    fn row(&mut self, file: &Path, line: &Line<'_>, shape: &Shape) -> Result<(), TableError> {
        let (mut exact, mut near) = (DefaultHasher::new(), DefaultHasher::new());
        let mut at = 0;
        for (place, column) in shape.columns.iter().enumerate() {
            let field = line.field(file, place)?;
            let lacks = |role| line.lacks(file, role);
            match column.role {
                Role::Ignored => continue,
                Role::Label => {
                    let kind = self.kinds.place(field, MOST_KINDS as usize);
                    let kind = kind.ok_or_else(|| {
                        line.too_large(file, "the number of different labels", MOST_KINDS)
                    })?;
                    if field.is_empty() {
                        return Err(lacks("label"));
                    }
                    self.table.labels.push(kind);
                    continue;
                }
                Role::Group => {
                    let group = self.groups.place(field, MOST_WORDS).unwrap_or(u32::MAX);
                    self.table.groups.push(group);
                    continue;
                }
                Role::Time => {
                    let time = field.parse::<f64>().ok().filter(|time| time.is_finite());
                    self.table.times.push(time.ok_or_else(|| lacks("time"))?);
                    continue;
                }
                Role::Number | Role::Word => {}
            }
            // What stands behind the label may depend on it: rows that differ only there are one.
            if !column.behind {
                (place, field).hash(&mut exact);
            }
            match &mut self.table.columns[at].values {
                Values::Numbers(values) => {
                    let value = number(field);
                    let unread = value.is_none() && !missing(field) && !is_nan(field);
                    self.table.unread += u64::from(unread);
                    let value = value.unwrap_or(f32::NAN);
                    if !column.behind {
                        (place, rounded(value)).hash(&mut near);
                    }
                    values.push(value);
                }
                Values::Words { codes, .. } => {
                    codes.push(self.words[at].place(field, MOST_WORDS).unwrap_or(u32::MAX));
                    if !column.behind {
                        (place, field).hash(&mut near);
                    }
                }
            }
            at += 1;
        }
        self.table.exact.push(exact.finish());
        self.table.near.push(near.finish());
        Ok(())
    }

    fn done(mut self, options: &TableOptions) -> Result<Table, TableError> {
        let mut table = self.table;
        for (column, words) in table.columns.iter_mut().zip(&mut self.words) {
            if let Values::Words { names, .. } = &mut column.values {
                *names = std::mem::take(&mut words.names);
            }
        }
        table.kinds = self.kinds.names;
        table.group_names = self.groups.names;
        let is = |kind: &String, word: &str| kind.trim().eq_ignore_ascii_case(word);
        let found = match &options.normal {
            Some(word) => table.kinds.iter().position(|kind| is(kind, word.trim())),
            None => {
                NORMAL.iter().find_map(|word| table.kinds.iter().position(|kind| is(kind, word)))
            }
        };
        let Some(normal) = found else {
            let labels: Vec<&str> = table.kinds.iter().take(8).map(String::as_str).collect();
            return Err(TableError::NoNormal { labels: labels.join(", ") });
        };
        table.normal = normal as u32;
        // Some tables cannot decide between 'Normal' and 'normal'.
        let same: Vec<bool> =
            table.kinds.iter().map(|kind| is(kind, table.kinds[normal].trim())).collect();
        for label in table.labels.iter_mut().filter(|label| same[**label as usize]) {
            *label = table.normal;
        }
        table.guessed = options.normal.is_none();
        Ok(table)
    }
}

fn is_nan(field: &str) -> bool {
    field.parse::<f32>().is_ok_and(f32::is_nan)
}

/// Two digits of a number.
fn rounded(value: f32) -> u64 {
    if value == 0.0 || !value.is_finite() {
        return u64::from((value + 0.0).to_bits());
    }
    let digits = value.abs().log10().floor();
    let scaled = f64::from(value) / 10_f64.powi(digits as i32 - 1);
    (scaled.round() as i64).cast_unsigned() ^ u64::from(digits.to_bits()) << 32
}

/// A path that outlives a borrow.
fn owned(file: &Path) -> PathBuf {
    file.to_path_buf()
}

#[cfg(test)]
mod tests;
