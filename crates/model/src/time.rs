//! Points in time, as data.
//!
//! Wardwatch never asks the machine what time it is while it analyses: time comes with packets and
//! log lines. A [`Timestamp`] is a count of nanoseconds, cheap to copy and compare; text is only
//! made at the edges.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, from the year 1677 to 2262.
///
/// Its text form is RFC 3339 in UTC with microseconds, as `spec/interface` asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest time that can be held; sorts before everything a sensor sees.
    pub const MIN: Self = Self(i64::MIN);

    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds and nanoseconds since the Unix epoch, held at the ends of the range.
    pub const fn from_parts(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(nanos))
    }

    /// From seconds since the Unix epoch, held at the ends of the range; `NaN` is the epoch.
    pub fn from_seconds_f64(seconds: f64) -> Self {
        // The cast saturates, and sends NaN to zero.
        Self((seconds * NANOS_PER_SECOND as f64) as i64)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }

    /// Seconds since the Unix epoch.
    pub fn seconds_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND as f64
    }

    /// How long after `earlier` this is; zero where it is not after (clocks do step back).
    pub fn since(self, earlier: Self) -> Duration {
        // The difference of two i64 fits a u64, whatever their signs.
        let nanos = if self.0 > earlier.0 { self.0.abs_diff(earlier.0) } else { 0 };
        Duration::from_nanos(nanos)
    }

    /// Seconds after `earlier`, negative where it lies before.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        let nanos = match self.0.checked_sub(earlier.0) {
            Some(nanos) => nanos as f64,
            // Centuries apart: 128 bits hold it, and take a hundred instructions.
            None => (i128::from(self.0) - i128::from(earlier.0)) as f64,
        };
        nanos / NANOS_PER_SECOND as f64
    }

    /// This much later, held at the end of the range.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// This much earlier, held at the start of the range.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.seconds().div_euclid(86_400);
        let second = self.seconds().rem_euclid(86_400);
        let micros = self.0.rem_euclid(NANOS_PER_SECOND) / 1_000;
        let (year, month, day) = civil_from_days(day);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{micros:06}Z",
            second / 3_600,
            second / 60 % 60,
            second % 60
        )
    }
}

/// Year, month and day of a count of days since 1970-01-01 in the proleptic Gregorian calendar
/// (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A text that is no point in time.
#[derive(Debug, Clone, thiserror::Error)]
#[error("'{0}' is no time: give RFC 3339 (2026-11-23T12:10:09Z) or Unix seconds (1795435809.9)")]
pub struct ParseTimeError(String);

impl FromStr for Timestamp {
    type Err = ParseTimeError;

    /// RFC 3339 with any offset, or Unix seconds with any number of decimals.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let text = text.trim();
        if let Some(unix) = parse_unix_seconds(text) {
            return Ok(unix);
        }
        let refuse = || ParseTimeError(text.chars().take(64).collect());
        let parsed: jiff::Timestamp = text.parse().map_err(|_| refuse())?;
        i64::try_from(parsed.as_nanosecond()).map(Self).map_err(|_| refuse())
    }
}

/// Decimal seconds, exact to the nanosecond (a float would lose the last digits).
fn parse_unix_seconds(text: &str) -> Option<Timestamp> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let padded: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: i64 = padded.parse().ok()?;
    let total = seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos)?;
    Some(Timestamp(if negative { -total } else { total }))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_rfc_3339_with_microseconds() {
        let at: Timestamp = "1795435809.90861".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-23T12:10:09.908610Z");
        assert_eq!("2026-11-23T13:10:09.90861+01:00".parse::<Timestamp>().unwrap(), at);
    }

    #[test]
    fn a_text_that_is_no_time_is_refused_with_both_forms_shown() {
        for bad in ["", "yesterday", "2026-13-01T00:00:00Z", "1.2.3", "99999999999999999999"] {
            let error = bad.parse::<Timestamp>().unwrap_err().to_string();
            assert!(error.contains("RFC 3339") && error.contains("Unix"), "{error}");
        }
    }

    #[test]
    fn a_clock_that_steps_back_gives_no_negative_duration() {
        let (late, early) = (Timestamp::from_nanos(5), Timestamp::from_nanos(9));
        assert_eq!(late.since(early), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn differences_are_exact_over_the_whole_range(a: i64, b: i64) {
            let (late, early) = (Timestamp(a), Timestamp(b));
            let exact = i128::from(a) - i128::from(b);
            prop_assert_eq!(late.seconds_since(early), exact as f64 / 1e9);
            prop_assert_eq!(late.since(early).as_nanos() as i128, exact.max(0));
        }

        #[test]
        fn text_agrees_with_jiff_and_comes_back(nanos in -9_000_000_000_000_000_000_i64..9_000_000_000_000_000_000) {
            let micros = nanos.div_euclid(1_000) * 1_000;
            let at = Timestamp::from_nanos(micros);
            let oracle = jiff::Timestamp::from_nanosecond(micros.into()).unwrap();
            prop_assert_eq!(at.to_string(), format!("{oracle:.6}"));
            prop_assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        }
    }
}
