//! Probing for open services: port scans and sweeps, fast and slow.
//!
//! Two signs. A burst: many first contacts within seconds, most of them without an answer. And a
//! walk (Jung et al. 2004): first contacts that fail, one after the other, however slowly. Only
//! contacts that are not part of normal life count, so a server that is down makes nobody a scanner.

use std::net::IpAddr;

use assets::Entity;
use learn::sequential::Hypotheses;
use learn::{Bounded, Bucket, RandomWalk, Verdict};
use model::finding::{FindingKind, Reason, Severity};
use model::net::is_unicast;
use model::observation::Observation;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "scan",
    doc: "Probing for open services: many first contacts that fail, fast or slow.",
    kind: FindingKind::Rule,
    reads: &["flow.start", "flow.outcome"],
    attack: &["T1046", "T0846"],
    next_step: "Find the machine that probes and ask its owner; unless it is an announced scan, take it off the network. Check the devices that it reached.",
    sources: &[
        "J. Jung, V. Paxson, A. Berger, H. Balakrishnan: Fast Portscan Detection Using Sequential Hypothesis Testing, IEEE S&P 2004",
    ],
};

/// A benign host's first contacts succeed four times in five, a scanner's one time in five.
const WALK: Hypotheses =
    Hypotheses { success_benign: 0.8, success_attack: 0.2, false_alarm: 1e-4, detection: 0.99 };
/// Window of a burst, in seconds, and the fewest first contacts that make one.
const BURST_SECONDS: f64 = 5.0;
const BURST: f64 = 15.0;
/// Of the contacts of a burst, at most so many may have been answered.
const ANSWERED: f64 = 0.5;

#[derive(Debug, Serialize, Deserialize)]
struct Source {
    tried: Bucket,
    answered: Bucket,
    walk: RandomWalk,
    since: Timestamp,
    targets: Vec<IpAddr>,
    ports: Vec<u16>,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Scan {
    sources: Bounded<Entity, Source>,
    tried: Bounded<(Entity, IpAddr, u16), bool>,
}

impl Default for Scan {
    fn default() -> Self {
        Self { sources: Bounded::new(20_000), tried: Bounded::new(300_000) }
    }
}

impl Detector for Scan {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(flow) = &o.flow else { return };
        let source = cx.who.subject;
        let target = flow.tuple.responder;
        if !is_unicast(target.ip) || matches!(source, Entity::Group | Entity::Nobody) {
            return;
        }
        // Address servers speak to addresses that nobody has as yet (RFC 2131 section 3.1).
        let dhcp = matches!((flow.tuple.originator.port, target.port), (67 | 547, 67 | 68 | 546));
        if dhcp && o.str("transport") == Some("udp") {
            return;
        }
        // What the outside says is not ours to judge by its failures: a browser meets dead servers.
        if cx.is_external(cx.who.peer) || (cx.learning() && o.is("flow.start")) {
            return;
        }
        if o.is("flow.start") {
            self.start(o, cx, out, source, (target.ip, target.port));
        } else {
            self.outcome(o, cx, out, source, (target.ip, target.port));
        }
    }
}

impl Scan {
    fn source(&mut self, source: Entity, at: Timestamp) -> &mut Source {
        self.sources.entry(source, || Source {
            tried: Bucket::new(BURST_SECONDS),
            answered: Bucket::new(BURST_SECONDS),
            walk: RandomWalk::default(),
            since: at,
            targets: Vec::new(),
            ports: Vec::new(),
        })
    }

    fn start(
        &mut self,
        o: &Observation,
        cx: &Context<'_>,
        out: &mut Findings,
        source: Entity,
        (ip, port): (IpAddr, u16),
    ) {
        if cx.normal.knows_pair(source, cx.who.peer) && !matches!(cx.who.peer, Entity::Nobody) {
            // Known partners may try each other's ports; the walk still counts what fails.
            if port >= 32_768 {
                return;
            }
        }
        if self.tried.contains(&(source, ip, port)) {
            return;
        }
        self.tried.entry((source, ip, port), || false);
        let state = self.source(source, o.at);
        let burst = state.tried.add(o.at, 1.0, false);
        if burst <= 1.5 {
            state.since = o.at;
            state.targets.clear();
            state.ports.clear();
        }
        remember(&mut state.targets, ip);
        remember(&mut state.ports, port);
        let answered = state.answered.add(o.at, 0.0, false);
        let bound = BURST.max(state.tried.learned_max() * 3.0 + 5.0);
        if burst >= bound && answered <= burst * ANSWERED {
            let (targets, ports) = (state.targets.clone(), state.ports.clone());
            report(o, cx, out, burst, answered, &targets, &ports, state.since);
        }
    }

    fn outcome(
        &mut self,
        o: &Observation,
        cx: &Context<'_>,
        out: &mut Findings,
        source: Entity,
        (ip, port): (IpAddr, u16),
    ) {
        let success = o.str("outcome") == Some("established");
        if cx.learning() {
            self.source(source, o.at).tried.add(o.at, 1.0, true);
            self.tried.entry((source, ip, port), || true);
            return;
        }
        let familiar = cx.familiarity();
        if familiar.service_of_target || familiar.act {
            return;
        }
        let judged = self.tried.entry((source, ip, port), || false);
        if std::mem::replace(judged, true) {
            return;
        }
        let state = self.source(source, o.at);
        state.answered.add(o.at, f64::from(u8::from(success)), false);
        remember(&mut state.targets, ip);
        remember(&mut state.ports, port);
        if state.walk.step(success, 1.0, &WALK) == Verdict::Attack {
            let (failures, successes) = (state.walk.failures(), state.walk.successes());
            let (targets, ports) = (state.targets.clone(), state.ports.clone());
            let since = state.since;
            state.walk.reset();
            let tried = f64::from(failures + successes);
            report(o, cx, out, tried, f64::from(successes), &targets, &ports, since);
        }
    }
}

fn remember<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if list.len() < 64 && !list.contains(&item) {
        list.push(item);
    }
}

#[allow(clippy::too_many_arguments, reason = "one sentence needs all of them")]
fn report(
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
    tried: f64,
    answered: f64,
    targets: &[IpAddr],
    ports: &[u16],
    since: Timestamp,
) {
    let many = |n: usize, one: &str, several: &str| {
        format!(
            "{}{}",
            if n >= 64 { "more than " } else { "" },
            words::count(n as u64, one, several)
        )
    };
    let title = words::sentence(&format!(
        "{} probes for open services: {} on {}, {:.0} of {:.0} without an answer.",
        cx.subject(o),
        many(ports.len(), "port", "ports"),
        many(targets.len(), "address", "addresses"),
        tried - answered,
        tried,
    ));
    out.claim(cx, o, Severity::High, title)
        .because(Reason::new(
            "first contacts that got no answer",
            format!(
                "{:.0} of {tried:.0} in {}",
                tried - answered,
                words::span(o.at.seconds_since(since))
            ),
            "one in five",
        ))
        .key(if ports.len() > targets.len() {
            "ports"
        } else if ports.len() < 2 {
            "one port"
        } else {
            "both"
        })
        .score(0.97)
        .make();
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, DESK_B, INTRUDER, PUMPS, SERVER, Ward, nth};

    #[test]
    fn unanswered_first_contacts_are_a_scan_fast_or_slow() {
        for pause in [0.01, 6.0] {
            let mut ward = Ward::peopled();
            ward.watch();
            for port in 1..=16 {
                ward.knock(DESK, PUMPS[0], port, "refused");
                ward.pass(pause);
            }
            ward.alerts("scan", DESK);
        }
    }

    #[test]
    fn a_server_that_is_down_and_new_services_that_answer_make_no_scanner() {
        let mut ward = Ward::peopled();
        ward.watch();
        for n in 0..30 {
            ward.knock(DESK, SERVER, 8_443, "unanswered");
            ward.call(DESK_B, nth(n), 443);
            ward.pass(2.0);
        }
        ward.is_quiet();
    }

    #[test]
    fn a_second_scan_is_news_and_the_rest_of_the_first_is_not() {
        let mut ward = Ward::peopled();
        ward.watch();
        let scan = |ward: &mut Ward, ports: std::ops::Range<u16>| {
            ports.for_each(|port| drop(ward.knock(INTRUDER, PUMPS[0], port, "refused")));
            ward.findings().iter().filter(|f| f.detector == "scan").count()
        };
        assert_eq!(scan(&mut ward, 1..200), 1);
        ward.pass(120.0);
        assert_eq!(scan(&mut ward, 200..300), 1);
    }
}
