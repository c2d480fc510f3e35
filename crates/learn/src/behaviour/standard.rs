//! Rows in units of what is usual: for the device where enough is known of it, else for its class,
//! else for the whole site.
//!
//! Ten packets more are nothing for an archive and a great deal for a pump. So every column is put in
//! standard deviations from the device's own mean. A device that has shown little borrows: its mean
//! and variance are those of its class, mixed with its own in proportion to what it has shown
//! (empirical Bayes; the weight is n / (n + n0)). So does a class from the site, and a site from what
//! was learned elsewhere, where it was given that.

use serde::{Deserialize, Serialize};

use crate::features::{Family, Row, TABLE, WIDTH};

/// Mean and variance of each column, over about the last so many rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    rows: f32,
    mean: Vec<f32>,
    variance: Vec<f32>,
}

impl Default for Moments {
    fn default() -> Self {
        Self { rows: 0.0, mean: vec![0.0; WIDTH], variance: vec![0.0; WIDTH] }
    }
}

/// Rows after which older ones begin to fade: of a device (about five and a half hours of activity),
/// and of a class or a site.
pub(super) const OF_DEVICE: f32 = 2_000.0;
pub(super) const OF_MANY: f32 = 20_000.0;

/// Rows of its own that count as much as what is borrowed.
const BORROWED_BY_DEVICE: f32 = 20.0;
const BORROWED_BY_CLASS: f32 = 50.0;
const BORROWED_BY_SITE: f32 = 200.0;

/// Less than usual says less than more than usual: devices are switched off, nights are quiet.
const LESS: f32 = 0.4;
/// Beyond so many standard deviations it hardly matters how many.
const FAR: f32 = 6.0;

impl Moments {
    /// Takes a row. `reach` is after how many rows older ones fade.
    pub fn learn(&mut self, row: &[f32], reach: f32) {
        self.rows = (self.rows + 1.0).min(reach);
        let share = 1.0 / self.rows;
        for ((value, mean), variance) in row.iter().zip(&mut self.mean).zip(&mut self.variance) {
            let off = value - *mean;
            *mean += share * off;
            *variance = (1.0 - share) * (*variance + share * off * off);
        }
    }

    /// How many rows it stands on, at most its reach.
    pub fn rows(&self) -> f32 {
        self.rows
    }

    /// Mean of each column.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Standard deviation of a column.
    pub(super) fn deviation(&self, column: usize) -> f32 {
        self.variance[column].sqrt()
    }

    /// Whether it is of this table of features.
    pub fn fits(&self) -> bool {
        self.mean.len() == WIDTH && self.variance.len() == WIDTH
    }

    /// Mixes what is usual into what is borrowed: the less of its own there is, the less.
    fn over(&self, borrowed: &mut Self, weight: f32) {
        let own = self.rows / (self.rows + weight);
        borrowed.rows = self.rows;
        let theirs = borrowed.mean.iter_mut().zip(&mut borrowed.variance);
        for ((own_mean, own_variance), (mean, variance)) in
            self.mean.iter().zip(&self.variance).zip(theirs)
        {
            let mixed = own * own_mean + (1.0 - own) * *mean;
            let part = |mean: f32, variance: f32| {
                let off = mean - mixed;
                variance + off * off
            };
            *variance = own * part(*own_mean, *own_variance) + (1.0 - own) * part(*mean, *variance);
            *mean = mixed;
        }
    }
}

/// What is usual for a device: [`standardise`] puts rows in its units.
pub(super) struct Usual(Moments);

impl Usual {
    pub(super) fn new(
        device: &Moments,
        class: &Moments,
        site: &Moments,
        elsewhere: Option<&Moments>,
    ) -> Self {
        let mut usual = elsewhere.unwrap_or(site).clone();
        if elsewhere.is_some() {
            site.over(&mut usual, BORROWED_BY_SITE);
        }
        class.over(&mut usual, BORROWED_BY_CLASS);
        device.over(&mut usual, BORROWED_BY_DEVICE);
        Self(usual)
    }

    /// The row in standard deviations.
    pub(super) fn standardise(&self, row: &Row) -> Row {
        let mut out = [0.0; WIDTH];
        for (column, feature) in TABLE.iter().enumerate() {
            let floor = feature.floor * feature.floor;
            let deviation = (self.0.variance[column] + floor).sqrt();
            let off = (row[column] - self.0.mean[column]) / deviation;
            let off = if off < 0.0 { off * LESS } else { off };
            let size = off.abs();
            out[column] =
                if size > FAR { off.signum() * (FAR + FAR / 2.0 * (size / FAR).ln()) } else { off };
        }
        out
    }

    /// The mean of a column.
    pub(super) fn mean(&self, column: usize) -> f32 {
        self.0.mean[column]
    }
}

/// A row as it is learned while a device settles in: then everything about it is news, which is not
/// what is usual for it.
pub(super) fn settled(row: &Row, settling: bool) -> Row {
    let mut out = *row;
    if settling {
        for (value, feature) in out.iter_mut().zip(TABLE) {
            if feature.family == Family::News {
                *value = 0.0;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(value: f32, rows: usize) -> Moments {
        let mut moments = Moments::default();
        (0..rows).for_each(|at| moments.learn(&[value + (at % 2) as f32; WIDTH], 1e9));
        moments
    }

    #[test]
    fn moments_are_those_of_the_rows() {
        let moments = learned(3.0, 100);
        assert!((moments.mean[0] - 3.5).abs() < 1e-4);
        assert!((moments.variance[0] - 0.25).abs() < 1e-3);
    }

    #[test]
    fn a_device_of_which_little_is_known_is_judged_by_its_class_and_later_by_itself() {
        let class = learned(10.0, 5_000);
        let row = [10.5; WIDTH];
        let new = Usual::new(&Moments::default(), &class, &class, None).standardise(&row);
        assert!(new[0].abs() < 0.1, "{}", new[0]);
        let other = learned(2.0, 2_000);
        let known = Usual::new(&other, &class, &class, None).standardise(&row);
        assert!(known[0] > 6.0, "{}", known[0]);
    }

    #[test]
    fn nothing_known_gives_finite_numbers() {
        let none = Moments::default();
        let out = Usual::new(&none, &none, &none, None).standardise(&[1e9; WIDTH]);
        assert!(out.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn what_was_usual_long_ago_fades() {
        let mut moments = learned(100.0, 50);
        (0..2_000).for_each(|_| moments.learn(&[0.0; WIDTH], 100.0));
        assert!(moments.mean[0].abs() < 0.1);
    }
}
