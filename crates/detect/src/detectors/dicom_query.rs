//! Asking the image archive for everybody, and fetching in bulk.
//!
//! A workstation asks for one patient or one day. Asking for all patients, or fetching far more than
//! ever, is how an archive is emptied, over DIMSE as over DICOMweb (`web.rs`). Worklist queries are
//! broad by design and do not count. A known workstation that only fetches a lot prepares a conference or a migration: that is a note.

mod web;

use assets::Entity;
use learn::{Bounded, Bucket, Rate};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "dicom_query",
    doc: "DICOM queries for everybody, by strangers or unlike before, and retrieval in bulk.",
    kind: FindingKind::Anomaly,
    reads: &["dicom.command", "dicom.close", "dicomweb.transaction"],
    attack: &["T1213", "T0811"],
    next_step: "Ask the PACS administrator whether this is a migration or a research export. If not, have the station's AE title removed from the PACS and tell the privacy officer.",
    sources: &["DICOM PS3.4 annex C", "DICOM PS3.18", "spec S18"],
};

/// Windows for fetching, in seconds, fewest requests in the long one, times the learned maximum.
const WINDOWS: (f64, f64) = (10.0, 60.0);
const FEWEST: f64 = 20.0;
const TIMES: f64 = 5.0;
/// Fetching within so many seconds of a query for everybody belongs to it.
const TOGETHER_SECONDS: f64 = 900.0;
/// Answers to the queries of one association that are far too many, unless learned otherwise.
const MATCHES: f64 = 200.0;
/// So many times the most of its life.
const FAR: f64 = 20.0;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct DicomQuery {
    fetches: Bounded<Entity, Rate>,
    everybody: Bounded<Entity, Timestamp>,
    matches: Bounded<Entity, f64>,
    destinations: Bounded<Box<str>, u64>,
    /// Over DICOMweb: results of searches, and studies fetched.
    results: Bounded<Entity, Bucket>,
    /// Results given since it was last told of.
    #[serde(skip, default = "fresh")]
    fresh: Bounded<Entity, f64>,
    studies: Bounded<Entity, web::Studies>,
}

fn fresh() -> Bounded<Entity, f64> {
    Bounded::new(10_000)
}

impl Default for DicomQuery {
    fn default() -> Self {
        Self {
            fetches: Bounded::new(10_000),
            everybody: Bounded::new(10_000),
            matches: Bounded::new(10_000),
            destinations: Bounded::new(10_000),
            results: Bounded::new(10_000),
            fresh: fresh(),
            studies: Bounded::new(10_000),
        }
    }
}

impl Detector for DicomQuery {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if o.is("dicom.close") {
            self.answers(o, cx, out);
            return;
        }
        if o.is("dicomweb.transaction") {
            web::transaction(self, o, cx, out);
            return;
        }
        match o.str("command") {
            Some("C-FIND-RQ") => self.query(o, cx, out),
            Some("C-MOVE-RQ" | "C-GET-RQ") => self.fetch(o, cx, out),
            _ => {}
        }
    }
}

impl DicomQuery {
    fn query(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if o.str("level") == Some("WORKLIST") || cx.learning() {
            return;
        }
        let (universal, wildcard) = (o.flag("universal"), o.flag("wildcard"));
        let known = cx.familiarity();
        let habitual = known.act || (known.verb_of_actor && !universal);
        if universal {
            self.everybody.entry(cx.who.subject, || o.at);
        }
        let querier = known.service_of_actor && known.actor;
        let severity = match (universal, wildcard, habitual, known.others > 0) {
            (_, _, true, _) => return,
            // Others of the hospital ask so too: it is their way of working.
            (true, _, _, true) if querier => Severity::Low,
            (true, ..) => Severity::High,
            (false, true, ..) if !querier => Severity::Medium,
            // A new workstation begins like this.
            (false, false, ..) if !querier => Severity::Low,
            _ => return,
        };
        let what = if universal {
            "all patients at once"
        } else if wildcard {
            "patients by a wildcard"
        } else {
            "patients"
        };
        let habit = match (known.actor, querier) {
            (false, _) => ", and was never seen before",
            (true, false) => ", and never asked it for anything",
            (true, true) => ", which it never did",
        };
        let title = words::sentence(&format!(
            "{} (AE title {}) asks {} for {what}{habit}.",
            cx.subject(o),
            o.str("calling_ae").unwrap_or("unknown"),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "query",
                format!("{what} at {} level", o.str("level").unwrap_or("some")),
                "one patient, study or day",
            ))
            .because(
                Reason::new("others that ask so", known.others, "some, where it is usual")
                    .weight(0.4),
            )
            .key(format!("query {universal}"))
            .p_value(known.surprise_rate.min(if universal { 0.01 } else { 0.05 }))
            .score(if universal { 0.95 } else { 0.7 })
            .kind(if known.actor { FindingKind::Anomaly } else { FindingKind::Rule })
            .make();
    }

    fn fetch(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let actor = cx.who.subject;
        let rate = self.fetches.entry(actor, || Rate::new(WINDOWS.0, WINDOWS.1));
        let (_, fetched) = rate.add(o.at, 1.0, cx.learning());
        let usual = rate.long.learned_max();
        let destination = o.str("move_destination").unwrap_or("");
        if cx.learning() {
            *self.destinations.entry(destination.into(), u64::default) += 1;
            return;
        }
        let known = cx.familiarity();
        let swept =
            self.everybody.get(&actor).is_some_and(|at| o.at.seconds_since(*at) < TOGETHER_SECONDS);
        let new_destination =
            !destination.is_empty() && !self.destinations.contains(&Box::from(destination));
        if new_destination && !known.act {
            // A workstation that fetches to itself uses its own title as the destination.
            let own = o.str("calling_ae") == Some(destination);
            let severity = match (own, known.service_of_actor) {
                (false, _) => Severity::High,
                (true, false) => Severity::Medium,
                (true, true) => Severity::Low,
            };
            let title = words::sentence(&format!(
                "{} has {} send images to '{destination}', where none were ever sent.",
                cx.subject(o),
                cx.peer(o),
            ));
            out.claim(cx, o, severity, title)
                .because(Reason::new(
                    "destination of the images",
                    destination,
                    "those used while learning",
                ))
                .key(format!("destination {destination}"))
                .p_value(1.0 / (self.destinations.len() as f64 + 2.0))
                .make();
        }
        if fetched < FEWEST.max(usual * TIMES) {
            return;
        }
        let severity = if swept || !known.actor { Severity::High } else { Severity::Low };
        let title = words::sentence(&format!(
            "{} fetches images from {} in bulk: {fetched:.0} requests in a minute{}.",
            cx.subject(o),
            cx.peer(o),
            if swept { ", after asking for all patients" } else { "" },
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new(
                    "retrieve requests",
                    format!("{fetched:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 60 s"),
            )
            .key("bulk")
            .p_value(learn::counts::poisson_tail(fetched, usual.max(1.0)))
            .make();
    }

    fn answers(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let matches = o.uint("matches").unwrap_or(0) as f64;
        let most = self.matches.entry(cx.who.subject, f64::default);
        if cx.learning() {
            *most = most.max(matches);
            return;
        }
        let usual = *most;
        if matches < MATCHES.max(usual * TIMES) {
            return;
        }
        let title = words::sentence(&format!(
            "{} was given {matches:.0} matches to its queries by {}, far more than ever.",
            cx.subject(o),
            cx.peer(o),
        ));
        // A long list is one thing; twenty times the longest of its life is another.
        let severity = if cx.normal.knows(cx.who.subject) && matches < usual.max(1.0) * FAR {
            Severity::Low
        } else {
            Severity::Medium
        };
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "matches in one association",
                format!("{matches:.0}"),
                format!("at most {usual:.0}"),
            ))
            .key("matches")
            .p_value(learn::counts::poisson_tail(matches, usual.max(1.0)))
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::observation::Value;

    use crate::fixture::{DESK, Host, INTRUDER, PACS, Ward, word};

    fn asks(ward: &mut Ward, from: Host, all: bool) {
        let fields = [
            ("command", word("C-FIND-RQ")),
            ("calling_ae", word("STATION")),
            ("level", word("STUDY")),
            ("universal", Value::Bool(all)),
            ("wildcard", Value::Bool(all)),
        ];
        ward.over(&protocols::dicom::COMMAND, from, PACS, 104, &fields);
    }

    fn fetches(ward: &mut Ward, from: Host, to: &str) {
        let fields = [
            ("command", word("C-MOVE-RQ")),
            ("calling_ae", word("STATION")),
            ("level", word("STUDY")),
            ("move_destination", word(to)),
        ];
        ward.over(&protocols::dicom::COMMAND, from, PACS, 104, &fields);
    }

    fn reading_room() -> Ward {
        let mut ward = Ward::peopled();
        for _ in 0..10 {
            asks(&mut ward, DESK, false);
            fetches(&mut ward, DESK, "STATION");
            ward.pass(3.0);
        }
        ward.watch();
        ward
    }

    #[test]
    fn asking_for_everybody_is_found_also_from_a_station_that_asks_every_day() {
        for host in [DESK, INTRUDER] {
            let mut ward = reading_room();
            asks(&mut ward, host, true);
            ward.alerts("dicom_query", host);
        }
    }

    #[test]
    fn images_sent_to_a_new_station_are_found() {
        let mut ward = reading_room();
        fetches(&mut ward, DESK, "ELSEWHERE");
        ward.alerts("dicom_query", DESK);
    }

    #[test]
    fn a_conference_is_no_attack() {
        let mut ward = reading_room();
        for _ in 0..60 {
            asks(&mut ward, DESK, false);
            fetches(&mut ward, DESK, "STATION");
            ward.pass(0.7);
        }
        ward.is_quiet();
    }
}
