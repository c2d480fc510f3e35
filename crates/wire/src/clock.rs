//! The engine's own time, driven by the times of packets.
//!
//! It only ever goes forward. A clock that steps back by more than a little is followed from there
//! on, so that one packet from the future does not stop all timers for good; a jump forward counts
//! as at most a little more than the longest timeout, so that a bad clock cannot use up the range.

use model::time::Timestamp;

/// Steps back up to this are disorder between packets, and are waited out.
const DISORDER_NANOS: i64 = 10_000_000_000;

/// Microseconds since the first packet, as timers count them.
pub(crate) type Micros = u64;

/// Engine time, and the capture time that belongs to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    now: Micros,
    /// Capture time in nanoseconds at `now`; none before the first packet.
    base: Option<i64>,
    longest_jump: Micros,
}

/// A stretch of engine time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    from: Micros,
    base: i64,
    pub(crate) to: Micros,
}

impl Span {
    /// The capture time of a point in the stretch.
    pub(crate) fn capture_time(self, at: Micros) -> Timestamp {
        let nanos = at.saturating_sub(self.from).saturating_mul(1_000);
        Timestamp::from_nanos(self.base.saturating_add_unsigned(nanos))
    }
}

impl Clock {
    pub(crate) const fn new(longest_jump: Micros) -> Self {
        Self { now: 0, base: None, longest_jump }
    }

    pub(crate) const fn now(&self) -> Micros {
        self.now
    }

    /// Capture time as last seen.
    pub(crate) fn capture_now(&self) -> Timestamp {
        Timestamp::from_nanos(self.base.unwrap_or(0))
    }

    /// Follows a packet's time; the stretch that was passed over.
    #[inline]
    pub(crate) fn advance(&mut self, at: Timestamp) -> Span {
        let base = self.base.unwrap_or(at.nanos());
        let span = Span { from: self.now, base, to: self.now };
        let step = at.nanos().saturating_sub(base);
        if step > 0 {
            // What is left over below a microsecond is not lost: the base moves by whole ones.
            let micros = step.cast_unsigned() / 1_000;
            if micros <= self.longest_jump {
                self.now = self.now.saturating_add(micros);
                self.base = Some(base.saturating_add_unsigned(micros.saturating_mul(1_000)));
            } else {
                self.now = self.now.saturating_add(self.longest_jump);
                self.base = Some(at.nanos());
            }
        } else if step < -DISORDER_NANOS || self.base.is_none() {
            self.base = Some(at.nanos());
        }
        Span { to: self.now, ..span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_packet_from_the_future_does_not_stop_timers_for_good() {
        let mut clock = Clock::new(3_600_000_000);
        let at = |seconds| Timestamp::from_parts(seconds, 0);
        clock.advance(at(1_000));
        clock.advance(at(4_000_000_000));
        let before = clock.now();
        assert_eq!(before, 3_600_000_000);
        clock.advance(at(1_001));
        clock.advance(at(1_031));
        assert_eq!(clock.now() - before, 30_000_000);
        assert_eq!(clock.capture_now(), at(1_031));
    }

    #[test]
    fn disorder_between_packets_makes_no_time() {
        let mut clock = Clock::new(3_600_000_000);
        for round in 0..1_000_i64 {
            clock.advance(Timestamp::from_nanos(round % 2 * 5_000_000));
        }
        assert_eq!(clock.now(), 5_000);
    }

    proptest! {
        #[test]
        fn never_goes_back(times: Vec<i64>) {
            let mut clock = Clock::new(3_600_000_000);
            for nanos in times {
                let before = clock.now();
                let span = clock.advance(Timestamp::from_nanos(nanos));
                prop_assert!(span.to >= before && span.to - before <= 3_600_000_000);
            }
        }

        #[test]
        fn capture_time_of_a_steady_clock_is_exact_to_the_microsecond(steps in proptest::collection::vec(0_i64..50_000_000, 1..50)) {
            let mut clock = Clock::new(3_600_000_000);
            let mut nanos = 1_700_000_000_000_000_000;
            clock.advance(Timestamp::from_nanos(nanos));
            for step in steps {
                nanos += step;
                let span = clock.advance(Timestamp::from_nanos(nanos));
                let shown = span.capture_time(span.to).nanos();
                prop_assert!((0..1_000).contains(&(nanos - shown)));
            }
        }
    }
}
