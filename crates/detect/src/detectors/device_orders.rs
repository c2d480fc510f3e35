//! Orders to medical devices over IEEE 11073 SDC by somebody who never gave any, or to many at once.
//!
//! SDC lets a consumer not only read a device but set it: values, alarm limits, alarms silenced. Who
//! does so in normal life is a short list (a central station, a cockpit), and each to a few devices.
//! What an order is, the parser says (`changes`).
//!
//! The look-alikes: one more cockpit of a kind (`kin`), a known consumer that gets a new device, and
//! a station that has long read the device and now sets it for the first time, since orders are rare
//! and a baseline is short: those are notes.

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin;
use crate::seam::{Context, Detector, DetectorSpec, is_server, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "device_orders",
    doc: "A medical device is set over SDC by a consumer that never did, or many devices at once.",
    kind: FindingKind::Anomaly,
    reads: &["soap.message"],
    attack: &["T0855", "T0836", "T0878"],
    next_step: "Check the device's settings and alarms beside the patient. Ask biomedical engineering whether the machine may control devices; if not, have it disconnected.",
    sources: &[
        "IEEE 11073-10207, IEEE 11073-20701",
        "MITRE ATT&CK T0855, T0836, T0878",
        "CISA ICSMA-21-294-01",
        "spec S02",
    ],
};

/// Window in seconds; different devices in it that one consumer sets.
const WINDOW_SECONDS: f64 = 60.0;
const DEVICES: f64 = 8.0;
const TIMES: f64 = 3.0;
/// Most consumers that are remembered.
const MOST: usize = 256;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceOrders {
    /// Who set which device while learning.
    pairs: Bounded<(Entity, Entity), ()>,
    /// Everybody who set any.
    all: Vec<Entity>,
    /// When a consumer last set a device.
    last: Bounded<(Entity, Entity), Timestamp>,
    /// Different devices that a consumer set lately.
    spread: Bounded<Entity, Bucket>,
}

impl Default for DeviceOrders {
    fn default() -> Self {
        Self {
            pairs: Bounded::new(50_000),
            all: Vec::new(),
            last: Bounded::new(50_000),
            spread: Bounded::new(10_000),
        }
    }
}

impl Detector for DeviceOrders {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if !o.flag("changes") {
            return;
        }
        let pair = (cx.who.subject, cx.who.peer);
        self.many(o, cx, out);
        if cx.learning() {
            self.pairs.entry(pair, || ());
            if self.all.len() < MOST && !self.all.contains(&pair.0) {
                self.all.push(pair.0);
            }
            return;
        }
        if self.pairs.contains(&pair) {
            return;
        }
        let elsewhere = self.all.contains(&pair.0) || kin::one_more(cx, pair.0, &self.all);
        let partner = cx.normal.knows_pair(pair.0, pair.1);
        let severity = match (elsewhere, partner) {
            (true, _) => Severity::Low,
            (false, true) if is_server(cx.class(pair.0)) => Severity::Low,
            // Who follows a device over SDC every day is the one to acknowledge its alarms one day.
            (false, true) if acknowledges(o) && cx.familiarity().service_of_target => Severity::Low,
            (false, true) => Severity::Medium,
            (false, false) => Severity::High,
        };
        let title = words::sentence(&format!(
            "{} {} {}, which it never did.",
            cx.subject(o),
            order(o),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "order to the device",
                o.str("operation").unwrap_or("unknown"),
                "none from this machine",
            ))
            .because(
                Reason::new(
                    "machines that give such orders",
                    cx.subject(o),
                    words::count(self.all.len() as u64, "known machine", "known machines"),
                )
                .weight(0.5),
            )
            .key(format!("{:?}", pair.1))
            .p_value(1.0 / (self.all.len() as f64 + cx.normal.learned_seconds() / 60.0 + 2.0))
            .score(0.85)
            .make();
    }
}

impl DeviceOrders {
    /// Many devices set by one consumer within a minute.
    fn many(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let pair = (cx.who.subject, cx.who.peer);
        let mut news = false;
        let last = self.last.entry(pair, || {
            news = true;
            o.at
        });
        news |= o.at.seconds_since(*last) > WINDOW_SECONDS;
        *last = o.at;
        if !news {
            return;
        }
        let spread = self.spread.entry(pair.0, || Bucket::new(WINDOW_SECONDS));
        let devices = spread.add(o.at, 1.0, cx.learning());
        let usual = spread.learned_max();
        if cx.learning() || devices < DEVICES.max(usual * TIMES) {
            return;
        }
        let severity = if self.all.contains(&pair.0) { Severity::Medium } else { Severity::High };
        let title = words::sentence(&format!(
            "{} {} {devices:.0} devices within a minute, far more than ever.",
            cx.subject(o),
            order(o),
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new(
                    "different devices set",
                    format!("{devices:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 60 s"),
            )
            .key("many")
            .p_value(learn::counts::poisson_tail(devices, usual.max(1.0)))
            .score(0.9)
            .make();
    }
}

/// Whether an order only changes the state of alarms, as who watches a device does now and then.
fn acknowledges(o: &Observation) -> bool {
    o.str("operation") == Some("SetAlertState")
}

/// What is done to the device, in a sentence.
fn order(o: &Observation) -> &'static str {
    match o.str("operation") {
        Some("SetAlertState") => "changes alarms of",
        Some("SetContextState") => "changes patient or place of",
        Some("Activate") => "starts actions on",
        _ => "changes settings of",
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use protocols::soap::MESSAGE;

    use crate::fixture::{DESK, Host, INTRUDER, MONITORS, PUMPS, SERVER, Ward, nth, word, yes};

    fn sets(ward: &mut Ward, from: Host, device: Host, operation: &str) {
        let fields = [
            ("standard", word("sdc")),
            ("role", word("request")),
            ("operation", word(operation)),
            ("changes", yes()),
        ];
        ward.over(&MESSAGE, from, device, 6_464, &fields);
    }

    fn theatre() -> Ward {
        let mut ward = Ward::peopled();
        for _ in 0..5 {
            sets(&mut ward, SERVER, MONITORS[0], "SetAlertState");
            sets(&mut ward, SERVER, PUMPS[0], "SetValue");
            ward.pass(20.0);
        }
        ward.watch();
        ward
    }

    #[test]
    fn an_order_by_one_that_never_gave_any_is_found() {
        for host in [DESK, INTRUDER] {
            let mut ward = theatre();
            sets(&mut ward, host, PUMPS[0], "SetValue");
            ward.alerts("device_orders", host);
        }
    }

    #[test]
    fn orders_to_many_devices_at_once_are_found_also_from_the_one_that_gives_them() {
        let mut ward = theatre();
        for n in 1..=12 {
            ward.call(nth(n), SERVER, 8_443);
            sets(&mut ward, SERVER, nth(n), "SetAlertState");
            ward.pass(1.0);
        }
        ward.alerts("device_orders", SERVER);
    }

    #[test]
    fn the_cockpit_its_new_device_and_all_reading_are_none() {
        let mut ward = theatre();
        sets(&mut ward, SERVER, MONITORS[0], "SetAlertState");
        sets(&mut ward, SERVER, MONITORS[1], "SetValue");
        let reads = [("standard", word("sdc")), ("role", word("request"))];
        ward.over(&MESSAGE, DESK, MONITORS[1], 6_464, &reads);
        assert!(ward.worst("device_orders") <= Some(Severity::Low));
    }
}
