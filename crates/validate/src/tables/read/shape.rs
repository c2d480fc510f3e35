//! Which columns there are, and what each is.

use std::path::Path;

use super::lines::{Line, Lines};
use super::{TableError, TableOptions, is_nan, missing, number, owned};
use crate::tables::ColumnRef;

/// Of a hundred values that are there, so many have to be numbers for a column of numbers.
const NUMBERS_OF_HUNDRED: u64 = 99;

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Label,
    Group,
    Time,
    Ignored,
    Number,
    Word,
}

/// One column.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) behind: bool,
}

/// All columns.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) columns: Vec<Kind>,
    pub(super) header: bool,
}

impl Shape {
    /// Reads a file once to find out.
    pub(super) fn find(file: &Path, options: &TableOptions) -> Result<Self, TableError> {
        let empty = || TableError::Empty { file: owned(file) };
        let mut lines = Lines::open(file)?;
        let first = lines.next()?.ok_or_else(empty)?;
        first.check(file, first.len())?;
        let first = texts(&first, file)?;
        let mut numbers = vec![0_u64; first.len()];
        let mut words = vec![0_u64; first.len()];
        let mut rows = 0_u64;
        while let Some(line) = lines.next()? {
            line.check(file, first.len())?;
            rows += 1;
            for (place, (numbers, words)) in numbers.iter_mut().zip(&mut words).enumerate() {
                let field = line.field(file, place)?;
                if number(field).is_some() {
                    *numbers += 1;
                } else if !missing(field) && !is_nan(field) {
                    *words += 1;
                }
            }
        }
        let header = options.header.unwrap_or_else(|| names(&first, options, &numbers));
        if header && rows == 0 {
            return Err(empty());
        }
        let names: Vec<String> = if header {
            first
        } else {
            (1..=first.len()).map(|place| format!("column {place}")).collect()
        };
        let roles = roles(file, &names, options, |place| {
            let (numbers, words) = (numbers[place], words[place]);
            if numbers * (100 - NUMBERS_OF_HUNDRED) >= words * NUMBERS_OF_HUNDRED {
                Role::Number
            } else {
                Role::Word
            }
        })?;
        let label = roles.iter().position(|role| *role == Role::Label);
        let columns = names.into_iter().zip(roles).enumerate().map(|(place, (name, role))| Kind {
            name,
            role,
            behind: label.is_some_and(|label| place > label),
        });
        let columns: Vec<Kind> = columns.collect();
        if !columns.iter().any(|column| matches!(column.role, Role::Number | Role::Word)) {
            return Err(TableError::NoFeatures);
        }
        Ok(Self { columns, header })
    }

    /// Whether a line repeats the names of the columns, or has none of a table's values in it.
    pub(super) fn is_header(&self, line: &Line<'_>) -> bool {
        let file = Path::new("");
        line.len() == self.columns.len()
            && self.columns.iter().enumerate().all(|(place, column)| {
                line.field(file, place).is_ok_and(|field| field.eq_ignore_ascii_case(&column.name))
            })
    }
}

fn texts(line: &Line<'_>, file: &Path) -> Result<Vec<String>, TableError> {
    (0..line.len()).map(|place| Ok(line.field(file, place)?.to_owned())).collect()
}

/// Whether the first line names columns: it holds the label's name, or it has no number above
/// columns that are made of numbers.
fn names(first: &[String], options: &TableOptions, numbers: &[u64]) -> bool {
    let label = options.label.0.trim();
    if label.parse::<usize>().is_err() {
        return true;
    }
    let none = first.iter().all(|field| number(field).is_none());
    none && numbers.iter().any(|count| *count > 0)
}

fn roles(
    file: &Path,
    names: &[String],
    options: &TableOptions,
    feature: impl Fn(usize) -> Role,
) -> Result<Vec<Role>, TableError> {
    let place = |column: &ColumnRef, role: &'static str| {
        column.place(names, names.len()).ok_or_else(|| {
            let shown: Vec<&str> = names.iter().take(12).map(String::as_str).collect();
            let more = if names.len() > shown.len() { ", ..." } else { "" };
            TableError::NoColumn {
                file: owned(file),
                column: column.0.clone(),
                role,
                columns: names.len(),
                names: shown.join(", ") + more,
            }
        })
    };
    let mut roles: Vec<Role> = (0..names.len()).map(feature).collect();
    for column in &options.ignore {
        roles[place(column, "--ignore")?] = Role::Ignored;
    }
    if let Some(column) = &options.time {
        roles[place(column, "the time")?] = Role::Time;
    }
    if let Some(column) = &options.group {
        roles[place(column, "the group")?] = Role::Group;
    }
    roles[place(&options.label, "the label")?] = Role::Label;
    Ok(roles)
}
