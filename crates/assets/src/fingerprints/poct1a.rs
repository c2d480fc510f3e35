//! POCT1-A: point-of-care analysers, which say what they are, and the manager that takes their results.

use model::observation::Observation;

use super::{Fingerprint, Learn, no_weights};
use crate::facts::Fact;
use crate::record::NameRank;

/// Reads `poct1a.message`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "poct1a",
    doc: "Point-of-care analysers by what they say of themselves and by the results that they send.",
    reads: &[(
        "poct1a.message",
        &["results", "vendor", "manufacturer", "model", "serial", "device_name", "software"],
    )],
    learn,
    // The tallies are those of ASTM, which weighs them.
    weigh: no_weights,
};

/// What a hello says, and what it is kept as.
const CLAIMS: [(&str, &str); 5] = [
    ("manufacturer", "manufacturer"),
    ("vendor", "vendor"),
    ("model", "model"),
    ("serial", "serial"),
    ("software", "software"),
];

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    for (field, what) in CLAIMS {
        if let Some(value) = o.str(field) {
            learn.claim(learn.subject, what, value, 0.7);
        }
    }
    if let Some(name) = o.str("device_name") {
        learn.name(learn.subject, NameRank::Application, name);
    }
    if o.uint("results").unwrap_or(0) > 0 {
        learn.subject_did(Fact::SentLabResults);
        learn.peer_did(Fact::TookLabResults);
    }
}
