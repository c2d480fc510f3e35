//! TLS: who calls servers outside, and the names in servers' certificates.

use model::observation::Observation;

use super::{Fingerprint, Learn, text_mark};
use crate::entity::Entity;
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::Tallies;

/// Reads `tls.client_hello`, `tls.server_hello` and `tls.certificate`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "tls",
    doc: "Servers outside that a device calls, and names in its certificate.",
    reads: &[
        ("tls.client_hello", &["sni"]),
        ("tls.server_hello", &["version"]),
        ("tls.certificate", &["names", "subject"]),
    ],
    learn,
    weigh,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    match o.kind.name {
        "tls.client_hello" => {
            if matches!(learn.peer, Entity::External(_)) {
                let mark = o.str("sni").map_or(learn.marks[1], |name| Some(text_mark(name)));
                learn.count(learn.subject, Fact::CalledOutside, mark);
            }
        }
        "tls.server_hello" => learn.subject_did(Fact::ServedTls),
        _ => {
            if let Some(subject) = o.str("subject") {
                learn.claim(learn.subject, "certificate", subject, 0.5);
            }
            for name in o.texts("names").iter().take(2).filter(|name| !name.starts_with('*')) {
                learn.name(learn.subject, NameRank::Directory, name);
            }
        }
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    if tallies.others(Fact::ServedTls) >= 2 {
        out.role("tls_server");
    }
}
