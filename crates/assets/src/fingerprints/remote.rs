//! Remote sessions: what the called side says it is.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::tally::Tallies;

/// Reads `remote.session`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "remote",
    doc: "Banners of SSH, Telnet and FTP servers.",
    reads: &[("remote.session", &["service", "software"])],
    learn,
    weigh,
};

/// Words of a banner, in lower case, and what has them.
const BANNERS: &[(&str, C, f32)] = &[
    ("ssh-2.0-cisco", C::Router, 2.0),
    ("rosssh", C::Router, 2.0),
    ("mpssh", C::Server, 1.0),
    ("jetdirect", C::Printer, 2.5),
    ("laserjet", C::Printer, 2.5),
    ("ubuntu", C::Server, 0.8),
    ("debian", C::Server, 0.8),
    ("microsoft ftp", C::Server, 0.6),
    ("dropbear", C::IotDevice, 0.6),
];

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    let Some(software) = o.str("software") else { return };
    learn.peer_did(Fact::ServedRemote);
    let service = o.str("service").unwrap_or("remote");
    if !learn.claim(learn.peer, "software", &format!("{service}: {software}"), 0.6) {
        return;
    }
    let lower = software.to_ascii_lowercase();
    for (_, class, weight) in BANNERS.iter().filter(|(word, ..)| lower.contains(word)) {
        learn.hint(learn.peer, *class, *weight);
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    if tallies.times(Fact::ServedRemote) > 0 {
        out.role("remote_server");
    }
}
