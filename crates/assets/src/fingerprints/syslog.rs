//! Syslog on the wire: who collects log lines, and what senders call themselves.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::Tallies;

/// Reads `syslog.message`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "syslog",
    doc: "Who is sent log lines, and the host and program names of senders.",
    reads: &[("syslog.message", &["host", "app"])],
    learn,
    weigh,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    learn.peer_did(Fact::TookSyslog);
    // A relay sends others' lines under their names; the first to have a name keeps it.
    if let Some(host) = o.str("host") {
        learn.name(learn.subject, NameRank::Host, host);
    }
    if let Some(app) = o.str("app") {
        learn.application(learn.subject, app);
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let took = tallies.of(Fact::TookSyslog);
    match took.others() {
        0 | 1 => return,
        2 | 3 => out.class(C::SyslogServer, 4.2),
        _ => out.class(C::SyslogServer, 5.0),
    }
    out.role("syslog_server");
}
