//! Rows as points, and how far a row is from the normal ones nearest to it.

use std::ops::Range;

use ml::Chance;

use crate::tables::column::{Table, Values};

/// Normal rows of a sample.
const MOST_KEPT: usize = 1_000;

/// Samples, whose distances are averaged: one large sample knows odd normal rows by heart, and a small
/// one is left to chance (Pang, Ting and Albrecht, "LeSiNN", 2015).
const SAMPLES: usize = 4;

/// Normal rows from which ranks are learned.
const MOST_RANKED: usize = 20_000;

/// The distance to this neighbour counts: one odd row among the normal ones vouches for nobody.
const NEIGHBOURS: usize = 5;

/// Numbers are compared so many at a time before it is asked whether a point is too far already.
const STRETCH: usize = 16;

/// How a number becomes a coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Its logarithm, from 0 for the smallest of training to 1 for the largest: by how much it is
    /// unusual. Two words that differ are as far apart as the smallest and the largest number.
    Range,
    /// Its rank among normal rows: how seldom it is so large. Two words that differ are half as far
    /// apart as the smallest and the largest number.
    Rank,
}

/// What is known of a column of numbers.
#[derive(Debug)]
enum Axis {
    Range { low: f32, width: f32 },
    Rank(Vec<f32>),
}

/// Normal rows as points.
#[derive(Debug)]
pub(super) struct Space {
    /// Columns of numbers, and of words.
    axes: Vec<(usize, Axis)>,
    words: Vec<usize>,
    apart: f32,
    points: Vec<f32>,
    codes: Vec<u32>,
    /// Which row of the table each point is.
    rows: Vec<u32>,
}

impl Space {
    /// Learns scales from all rows of training, or ranks from its normal ones, and keeps a sample of
    /// the normal ones.
    pub(super) fn fit(
        table: &Table,
        all: &[u32],
        normal: &[u32],
        scale: Scale,
        chance: &mut Chance,
    ) -> Self {
        let (mut axes, mut words) = (Vec::new(), Vec::new());
        for (at, column) in table.columns.iter().enumerate() {
            match &column.values {
                Values::Words { .. } => words.push(at),
                Values::Numbers(values) => {
                    let axis = match scale {
                        Scale::Range => range(values, all),
                        Scale::Rank => ranks(values, &some(normal, MOST_RANKED, chance)),
                    };
                    axes.extend(axis.map(|axis| (at, axis)));
                }
            }
        }
        let apart = match scale {
            Scale::Range => 1.0,
            Scale::Rank => 0.5,
        };
        let mut rows = some(normal, MOST_KEPT * SAMPLES, chance);
        // Samples are no stretches of the table.
        chance.shuffle(&mut rows);
        let (points, codes) = (Vec::new(), Vec::new());
        let mut out = Self { axes, words, apart, points, codes, rows: Vec::new() };
        for row in &rows {
            let (point, codes) = out.point(table, *row);
            out.points.extend(point);
            out.codes.extend(codes);
        }
        out.rows = rows;
        out
    }

    fn point(&self, table: &Table, row: u32) -> (Vec<f32>, Vec<u32>) {
        let coordinate = |(column, axis): &(usize, Axis)| match &table.columns[*column].values {
            Values::Numbers(values) => axis.coordinate(values[row as usize]),
            Values::Words { .. } => 0.0,
        };
        let code = |column: &usize| match &table.columns[*column].values {
            Values::Words { codes, .. } => codes[row as usize],
            Values::Numbers(_) => 0,
        };
        (self.axes.iter().map(coordinate).collect(), self.words.iter().map(code).collect())
    }

    /// How far the fifth nearest normal row is (the sum of differences), in the mean of all samples,
    /// and which row is the nearest.
    pub(super) fn nearest(&self, table: &Table, row: u32) -> (f32, u32) {
        let (point, codes) = self.point(table, row);
        let (mut sum, mut nearest) = (0.0, (f32::INFINITY, u32::MAX));
        let samples = self.rows.len().div_ceil(MOST_KEPT).max(1);
        for sample in 0..samples {
            let rows = sample * MOST_KEPT..self.rows.len().min((sample + 1) * MOST_KEPT);
            let best = self.among(rows, &point, &codes);
            let farthest = best.iter().rev().map(|(far, _)| *far).find(|far| far.is_finite());
            sum += farthest.unwrap_or_default();
            if best[0].0 < nearest.0 {
                nearest = best[0];
            }
        }
        (sum / samples as f32, nearest.1)
    }

    /// The nearest of some points, the nearest first.
    fn among(&self, rows: Range<usize>, point: &[f32], codes: &[u32]) -> [(f32, u32); NEIGHBOURS] {
        let (numbers, words) = (self.axes.len(), self.words.len());
        let mut best = [(f32::INFINITY, u32::MAX); NEIGHBOURS];
        for at in rows {
            let bar = best[NEIGHBOURS - 1].0;
            let others = &self.codes[at * words..][..words];
            let differ = codes.iter().zip(others).filter(|(a, b)| a != b).count();
            let mut sum = differ as f32 * self.apart;
            let others = &self.points[at * numbers..][..numbers];
            for (mine, others) in point.chunks(STRETCH).zip(others.chunks(STRETCH)) {
                if sum >= bar {
                    break;
                }
                sum += mine.iter().zip(others).map(|(a, b)| (a - b).abs()).sum::<f32>();
            }
            if sum < bar {
                let place = best.partition_point(|(known, _)| *known <= sum);
                best[place..].rotate_right(1);
                best[place] = (sum, self.rows[at]);
            }
        }
        best
    }
}

impl Axis {
    fn coordinate(&self, value: f32) -> f32 {
        match self {
            // A missing value is as far from the smallest as the largest is.
            _ if value.is_nan() => -1.0,
            Self::Range { low, width } => ((logarithm(value) - low) / width).clamp(-1.0, 2.0),
            Self::Rank(sorted) => {
                let below = sorted.partition_point(|other| *other < value);
                let upto = sorted.partition_point(|other| *other <= value);
                (below + upto) as f32 / (2 * sorted.len()) as f32
            }
        }
    }
}

/// The logarithm of one more than a number, with its sign.
fn logarithm(value: f32) -> f32 {
    value.clamp(f32::MIN, f32::MAX).abs().ln_1p().copysign(value)
}

/// Absent where all values are missing.
fn range(values: &[f32], rows: &[u32]) -> Option<Axis> {
    let values = rows.iter().map(|row| values[*row as usize]).filter(|value| !value.is_nan());
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for value in values.map(logarithm) {
        (low, high) = (low.min(value), high.max(value));
    }
    let width = if high > low { high - low } else { 1.0 };
    (low <= high).then_some(Axis::Range { low, width })
}

/// Absent where all values are missing.
fn ranks(values: &[f32], rows: &[u32]) -> Option<Axis> {
    let values = rows.iter().map(|row| values[*row as usize]).filter(|value| !value.is_nan());
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_unstable_by(f32::total_cmp);
    (!sorted.is_empty()).then_some(Axis::Rank(sorted))
}

/// So many of some rows at most, by chance, in their order.
fn some(rows: &[u32], most: usize, chance: &mut Chance) -> Vec<u32> {
    let mut out = rows.to_vec();
    if rows.len() > most {
        chance.shuffle(&mut out);
        out.truncate(most);
        out.sort_unstable();
    }
    out
}
