//! A point in time that a wrong clock cannot move.
//!
//! Nothing in this crate reads a clock: whoever calls says what time it is, twice. The wall clock is
//! for people and for what outlives a restart; durations are measured by the time since boot, which
//! nobody can set.

use std::time::Duration;

use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Now, by two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Wall clock.
    pub wall: Timestamp,
    /// Time since boot, suspended time included (`CLOCK_BOOTTIME`), in nanoseconds.
    pub up: u64,
    /// Which boot: times since boot of different boots do not compare.
    pub boot: u64,
}

impl Moment {
    /// How long ago `earlier` was, as far as can be told for certain: the time since boot decides
    /// within one boot; across boots, the wall clock, and a wall clock that went back says
    /// [`Duration::MAX`], so that whatever waits for time to pass is over.
    pub fn since(self, earlier: Self) -> Duration {
        if self.boot == earlier.boot {
            return Duration::from_nanos(self.up.saturating_sub(earlier.up));
        }
        if self.wall < earlier.wall { Duration::MAX } else { self.wall.since(earlier.wall) }
    }

    /// Whether `earlier` may be no longer ago than `window`: for limits that count what happened
    /// lately. Where clocks cannot tell, it was lately, so that no limit is forgotten: across a
    /// restart of the machine, until it has been up for as long as that.
    pub fn is_within(self, window: Duration, earlier: Self) -> bool {
        let nanos = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        if self.boot == earlier.boot {
            return self.up.saturating_sub(earlier.up) <= nanos;
        }
        self.up <= nanos || self.wall < earlier.wall || self.wall.since(earlier.wall) <= window
    }

    /// This moment, later by `by`, by both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        Self { wall: self.wall.plus(by), up: self.up.saturating_add(nanos), boot: self.boot }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(wall: i64, up: u64, boot: u64) -> Moment {
        let up = up * 1_000_000_000;
        Moment { wall: Timestamp::from_parts(wall, 0), up, boot }
    }

    #[test]
    fn a_wall_clock_that_jumps_changes_no_duration_within_a_boot() {
        assert_eq!(at(1_000_000, 90, 1).since(at(2_000_000, 30, 1)), MINUTE);
        assert_eq!(at(9_000_000, 90, 1).since(at(2_000_000, 30, 1)), MINUTE);
    }

    #[test]
    fn after_a_restart_with_a_clock_that_went_back_waiting_is_over_and_limits_still_count() {
        let (before, after) = (at(2_000_000, 500, 1), at(1_000_000, 3, 2));
        assert_eq!(after.since(before), Duration::MAX);
        assert!(after.is_within(MINUTE, before));
        assert_eq!(at(2_000_060, 3, 2).since(before), MINUTE);
        assert!(at(9_000_000, 3, 2).is_within(MINUTE, before), "a clock that leapt proves nothing");
        assert!(!at(2_000_061, 61, 2).is_within(MINUTE, before));
    }
}
