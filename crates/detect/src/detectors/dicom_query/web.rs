//! The same over DICOMweb: searches for everybody, page after page, and retrieval of many studies.
//!
//! A viewer fetches a study instance by instance, and its list of studies is a search for everybody
//! that ends after a page. So studies are counted here and not requests, results and not searches,
//! and a search with a small limit is a page of a list.

use std::collections::BTreeMap;

use learn::Bucket;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use model::privacy::Token;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DicomQuery, FAR, FEWEST, MATCHES, TIMES, TOGETHER_SECONDS, WINDOWS};
use crate::findings::Findings;
use crate::seam::Context;
use crate::words;

/// Results of one search up to which it is a page of a list.
const PAGE: u64 = 250;
/// Seconds in which the results of searches are added up.
const RESULTS_SECONDS: f64 = 300.0;
/// Most studies remembered of one reader.
const KEPT: usize = 512;

/// Studies that somebody fetched lately, with the time of the last request for each.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Studies {
    /// Forgotten over a restart.
    #[serde(skip)]
    lately: BTreeMap<Token, Timestamp>,
    /// The most in a minute while learning.
    most: usize,
}

pub(super) fn transaction(
    state: &mut DicomQuery,
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
) {
    let answered = matches!(o.uint("status"), Some(200..=299) | None);
    if !answered || o.str("service") == Some("ups-rs") {
        return;
    }
    match o.str("action") {
        Some("search") => {
            search(state, o, cx, out);
            results(state, o, cx, out);
        }
        Some("retrieve") => retrieve(state, o, cx, out),
        _ => {}
    }
}

/// A search for everybody by one that never asked so.
fn search(state: &mut DicomQuery, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
    let known = cx.familiarity();
    // Within a study, nothing needs to narrow it.
    let universal = o.flag("universal") && o.token("study").is_none();
    if cx.learning() || !universal {
        return;
    }
    let page = o.uint("limit").is_some_and(|limit| limit <= PAGE);
    if !page {
        state.everybody.entry(cx.who.subject, || o.at);
    }
    let severity = match (page, known.others > 0) {
        _ if known.act => return,
        // Others of the hospital list studies so too.
        (true, true) if known.actor => Severity::Low,
        (false, true) if known.service_of_actor => Severity::Low,
        (true, _) => Severity::Medium,
        (false, _) => Severity::High,
    };
    let title = words::sentence(&format!(
        "{} asks {} for {} over the web, which it never did.",
        cx.subject(o),
        cx.peer(o),
        if page { "a list of all patients" } else { "all patients at once" },
    ));
    out.claim(cx, o, severity, title)
        .because(Reason::new(
            "search",
            format!("nothing narrows it, at {} level", o.str("level").unwrap_or("some")),
            "one patient, study or day",
        ))
        .because(
            Reason::new("others that ask so", known.others, "some, where it is usual").weight(0.4),
        )
        .user(o.str("user"))
        .key(format!("web {page}"))
        .p_value(known.surprise_rate.min(if page { 0.05 } else { 0.01 }))
        .score(if page { 0.7 } else { 0.95 })
        .kind(if known.actor { FindingKind::Anomaly } else { FindingKind::Rule })
        .make();
}

/// Page after page of results.
fn results(state: &mut DicomQuery, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
    let found = o.uint("results").unwrap_or(0) as f64;
    // Series and instances of a study are a viewer at work.
    if o.token("study").is_some() || !matches!(o.str("level"), Some("study") | None) {
        return;
    }
    let bucket = state.results.entry(cx.who.subject, || Bucket::new(RESULTS_SECONDS));
    let listed = bucket.add(o.at, found, cx.learning());
    let usual = bucket.learned_max();
    // The first page is what everybody sees.
    let bound = MATCHES.max(PAGE as f64 * 2.0).max(usual * TIMES);
    if cx.learning() {
        return;
    }
    // What was told of does not count again at the next search.
    let fresh = state.fresh.entry(cx.who.subject, f64::default);
    *fresh += found;
    if listed < bound || *fresh < bound {
        return;
    }
    *fresh = 0.0;
    let severity = if cx.normal.knows(cx.who.subject) && listed < usual.max(1.0) * FAR {
        Severity::Low
    } else {
        Severity::Medium
    };
    let title = words::sentence(&format!(
        "{} was given {listed:.0} studies by {} in answer to its searches, far more than ever.",
        cx.subject(o),
        cx.peer(o),
    ));
    out.claim(cx, o, severity, title)
        .because(
            Reason::new(
                "results of searches",
                format!("{listed:.0}"),
                format!("at most {usual:.0}"),
            )
            .unit("in 5 min"),
        )
        .user(o.str("user"))
        .key("web results")
        .p_value(learn::counts::poisson_tail(listed, usual.max(1.0)))
        .make();
}

/// Many different studies fetched within a minute.
fn retrieve(state: &mut DicomQuery, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
    let Some(study) = o.token("study") else { return };
    // Thumbnails of a list show every study on it.
    if matches!(o.str("form"), Some("thumbnail")) {
        return;
    }
    let studies = state.studies.entry(cx.who.subject, Studies::default);
    studies.lately.retain(|_, at| o.at.seconds_since(*at) <= WINDOWS.1);
    if studies.lately.len() < KEPT {
        studies.lately.insert(study, o.at);
    }
    let count = studies.lately.len();
    if cx.learning() {
        studies.most = studies.most.max(count);
        return;
    }
    let usual = studies.most;
    if (count as f64) < FEWEST.max(usual as f64 * TIMES) {
        return;
    }
    let swept = state
        .everybody
        .get(&cx.who.subject)
        .is_some_and(|at| o.at.seconds_since(*at) < TOGETHER_SECONDS);
    let severity = if swept || !cx.familiarity().actor { Severity::High } else { Severity::Medium };
    let title = words::sentence(&format!(
        "{} fetches images of {count} different studies from {} within a minute{}.",
        cx.subject(o),
        cx.peer(o),
        if swept { ", after asking for all patients" } else { "" },
    ));
    out.claim(cx, o, severity, title)
        .because(
            Reason::new("different studies fetched", count, format!("at most {usual}"))
                .unit("in 60 s"),
        )
        .user(o.str("user"))
        .key("web bulk")
        .p_value(learn::counts::poisson_tail(count as f64, usual.max(1) as f64))
        .make();
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use model::observation::Value;
    use protocols::http::dicomweb::TRANSACTION;

    use crate::fixture::{DESK, DESK_B, Host, INTRUDER, PACS, Ward, num, patient, word};

    fn lists(ward: &mut Ward, from: Host, limit: Option<u64>, results: u64) {
        let mut fields = vec![
            ("service", word("qido-rs")),
            ("action", word("search")),
            ("level", word("study")),
            ("universal", Value::Bool(true)),
            ("results", num(results)),
            ("status", num(200)),
        ];
        fields.extend(limit.map(|limit| ("limit", num(limit))));
        ward.over(&TRANSACTION, from, PACS, 8_042, &fields);
    }

    fn fetches(ward: &mut Ward, from: Host, study: u64) {
        let fields = [
            ("service", word("wado-rs")),
            ("action", word("retrieve")),
            ("level", word("instance")),
            ("study", patient(study)),
            ("status", num(200)),
        ];
        ward.over(&TRANSACTION, from, PACS, 8_042, &fields);
    }

    fn reading_room() -> Ward {
        let mut ward = Ward::peopled();
        for study in 0..5 {
            lists(&mut ward, DESK, Some(101), 100);
            (0..40).for_each(|_| fetches(&mut ward, DESK, study));
            ward.pass(70.0);
        }
        ward.watch();
        ward
    }

    #[test]
    fn asking_for_everybody_over_the_web_is_found() {
        for host in [DESK_B, INTRUDER] {
            let mut ward = reading_room();
            lists(&mut ward, host, None, 4_000);
            ward.alerts("dicom_query", host);
        }
    }

    #[test]
    fn page_after_page_is_found_though_each_is_small() {
        let mut ward = reading_room();
        for _ in 0..60 {
            lists(&mut ward, DESK_B, Some(101), 100);
            ward.pass(1.0);
        }
        ward.alerts("dicom_query", DESK_B);
    }

    #[test]
    fn studies_fetched_one_after_the_other_are_found() {
        let mut ward = reading_room();
        (100..140).for_each(|study| fetches(&mut ward, DESK, study));
        ward.alerts("dicom_query", DESK);
    }

    #[test]
    fn one_big_study_the_usual_list_and_a_new_reader_s_first_page_are_none() {
        let mut ward = reading_room();
        lists(&mut ward, DESK, Some(101), 100);
        lists(&mut ward, DESK_B, Some(101), 100);
        (0..600).for_each(|_| fetches(&mut ward, DESK_B, 7));
        assert!(ward.worst("dicom_query") <= Some(Severity::Low));
    }
}
