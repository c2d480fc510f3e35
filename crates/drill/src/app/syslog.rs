//! Device logs over UDP (RFC 5424, RFC 5426).

use crate::time::{Nanos, iso};

pub(crate) const PORT: u16 = 514;

/// A line of facility local0 and severity informational.
pub(crate) fn line(at: Nanos, host: &str, app: &str, text: &str) -> Vec<u8> {
    format!("<134>1 {} {host} {app} - - - {text}", iso(at)).into_bytes()
}
