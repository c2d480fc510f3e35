//! Finding a way into the image archive: AE titles tried one after the other, or borrowed.
//!
//! One rejected association is a typing mistake, and a new scanner that sends its first images is
//! being commissioned: both are notes.

use std::collections::BTreeSet;

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "dicom_stranger",
    doc: "AE titles are guessed or borrowed, or a new station associates with the archive.",
    kind: FindingKind::Rule,
    reads: &["dicom.association"],
    attack: &["T1110", "T1078", "T0846"],
    next_step: "Ask the PACS administrator whether the station is being set up. If not, find it and take it off the network.",
    sources: &["DICOM PS3.8 section 9.3.4", "spec S18"],
};

/// Window in seconds; rejections and different titles in it.
const WINDOW_SECONDS: f64 = 120.0;
const REJECTIONS: f64 = 5.0;
const TITLES: usize = 3;
/// Different new titles of one station that were all accepted.
const TITLES_ACCEPTED: usize = 5;

/// How often one station was at one archive lately, and with which titles.
type Tried = (Bucket, BTreeSet<Box<str>>);

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct DicomStranger {
    rejected: Bounded<(Entity, Entity), Tried>,
    /// Who used a calling AE title while learning: one station, or several (`None`).
    titles: Bounded<Box<str>, Option<Entity>>,
    /// Called AE titles that were accepted while learning.
    called: Bounded<Box<str>, ()>,
    /// New combinations of titles that were accepted.
    accepted: Bounded<(Entity, Entity), Tried>,
}

impl Default for DicomStranger {
    fn default() -> Self {
        Self {
            rejected: Bounded::new(20_000),
            titles: Bounded::new(20_000),
            called: Bounded::new(20_000),
            accepted: Bounded::new(20_000),
        }
    }
}

impl Detector for DicomStranger {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        match o.str("outcome") {
            Some("accepted") => self.accepted(o, cx, out),
            Some("rejected") => self.rejected(o, cx, out),
            _ => {}
        }
    }
}

impl DicomStranger {
    fn accepted(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let title = o.str("calling_ae").unwrap_or("");
        let actor = cx.who.subject;
        if cx.learning() {
            let owner = self.titles.entry(title.into(), || Some(actor));
            if *owner != Some(actor) {
                *owner = None;
            }
            self.called.entry(o.str("called_ae").unwrap_or("").into(), || ());
            return;
        }
        self.tried(o, cx, out);
        let known = cx.familiarity();
        if known.service_of_actor || known.pair {
            return;
        }
        let owner = self.titles.get(&Box::from(title)).copied();
        if let Some(Some(owner @ Entity::Device(ix))) = owner
            && owner != actor
        {
            let said = words::sentence(&format!(
                "{} uses the AE title '{title}', which belongs to {}.",
                cx.subject(o),
                cx.inventory.label(ix),
            ));
            out.claim(cx, o, Severity::Medium, said)
                .because(Reason::new(
                    "station behind the AE title",
                    cx.subject(o),
                    cx.inventory.label(ix),
                ))
                .key(title)
                .score(0.8)
                .make();
            return;
        }
        let said = words::sentence(&format!(
            "{} (AE title '{title}') talks DICOM with {} for the first time: a new station, or an uninvited one.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, Severity::Low, said)
            .because(Reason::new("AE title", title, "those seen while learning"))
            .key("new")
            .kind(FindingKind::Anomaly)
            .p_value(known.surprise_rate)
            .score(0.5)
            .make();
    }

    /// An archive that takes any title shows a guesser by the titles that nobody ever used.
    fn tried(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let calling = o.str("calling_ae").unwrap_or("");
        let called = o.str("called_ae").unwrap_or("");
        if self.titles.contains(&Box::from(calling)) && self.called.contains(&Box::from(called)) {
            return;
        }
        let key = (cx.who.subject, cx.who.peer);
        let (bucket, tried) =
            self.accepted.entry(key, || (Bucket::new(WINDOW_SECONDS), BTreeSet::new()));
        if bucket.add(o.at, 1.0, false) <= 1.0 {
            tried.clear();
        }
        if tried.len() < 64 {
            tried.insert(format!("{calling} to {called}").into());
        }
        let count = tried.len();
        if count < TITLES_ACCEPTED {
            return;
        }
        let title = words::sentence(&format!(
            "{} tries AE titles at {}: {count} that nobody uses within two minutes.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, Severity::Medium, title)
            .because(
                Reason::new("new combinations of AE titles", count as u64, "one for a new station")
                    .unit("in 2 min"),
            )
            .key("guessing")
            .score(0.85)
            .make();
    }

    fn rejected(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let key = (cx.who.subject, cx.who.peer);
        let (bucket, titles) =
            self.rejected.entry(key, || (Bucket::new(WINDOW_SECONDS), BTreeSet::new()));
        let count = bucket.add(o.at, 1.0, cx.learning());
        if count <= 1.0 {
            titles.clear();
        }
        let pair = format!(
            "{} to {}",
            o.str("calling_ae").unwrap_or(""),
            o.str("called_ae").unwrap_or("")
        );
        if titles.len() < 64 {
            titles.insert(pair.into());
        }
        let usual = bucket.learned_max();
        if cx.learning() {
            return;
        }
        let tried = titles.len();
        let guessing = tried >= TITLES || count >= REJECTIONS.max(usual * 3.0 + REJECTIONS / 2.0);
        let severity = if guessing { Severity::Medium } else { Severity::Low };
        let title = if guessing {
            format!(
                "{} tries AE titles at {}: {count:.0} associations rejected, {} tried.",
                cx.subject(o),
                cx.peer(o),
                words::count(tried as u64, "combination", "combinations"),
            )
        } else {
            format!(
                "{} was turned away by {}: {}.",
                cx.subject(o),
                cx.peer(o),
                o.str("reject_reason").unwrap_or("association rejected"),
            )
        };
        out.claim(cx, o, severity, words::sentence(&title))
            .because(
                Reason::new(
                    "associations rejected",
                    format!("{count:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 2 min"),
            )
            .key(if guessing { "guessing" } else { "rejected" })
            .score(if guessing { 0.85 } else { 0.4 })
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, Host, INTRUDER, PACS, Ward, nth, word};

    fn associates(ward: &mut Ward, from: Host, calling: &str, outcome: &str) {
        let fields = [
            ("outcome", word(outcome)),
            ("calling_ae", word(calling)),
            ("called_ae", word("PACS")),
        ];
        ward.over(&protocols::dicom::ASSOCIATION, from, PACS, 104, &fields);
    }

    #[test]
    fn titles_tried_one_after_the_other_are_guessing_whether_accepted_or_not() {
        for (outcome, host) in [("rejected", DESK), ("accepted", INTRUDER)] {
            let mut ward = Ward::peopled();
            associates(&mut ward, nth(1), "CT1", "accepted");
            ward.watch();
            for n in 0..8 {
                associates(&mut ward, host, &format!("GUESS{n}"), outcome);
                ward.pass(0.2);
            }
            ward.alerts("dicom_stranger", host);
        }
    }

    #[test]
    fn a_borrowed_title_is_found() {
        let mut ward = Ward::peopled();
        associates(&mut ward, nth(1), "CT1", "accepted");
        associates(ward.watch(), INTRUDER, "CT1", "accepted");
        ward.alerts("dicom_stranger", INTRUDER);
    }

    #[test]
    fn a_new_scanner_and_a_typing_mistake_are_notes() {
        let mut ward = Ward::peopled();
        associates(&mut ward, nth(1), "CT1", "accepted");
        ward.watch();
        for _ in 0..5 {
            associates(&mut ward, nth(2), "US_NEW", "accepted");
            associates(&mut ward, nth(1), "CT!", "rejected");
            ward.pass(60.0);
        }
        ward.is_quiet();
    }
}
