//! What would make any result on a table worthless.
//!
//! Public tables have been found to hold addresses, ports, TTLs and times that give the label away,
//! two fifths of their rows twice, and stretches of time with only one label. Whoever scores 1.000
//! there has learned the laboratory. Each finding says what was seen, with figures, and is either
//! refused or noted; what is refused needs a person who says that it is meant so.

mod names;
mod rows;
mod values;

use serde::{Deserialize, Serialize};

use super::column::Table;
use super::split::Fold;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub sign: Sign,
    /// Whether nothing goes on without a person's word.
    pub refused: bool,
    /// The column, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Rows (or groups, or stretches of time) that it is about.
    pub count: u64,
    /// The figure that it was judged by: a share, or an area under a curve.
    pub figure: f64,
    /// The same in words, with what to do.
    pub says: String,
}

/// What may be wrong with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// A column that tells normal rows from attacks alone.
    GivesAway,
    /// Addresses.
    Address,
    /// Port numbers.
    Port,
    /// Times to live.
    Ttl,
    /// Times of day.
    Time,
    /// A number that only ever grows.
    Counter,
    /// A name or number of the row, or of its flow.
    Identifier,
    /// A column that stands behind the label, as what is made from it does. It is left out.
    BehindLabel,
    /// Rows that stand in training more than once.
    Duplicates,
    /// Rows to be judged by that also stand in training.
    Repeated,
    /// The same, but for the third digit of a number.
    NearlyRepeated,
    /// The same row as normal and as an attack.
    Conflict,
    /// Groups with only one label.
    OneLabelGroups,
    /// Stretches of time with only one label.
    OneLabelTimes,
    /// Values that are no number in a column of numbers.
    Unread,
    /// Nobody said which label is the normal one.
    GuessedNormal,
}

/// Everything that is to be said about a table that is cut so.
pub fn lint(table: &Table, folds: &[Fold]) -> Vec<Finding> {
    let mut out = Vec::new();
    for column in &table.columns {
        if column.behind {
            let says = format!(
                "'{}' stands behind the label, as columns do that were made from it: it is left out",
                column.name
            );
            out.push(Finding::about(
                Sign::BehindLabel,
                false,
                column,
                (table.rows() as u64, 1.0),
                says,
            ));
            continue;
        }
        out.extend(names::suspect(column).or_else(|| values::suspect(table, column)));
        out.extend(values::gives_away(table, column));
    }
    out.extend(rows::repeated(table, folds));
    out.extend(rows::conflicts(table));
    out.extend(rows::one_label(table));
    if table.unread > 0 {
        let says =
            format!("{} values in columns of numbers are none: taken as missing", table.unread);
        let figure = table.unread as f64 / table.rows().max(1) as f64;
        out.push(Finding::of_rows(Sign::Unread, false, (table.unread, figure), says));
    }
    if table.guessed {
        let name = &table.kinds[table.normal as usize];
        let says =
            format!("'{name}' is taken for the label of normal rows; say otherwise with --normal");
        let rows = (0..table.rows() as u32).filter(|row| !table.attack(*row)).count();
        let figure = rows as f64 / table.rows().max(1) as f64;
        out.push(Finding::of_rows(Sign::GuessedNormal, false, (rows as u64, figure), says));
    }
    out
}

impl Finding {
    fn about(
        sign: Sign,
        refused: bool,
        column: &super::Column,
        (count, figure): (u64, f64),
        says: String,
    ) -> Self {
        Self { sign, refused, column: Some(column.name.clone()), count, figure, says }
    }

    const fn of_rows(sign: Sign, refused: bool, (count, figure): (u64, f64), says: String) -> Self {
        Self { sign, refused, column: None, count, figure, says }
    }
}
