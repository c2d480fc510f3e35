//! Rows as points, and how far a row is from the nearest normal one.

use ml::Chance;

use crate::tables::column::{Table, Values};

/// Two different words are as far apart as two numbers that differ by their whole range.
const WORDS_APART: f32 = 1.0;

/// Normal rows that are kept.
const MOST_KEPT: usize = 4_000;

/// Numbers are compared so many at a time before it is asked whether a point is too far already.
const STRETCH: usize = 16;

/// How a column of numbers becomes a coordinate: its logarithm, from 0 for the smallest of training
/// to 1 for the largest.
#[derive(Debug)]
struct Axis {
    column: usize,
    low: f32,
    width: f32,
}

/// Normal rows as points.
#[derive(Debug)]
pub(super) struct Space {
    /// Columns of numbers, and of words.
    axes: Vec<Axis>,
    words: Vec<usize>,
    points: Vec<f32>,
    codes: Vec<u32>,
    /// Which row of the table each point is.
    rows: Vec<u32>,
}

impl Space {
    /// Learns scales from all rows of training, and keeps a sample of the normal ones.
    pub(super) fn fit(table: &Table, all: &[u32], normal: &[u32], chance: &mut Chance) -> Self {
        let (mut axes, mut words) = (Vec::new(), Vec::new());
        for (at, column) in table.columns.iter().enumerate() {
            match &column.values {
                Values::Words { .. } => words.push(at),
                Values::Numbers(values) => axes.extend(Axis::fit(at, values, all)),
            }
        }
        let rows = some(normal, MOST_KEPT, chance);
        let mut out = Self { axes, words, points: Vec::new(), codes: Vec::new(), rows: Vec::new() };
        for row in &rows {
            let (point, codes) = out.point(table, *row);
            out.points.extend(point);
            out.codes.extend(codes);
        }
        out.rows = rows;
        out
    }

    fn point(&self, table: &Table, row: u32) -> (Vec<f32>, Vec<u32>) {
        let coordinate = |axis: &Axis| match &table.columns[axis.column].values {
            Values::Numbers(values) => axis.coordinate(values[row as usize]),
            Values::Words { .. } => 0.0,
        };
        let code = |column: &usize| match &table.columns[*column].values {
            Values::Words { codes, .. } => codes[row as usize],
            Values::Numbers(_) => 0,
        };
        (self.axes.iter().map(coordinate).collect(), self.words.iter().map(code).collect())
    }

    /// How far the nearest normal row is, and which it is.
    pub(super) fn nearest(&self, table: &Table, row: u32) -> (f32, u32) {
        let (point, codes) = self.point(table, row);
        let (numbers, words) = (self.axes.len(), self.words.len());
        let (mut best, mut which) = (f32::INFINITY, u32::MAX);
        for (at, other) in self.rows.iter().enumerate() {
            let others = &self.codes[at * words..][..words];
            let apart = codes.iter().zip(others).filter(|(a, b)| a != b).count();
            let mut sum = apart as f32 * WORDS_APART;
            let others = &self.points[at * numbers..][..numbers];
            for (mine, others) in point.chunks(STRETCH).zip(others.chunks(STRETCH)) {
                if sum >= best {
                    break;
                }
                sum += mine.iter().zip(others).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
            }
            if sum < best {
                (best, which) = (sum, *other);
            }
        }
        (if best.is_finite() { best.sqrt() } else { 0.0 }, which)
    }
}

impl Axis {
    /// Absent where all values are missing.
    fn fit(column: usize, values: &[f32], rows: &[u32]) -> Option<Self> {
        let values = rows.iter().map(|row| values[*row as usize]).filter(|value| !value.is_nan());
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for value in values.map(logarithm) {
            (low, high) = (low.min(value), high.max(value));
        }
        let width = if high > low { high - low } else { 1.0 };
        (low <= high).then_some(Self { column, low, width })
    }

    fn coordinate(&self, value: f32) -> f32 {
        // A missing value is as far from the smallest as the largest is.
        if value.is_nan() {
            return -1.0;
        }
        ((logarithm(value) - self.low) / self.width).clamp(-1.0, 2.0)
    }
}

/// The logarithm of one more than a number, with its sign.
fn logarithm(value: f32) -> f32 {
    value.clamp(f32::MIN, f32::MAX).abs().ln_1p().copysign(value)
}

/// So many of some rows at most, by chance, in their order.
pub(super) fn some(rows: &[u32], most: usize, chance: &mut Chance) -> Vec<u32> {
    let mut out = rows.to_vec();
    if rows.len() > most {
        chance.shuffle(&mut out);
        out.truncate(most);
        out.sort_unstable();
    }
    out
}
