//! Calls to one new address at regular times: how an implant asks for orders.
//!
//! Regularity alone is no sign: half of a hospital's traffic is regular. It counts for pairs that
//! had nothing to do with each other before, and only where chance hardly makes it.

use assets::Entity;
use learn::{Bounded, Intervals};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "beacon",
    doc: "Regular calls to an address that the device never called before.",
    kind: FindingKind::Anomaly,
    reads: &["flow.outcome"],
    attack: &["T1071.001", "T1571"],
    next_step: "Find out which program on the device makes these calls. If nobody knows, block the address at the perimeter and have the device examined.",
    sources: &["spec S17, S27"],
};

/// Calls closer together than so many seconds are one.
const MERGE_SECONDS: f64 = 0.8;
/// Fewest calls, and how improbable their regularity has to be by chance: for a device that does
/// one job, for one that was not there while learning, and for one at which people browse, whose
/// many new addresses are as many chances to look regular. A series is looked at anew with every
/// call: see [`at_most`].
const APPLIANCE: (u64, f64) = (5, 0.05);
const NEWCOMER: (u64, f64) = (5, 4e-3);
const LIVELY: (u64, f64) = (6, 3e-4);
/// Intervals from and to which a series counts, in seconds.
const INTERVAL: std::ops::RangeInclusive<f64> = 1.0..=86_400.0;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Beacon {
    series: Bounded<(Entity, Entity, u16), Intervals>,
}

impl Default for Beacon {
    fn default() -> Self {
        Self { series: Bounded::new(30_000) }
    }
}

impl Detector for Beacon {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (actor, target) = (cx.who.subject, cx.who.peer);
        let known = cx.familiarity();
        let ours = matches!(actor, Entity::Device(_));
        if !ours || cx.learning() || known.pair || !cx.is_external(target) {
            return;
        }
        let port = responder_port(o).unwrap_or(0);
        let series = self.series.entry((actor, target, port), Intervals::default);
        // The outcome comes up to seconds after the call; the call is what is regular.
        let called = o.flow.as_ref().map_or(o.at, |flow| flow.started);
        series.add(called, MERGE_SECONDS);
        let (fewest, most) = if cx.is_stranger(actor) {
            NEWCOMER
        } else if cx.is_appliance(actor) {
            APPLIANCE
        } else {
            LIVELY
        };
        let (Some(median), Some(jitter), Some(p)) =
            (series.median(), series.jitter(), series.by_chance())
        else {
            return;
        };
        if p > at_most(most, series.events(), fewest) || !INTERVAL.contains(&median) {
            return;
        }
        // Time services are regular by design, and small.
        if port == 123 && o.str("transport") == Some("udp") {
            return;
        }
        let calls = series.events();
        let title = words::sentence(&format!(
            "{} calls {} every {} ({calls} times so far), an address it never used before: like a program that asks for orders.",
            cx.subject(o),
            cx.peer(o),
            words::span(median),
        ));
        out.claim(cx, o, Severity::Medium, title)
            .because(Reason::new(
                "deviation of the interval from its median",
                format!("{:.0} %", jitter * 100.0),
                "about 70 % by chance",
            ))
            .because(Reason::new("calls", calls, "none while learning").weight(0.5))
            .key(port.to_string())
            .p_value(p)
            .score(1.0 - jitter)
            .make();
    }
}

/// How improbable a series of so many calls has to be. Whoever looks again after each call sees
/// chance make something regular sooner or later; so the first look gets half of `most`, the second
/// a sixth, the k-th one part in k (k + 1), which together are `most` however long it goes on.
/// Regular calls gain an order of magnitude with each call and lose next to nothing by it.
fn at_most(most: f64, calls: u64, fewest: u64) -> f64 {
    if calls < fewest {
        return 0.0;
    }
    let look = (calls - fewest + 1) as f64;
    most / (look * (look + 1.0))
}

#[cfg(test)]
mod tests {
    use super::at_most;
    use crate::fixture::{DESK, Host, INTRUDER, MONITORS, OUTSIDE, Ward};

    fn calls(ward: &mut Ward, from: Host, times: &[f64]) {
        for pause in times {
            ward.pass(*pause);
            ward.call(from, OUTSIDE, 443);
        }
    }

    const REGULAR: [f64; 10] = [5.0, 5.6, 4.5, 5.2, 4.7, 5.4, 5.0, 4.6, 5.3, 5.0];
    const BY_CHANCE: [f64; 10] = [5.0, 40.0, 12.0, 90.0, 33.0, 2.0, 200.0, 61.0, 8.0, 17.0];

    #[test]
    fn regular_calls_to_a_new_address_are_found_whoever_makes_them() {
        for host in [DESK, MONITORS[0], INTRUDER] {
            let mut ward = Ward::peopled();
            calls(ward.watch(), host, &REGULAR);
            ward.alerts("beacon", host);
        }
    }

    #[test]
    fn looking_again_and_again_does_not_make_chance_regular() {
        let all: f64 = (0..10_000).map(|calls| at_most(0.05, calls, 5)).sum();
        assert!((0.0499..=0.05).contains(&all), "{all}");
        assert_eq!(at_most(0.05, 4, 5), 0.0);
        // A device that calls its maker now and then: one series in twenty may look regular.
        let mut chance = 1_u64;
        let mut pause = || {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            -200.0 * ((chance >> 11) as f64 / (1_u64 << 53) as f64).max(1e-9).ln()
        };
        let false_ones = (0..100)
            .filter(|_| {
                let mut series = learn::Intervals::default();
                let mut at = 0.0;
                (0..200).any(|_| {
                    at += pause();
                    series.add(model::Timestamp::from_seconds_f64(at), 0.8);
                    let most = at_most(0.05, series.events(), 5);
                    series.by_chance().is_some_and(|p| p <= most)
                })
            })
            .count();
        assert!(false_ones <= 8, "{false_ones} of 100");
    }

    #[test]
    fn browsing_and_what_was_regular_all_along_are_none() {
        let mut ward = Ward::peopled();
        calls(ward.watch(), DESK, &BY_CHANCE);
        ward.is_quiet();
        let mut ward = Ward::peopled();
        ward.call(DESK, OUTSIDE, 443);
        calls(ward.watch(), DESK, &REGULAR);
        ward.is_quiet();
    }
}
