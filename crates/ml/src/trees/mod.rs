//! Gradient-boosted decision trees: which known class a row belongs to (Friedman, 2001).
//!
//! Histograms of at most 255 bins a column, leaves split best first, second-order gain with an L2
//! penalty (Chen and Guestrin, 2016; Ke et al., 2017). Two classes give one log-odds, more give one
//! score a class under softmax. Every split is `value > threshold`, so a missing value (NaN) goes
//! where values below all others go, and may be split off from them.
//!
//! Written here, and not taken from a crate: `docs/benchmarks.md`, "Models on tables", compares
//! those that there are. Deliberately absent: regression, ranking, categories (encode them as
//! numbers first), threads.

mod bins;
mod boost;
mod explain;
mod flat;
mod grow;
mod settings;
#[cfg(test)]
mod tests;

pub use explain::Part;
pub use flat::Trees;
pub use settings::{Early, TreeError, TreeSettings};

/// Rows of one width, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: &'a [f32],
    width: usize,
}

/// More columns than this do not fit a node.
const MOST_COLUMNS: usize = u16::MAX as usize;

impl<'a> Rows<'a> {
    /// Rows of `width` columns; NaN is a missing value.
    ///
    /// # Errors
    /// When there is no column, when there are more than 65,535, or when the values do not fill the
    /// last row.
    pub const fn new(values: &'a [f32], width: usize) -> Result<Self, TreeError> {
        if width == 0 {
            return Err(TreeError::NoColumns);
        }
        if width > MOST_COLUMNS {
            return Err(TreeError::TooWide { columns: width });
        }
        if !values.len().is_multiple_of(width) {
            return Err(TreeError::Ragged { values: values.len(), width });
        }
        Ok(Self { values, width })
    }

    /// How many rows.
    pub const fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// Columns of each row.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// All rows in turn.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        self.values.chunks_exact(self.width)
    }
}

impl Trees {
    /// Learns to tell classes apart. `labels` holds one class a row, from 0 up to but not
    /// `settings.classes`; `weights`, where given, says how much each row counts. The same rows and
    /// settings give the same trees, bit for bit.
    ///
    /// # Errors
    /// When there are no rows, when lengths differ, when a label is beyond the classes, when no two
    /// classes occur, when a weight is negative or not a number, or when a setting is out of range.
    pub fn train(
        rows: Rows<'_>,
        labels: &[u32],
        weights: Option<&[f32]>,
        settings: &TreeSettings,
    ) -> Result<Self, TreeError> {
        settings.check()?;
        boost::train(rows, labels, weights, settings)
    }
}
