//! A table's rows as numbers for trees.
//!
//! A column of numbers stays as it is. A column of words becomes one column for each of its most
//! frequent words, 1 where a row has it, and one with the share of rows that have the row's word: a
//! word that training never saw has share 0 and none of the others, and needs no rule of its own.

use super::column::{Table, Values};

/// So many words of a column get a column of their own.
const MOST_SHOWN: usize = 128;

/// Columns in all, as many as trees take.
const MOST_WIDTH: usize = 60_000;

/// How words become numbers, as learned from some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoder {
    codings: Vec<Coding>,
    width: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Coding {
    Number,
    /// The words that have a column of their own, and the share of each word.
    Words {
        shown: Vec<u32>,
        shares: Vec<f32>,
    },
}

impl Encoder {
    /// Learns which words there are from these rows.
    pub fn fit(table: &Table, rows: &[u32]) -> Self {
        let mut width = table.columns.len();
        let codings = table.columns.iter().map(|column| {
            let Values::Words { codes, names } = &column.values else { return Coding::Number };
            let mut counts = vec![0_u32; names.len()];
            for row in rows {
                if let Some(count) = counts.get_mut(codes[*row as usize] as usize) {
                    *count += 1;
                }
            }
            let mut shown: Vec<u32> = (0..names.len() as u32).collect();
            shown.retain(|code| counts[*code as usize] > 1);
            shown.sort_by_key(|code| std::cmp::Reverse(counts[*code as usize]));
            shown.truncate(MOST_SHOWN.min(MOST_WIDTH.saturating_sub(width)));
            width += shown.len();
            let shares = counts.iter().map(|count| *count as f32 / rows.len().max(1) as f32);
            Coding::Words { shown, shares: shares.collect() }
        });
        let codings = codings.collect();
        Self { codings, width }
    }

    /// Columns of an encoded row.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Names of the encoded columns.
    pub fn names(&self, table: &Table) -> Vec<String> {
        let mut out = Vec::with_capacity(self.width);
        for (column, coding) in table.columns.iter().zip(&self.codings) {
            match (coding, &column.values) {
                (Coding::Words { shown, .. }, Values::Words { names, .. }) => {
                    out.push(format!("share of {}", column.name));
                    let named = |code: &u32| format!("{} = {}", column.name, names[*code as usize]);
                    out.extend(shown.iter().map(named));
                }
                _ => out.push(column.name.clone()),
            }
        }
        out
    }

    /// Rows one after the other.
    pub fn rows(&self, table: &Table, rows: &[u32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows.len() * self.width);
        for row in rows {
            self.mixed(table, |_| *row, &mut out);
        }
        out
    }

    /// A row whose columns may come from different rows of the table.
    pub(super) fn mixed(
        &self,
        table: &Table,
        mut from: impl FnMut(usize) -> u32,
        out: &mut Vec<f32>,
    ) {
        for (at, (column, coding)) in table.columns.iter().zip(&self.codings).enumerate() {
            let row = from(at) as usize;
            match (coding, &column.values) {
                (Coding::Words { shown, shares }, Values::Words { codes, .. }) => {
                    let code = codes[row];
                    out.push(shares.get(code as usize).copied().unwrap_or_default());
                    out.extend(shown.iter().map(|other| f32::from(u8::from(*other == code))));
                }
                (_, Values::Numbers(values)) => out.push(values[row]),
                _ => out.push(f32::NAN),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Column;

    #[test]
    fn a_word_that_training_never_saw_is_no_known_one_and_has_no_share() {
        let codes = vec![0, 0, 1, 1, 1, 2];
        let names = ["tcp", "udp", "icmp"].map(str::to_owned).to_vec();
        let values = Values::Words { codes, names };
        let column =
            |name: &str, values| Column { name: name.into(), named: true, behind: false, values };
        let numbers = Values::Numbers(vec![1.0, 2.0, 3.0, 4.0, f32::NAN, 6.0]);
        let columns = vec![column("proto", values), column("bytes", numbers)];
        let table = Table { columns, ..Table::default() };
        let encoder = Encoder::fit(&table, &[0, 1, 2, 3, 4]);
        assert_eq!(
            encoder.names(&table),
            ["share of proto", "proto = udp", "proto = tcp", "bytes"]
        );
        assert_eq!(encoder.rows(&table, &[5, 0]), [0.0, 0.0, 0.0, 6.0, 0.4, 0.0, 1.0, 1.0]);
        assert!(encoder.rows(&table, &[4])[3].is_nan());
    }
}
