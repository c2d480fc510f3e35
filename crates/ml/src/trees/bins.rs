//! Values as small whole numbers: what histograms count.

use super::Rows;
use crate::Chance;

/// Where columns are longer, their bins are found in so many rows of them.
const MOST_SAMPLED: usize = 100_000;

/// All rows as bins, column by column.
///
/// Bin 0 holds missing values (NaN, and what is not larger than `f32::MIN`); bin `b` above it what is
/// larger than `b - 1` of the column's edges.
pub(super) struct Binned {
    /// Bins, column after column.
    pub(super) codes: Vec<u8>,
    pub(super) rows: usize,
    /// Upper edges of all bins but the last, ascending, of each column.
    pub(super) edges: Vec<Vec<f32>>,
    /// The bin of nearly all rows of each column, where there is one.
    pub(super) usual: Vec<Option<u8>>,
}

impl Binned {
    /// Finds edges and sorts all values into them.
    pub(super) fn new(rows: Rows<'_>, most: u16, chance: &mut Chance) -> Self {
        let count = rows.count();
        let sample: Vec<usize> = if count <= MOST_SAMPLED {
            (0..count).collect()
        } else {
            (0..MOST_SAMPLED).map(|_| chance.below(count)).collect()
        };
        let mut codes = vec![0; rows.values.len()];
        let mut edges = Vec::with_capacity(rows.width);
        let mut usual = Vec::with_capacity(rows.width);
        let mut values: Vec<f32> = Vec::with_capacity(sample.len());
        for (column, codes) in codes.chunks_exact_mut(count.max(1)).enumerate() {
            let at = |row: usize| rows.values[row * rows.width + column];
            values.clear();
            values.extend(sample.iter().map(|row| at(*row)).filter(|x| *x > f32::MIN));
            values.sort_unstable_by(f32::total_cmp);
            let found = edges_of(&values, usize::from(most).saturating_sub(1));
            for (row, code) in codes.iter_mut().enumerate() {
                *code = code_of(at(row), &found);
            }
            edges.push(found);
            usual.push(usual_of(codes));
        }
        Self { codes, rows: count, edges, usual }
    }

    pub(super) fn column(&self, column: usize) -> &[u8] {
        &self.codes[column * self.rows..][..self.rows]
    }

    /// Bins of a column, that of missing values among them.
    pub(super) fn bins(&self, column: usize) -> usize {
        self.edges[column].len() + 2
    }

    /// The threshold that sends bins up to `bin` to the left.
    pub(super) fn threshold(&self, column: usize, bin: u8) -> f32 {
        match bin.checked_sub(1) {
            Some(edge) => self.edges[column][usize::from(edge)],
            None => f32::MIN,
        }
    }
}

/// The bin of more than nine in ten rows.
fn usual_of(codes: &[u8]) -> Option<u8> {
    let mut counts = [0_usize; 256];
    codes.iter().for_each(|code| counts[usize::from(*code)] += 1);
    let usual = counts.iter().position(|count| count * 10 > codes.len() * 9)?;
    u8::try_from(usual).ok()
}

fn code_of(value: f32, edges: &[f32]) -> u8 {
    if value > f32::MIN {
        let below = edges.partition_point(|edge| value > *edge);
        u8::try_from(below + 1).unwrap_or(u8::MAX)
    } else {
        0
    }
}

/// Edges between at most `most` bins of sorted values: between all distinct values where these are
/// few, else such that bins hold about the same number of rows.
fn edges_of(sorted: &[f32], most: usize) -> Vec<f32> {
    let mut out = Vec::new();
    let distinct = 1 + sorted.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let (mut held, mut begun) = (0, 0);
    for (at, pair) in sorted.windows(2).enumerate() {
        held += 1;
        if pair[0] >= pair[1] {
            continue;
        }
        // What is left shared out among the bins that are left.
        let left = most.saturating_sub(out.len()).max(1);
        let full = held * left >= sorted.len() - begun;
        if out.len() + 1 < most && (distinct <= most || full) {
            out.push(between(pair[0], pair[1]));
            (held, begun) = (0, at + 1);
        }
    }
    out
}

/// A threshold that `low` does not exceed and `high` does.
fn between(low: f32, high: f32) -> f32 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_many_share_them_evenly() {
        assert_eq!(edges_of(&[1.0, 1.0, 2.0, 4.0], 254), [1.5, 3.0]);
        let many: Vec<f32> = (0..10_000_u16).map(f32::from).collect();
        let edges = edges_of(&many, 100);
        assert_eq!(edges.len(), 99);
        let widths = edges.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(widths.into_iter().all(|width| (95.0..=105.0).contains(&width)));
        assert!(edges_of(&[], 10).is_empty() && edges_of(&[3.0; 5], 10).is_empty());
    }

    #[test]
    fn a_value_that_is_most_of_the_column_does_not_eat_the_bins_of_others() {
        let mut values = vec![0.0; 9_000];
        values.extend((1..=1_000_u16).map(f32::from));
        assert!(edges_of(&values, 50).len() > 40);
    }

    #[test]
    fn missing_and_endless_values_have_places_of_their_own() {
        let edges = edges_of(&[0.0, 1.0, f32::INFINITY], 254);
        let code = |x| code_of(x, &edges);
        assert_eq!([code(f32::NAN), code(f32::NEG_INFINITY)], [0, 0]);
        assert_eq!([code(0.0), code(1.0), code(f32::INFINITY)], [1, 2, 3]);
        assert_eq!(between(1.0, 1.0 + f32::EPSILON), 1.0);
        assert_eq!(between(f32::MIN, f32::MAX), 0.0);
    }
}
