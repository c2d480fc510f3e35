//! Simulated time: nanoseconds since the Unix epoch, as a plain number for arithmetic.

use crate::rng::Rng;

/// A point in time or a length of time, in nanoseconds.
pub(crate) type Nanos = i64;

/// A microsecond.
pub(crate) const US: Nanos = 1_000;
/// A millisecond.
pub(crate) const MS: Nanos = 1_000_000;
/// A second.
pub(crate) const SEC: Nanos = 1_000_000_000;

/// Seconds as nanoseconds.
pub(crate) fn seconds(seconds: f64) -> Nanos {
    (seconds * SEC as f64) as Nanos
}

/// About `length`: up to `share` of it more or less.
pub(crate) fn about(rng: &mut Rng, length: Nanos, share: f64) -> Nanos {
    (length as f64 * (1.0 + rng.uniform(-share, share))) as Nanos
}

/// Waiting time until the next of events that come by chance, `mean` apart on average.
pub(crate) fn wait(rng: &mut Rng, mean: Nanos) -> Nanos {
    rng.exponential(mean as f64) as Nanos
}

/// The date and the time of day in UTC as HL7 and DICOM write them: `YYYYMMDD` and `HHMMSS`.
pub(crate) fn stamp(at: Nanos) -> (String, String) {
    let text = model::Timestamp::from_nanos(at).to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    (digits[..8].to_owned(), digits[8..].to_owned())
}

/// RFC 3339 with an offset, as the logs of a hospital write it.
pub(crate) fn iso(at: Nanos) -> String {
    model::Timestamp::from_nanos(at).to_string().replace('Z', "+00:00")
}
