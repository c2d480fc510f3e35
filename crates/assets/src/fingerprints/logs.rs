//! Log lines that were read rather than heard: the programs that a host runs.

use model::observation::Observation;

use super::{Fingerprint, Learn, no_weights};

/// Reads `log.line`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "log",
    doc: "Programs that write a host's log.",
    reads: &[("log.line", &["app"])],
    learn,
    weigh: no_weights,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if let Some(app) = o.str("app") {
        learn.application(learn.subject, app);
    }
}
