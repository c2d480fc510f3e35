//! Counting per window of time, and how far a count is from what was learned.

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Counts in consecutive windows of one length, with the largest seen while learning.
///
/// Windows are aligned to the first event after a pause, so that a burst is not cut in two by an
/// accident of the clock: the count is over the last one to two windows' worth of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bucket {
    /// Length of a window, in nanoseconds.
    window: i64,
    start: i64,
    count: f64,
    previous: f64,
    /// Largest count in a window while learning.
    learned_max: f64,
    /// Sum of all counts while learning.
    learned_sum: f64,
    first: i64,
    last: i64,
}

impl Bucket {
    /// Windows of so many seconds.
    pub fn new(seconds: f64) -> Self {
        Self {
            window: ((seconds * 1e9) as i64).max(1),
            start: i64::MIN,
            count: 0.0,
            previous: 0.0,
            learned_max: 0.0,
            learned_sum: 0.0,
            first: i64::MAX,
            last: i64::MIN,
        }
    }

    /// Adds to the count and returns the count of the sliding window that ends now. While
    /// `learning`, it also becomes part of what is normal.
    pub fn add(&mut self, at: Timestamp, amount: f64, learning: bool) -> f64 {
        let now = at.nanos();
        let passed = i128::from(now) - i128::from(self.start);
        if self.start == i64::MIN || passed >= 2 * i128::from(self.window) || passed < 0 {
            self.start = now;
            self.previous = 0.0;
            self.count = 0.0;
        } else if passed >= i128::from(self.window) {
            self.start += self.window;
            self.previous = self.count;
            self.count = 0.0;
        }
        self.count += amount;
        let share = (now - self.start) as f64 / self.window as f64;
        // The part of the previous window that still lies within one length of now.
        let sliding = self.count + self.previous * (1.0 - share).clamp(0.0, 1.0);
        if learning {
            self.learned_max = self.learned_max.max(sliding);
            self.learned_sum += amount;
            self.first = self.first.min(now);
            self.last = self.last.max(now);
        }
        sliding
    }

    /// Largest count of a window while learning.
    pub fn learned_max(&self) -> f64 {
        self.learned_max
    }

    /// Sum of all that was learned.
    pub fn learned_sum(&self) -> f64 {
        self.learned_sum
    }

    /// Mean count of a window over a learning time of so many seconds.
    pub fn learned_mean(&self, learning_seconds: f64) -> f64 {
        let windows = learning_seconds * 1e9 / self.window as f64;
        if windows < 1.0 { self.learned_sum } else { self.learned_sum / windows }
    }
}

/// A short and a long window of the same events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rate {
    /// The short window.
    pub short: Bucket,
    /// The long window.
    pub long: Bucket,
}

impl Rate {
    /// Windows of so many seconds.
    pub fn new(short: f64, long: f64) -> Self {
        Self { short: Bucket::new(short), long: Bucket::new(long) }
    }

    /// Adds to both, and returns both sliding counts.
    pub fn add(&mut self, at: Timestamp, amount: f64, learning: bool) -> (f64, f64) {
        (self.short.add(at, amount, learning), self.long.add(at, amount, learning))
    }
}

/// Probability of at least `count` events where `mean` are expected (Poisson), by the Chernoff
/// bound: never too small, exact enough in the tail, and without special functions.
pub fn poisson_tail(count: f64, mean: f64) -> f64 {
    let mean = mean.max(1e-9);
    if count <= mean {
        return 1.0;
    }
    (-mean + count - count * (count / mean).ln()).exp().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_seconds_f64(seconds)
    }

    #[test]
    fn a_burst_counts_whole_wherever_it_falls() {
        let mut bucket = Bucket::new(10.0);
        bucket.add(at(0.0), 1.0, true);
        let last = (0..20).map(|i| bucket.add(at(9.5 + f64::from(i) * 0.05), 1.0, true)).last();
        assert!(last.unwrap() >= 19.5, "{last:?}");
    }

    #[test]
    fn a_pause_empties_the_window() {
        let mut bucket = Bucket::new(10.0);
        bucket.add(at(0.0), 5.0, true);
        assert!((bucket.add(at(100.0), 1.0, false) - 1.0).abs() < 1e-9);
        assert!((bucket.learned_max() - 5.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn never_negative_and_never_more_than_all(times in proptest::collection::vec(-1e6_f64..1e6, 1..60)) {
            let mut bucket = Bucket::new(3.0);
            for (n, t) in times.iter().enumerate() {
                let count = bucket.add(at(*t), 1.0, n % 2 == 0);
                prop_assert!((1.0..=(n + 1) as f64 + 1e-9).contains(&count));
            }
        }

        #[test]
        fn the_tail_bound_falls_with_the_count(mean in 0.01_f64..50.0, count in 0.0_f64..200.0) {
            prop_assert!(poisson_tail(count + 1.0, mean) <= poisson_tail(count, mean));
        }
    }
}
