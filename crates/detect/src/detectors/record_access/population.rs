//! Reading everybody: bulk exports, and searches that name no patient turned page by page.
//!
//! A list is looked at once and its second page now and then. A program that copies a server turns
//! all its pages, fast or slow, or has the server write everything into files (`$export`). The
//! servers that do so in normal life (registries, analytics) do it every night.

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use super::TIMES_OWN;
use crate::findings::Findings;
use crate::seam::{Context, is_server};
use crate::words;

/// Windows in seconds, with the fewest searches that name no patient that count in each.
const SEARCHES: [(f64, f64); 2] = [(10.0, 15.0), (60.0, 30.0)];
/// Page of one search that nobody turns to by hand.
const DEEP: u64 = 15;
/// Window in seconds, and the fewest records in answer to such searches in it.
const RECORDS: (f64, f64) = (300.0, 5_000.0);

/// What machines asked of everybody.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Population {
    searches: Bounded<Entity, [Bucket; 2]>,
    /// Deepest page that a machine turned to while learning.
    #[serde(default = "machines")]
    deepest: Bounded<Entity, u64>,
    #[serde(default = "machines")]
    records: Bounded<Entity, Bucket>,
    /// Machines that exported while learning, or were told of.
    #[serde(default = "machines")]
    exporters: Bounded<Entity, ()>,
}

/// A server that has long asked here has got more to do; anything else copies.
fn grade(cx: &Context<'_>) -> Severity {
    let server = is_server(cx.class(cx.who.subject));
    if server && cx.familiarity().service_of_target { Severity::Low } else { Severity::High }
}

fn machines<T>() -> Bounded<Entity, T> {
    Bounded::new(20_000)
}

impl Default for Population {
    fn default() -> Self {
        Self {
            searches: machines(),
            deepest: machines(),
            records: machines(),
            exporters: machines(),
        }
    }
}

impl Population {
    pub(super) fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        self.export(o, cx, out);
        self.search(o, cx, out);
        self.pages(o, cx, out);
        self.records(o, cx, out);
    }

    /// Searches that name no patient: a list is looked at once, a scraper turns page after page.
    fn search(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let wide = o.str("interaction") == Some("search") && o.token("patient").is_none();
        if !wide || matches!(o.uint("status"), Some(400..)) {
            return;
        }
        let windows = self
            .searches
            .entry(cx.who.subject, || SEARCHES.map(|(seconds, _)| Bucket::new(seconds)));
        for (bucket, (seconds, fewest)) in windows.iter_mut().zip(SEARCHES) {
            let count = bucket.add(o.at, 1.0, cx.learning());
            let usual = bucket.learned_max();
            if cx.learning() || count < fewest.max(usual * TIMES_OWN as f64) {
                continue;
            }
            let title = words::sentence(&format!(
                "{} turns page after page of the records of all patients at {}: {count:.0} searches within {}.",
                cx.subject(o),
                cx.peer(o),
                words::span(seconds),
            ));
            out.claim(cx, o, Severity::High, title)
                .user(o.str("user"))
                .because(
                    Reason::new(
                        "searches that name no patient",
                        format!("{count:.0}"),
                        format!("at most {usual:.0}"),
                    )
                    .unit(if seconds < 20.0 { "in 10 s" } else { "in 60 s" }),
                )
                .key("pages")
                .p_value(learn::counts::poisson_tail(count, usual.max(1.0)))
                .score(0.9)
                .make();
            break;
        }
    }

    /// An export of everybody by somebody who never did one.
    fn export(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let known = cx.familiarity();
        let one = o.str("scope") == Some("instance") && o.str("resource") != Some("Group");
        let starts = o.str("operation") == Some("$export") && !one;
        // The files lie at addresses of their own, and whoever has those may fetch them.
        let fetches = o.str("export") == Some("file");
        if !starts && !fetches || matches!(o.uint("status"), Some(400..)) {
            return;
        }
        if cx.learning() {
            self.exporters.entry(cx.who.subject, || ());
            return;
        }
        if self.exporters.contains(&cx.who.subject) || (starts && known.act) {
            return;
        }
        if starts {
            // Its files are told of by this.
            self.exporters.entry(cx.who.subject, || ());
        }
        let whom = match (starts, o.str("resource")) {
            (true, Some("Group")) => "the records of a whole group of patients",
            (true, _) => "the records of the whole population",
            (false, _) => "files of an export that somebody else began",
        };
        let title = words::sentence(&format!(
            "{} exports {whom} from {}, which it never did.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, Severity::High, title)
            .user(o.str("user"))
            .because(Reason::new("bulk export", whom, "single records"))
            .key("export")
            .p_value(known.surprise_rate.min(0.02))
            .make();
    }

    /// Deep into one search: however slowly, nobody looks through so many pages.
    fn pages(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(page) = o.uint("page").filter(|_| o.token("patient").is_none()) else { return };
        let most = self.deepest.entry(cx.who.subject, || 0);
        if cx.learning() {
            *most = page.max(*most);
            return;
        }
        let usual = *most;
        if page < DEEP.max(usual.saturating_mul(TIMES_OWN as u64)) {
            return;
        }
        let title = words::sentence(&format!(
            "{} is at page {page} of one search through the records of all patients at {}.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, grade(cx), title)
            .user(o.str("user"))
            .because(Reason::new("page of one search", page, format!("at most {usual}")))
            .key("deep")
            .p_value(learn::counts::poisson_tail(page as f64, usual.max(1) as f64))
            .score(0.9)
            .make();
    }

    /// Records given in answer to searches for everybody.
    fn records(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let entries = o.uint("entries").unwrap_or(0);
        let wide = o.str("interaction") == Some("search") && o.token("patient").is_none();
        if !wide || matches!(o.uint("status"), Some(400..)) {
            return;
        }
        let bucket = self.records.entry(cx.who.subject, || Bucket::new(RECORDS.0));
        let records = bucket.add(o.at, entries as f64, cx.learning());
        let usual = bucket.learned_max();
        if cx.learning() || records < RECORDS.1.max(usual * TIMES_OWN as f64) {
            return;
        }
        let title = words::sentence(&format!(
            "{} was given {records:.0} records by {} in five minutes without naming a patient.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, grade(cx), title)
            .user(o.str("user"))
            .because(
                Reason::new(
                    "records in answer to searches that name no patient",
                    format!("{records:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 5 min"),
            )
            .key("records")
            .p_value(learn::counts::poisson_tail(records, usual.max(1.0)))
            .score(0.85)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use protocols::http::FHIR;

    use crate::fixture::{DESK, Fields, Host, SERVER, Ward, num, patient, word};

    fn watched() -> Ward {
        let mut ward = Ward::peopled();
        ward.watch();
        ward
    }

    fn asks(ward: &mut Ward, from: Host, fields: Fields<'_>) {
        ward.over(&FHIR, from, SERVER, 80, fields);
    }

    #[test]
    fn a_slow_walk_through_all_pages_is_found() {
        let mut ward = watched();
        for page in 2..30 {
            let fields =
                [("interaction", word("search")), ("page", num(page)), ("status", num(200))];
            asks(&mut ward, DESK, &fields);
            ward.pass(120.0);
        }
        ward.alerts("record_access", DESK);
    }

    #[test]
    fn a_few_searches_that_give_thousands_of_records_are_found() {
        let mut ward = watched();
        for _ in 0..8 {
            let fields =
                [("interaction", word("search")), ("entries", num(1_000)), ("status", num(200))];
            asks(&mut ward, DESK, &fields);
            ward.pass(10.0);
        }
        ward.alerts("record_access", DESK);
    }

    #[test]
    fn files_of_an_export_that_another_began_are_found_and_the_nightly_export_is_none() {
        let export = [
            ("interaction", word("operation")),
            ("operation", word("$export")),
            ("scope", word("system")),
            ("status", num(202)),
        ];
        let file = [("interaction", word("read")), ("export", word("file")), ("status", num(200))];
        let mut ward = Ward::peopled();
        asks(&mut ward, DESK, &export);
        asks(&mut ward, DESK, &file);
        ward.watch();
        asks(&mut ward, DESK, &export);
        asks(&mut ward, DESK, &file);
        assert_eq!(ward.worst("record_access"), None);
        asks(&mut ward, crate::fixture::DESK_B, &file);
        ward.alerts("record_access", crate::fixture::DESK_B);
    }

    #[test]
    fn everything_about_one_patient_is_none() {
        let mut ward = watched();
        let fields = [
            ("interaction", word("operation")),
            ("operation", word("$export")),
            ("scope", word("instance")),
            ("resource", word("Patient")),
            ("patient", patient(1)),
            ("status", num(202)),
        ];
        asks(&mut ward, DESK, &fields);
        assert!(ward.worst("record_access") <= Some(Severity::Low));
    }

    #[test]
    fn page_after_page_of_all_patients_is_found() {
        let mut ward = watched();
        let fields =
            [("interaction", word("search")), ("resource", word("Patient")), ("status", num(200))];
        for _ in 0..20 {
            ward.over(&FHIR, DESK, SERVER, 80, &fields);
            ward.pass(0.4);
        }
        ward.alerts("record_access", DESK);
    }

    #[test]
    fn an_export_of_everybody_is_found() {
        let mut ward = watched();
        let fields = [
            ("interaction", word("operation")),
            ("operation", word("$export")),
            ("status", num(202)),
        ];
        ward.over(&FHIR, DESK, SERVER, 80, &fields);
        ward.alerts("record_access", DESK);
    }
}
