//! Kerberos tickets collected to guess passwords from them (roasting).
//!
//! A ticket for a service is encrypted with the password of the service's account, and anybody with
//! an account may ask for one. Whoever asks for many, in the old encryption (RC4) that is quick to
//! try, takes them home to guess. The same goes for the answer to a log-on of an account that needs
//! not prove anything before (no pre-authentication).
//!
//! In normal life a computer asks for a handful of tickets when somebody logs on, and the same ones
//! every day. Domains that still live on RC4 show so while learning, of every machine; the bound is
//! what any machine did. Log-ons that fail are `password_guessing`.

use std::collections::BTreeMap;

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "ticket_theft",
    doc: "Kerberos tickets are collected in number, from which passwords can be guessed at leisure.",
    kind: FindingKind::Anomaly,
    reads: &["kerberos.exchange"],
    attack: &["T1558.003", "T1558.004"],
    next_step: "Find who sits at the machine. Give the accounts whose tickets were taken long new passwords, and allow no RC4 and no log-on without pre-authentication.",
    sources: &["RFC 4120", "RFC 8429", "MITRE ATT&CK T1558.003, T1558.004"],
};

/// Seconds in which different tickets are counted.
const WINDOW_SECONDS: f64 = 120.0;
/// Most tickets remembered of one machine.
const KEPT: usize = 256;

/// What is collected, with the fewest different ones that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// Tickets for services in RC4.
    Weak,
    /// Tickets for services, however encrypted.
    Any,
    /// Answers to log-ons without pre-authentication.
    Open,
}

impl Sort {
    const ALL: [Self; 3] = [Self::Weak, Self::Open, Self::Any];

    const fn fewest(self) -> usize {
        match self {
            Self::Weak => 5,
            Self::Open => 3,
            Self::Any => 20,
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Weak => "weakly encrypted tickets for different services",
            Self::Open => "log-on answers of accounts that need not prove themselves",
            Self::Any => "tickets for different services",
        }
    }
}

/// Names that one machine was given lately, with the time of the last, and the most of its learning.
#[derive(Debug, Default)]
struct Taken {
    lately: BTreeMap<Box<str>, Timestamp>,
    most: usize,
}

/// See the module.
#[derive(Debug)]
pub struct TicketTheft {
    machines: [Bounded<Entity, Taken>; 3],
    /// The most that any machine took while learning.
    most: [usize; 3],
}

#[derive(Serialize, Deserialize)]
struct Saved {
    machines: [Vec<(Entity, usize)>; 3],
    most: [usize; 3],
}

impl Default for TicketTheft {
    fn default() -> Self {
        Self { machines: std::array::from_fn(|_| Bounded::new(10_000)), most: [0; 3] }
    }
}

impl Detector for TicketTheft {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if o.str("outcome") != Some("success") {
            return;
        }
        for (place, sort) in Sort::ALL.into_iter().enumerate() {
            let Some(name) = wanted(o, sort) else { continue };
            let taken = self.machines[place].entry(cx.who.subject, Taken::default);
            taken.lately.retain(|_, at| o.at.seconds_since(*at) <= WINDOW_SECONDS);
            if taken.lately.len() < KEPT {
                taken.lately.insert(name.into(), o.at);
            }
            let count = taken.lately.len();
            if cx.learning() {
                taken.most = taken.most.max(count);
                self.most[place] = self.most[place].max(count);
                continue;
            }
            let (own, any) = (taken.most, self.most[place]);
            if count < sort.fewest().max(own * 3).max(any * 2) {
                continue;
            }
            report(o, cx, out, sort, (count, own, any));
            break;
        }
    }

    fn save(&self) -> serde_json::Value {
        let machines = std::array::from_fn(|place| {
            let known: &Bounded<Entity, Taken> = &self.machines[place];
            known.sorted().into_iter().map(|(who, taken)| (*who, taken.most)).collect()
        });
        serde_json::to_value(Saved { machines, most: self.most }).unwrap_or_default()
    }

    fn load(&mut self, saved: &serde_json::Value) {
        let Ok(saved) = Saved::deserialize(saved) else { return };
        self.most = saved.most;
        for (known, machines) in self.machines.iter_mut().zip(saved.machines) {
            for (who, most) in machines {
                known.entry(who, Taken::default).most = most;
            }
        }
    }
}

/// The name under which an answer counts, where it is of this sort.
fn wanted(o: &Observation, sort: Sort) -> Option<&str> {
    let asked = o.str("request")?;
    let weak = |field| o.str(field).is_some_and(|etype| etype.starts_with("rc4"));
    match sort {
        Sort::Open => (asked == "as" && !o.flag("preauth")).then(|| o.str("client")).flatten(),
        // Tickets for tickets are renewed all day; a service that asks in a user's name does so
        // for each of its users.
        _ if asked != "tgs" || o.flag("for_user") => None,
        _ => o
            .str("service")
            .filter(|service| !service.starts_with("krbtgt"))
            .filter(|_| sort == Sort::Any || weak("ticket_etype")),
    }
}

fn report(
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
    sort: Sort,
    (count, own, any): (usize, usize, usize),
) {
    let severity = if sort == Sort::Any { Severity::Medium } else { Severity::High };
    let title = words::sentence(&format!(
        "{} collects {} from {}: {count} within two minutes, from which passwords can be guessed.",
        cx.subject(o),
        sort.noun(),
        cx.peer(o),
    ));
    let mut claim = out
        .claim(cx, o, severity, title)
        .user(o.str("client"))
        .because(Reason::new(sort.noun(), count, format!("at most {own}")).unit("in 120 s"))
        .because(Reason::new("most that any machine took", count, any).weight(0.5));
    if o.flag("rc4_requested") {
        let asks = Reason::new("encryption asked for", "RC4 and nothing stronger", "AES");
        claim = claim.because(asks.weight(0.8));
    }
    let attack = if sort == Sort::Open { "T1558.004" } else { "T1558.003" };
    claim
        .attack(&[attack])
        .key(format!("{sort:?}"))
        .p_value(learn::counts::poisson_tail(count as f64, any.max(1) as f64))
        .score(0.9)
        .make();
}

#[cfg(test)]
mod tests {
    use model::observation::Value;
    use protocols::kerberos::EXCHANGE;

    use crate::fixture::{DESK, SERVER, Ward, word};

    fn ticket(ward: &mut Ward, service: &str, etype: &str) {
        let fields = [
            ("request", word("tgs")),
            ("client", word("nurse1")),
            ("service", word(service)),
            ("ticket_etype", word(etype)),
            ("outcome", word("success")),
        ];
        ward.over(&EXCHANGE, DESK, SERVER, 88, &fields);
    }

    fn log_on(ward: &mut Ward, client: &str, preauth: bool) {
        let fields = [
            ("request", word("as")),
            ("client", word(client)),
            ("preauth", Value::Bool(preauth)),
            ("outcome", word("success")),
        ];
        ward.over(&EXCHANGE, DESK, SERVER, 88, &fields);
    }

    fn office() -> Ward {
        let mut ward = Ward::peopled();
        for service in ["cifs/files", "ldap/dc", "HTTP/intranet"] {
            ticket(&mut ward, service, "aes256-cts-hmac-sha1-96");
        }
        ward.watch();
        ward
    }

    #[test]
    fn weak_tickets_for_many_services_are_found() {
        let mut ward = office();
        for n in 0..8 {
            ticket(&mut ward, &format!("MSSQLSvc/db{n}"), "rc4-hmac");
            ward.pass(4.0);
        }
        ward.alerts("ticket_theft", DESK);
    }

    #[test]
    fn log_ons_of_accounts_without_proof_are_found() {
        let mut ward = office();
        (0..4).for_each(|n| log_on(&mut ward, &format!("service{n}"), false));
        ward.alerts("ticket_theft", DESK);
    }

    #[test]
    fn a_morning_s_log_on_is_none() {
        let mut ward = office();
        log_on(&mut ward, "nurse1", true);
        for n in 0..9 {
            ticket(&mut ward, &format!("cifs/share{n}"), "aes256-cts-hmac-sha1-96");
            ticket(&mut ward, "krbtgt/HOSPITAL", "rc4-hmac");
        }
        ward.is_quiet();
    }

    #[test]
    fn a_domain_that_lives_on_rc4_is_none() {
        let mut ward = Ward::peopled();
        (0..6).for_each(|n| ticket(&mut ward, &format!("cifs/old{n}"), "rc4-hmac"));
        ward.watch();
        (0..8).for_each(|n| ticket(&mut ward, &format!("cifs/old{n}"), "rc4-hmac"));
        ward.is_quiet();
    }
}
