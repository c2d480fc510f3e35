//! One person or machine reads far more patients' records than anybody does.
//!
//! Different patients are counted, from audit logs and from FHIR on the wire, by account or else by
//! device; `population.rs` has what asks for everybody at once. The bound follows what this one and all others did while learning: a busy night is a few
//! times as much, a scraper is a different number.

mod population;

use std::collections::{BTreeSet, VecDeque};

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use model::privacy::Token;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;
use population::Population;

static SPEC: DetectorSpec = DetectorSpec {
    name: "record_access",
    doc: "Records of many different patients are read in a short time, or of everybody in pages or at once.",
    kind: FindingKind::Anomaly,
    reads: &["audit.access", "fhir.interaction"],
    attack: &["T1213", "T1530"],
    next_step: "Ask the person whether the account was theirs to use so. If not, lock the account and tell the privacy officer which patients are concerned.",
    sources: &["45 CFR 164.312(b)", "HL7 FHIR Bulk Data Access 2.0", "spec S26"],
};

/// Windows in seconds with the fewest different patients that count in each.
const WINDOWS: [(f64, usize); 3] = [(10.0, 8), (60.0, 20), (300.0, 40)];
/// Times the most that this account read while learning, and the most that any did.
const TIMES_OWN: usize = 4;
const TIMES_ANY: usize = 3;
/// Most accesses remembered per account.
const KEPT: usize = 512;

#[derive(Debug, Default)]
struct Reader {
    lately: VecDeque<(Timestamp, Token)>,
    most: [usize; WINDOWS.len()],
}

/// See the module.
#[derive(Debug)]
pub struct RecordAccess {
    population: Population,
    readers: Bounded<Box<str>, Reader>,
    most: [usize; WINDOWS.len()],
}

#[derive(Serialize, Deserialize)]
struct Saved {
    #[serde(flatten)]
    population: Population,
    readers: Vec<(Box<str>, [usize; WINDOWS.len()])>,
    most: [usize; WINDOWS.len()],
}

impl Default for RecordAccess {
    fn default() -> Self {
        Self {
            population: Population::default(),
            readers: Bounded::new(20_000),
            most: [0; WINDOWS.len()],
        }
    }
}

impl Detector for RecordAccess {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if o.is("fhir.interaction") {
            self.population.observe(o, cx, out);
            let read = matches!(
                o.str("interaction"),
                Some("read" | "vread" | "search" | "history" | "operation")
            );
            if !read || matches!(o.uint("status"), Some(400..)) {
                return;
            }
        } else if !matches!(o.str("action"), Some("R" | "E") | None) {
            return;
        }
        let Some(patient) = o.token("patient") else { return };
        let Some(reader) = reader(o, cx) else { return };
        let state = self.readers.entry(reader.into(), Reader::default);
        state.lately.push_back((o.at, patient));
        while state.lately.len() > KEPT
            || state
                .lately
                .front()
                .is_some_and(|(at, _)| o.at.seconds_since(*at) > WINDOWS[WINDOWS.len() - 1].0)
        {
            state.lately.pop_front();
        }
        for (place, (seconds, fewest)) in WINDOWS.into_iter().enumerate() {
            let patients: BTreeSet<Token> = state
                .lately
                .iter()
                .filter(|(at, _)| o.at.seconds_since(*at) <= seconds)
                .map(|(_, patient)| *patient)
                .collect();
            let count = patients.len();
            if cx.learning() {
                state.most[place] = state.most[place].max(count);
                self.most[place] = self.most[place].max(count);
                continue;
            }
            let (own, any) = (state.most[place], self.most[place]);
            if count < fewest.max(own * TIMES_OWN).max(any * TIMES_ANY) {
                continue;
            }
            // What was told of does not count again when the next record is read.
            state.lately.clear();
            report(o, cx, out, count, seconds, own, any);
            break;
        }
    }

    fn save(&self) -> serde_json::Value {
        let readers =
            self.readers.sorted().into_iter().map(|(name, r)| (name.clone(), r.most)).collect();
        serde_json::to_value(Saved {
            population: self.population.clone(),
            readers,
            most: self.most,
        })
        .unwrap_or_default()
    }

    fn load(&mut self, saved: &serde_json::Value) {
        let Ok(saved) = Saved::deserialize(saved) else { return };
        self.most = saved.most;
        self.population = saved.population;
        for (name, most) in saved.readers {
            self.readers.entry(name, Reader::default).most = most;
        }
    }
}

/// The account, or else the device, apart for each source: a record read through FHIR and told of by
/// the audit log is one access in each.
fn reader(o: &Observation, cx: &Context<'_>) -> Option<String> {
    let source = if o.is("fhir.interaction") { "fhir" } else { "audit" };
    match (o.str("user"), cx.who.subject) {
        (Some(user), _) => Some(format!("{source} user {user}")),
        (None, Entity::Nobody | Entity::Group) => None,
        (None, entity) => Some(format!("{source} {entity:?}")),
    }
}

fn report(
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
    count: usize,
    seconds: f64,
    own: usize,
    any: usize,
) {
    let who = match o.str("user") {
        Some(user) => format!("the account {user} at {}", cx.subject(o)),
        None => cx.subject(o),
    };
    let title = words::sentence(&format!(
        "{who} read the records of {count} different patients within {}; the most it ever read in that time was {own}.",
        words::span(seconds),
    ));
    out.claim(cx, o, Severity::High, title)
        .user(o.str("user"))
        .because(Reason::new("different patients", count, own).unit(match seconds {
            s if s < 20.0 => "in 10 s",
            s if s < 100.0 => "in 60 s",
            _ => "in 5 min",
        }))
        .because(Reason::new("most that anybody read while learning", count, any).weight(0.6))
        .key(format!("{:?}", o.str("user")))
        .p_value(learn::counts::poisson_tail(count as f64, (any.max(1)) as f64))
        .score(0.95)
        .make();
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, SERVER, Ward, patient, word};

    fn reads(ward: &mut Ward, user: &str, number: u64) {
        let fields = [("action", word("R")), ("user", word(user)), ("patient", patient(number))];
        ward.say(&logs::kinds::RECORD_ACCESS, None, DESK, Some(SERVER), &fields);
    }

    fn office() -> Ward {
        let mut ward = Ward::peopled();
        for n in 0..40 {
            reads(&mut ward, "dr1", n % 7);
            ward.pass(11.0);
        }
        ward.watch();
        ward
    }

    #[test]
    fn many_patients_are_found_fast_and_slow() {
        for pause in [0.5, 2.5, 6.0] {
            let mut ward = office();
            for n in 0..80 {
                reads(&mut ward, "dr1", n);
                ward.pass(pause);
            }
            ward.alerts("record_access", DESK);
        }
    }

    #[test]
    fn one_patient_read_often_and_a_busy_hour_are_none() {
        let mut ward = office();
        for n in 0..60 {
            reads(&mut ward, "dr1", 3);
            reads(&mut ward, "dr2", n / 3);
            ward.pass(5.0);
        }
        ward.is_quiet();
    }
}
