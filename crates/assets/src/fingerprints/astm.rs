//! ASTM E1394 over TCP: laboratory analysers, and the system that takes their results.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::Tallies;

/// Reads `astm.message`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "astm",
    doc: "Who sends laboratory results over ASTM, and who takes them.",
    reads: &[("astm.message", &["sender", "results", "orders", "queries"])],
    learn,
    weigh,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if let Some(sender) = o.str("sender") {
        learn.claim(learn.subject, "astm_sender", sender, 0.6);
        // Instrument name, version and serial number, separated by ^.
        let name = sender.split('^').next().unwrap_or_default();
        learn.name(learn.subject, NameRank::Application, name);
    }
    let some = |field: &str| o.uint(field).unwrap_or(0) > 0;
    if some("results") || some("queries") {
        learn.subject_did(Fact::SentLabResults);
        learn.peer_did(Fact::TookLabResults);
    } else if some("orders") {
        learn.subject_did(Fact::SentLabOrders);
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let sent = tallies.of(Fact::SentLabResults);
    if sent.times > 0 {
        out.role("result_sender");
        // A few messages in one go is also what an injection looks like.
        match (sent.times >= 3, sent.spells >= 3 || sent.span() >= 120.0) {
            (true, true) => out.class(C::LabAnalyzer, 5.0),
            (true, false) => out.class(C::LabAnalyzer, 2.5),
            (false, _) => out.class(C::LabAnalyzer, 1.5),
        }
    }
    let took = tallies.of(Fact::TookLabResults);
    if took.times > 0 {
        out.role("lis");
        let steady = took.spells >= 2 || took.others() >= 2;
        out.class(C::Lis, if steady && took.times >= 3 { 4.5 } else { 2.5 });
        if took.others() >= 2 {
            out.class(C::Lis, 1.0);
        }
    }
    if tallies.of(Fact::SentLabOrders).is_sustained() {
        out.class(C::Lis, 1.5);
    }
}
