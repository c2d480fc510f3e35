//! What is known of each column of the rows that were learned: mean, spread, range.
//!
//! A number that is not finite is absent: it teaches nothing, and whoever scores the row takes what
//! is expected in its place. Numbers beyond 1e18 count as 1e18, so that sums of squares of a scaled
//! row stay finite.

use serde::{Deserialize, Serialize};

/// The widest row that models take; columns beyond it are not looked at.
pub const MAX_COLUMNS: usize = 512;

/// The largest number told from larger ones.
const FAR: f32 = 1e18;

/// The number of a row's column, none where it is absent.
pub fn value(row: &[f32], column: usize) -> Option<f32> {
    row.get(column).filter(|x| x.is_finite()).map(|x| x.clamp(-FAR, FAR))
}

/// Running mean, variance and range of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    count: u64,
    mean: f64,
    variance: f64,
    low: f32,
    high: f32,
}

impl Column {
    /// Takes a number. Beyond `horizon` numbers, mean and variance forget old ones at the rate of
    /// 1 / `horizon` (West, 1979, with a weight that stops falling); the range never shrinks.
    pub fn learn(&mut self, x: f32, horizon: u64) {
        if self.count == 0 {
            (self.low, self.high) = (x, x);
        }
        self.low = self.low.min(x);
        self.high = self.high.max(x);
        self.count = self.count.saturating_add(1);
        let rate = 1.0 / self.count.min(horizon.max(1)) as f64;
        let off = f64::from(x) - self.mean;
        self.mean += rate * off;
        self.variance = (1.0 - rate) * (self.variance + rate * off * off);
    }

    /// How many numbers were taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The mean; 0 before the first number.
    pub const fn mean(&self) -> f32 {
        self.mean as f32
    }

    /// The standard deviation, but at least a ten-thousandth of the mean, and never 0: a column
    /// that was always the same says much when it changes, but not infinitely much.
    pub fn spread(&self) -> f32 {
        self.variance.sqrt().max(1e-4 * self.mean.abs()).max(1e-9) as f32
    }

    /// The smallest and the largest number.
    pub const fn range(&self) -> (f32, f32) {
        (self.low, self.high)
    }
}

/// What is known of all columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    columns: Vec<Column>,
    horizon: u64,
}

impl Columns {
    /// Of rows of this width, at most [`MAX_COLUMNS`], with memory of about `horizon` rows.
    pub fn new(width: usize, horizon: u64) -> Self {
        Self { columns: vec![Column::default(); width.min(MAX_COLUMNS)], horizon }
    }

    /// How many columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Takes a row.
    pub fn learn(&mut self, row: &[f32]) {
        for (place, column) in self.columns.iter_mut().enumerate() {
            if let Some(x) = value(row, place) {
                column.learn(x, self.horizon);
            }
        }
    }

    /// One column.
    pub fn column(&self, place: usize) -> Option<&Column> {
        self.columns.get(place)
    }

    /// All columns, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_are_those_of_the_numbers_and_what_is_not_finite_teaches_nothing() {
        let mut columns = Columns::new(2, u64::MAX);
        for x in [2.0, f32::NAN, 4.0, 4.0, f32::INFINITY, 4.0, 5.0, 5.0, 7.0, 9.0] {
            columns.learn(&[x, 1.0]);
        }
        let column = columns.column(0).unwrap();
        assert_eq!((column.mean(), column.spread(), column.range()), (5.0, 2.0, (2.0, 9.0)));
        assert_eq!((column.count(), columns.column(1).unwrap().spread()), (8, 1e-4));
    }

    #[test]
    fn a_short_horizon_follows_a_change_that_a_long_one_averages_away() {
        let (mut short, mut long) = (Column::default(), Column::default());
        for n in 0..1_000 {
            let x = if n < 900 { 0.0 } else { 10.0 };
            short.learn(x, 20);
            long.learn(x, u64::MAX);
        }
        assert!(short.mean() > 9.9 && (long.mean() - 1.0).abs() < 1e-3);
    }

    #[test]
    fn numbers_of_any_size_leave_everything_finite() {
        let mut columns = Columns::new(1, 100);
        for x in [f32::MAX, f32::MIN, f32::MIN_POSITIVE, 0.0] {
            columns.learn(&[x]);
        }
        let column = columns.column(0).unwrap();
        assert!(column.mean().is_finite() && column.spread().is_finite());
    }
}
