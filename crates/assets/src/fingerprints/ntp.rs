//! NTP: who gives the time.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::tally::Tallies;

/// Reads `ntp.message`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "ntp",
    doc: "Who answers NTP.",
    reads: &[("ntp.message", &["mode"])],
    learn,
    weigh,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if matches!(o.str("mode"), Some("server" | "broadcast")) {
        learn.subject_did(Fact::ServedNtp);
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let served = tallies.of(Fact::ServedNtp);
    match served.others() {
        0 => return,
        1 if served.is_sustained() => out.class(C::NtpServer, 2.5),
        1 => out.class(C::NtpServer, 1.5),
        2..4 => out.class(C::NtpServer, 4.5),
        _ => out.class(C::NtpServer, 5.5),
    }
    out.role("ntp_server");
}
