//! A directory (LDAP) that hands out code, is emptied, or is told the passwords of many.
//!
//! * An answer with a Java object in it is the second half of a JNDI attack: the program that asked
//!   was made to ask, and will run what it was given. The few applications that keep such objects in
//!   a directory do so every day.
//! * Listing every account is what comes before an attack on all of them. Address books look things
//!   up one by one; servers that synchronise do it from their first day.
//! * Binds in clear text under many names: a program that checks its users' passwords so puts them
//!   all on the wire. A new one is worth knowing of.
//!
//! Binds that fail are `password_guessing`.

use std::collections::BTreeSet;

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, is_server, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "directory_abuse",
    doc: "A directory hands out Java code, is read out as a whole, or gets many passwords in clear text.",
    kind: FindingKind::Rule,
    reads: &["ldap.search", "ldap.bind"],
    attack: &["T1087.002", "T1190", "T1552"],
    next_step: "Find the program on the asking machine. Where a Java object was handed out, treat the machine as taken over; where the directory was read out, expect attempts on the accounts in it.",
    sources: &["RFC 2713", "CVE-2021-44228", "RFC 4513 section 5.1.3", "MITRE ATT&CK T1087.002"],
};

/// Entries in so many seconds that are a reading out, unless learned otherwise; times the most.
const DUMP: (f64, f64) = (300.0, 1_000.0);
const TIMES: f64 = 5.0;
/// So many in answer to one search are all of a small directory.
const SMALL: f64 = 300.0;
/// From one that has long searched there, so many times the most of its life.
const FAR: f64 = 20.0;
/// Accounts that bind in clear text from one machine in so many seconds.
const BINDS: (f64, usize) = (600.0, 8);

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct DirectoryAbuse {
    /// Who was given Java objects by whom while learning.
    java: Bounded<(Entity, Entity), ()>,
    /// Entries given to a machine.
    entries: Bounded<Entity, Bucket>,
    /// Entries given to a machine since it was last told of: what was told does not count again.
    #[serde(default = "fresh")]
    fresh: Bounded<Entity, f64>,
    /// Accounts that a machine has bound with lately, and the most of its learning.
    accounts: Bounded<Entity, Accounts>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Accounts {
    since: Timestamp,
    names: BTreeSet<Box<str>>,
    usual: usize,
}

fn fresh() -> Bounded<Entity, f64> {
    Bounded::new(20_000)
}

impl Default for DirectoryAbuse {
    fn default() -> Self {
        Self {
            java: Bounded::new(10_000),
            entries: Bounded::new(20_000),
            fresh: fresh(),
            accounts: Bounded::new(20_000),
        }
    }
}

impl Detector for DirectoryAbuse {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if o.is("ldap.bind") {
            return self.bind(o, cx, out);
        }
        if !o.texts("java").is_empty() || o.str("java_codebase").is_some() {
            self.object(o, cx, out);
        }
        self.dump(o, cx, out);
    }
}

impl DirectoryAbuse {
    fn object(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let pair = (cx.who.subject, cx.who.peer);
        if cx.learning() {
            self.java.entry(pair, || ());
        }
        if self.java.contains(&pair) {
            return;
        }
        let code = o.str("java_codebase").is_some();
        let severity = if code || cx.is_external(pair.1) || cx.is_clinical(pair.0) {
            Severity::Critical
        } else {
            Severity::High
        };
        let title = words::sentence(&format!(
            "{} was handed a Java object{} by the directory at {}, as in a JNDI attack (Log4Shell).",
            cx.subject(o),
            if code { " with the address of its code" } else { "" },
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "attributes in the answer",
                words::list(o.texts("java"), 4),
                "none of a Java object",
            ))
            .attack(&["T1190", "T1059"])
            .key(format!("java {:?}", pair.1))
            .score(0.95)
            .make();
    }

    fn dump(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let results = o.uint("results").unwrap_or(0) as f64;
        let bucket = self.entries.entry(cx.who.subject, || Bucket::new(DUMP.0));
        let entries = bucket.add(o.at, results, cx.learning());
        let usual = bucket.learned_max();
        let bound = if results >= SMALL { SMALL } else { DUMP.1 }.max(usual * TIMES);
        if cx.learning() {
            return;
        }
        let fresh = self.fresh.entry(cx.who.subject, f64::default);
        *fresh += results;
        if entries < bound || *fresh < bound {
            return;
        }
        *fresh = 0.0;
        let asker = cx.who.subject;
        let known = cx.familiarity().service_of_target;
        let severity = match (cx.is_appliance(asker) && cx.is_clinical(asker), known) {
            (true, _) => Severity::High,
            _ if cx.is_stranger(asker) || cx.is_external(asker) => Severity::High,
            (_, true) if entries < usual.max(1.0) * FAR => Severity::Low,
            // A server that begins to synchronise was set up to.
            _ if is_server(cx.class(asker)) => Severity::Low,
            _ => Severity::Medium,
        };
        let title = words::sentence(&format!(
            "{} reads out the directory at {}: {entries:.0} entries within five minutes.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .kind(FindingKind::Anomaly)
            .because(
                Reason::new(
                    "entries given",
                    format!("{entries:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 5 min"),
            )
            .key("dump")
            .p_value(learn::counts::poisson_tail(entries, usual.max(1.0)))
            .score(0.85)
            .make();
    }

    fn bind(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (true, Some(user)) = (o.flag("clear_text_password"), o.str("user")) else { return };
        let known = cx.familiarity();
        let accounts = self.accounts.entry(cx.who.subject, Accounts::default);
        if o.at.seconds_since(accounts.since) > BINDS.0 {
            accounts.since = o.at;
            accounts.names.clear();
        }
        if accounts.names.len() < 256 {
            accounts.names.insert(user.into());
        }
        let (count, usual) = (accounts.names.len(), accounts.usual);
        if cx.learning() {
            accounts.usual = usual.max(count);
            return;
        }
        if count < BINDS.1.max(usual * 3) {
            return;
        }
        let severity = if known.service_of_target { Severity::Low } else { Severity::Medium };
        let title = words::sentence(&format!(
            "{} sends {} the passwords of {count} accounts in clear text.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new("accounts bound in clear text", count, format!("at most {usual}"))
                    .unit("in 10 min"),
            )
            .attack(&["T1552", "T1110.003"])
            .key("clear text")
            .score(0.8)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use protocols::ldap::{BIND, SEARCH};

    use crate::fixture::{DESK, Host, OUTSIDE, PUMPS, SERVER, Ward, num, texts, word, yes};

    fn searches(ward: &mut Ward, from: Host, results: u64) {
        let fields = [("scope", word("subtree")), ("results", num(results))];
        ward.over(&SEARCH, from, SERVER, 389, &fields);
    }

    fn gets_java(ward: &mut Ward, from: Host, to: Host) {
        let fields = [("scope", word("base")), ("java", texts(&["javaFactory"]))];
        ward.over(&SEARCH, from, to, 389, &fields);
    }

    fn binds(ward: &mut Ward, user: u32) {
        let fields = [
            ("method", word("simple")),
            ("user", word(&format!("cn=user{user}"))),
            ("clear_text_password", yes()),
            ("outcome", word("success")),
        ];
        ward.over(&BIND, DESK, SERVER, 389, &fields);
    }

    #[test]
    fn a_java_object_in_an_answer_is_found_and_a_habit_is_none() {
        let mut ward = Ward::peopled();
        gets_java(&mut ward, SERVER, DESK);
        ward.watch();
        gets_java(&mut ward, SERVER, DESK);
        assert_eq!(ward.worst("directory_abuse"), None);
        gets_java(&mut ward, PUMPS[0], OUTSIDE);
        assert_eq!(ward.worst("directory_abuse"), Some(Severity::Critical));
    }

    #[test]
    fn a_directory_read_out_by_a_desk_is_found() {
        let mut ward = Ward::peopled();
        (0..20).for_each(|_| searches(&mut ward, DESK, 2));
        ward.watch();
        for _ in 0..8 {
            searches(&mut ward, DESK, 500);
            ward.pass(3.0);
        }
        ward.alerts("directory_abuse", DESK);
    }

    #[test]
    fn a_small_directory_read_out_is_found_and_told_once() {
        let mut ward = Ward::peopled();
        (0..5).for_each(|_| searches(&mut ward, DESK, 2));
        ward.watch();
        searches(&mut ward, DESK, 400);
        ward.alerts("directory_abuse", DESK);
        ward.pass(20.0);
        (0..10).for_each(|_| searches(&mut ward, DESK, 2));
        assert_eq!(ward.worst("directory_abuse"), None, "an ordinary look-up afterwards");
    }

    #[test]
    fn an_address_book_and_a_server_that_always_synchronises_are_none() {
        let mut ward = Ward::peopled();
        searches(&mut ward, SERVER, 40_000);
        ward.watch();
        searches(&mut ward, SERVER, 60_000);
        (0..200).for_each(|_| searches(&mut ward, DESK, 3));
        assert_eq!(ward.worst("directory_abuse"), None);
    }

    #[test]
    fn many_accounts_in_clear_text_are_found_and_one_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        (0..30).for_each(|_| binds(&mut ward, 1));
        assert_eq!(ward.worst("directory_abuse"), None);
        (0..9).for_each(|user| binds(&mut ward, user));
        ward.alerts("directory_abuse", DESK);
    }
}
