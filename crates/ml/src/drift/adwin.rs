//! ADWIN: a window that is as long as nothing changes (Bifet and Gavalda, 2007).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Buckets of one size before two of them become one of twice the size.
const EACH: usize = 5;
/// Sizes of buckets: windows of up to 5 * 2^32 numbers. The oldest are dropped beyond.
const SIZES: usize = 32;
/// A cut is looked for after so many numbers: looking is what costs.
const EVERY: u64 = 32;
/// Shortest part of the window that is compared with the rest.
const SHORTEST: f64 = 16.0;

/// A change of the mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Mean before.
    pub before: f64,
    /// Mean after.
    pub after: f64,
    /// Over how many numbers the mean after was taken: about how long ago the change was.
    pub numbers: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Bucket {
    sum: f64,
    /// Sum of squared distances from the bucket's mean.
    spread: f64,
}

/// The window, in buckets whose sizes double with age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adwin {
    delta: f64,
    taken: u64,
    /// Of each size, newest first; `sizes[i]` has buckets of 2^i numbers.
    sizes: Vec<VecDeque<Bucket>>,
}

impl Adwin {
    /// Says "changed" of a stream that did not with probability `delta` at most at each look; over a
    /// whole stream, in simulation, with far less. Numbers are between 0 and 1.
    pub fn new(delta: f64) -> Self {
        Self { delta: delta.clamp(1e-12, 1.0), taken: 0, sizes: Vec::new() }
    }

    /// Takes the next number; what lies outside 0 to 1 is put at the nearer end, and what is no
    /// number is not taken. After a change the window keeps only what came after it.
    pub fn take(&mut self, number: f64) -> Option<Change> {
        if number.is_nan() {
            return None;
        }
        self.taken = self.taken.wrapping_add(1);
        self.insert(Bucket { sum: number.clamp(0.0, 1.0), spread: 0.0 });
        if !self.taken.is_multiple_of(EVERY) {
            return None;
        }
        let mut change: Option<Change> = None;
        // After a cut there may be another within what is left.
        while let Some(found) = self.cut() {
            change = Some(Change { before: change.map_or(found.before, |c| c.before), ..found });
        }
        change
    }

    fn insert(&mut self, bucket: Bucket) {
        let mut carried = Some(bucket);
        for size in 0..SIZES {
            let Some(bucket) = carried.take() else { return };
            if self.sizes.len() <= size {
                self.sizes.push(VecDeque::new());
            }
            let row = &mut self.sizes[size];
            row.push_front(bucket);
            if row.len() > EACH {
                carried = row.pop_back().zip(row.pop_back()).map(|(a, b)| {
                    let n = f64::powi(2.0, size as i32);
                    let apart = (a.sum - b.sum) / n;
                    let spread = a.spread + b.spread + n / 2.0 * apart * apart;
                    Bucket { sum: a.sum + b.sum, spread }
                });
            }
        }
    }

    /// Looks for the newest place where old and new differ by more than chance allows, and drops
    /// what is older.
    fn cut(&mut self) -> Option<Change> {
        let whole = self.total();
        if whole.n < 2.0 * SHORTEST {
            return None;
        }
        let variance = (whole.spread / whole.n).max(0.0);
        let confidence = (2.0 * whole.n.ln() / self.delta).ln();
        let mut new = Total::default();
        for (size, row) in self.sizes.iter().enumerate() {
            for (place, bucket) in row.iter().enumerate() {
                new.add(f64::powi(2.0, size as i32), bucket);
                let old_n = whole.n - new.n;
                if new.n < SHORTEST || old_n < SHORTEST {
                    continue;
                }
                let (before, after) = ((whole.sum - new.sum) / old_n, new.sum / new.n);
                let each = 1.0 / (1.0 / old_n + 1.0 / new.n);
                let chance =
                    (2.0 / each * variance * confidence).sqrt() + 2.0 / 3.0 / each * confidence;
                if (before - after).abs() > chance {
                    let change = Change { before, after, numbers: new.n as u64 };
                    self.sizes[size].truncate(place + 1);
                    self.sizes.truncate(size + 1);
                    return Some(change);
                }
            }
        }
        None
    }

    fn total(&self) -> Total {
        let mut total = Total::default();
        for (size, row) in self.sizes.iter().enumerate() {
            row.iter().for_each(|bucket| total.add(f64::powi(2.0, size as i32), bucket));
        }
        total
    }

    /// Mean of the window; `None` while it is empty.
    pub fn mean(&self) -> Option<f64> {
        let total = self.total();
        (total.n > 0.0).then(|| total.sum / total.n)
    }

    /// How many numbers the window has.
    pub fn len(&self) -> u64 {
        self.total().n as u64
    }

    /// Whether the window is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Clone, Copy, Default)]
struct Total {
    n: f64,
    sum: f64,
    spread: f64,
}

impl Total {
    /// Adds a bucket of `n` numbers, its spread about the common mean.
    fn add(&mut self, n: f64, bucket: &Bucket) {
        if self.n > 0.0 {
            let apart = bucket.sum / n - self.sum / self.n;
            self.spread += apart * apart * n * self.n / (n + self.n);
        }
        self.spread += bucket.spread;
        self.sum += bucket.sum;
        self.n += n;
    }
}
