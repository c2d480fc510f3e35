//! NTLM challenges: a machine's own name, and the version of its Windows.

use model::observation::Observation;

use super::{Fingerprint, Learn, no_weights};
use crate::record::NameRank;

/// Reads `ntlm.challenge`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "ntlm",
    doc: "Name and Windows version that a machine gives when somebody logs on to it.",
    reads: &[("ntlm.challenge", &["computer", "dns_computer", "version"])],
    learn,
    weigh: no_weights,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if let Some(name) = o.str("dns_computer").or(o.str("computer")) {
        learn.name(learn.subject, NameRank::Host, name);
    }
    if let Some(version) = o.str("version") {
        learn.claim(learn.subject, "windows", version, 0.6);
    }
}
