//! The clock of a pcapng interface: what one tick is worth, and where it starts.
//!
//! if_tsresol is any negative power of ten or of two down to 10^-127 and 2^-127; times are 64-bit
//! counts of such ticks (draft-ietf-opsawg-pcapng, 4.2). Whatever they claim, the result is a
//! [`Timestamp`], held at the ends of its range.

use model::Timestamp;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// How ticks become nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tick {
    /// A tick is so many nanoseconds.
    Nanos(u64),
    /// So many ticks are one nanosecond.
    PerNano(u128),
    /// Two to this power of ticks are one second.
    Binary(u32),
}

/// The clock of an interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    tick: Tick,
    /// Nanoseconds to add (if_tsoffset).
    offset: i128,
}

impl Default for Clock {
    /// Microseconds since the epoch.
    fn default() -> Self {
        Self { tick: Tick::Nanos(1_000), offset: 0 }
    }
}

impl Clock {
    /// Takes the value of an if_tsresol option.
    pub(crate) fn set_resolution(&mut self, value: u8) {
        let power = u32::from(value & 0x7f);
        self.tick = if value & 0x80 != 0 {
            Tick::Binary(power)
        } else if power <= 9 {
            Tick::Nanos(10_u64.pow(9 - power))
        } else {
            // Past 10^-47 even the largest count of ticks is no nanosecond; u128 holds 10^38.
            Tick::PerNano(10_u128.checked_pow(power - 9).unwrap_or(u128::MAX))
        };
    }

    /// Takes the value of an if_tsoffset option, in seconds.
    pub(crate) fn set_offset(&mut self, seconds: i64) {
        self.offset = i128::from(seconds) * i128::from(NANOS_PER_SECOND);
    }

    /// The time of a count of ticks.
    #[inline]
    pub(crate) fn time(&self, ticks: u64) -> Timestamp {
        if let Tick::Nanos(nanos) = self.tick
            && self.offset == 0
            && let Some(total) = ticks.checked_mul(nanos)
            && let Ok(total) = i64::try_from(total)
        {
            return Timestamp::from_nanos(total);
        }
        self.rare_time(ticks)
    }

    #[cold]
    fn rare_time(&self, ticks: u64) -> Timestamp {
        // None of these leaves 128 bits: a product of 64 bits and 30 bits is the largest.
        let nanos = match self.tick {
            Tick::Nanos(nanos) => u128::from(ticks) * u128::from(nanos),
            Tick::PerNano(ticks_per_nano) => u128::from(ticks) / ticks_per_nano,
            Tick::Binary(power) => (u128::from(ticks) * u128::from(NANOS_PER_SECOND)) >> power,
        };
        let total = i128::try_from(nanos).unwrap_or(i128::MAX).saturating_add(self.offset);
        let held = total.clamp(i64::MIN.into(), i64::MAX.into());
        Timestamp::from_nanos(i64::try_from(held).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(resolution: u8, offset: i64, ticks: u64) -> i64 {
        let mut clock = Clock::default();
        clock.set_resolution(resolution);
        clock.set_offset(offset);
        clock.time(ticks).nanos()
    }

    #[test]
    fn powers_of_ten_and_two_become_nanoseconds() {
        assert_eq!(Clock::default().time(1_500_000).nanos(), 1_500_000_000);
        assert_eq!(time(0, 0, 3), 3_000_000_000);
        assert_eq!(time(6, 0, 7), 7_000);
        assert_eq!(time(9, 0, 7), 7);
        assert_eq!(time(12, 0, 7_999), 7);
        assert_eq!(time(0x80, 0, 3), 3_000_000_000);
        assert_eq!(time(0x80 | 10, 0, 1_536), 1_500_000_000);
        assert_eq!(time(0x80 | 32, 0, 1 << 31), 500_000_000);
    }

    #[test]
    fn offsets_move_the_epoch_both_ways() {
        assert_eq!(time(6, 100, 1), 100_000_001_000);
        assert_eq!(time(6, -100, 1), -99_999_999_000);
    }

    #[test]
    fn no_claim_leaves_the_range_of_a_timestamp() {
        for resolution in 0..=u8::MAX {
            for offset in [i64::MIN, -1, 0, i64::MAX] {
                for ticks in [0, 1, u64::MAX / 1_000, u64::MAX] {
                    time(resolution, offset, ticks);
                }
            }
        }
        assert_eq!(time(0, 0, u64::MAX), i64::MAX);
        assert_eq!(time(127, i64::MIN, 0), i64::MIN);
        assert_eq!(time(127, 0, u64::MAX), 0);
    }
}
