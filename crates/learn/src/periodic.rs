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
    fn one_missed_beat_does_not_hide_a_beacon() {
        assert!(jitter((0..14).filter(|n| *n != 6).map(|n| f64::from(n) * 5.0)) < 0.1);
    }
}
