//! Asking for every address of a subnet by ARP: how a scan of the own segment begins.

use std::net::IpAddr;

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "arp_sweep",
    doc: "One station asks by ARP for many addresses that it never dealt with.",
    kind: FindingKind::Rule,
    reads: &["arp.packet"],
    attack: &["T1018", "T0846"],
    next_step: "Find the machine that sweeps and ask its owner; unless it is an announced inventory, take it off the network.",
    sources: &["RFC 826"],
};

/// Window in seconds, and the fewest different addresses in it that make a sweep.
const WINDOW_SECONDS: f64 = 10.0;
const FEWEST: f64 = 20.0;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct ArpSweep {
    asked: Bounded<(Entity, IpAddr), ()>,
    rates: Bounded<Entity, Bucket>,
}

impl Default for ArpSweep {
    fn default() -> Self {
        Self { asked: Bounded::new(100_000), rates: Bounded::new(20_000) }
    }
}

impl Detector for ArpSweep {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (Some("request"), Some(target)) = (o.str("operation"), o.ip("target_ip")) else {
            return;
        };
        let asker = cx.who.subject;
        if o.flag("gratuitous") || !matches!(asker, Entity::Device(_)) {
            return;
        }
        let mut new = false;
        self.asked.entry((asker, target), || new = true);
        if !new {
            return;
        }
        let rate = self.rates.entry(asker, || Bucket::new(WINDOW_SECONDS));
        let count = rate.add(o.at, 1.0, cx.learning());
        let usual = rate.learned_max();
        if cx.learning() || count < FEWEST.max(usual * 3.0) {
            return;
        }
        let title = words::sentence(&format!(
            "{} asks for {count:.0} different addresses of its network within {WINDOW_SECONDS:.0} s: it looks for devices.",
            cx.subject(o)
        ));
        out.claim(cx, o, Severity::Medium, title)
            .alone()
            .because(
                Reason::new(
                    "addresses asked for that it never asked for before",
                    format!("{count:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 10 s"),
            )
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, Host, Ward, ip, word};

    fn asks(ward: &mut Ward, host: Host, last: u8) {
        let target = format!("10.0.7.{last}");
        let fields = [("operation", word("request")), ("target_ip", ip(&target))];
        ward.say(&protocols::arp::PACKET, None, host, None, &fields);
    }

    #[test]
    fn asking_for_every_address_is_a_sweep() {
        let mut ward = Ward::peopled();
        ward.watch();
        for last in 1..60 {
            asks(&mut ward, DESK, last);
            ward.pass(0.02);
        }
        ward.alerts("arp_sweep", DESK);
    }

    #[test]
    fn asking_for_the_same_few_again_and_again_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        for n in 0..300 {
            asks(&mut ward, DESK, n as u8 % 5);
            ward.pass(0.1);
        }
        ward.is_quiet();
    }
}
