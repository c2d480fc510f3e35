//! How many new devices may appear on the word of one packet: a token bucket on the capture's own
//! clock. A flood of made-up senders empties it; what was answered does not need it.

use model::time::Timestamp;

/// A bucket of permits.
#[derive(Debug)]
pub(crate) struct Budget {
    level: f64,
    burst: f64,
    per_second: f64,
    at: Option<Timestamp>,
    refused: u64,
}

impl Budget {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let burst = f64::from(burst);
        Self { level: burst, burst, per_second: f64::from(per_second), at: None, refused: 0 }
    }

    /// Takes a permit, or counts a refusal.
    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        let since = self.at.map_or(0.0, |at| now.seconds_since(at).max(0.0));
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
        self.level = (self.level + since * self.per_second).min(self.burst);
        if self.level < 1.0 {
            self.refused = self.refused.saturating_add(1);
            return false;
        }
        self.level -= 1.0;
        true
    }

    /// How often there was no permit.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_held_and_counted() {
        let mut budget = Budget::new(20, 256);
        let let_in =
            (0..100_000_i64).filter(|n| budget.take(Timestamp::from_nanos(n * 100_000))).count();
        assert!((256..=256 + 10 * 20 + 1).contains(&let_in), "{let_in}");
        assert_eq!(budget.refused(), 100_000 - let_in as u64);
    }

    #[test]
    fn a_clock_that_steps_back_fills_nothing() {
        let mut budget = Budget::new(10, 1);
        assert!(budget.take(Timestamp::from_parts(1_000, 0)));
        assert!(!budget.take(Timestamp::from_parts(0, 0)));
        assert!(!budget.take(Timestamp::from_parts(1_000, 0)));
        assert!(budget.take(Timestamp::from_parts(1_001, 0)));
    }
}
