//! How regular a series of events is.

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Most intervals that are kept.
const KEPT: usize = 24;

/// The last intervals between events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Intervals {
    last: Option<i64>,
    /// Seconds, the latest last.
    kept: Vec<f32>,
    events: u64,
}

impl Intervals {
    /// Takes one more event. Events within `merge` seconds of the last count as one (a page with its
    /// pictures, a retry).
    pub fn add(&mut self, at: Timestamp, merge: f64) {
        if let Some(last) = self.last {
            let seconds = at.seconds_since(Timestamp::from_nanos(last));
            if seconds < merge {
                return;
            }
            if self.kept.len() == KEPT {
                self.kept.remove(0);
            }
            self.kept.push(seconds as f32);
        }
        self.last = Some(at.nanos());
        self.events += 1;
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Median interval in seconds, where there are at least three.
    pub fn median(&self) -> Option<f64> {
        if self.kept.len() < 3 {
            return None;
        }
        let mut sorted = self.kept.clone();
        sorted.sort_by(f32::total_cmp);
        Some(f64::from(sorted[sorted.len() / 2]))
    }

    /// Median absolute deviation from the median, over the median: 0 for a clock, about 0.25 for a
    /// beacon with 50 % jitter either way, about 0.7 for events by chance. Robust to single misses.
    pub fn jitter(&self) -> Option<f64> {
        let median = self.median()?;
        if median <= 0.0 {
            return None;
        }
        let mut off: Vec<f64> =
            self.kept.iter().map(|interval| (f64::from(*interval) - median).abs()).collect();
        off.sort_by(f64::total_cmp);
        Some(off[off.len() / 2] / median)
    }

    /// How probable intervals as alike as these are by chance (exponential, as calls of people
    /// are): the best of three tolerances about the median, times three for having looked thrice.
    pub fn by_chance(&self) -> Option<f64> {
        let median = self.median()?;
        if median <= 0.0 {
            return None;
        }
        // One interval is the median itself and proves nothing.
        let others = self.kept.len() - 1;
        let p = TOLERANCES.into_iter().map(|tolerance| {
            let near = |interval: &&f32| (f64::from(**interval) / median - 1.0).abs() <= tolerance;
            let alike = self.kept.iter().filter(near).count().saturating_sub(1);
            let one = 0.5_f64.powf(1.0 - tolerance) - 0.5_f64.powf(1.0 + tolerance);
            binomial_tail(others, alike, one)
        });
        Some((p.fold(1.0, f64::min) * TOLERANCES.len() as f64).min(1.0))
    }
}

/// How far from the median an interval may be, as a part of it.
const TOLERANCES: [f64; 3] = [0.05, 0.15, 0.35];

/// Probability of at least `hits` of `n` where each hits with probability `p`.
fn binomial_tail(n: usize, hits: usize, p: f64) -> f64 {
    let mut choose = 1.0;
    let mut sum = 0.0;
    for k in 0..=n {
        if k > 0 {
            choose *= (n - k + 1) as f64 / k as f64;
        }
        if k >= hits {
            sum += choose * p.powf(k as f64) * (1.0 - p).powf((n - k) as f64);
        }
    }
    sum.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jitter(times: impl Iterator<Item = f64>) -> f64 {
        let mut intervals = Intervals::default();
        times.for_each(|t| intervals.add(Timestamp::from_seconds_f64(t), 0.5));
        intervals.jitter().unwrap()
    }

    #[test]
    fn a_clock_is_regular_and_chance_is_not() {
        assert!(jitter((0..12).map(|n| f64::from(n) * 5.0)) < 0.01);
        // Exponential intervals by a small generator.
        let (mut state, mut now) = (7_u64, 0.0);
        let chance = (0..25).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += 0.6 - (((state >> 33) as f64 + 1.0) / (1_u64 << 31) as f64).ln() * 5.0;
            now
        });
        assert!(jitter(chance) > 0.4);
    }

    #[test]
    fn regular_calls_are_improbable_and_a_few_by_chance_are_not() {
        let p = |times: &[f64]| {
            let mut intervals = Intervals::default();
            times.iter().for_each(|t| intervals.add(Timestamp::from_seconds_f64(*t), 0.5));
            intervals.by_chance().unwrap()
        };
        assert!(p(&[0.0, 5.0, 10.1, 15.0, 20.1, 25.0]) < 1e-3);
        assert!(p(&[0.0, 5.0, 10.1, 20.1, 25.0, 30.0]) < 1e-2, "one missed");
        assert!(p(&[0.0, 100.0, 290.0, 330.0, 450.0]) > 0.05);
        assert!((binomial_tail(3, 0, 0.2) - 1.0).abs() < 1e-12);
        assert!((binomial_tail(2, 2, 0.5) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn one_missed_beat_does_not_hide_a_beacon() {
        assert!(jitter((0..14).filter(|n| *n != 6).map(|n| f64::from(n) * 5.0)) < 0.1);
    }
}
