//! DICOMweb: who keeps images, who asks for them and who makes them, over HTTP instead of DIMSE.
//!
//! The same facts as of DICOM, so that an archive that speaks both is one archive. What they speak
//! for is said by the fingerprint of DICOM, and that a server answers with DICOM's media types is
//! counted by that of HTTP.

use model::observation::Observation;

use super::dicom::KINDS;
use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::tally::Tallies;

/// Reads `dicomweb.transaction`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "dicomweb",
    doc: "Who stores, keeps, searches and fetches images over HTTP.",
    reads: &[("dicomweb.transaction", &["service", "action", "universal", "modalities", "status"])],
    learn,
    weigh,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    let served = o.uint("status").is_some_and(|status| (200..300).contains(&status));
    if !served {
        return;
    }
    match (o.str("service"), o.str("action")) {
        (Some("ups-rs"), Some("search" | "retrieve")) => {
            learn.subject_did(Fact::AskedWorklist);
            learn.peer_did(Fact::AnsweredWorklist);
        }
        (_, Some("search")) => {
            learn.subject_did(Fact::AskedImages);
            learn.peer_did(Fact::AnsweredQueries);
            if o.flag("universal") {
                learn.subject_did(Fact::AskedForEverybody);
            }
        }
        (_, Some("retrieve")) => {
            learn.subject_did(Fact::FetchedImages);
            learn.peer_did(Fact::ServedImages);
        }
        (_, Some("store")) => store(o, learn),
        _ => {}
    }
}

fn store(o: &Observation, learn: &mut Learn<'_>) {
    let modalities = o.texts("modalities");
    let kind = |modality: &str| KINDS.iter().find(|(names, ..)| names.contains(&modality));
    // A store of several kinds is a router's or a disc's, and tells nothing of its source.
    let fact = match modalities {
        [one] => kind(one).map_or(Fact::SentOtherImages, |(_, fact, _)| *fact),
        _ => Fact::SentOtherImages,
    };
    learn.subject_did(fact);
    learn.subject_did(Fact::SentImages);
    learn.peer_did(Fact::TookImages);
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    if tallies.times(Fact::ServedDicomWeb) > 0 {
        out.role("dicomweb_server");
    }
}
