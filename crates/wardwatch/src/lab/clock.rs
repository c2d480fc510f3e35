//! Time, as the lab's hosts write it. All are on one machine, so their times can be compared.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;

/// Nanoseconds since 1970.
pub(super) fn nanos() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Now.
pub(super) fn now() -> Timestamp {
    Timestamp::from_nanos(nanos())
}

/// As HL7 v2 writes it, to the second (section 2.A.78, DTM).
pub(super) fn stamp() -> String {
    now().to_string().chars().filter(char::is_ascii_digit).take(14).collect()
}
