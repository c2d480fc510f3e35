//! Guessing passwords, fast and slow, at whatever service says yes or no.
//!
//! Failures are counted per guesser and target. Fast guessing passes a bound within seconds; slow
//! guessing shows as a long run of failures that no success interrupts. A device that was set up with
//! a wrong password fails at its own steady pace: what was learned raises its bounds.

mod attempt;

use std::collections::BTreeSet;

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::{Observation, Party};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, Phase, remembers};
use crate::words;
use attempt::{Outcome, Service, account, attempt};

static SPEC: DetectorSpec = DetectorSpec {
    name: "password_guessing",
    doc: "Many failed log-ons from one place, fast or slow, at one target or at many.",
    kind: FindingKind::Rule,
    reads: &[
        "http.response",
        "remote.login",
        "remote.session",
        "smb.session",
        "mqtt.connect",
        "log.login",
        "kerberos.exchange",
        "ldap.bind",
        "smtp.login",
        "ssh.authentication",
        "oauth.token",
    ],
    attack: &["T1110"],
    next_step: "Find out who sits at the guessing machine. Change the password if one was found, and restrict who may reach the log-on.",
    sources: &[
        "RFC 9110 section 15.5.2",
        "RFC 4120 section 7.5.9",
        "RFC 4511 appendix A",
        "MITRE ATT&CK T1110.003",
    ],
};

/// Window in seconds and failures in it: fast, steady, and over many targets.
const FAST: (f64, f64) = (10.0, 5.0);
const STEADY: (f64, f64) = (300.0, 6.0);
const SPRAY: (f64, f64) = (120.0, 8.0);
/// SSH hides the outcome: so many sessions in so many seconds look like guessing.
const SESSIONS: (f64, f64) = (30.0, 8.0);
const SESSIONS_STEADY: f64 = 14.0;
/// Failures without a success that count however slow they are.
const SLOW_RUN: u32 = 12;

#[derive(Debug, Serialize, Deserialize)]
struct Attempts {
    fast: Bucket,
    steady: Bucket,
    run: u32,
    users: BTreeSet<Box<str>>,
    since: Timestamp,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct PasswordGuessing {
    pairs: Bounded<(Entity, Entity, Service), Attempts>,
    guessers: Bounded<Entity, (Bucket, BTreeSet<Entity>)>,
}

impl Default for PasswordGuessing {
    fn default() -> Self {
        Self { pairs: Bounded::new(50_000), guessers: Bounded::new(20_000) }
    }
}

impl Detector for PasswordGuessing {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some((service, outcome)) = attempt(o) else { return };
        // The server tells of HTTP's outcome, the client is who guesses.
        let by_peer = o.is("http.response");
        let (Some(peer), who) = (&o.peer, cx.who) else { return };
        let (guesser, guesser_party, target, target_party) = if by_peer {
            (who.peer, peer, who.subject, &o.subject)
        } else {
            (who.subject, &o.subject, who.peer, peer)
        };
        if matches!(guesser, Entity::Group) {
            return;
        }
        let sides = Sides { guesser, guesser_party, target, target_party, service };
        let state = self.pairs.entry((guesser, target, service), || Attempts {
            fast: Bucket::new(if service == Service::Ssh { SESSIONS.0 } else { FAST.0 }),
            steady: Bucket::new(STEADY.0),
            run: 0,
            users: BTreeSet::new(),
            since: o.at,
        });
        match outcome {
            Outcome::Success => {
                let run = std::mem::replace(&mut state.run, 0);
                if run >= FAST.1 as u32 {
                    success(o, cx, out, &sides, run);
                }
            }
            Outcome::Failure => {
                if state.run == 0 {
                    state.since = o.at;
                    state.users.clear();
                }
                let times = attempt::times(o);
                state.run = state.run.saturating_add(times);
                if let Some(user) = account(o).filter(|_| state.users.len() < 32) {
                    state.users.insert(user.into());
                }
                let fast = state.fast.add(o.at, f64::from(times), cx.learning());
                let steady = state.steady.add(o.at, f64::from(times), cx.learning());
                let usual = state.steady.learned_max();
                let bound = |fewest: f64| fewest.max(usual * 3.0 + fewest / 2.0);
                let slow = usual == 0.0 && state.run >= SLOW_RUN;
                // Where nobody said what is normal, a burst is not made normal by itself.
                let burst = cx.phase == Phase::Settling && fast >= FAST.1 * 2.0;
                if fast >= bound(FAST.1) || steady >= bound(STEADY.1) || slow || burst {
                    let seconds = o.at.seconds_since(state.since);
                    let users = state.users.len();
                    report(o, cx, out, &sides, state.run, seconds, users);
                }
                self.spray(o, cx, out, &sides);
            }
            Outcome::Hidden => {
                let sessions = state.fast.add(o.at, 1.0, cx.learning());
                let steady = state.steady.add(o.at, 1.0, cx.learning());
                let usual = (state.fast.learned_max(), state.steady.learned_max());
                if sessions >= SESSIONS.1.max(usual.0 * 3.0) {
                    hidden(o, cx, out, &sides, sessions, SESSIONS.0);
                } else if steady >= SESSIONS_STEADY.max(usual.1 * 3.0) {
                    hidden(o, cx, out, &sides, steady, STEADY.0);
                }
            }
        }
    }
}

struct Sides<'a> {
    guesser: Entity,
    guesser_party: &'a Party,
    target: Entity,
    target_party: &'a Party,
    service: Service,
}

impl PasswordGuessing {
    /// One guesser at many targets, few guesses at each.
    fn spray(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings, sides: &Sides<'_>) {
        let (bucket, targets) =
            self.guessers.entry(sides.guesser, || (Bucket::new(SPRAY.0), BTreeSet::new()));
        let failures = bucket.add(o.at, 1.0, cx.learning());
        if failures <= 1.0 {
            targets.clear();
        }
        if targets.len() < 256 {
            targets.insert(sides.target);
        }
        if cx.learning() || targets.len() < 4 || failures < SPRAY.1.max(bucket.learned_max() * 3.0)
        {
            return;
        }
        let title = words::sentence(&format!(
            "{} fails to log on at {} within two minutes, as when trying one password everywhere.",
            cx.name(sides.guesser, sides.guesser_party),
            words::count(targets.len() as u64, "machine", "machines"),
        ));
        out.claim(cx, o, Severity::High, title)
            .about(sides.guesser, sides.guesser_party)
            .alone()
            .with(sides.target, sides.target_party)
            .attack(&["T1110.003"])
            .key("spray")
            .because(Reason::new(
                "failed log-ons in two minutes",
                format!("{failures:.0}"),
                format!("{:.0}", bucket.learned_max()),
            ))
            .make();
    }
}

fn report(
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
    sides: &Sides<'_>,
    failures: u32,
    seconds: f64,
    users: usize,
) {
    let clinical = cx.is_clinical(sides.target);
    let title = words::sentence(&format!(
        "{} guesses passwords at {} ({}): {} in {}{}.",
        cx.name(sides.guesser, sides.guesser_party),
        cx.name(sides.target, sides.target_party),
        sides.service.name(),
        words::count(failures.into(), "failed log-on", "failed log-ons"),
        words::span(seconds),
        if users > 1 { format!(" with {users} account names") } else { String::new() },
    ));
    let severity = if clinical { Severity::High } else { Severity::Medium };
    out.claim(cx, o, severity, title)
        .about(sides.guesser, sides.guesser_party)
        .alone()
        .with(sides.target, sides.target_party)
        .user(account(o))
        .key(format!("{} {:?}", sides.service.name(), sides.target))
        .because(Reason::new("failed log-ons without a success", failures, "a few, then a success"))
        .score(0.95)
        .make();
}

fn success(o: &Observation, cx: &Context<'_>, out: &mut Findings, sides: &Sides<'_>, run: u32) {
    let title = words::sentence(&format!(
        "{} got into {} ({}) after {} failed log-ons: the password was probably guessed.",
        cx.name(sides.guesser, sides.guesser_party),
        cx.name(sides.target, sides.target_party),
        sides.service.name(),
        run,
    ));
    out.claim(cx, o, Severity::Critical, title)
        .about(sides.guesser, sides.guesser_party)
        .alone()
        .with(sides.target, sides.target_party)
        .user(account(o))
        .key(format!("{} success", sides.service.name()))
        .because(Reason::new("failed log-ons before the success", run, "below 5"))
        .score(0.9)
        .make();
}

fn hidden(
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
    sides: &Sides<'_>,
    sessions: f64,
    seconds: f64,
) {
    let title = words::sentence(&format!(
        "{} opened {sessions:.0} {} sessions to {} within {}, as when guessing passwords.",
        cx.name(sides.guesser, sides.guesser_party),
        sides.service.name(),
        cx.name(sides.target, sides.target_party),
        words::span(seconds),
    ));
    out.claim(cx, o, Severity::Medium, title)
        .key(format!("{} {:?}", sides.service.name(), sides.target))
        .because(
            Reason::new("sessions begun", format!("{sessions:.0}"), "one or two")
                .unit(if seconds < 60.0 { "in 30 s" } else { "in 5 min" }),
        )
        .score(0.8)
        .make();
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;

    use crate::engine::{Engine, Settings};
    use crate::fixture::{DESK, PACS, PUMPS, Ward, num, word};

    fn fails(ward: &mut Ward, outcome: &str) {
        let fields = [("service", word("ftp")), ("outcome", word(outcome))];
        let flow = ward.flow(DESK, PUMPS[0], 21);
        ward.say(&protocols::remote::LOGIN, Some(&flow), DESK, Some(PUMPS[0]), &fields);
    }

    #[test]
    fn failures_fast_and_slow_are_guessing() {
        for pause in [0.2, 8.0, 45.0] {
            let mut ward = Ward::peopled();
            ward.watch();
            for _ in 0..14 {
                fails(&mut ward, "failure");
                ward.pass(pause);
            }
            ward.alerts("password_guessing", DESK);
        }
    }

    #[test]
    fn a_burst_is_guessing_also_before_normal_life_is_known() {
        let mut ward = Ward::new();
        ward.engine = Engine::new(Settings::default(), assets::Settings::default());
        (0..12).for_each(|_| fails(&mut ward, "failure"));
        ward.alerts("password_guessing", DESK);
    }

    #[test]
    fn a_success_after_many_failures_is_the_worst() {
        let mut ward = Ward::peopled();
        ward.watch();
        (0..8).for_each(|_| fails(&mut ward, "failure"));
        fails(&mut ward, "success");
        assert_eq!(ward.worst("password_guessing"), Some(Severity::Critical));
    }

    #[test]
    fn rounds_of_one_ntlm_log_on_are_no_failures_and_refused_names_are() {
        for (user, guessed) in [(None, false), (Some("nurse"), true)] {
            let mut ward = Ward::peopled();
            ward.watch();
            for _ in 0..14 {
                let flow = ward.flow(DESK, PACS, 80);
                let mut fields = vec![("status", num(401)), ("auth", word("ntlm"))];
                fields.extend(user.map(|user| ("user", word(user))));
                ward.say(&protocols::http::RESPONSE, Some(&flow), PACS, Some(DESK), &fields);
                ward.pass(0.5);
            }
            if guessed {
                ward.alerts("password_guessing", DESK);
            } else {
                ward.is_quiet();
            }
        }
    }

    #[test]
    fn many_ssh_sessions_are_guessing_though_their_outcome_is_hidden() {
        let mut ward = Ward::peopled();
        ward.over(&protocols::remote::SESSION, DESK, PACS, 22, &[("service", word("ssh"))]);
        ward.watch();
        for _ in 0..16 {
            ward.over(&protocols::remote::SESSION, DESK, PACS, 22, &[("service", word("ssh"))]);
            ward.pass(8.0);
        }
        ward.alerts("password_guessing", DESK);
    }

    #[test]
    fn one_password_tried_on_many_accounts_is_found_at_the_directory_and_at_kerberos() {
        let kerberos = |ward: &mut Ward, user: &str| {
            let fields = [
                ("request", word("as")),
                ("client", word(user)),
                ("outcome", word("failure")),
                ("code", num(24)),
            ];
            ward.over(&protocols::kerberos::EXCHANGE, DESK, PACS, 88, &fields);
        };
        let directory = |ward: &mut Ward, user: &str| {
            let fields = [
                ("method", word("simple")),
                ("user", word(user)),
                ("outcome", word("failure")),
                ("code", num(49)),
            ];
            ward.over(&protocols::ldap::BIND, DESK, PACS, 389, &fields);
        };
        for tries in [kerberos as fn(&mut Ward, &str), directory] {
            let mut ward = Ward::peopled();
            ward.watch();
            for user in ["a", "b", "c", "d", "e", "f", "g"] {
                tries(&mut ward, user);
                ward.pass(20.0);
            }
            ward.alerts("password_guessing", DESK);
        }
    }

    #[test]
    fn ssh_keys_offered_in_turn_and_clocks_that_differ_are_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        let fields = [("outcome", word("success")), ("failures", num(6))];
        ward.over(&protocols::remote::ssh::AUTHENTICATION, DESK, PACS, 22, &fields);
        for _ in 0..20 {
            let fields = [("request", word("as")), ("outcome", word("failure")), ("code", num(37))];
            ward.over(&protocols::kerberos::EXCHANGE, DESK, PACS, 88, &fields);
        }
        assert_eq!(ward.worst("password_guessing"), None);
    }

    #[test]
    fn a_typing_mistake_and_a_device_with_a_wrong_password_all_its_life_are_none() {
        let mut ward = Ward::peopled();
        for _ in 0..30 {
            fails(&mut ward, "failure");
            ward.pass(10.0);
        }
        ward.watch();
        for _ in 0..30 {
            fails(&mut ward, "failure");
            ward.pass(10.0);
        }
        ward.is_quiet();
        let mut ward = Ward::peopled();
        ward.watch();
        (0..3).for_each(|_| fails(&mut ward, "failure"));
        fails(&mut ward, "success");
        assert_eq!(ward.worst("password_guessing"), None);
    }
}
