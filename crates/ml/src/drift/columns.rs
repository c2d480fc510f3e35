//! Drift of every column of a row.

use serde::{Deserialize, Serialize};

use super::{Adwin, Psi, Stability};
use crate::intervals::quantile;

/// Bins of each column's index.
const BINS: usize = 10;

/// What changed: a column, before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Changed {
    /// Which column.
    pub column: usize,
    /// Median in the reference.
    pub before: f32,
    /// About what the typical value is now: the reference's value at the rank that is now the mean
    /// rank. What lies outside the reference is given as its smallest or largest value.
    pub after: f32,
    /// The population stability index, where there are values enough for one.
    pub index: Option<f64>,
    /// What the rule of thumb says of it.
    pub stability: Stability,
    /// Whether the mean rank changed so suddenly or so much that ADWIN said so.
    pub sudden: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Column {
    psi: Psi,
    /// Over ranks in the reference: between 0 and 1 whatever the column's unit is.
    adwin: Adwin,
    /// Quantiles of the reference, from the smallest to the largest.
    quantiles: Vec<f32>,
    sudden: bool,
}

impl Column {
    fn rank(&self, value: f32) -> f64 {
        let below = self.quantiles.partition_point(|q| *q < value);
        let up_to = self.quantiles.partition_point(|q| *q <= value);
        (below + up_to) as f64 / (2 * self.quantiles.len()).max(1) as f64
    }
}

/// The spread of every column when a model learned, and since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// Fixes the reference. `rows` have the same width each; a shorter one has no say in the columns
    /// that it lacks. `delta` is that of [`Adwin`], divided among the columns.
    pub fn new(rows: &[&[f32]], delta: f64) -> Self {
        let width = rows.iter().map(|row| row.len()).max().unwrap_or_default();
        let column = |place: usize| {
            let mut values: Vec<f32> = rows
                .iter()
                .filter_map(|row| row.get(place))
                .copied()
                .filter(|x| !x.is_nan())
                .collect();
            values.sort_unstable_by(f32::total_cmp);
            let exact: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
            let quantiles = (0..=100).filter_map(|i| quantile(&exact, f64::from(i) / 100.0));
            Column {
                psi: Psi::new(&values, BINS),
                adwin: Adwin::new(delta / width as f64),
                quantiles: quantiles.map(|q| q as f32).collect(),
                sudden: false,
            }
        };
        Self((0..width).map(column).collect())
    }

    /// Takes a row of today.
    pub fn take(&mut self, row: &[f32]) {
        for (column, value) in self.0.iter_mut().zip(row) {
            column.psi.take(*value);
            let rank = column.rank(*value);
            column.sudden |= !value.is_nan() && column.adwin.take(rank).is_some();
        }
    }

    /// The columns that changed, the most changed first.
    pub fn changed(&self) -> Vec<Changed> {
        let state = |(place, column): (usize, &Column)| {
            let at = |rank: f64| {
                let last = column.quantiles.len().saturating_sub(1);
                column.quantiles.get((rank * last as f64).round() as usize).copied()
            };
            Some(Changed {
                column: place,
                before: at(0.5)?,
                after: at(column.adwin.mean()?)?,
                index: column.psi.index(),
                stability: column.psi.stability(),
                sudden: column.sudden,
            })
        };
        let all = self.0.iter().enumerate().filter_map(state);
        let mut changed: Vec<Changed> =
            all.filter(|c| c.sudden || c.stability >= Stability::Moved).collect();
        changed.sort_by(|a, b| b.index.unwrap_or(0.0).total_cmp(&a.index.unwrap_or(0.0)));
        changed
    }

    /// The stability index of every column, in order; `None` without values.
    pub fn indices(&self) -> Vec<(Option<f64>, Stability)> {
        self.0.iter().map(|column| (column.psi.index(), column.psi.stability())).collect()
    }

    /// Begins a new today.
    pub fn forget(&mut self) {
        for column in &mut self.0 {
            column.psi.forget();
            column.sudden = false;
        }
    }
}
