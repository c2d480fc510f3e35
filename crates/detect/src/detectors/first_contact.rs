//! A device that always dealt with the same few partners deals with somebody new.
//!
//! How much that says depends on how regular the device was: for a pump with two partners it says a
//! lot, for an office computer little. What others of its class do, and services that everybody uses,
//! are no surprise. Where several call a device that is new here, it is the new one that matters: the
//! first that calls it is an alert, the others are notes. And who calls it by a service that it used
//! elsewhere until now does what it always did: the alert is about the new one.

use assets::Entity;
use learn::Bounded;
use model::device::{DeviceClass, Tier};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "first_contact",
    doc: "A regular device opens a connection to a device or service that it never used, or somebody new takes the place of one that it did.",
    kind: FindingKind::Anomaly,
    reads: &["flow.outcome"],
    attack: &["T1021", "T0866"],
    next_step: "Ask the owner of the device whether something was set up; if not, look at what the device did just before, and keep an eye on the one that it called.",
    sources: &["spec: who talks to whom in normal life"],
};

/// Above this rate of news a device is too lively for one more to say anything.
const LIVELY: f64 = 0.05;
/// A device with more different services than this is no simple device.
const BROAD: u32 = 12;
/// Once so many others use a service, it is there for everybody.
const FOR_EVERYBODY: u32 = 3;

/// One that others used in so many ways (who, which service) is a server, whatever it was taken for.
const SERVES: u32 = 8;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct FirstContact {
    told: Bounded<(Entity, Entity, u16), ()>,
    /// Who was the first to call a service of a device that is new here.
    #[serde(default = "first")]
    first: Bounded<(Entity, u16), Entity>,
    /// Which services somebody used, of whomever.
    #[serde(default = "used")]
    used: Bounded<(Entity, u16), ()>,
}

fn first() -> Bounded<(Entity, u16), Entity> {
    Bounded::new(20_000)
}

fn used() -> Bounded<(Entity, u16), ()> {
    Bounded::new(50_000)
}

impl Default for FirstContact {
    fn default() -> Self {
        Self { told: Bounded::new(50_000), first: first(), used: used() }
    }
}

impl Detector for FirstContact {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let known = cx.familiarity();
        let (Entity::Device(actor), Entity::Device(_)) = (cx.who.subject, cx.who.peer) else {
            return;
        };
        if o.str("outcome") != Some("established")
            || !matches!(o.str("transport"), Some("tcp" | "udp" | "sctp"))
        {
            return;
        }
        let port = responder_port(o).unwrap_or(0);
        if cx.learning() {
            self.used.entry((cx.who.subject, port), || ());
            return;
        }
        if known.service_of_target {
            return;
        }
        let mut new = false;
        self.told.entry((cx.who.subject, cx.who.peer, port), || new = true);
        if !new {
            return;
        }
        let class = cx.inventory.class(actor);
        let mut severity = severity(cx, class);
        let mut of_peer = false;
        if severity > Severity::Low && cx.is_stranger(cx.who.peer) {
            let actor = cx.who.subject;
            of_peer = self.used.contains(&(actor, port));
            if *self.first.entry((cx.who.peer, port), || actor) != actor {
                severity = Severity::Low;
            }
        }
        // What most others use, or what was long known by another way, is not even worth a note.
        if severity == Severity::Info && (known.others_on_service >= FOR_EVERYBODY || known.pair) {
            return;
        }
        if of_peer && severity > Severity::Low {
            return takes_over(o, cx, out, port);
        }
        let partners = words::count(known.breadth.into(), "service", "services");
        let what = if known.actor {
            format!("which has kept to {partners} until now, calls")
        } else {
            "not seen before, calls".to_owned()
        };
        let title = words::sentence(&format!(
            "{}, {what} {} on {} port {port} for the first time.",
            cx.subject(o),
            cx.peer(o),
            o.str("transport").unwrap_or("ip"),
        ));
        let rate = known.surprise_rate;
        out.claim(cx, o, severity, title)
            .because(Reason::new("partner and service", "never used before", &partners))
            .because(
                Reason::new(
                    "how often it did something new while learning",
                    format!("{:.1} %", rate * 100.0),
                    "below 5 %",
                )
                .weight(0.5),
            )
            .key(port.to_string())
            .score(1.0 - rate)
            .p_value(rate)
            .make();
    }
}

/// Somebody new serves what others served until now.
fn takes_over(o: &Observation, cx: &Context<'_>, out: &mut Findings, port: u16) {
    let title = words::sentence(&format!(
        "{} is called by {} on {} port {port}, which it called elsewhere until now: it takes a server's place, or draws its traffic.",
        cx.peer(o),
        cx.subject(o),
        o.str("transport").unwrap_or("ip"),
    ));
    out.claim(cx, o, Severity::Medium, title)
        .about_peer(o)
        .because(Reason::new("server of this port", cx.peer(o), "those it called before"))
        .key(format!("serves {port}"))
        .score(0.7)
        .p_value(cx.familiarity().surprise_rate)
        .make();
}

fn severity(cx: &Context<'_>, class: DeviceClass) -> Severity {
    let known = cx.familiarity();
    let target = cx.who.peer;
    let regular = known.actor && known.surprise_rate < LIVELY && known.breadth <= BROAD;
    if !regular || known.pair {
        return Severity::Info;
    }
    if known.peers_of_class || known.others_on_service >= FOR_EVERYBODY {
        return Severity::Info;
    }
    // A server that care depends on does call others now and then; a device at the bedside does not.
    let device_at_work = cx.is_appliance(cx.who.subject)
        && matches!(class.tier(), Tier::T0 | Tier::T1 | Tier::T2)
        && cx.normal.uses(cx.who.subject) < SERVES;
    match (device_at_work, cx.is_clinical(target)) {
        (true, true) => Severity::High,
        (true, false) => Severity::Medium,
        (false, true) if !cx.is_stranger(cx.who.subject) => Severity::Low,
        _ => Severity::Info,
    }
}

#[cfg(test)]
mod tests {
    use model::Severity;

    use crate::fixture::{DESK, INTRUDER, MONITORS, PACS, PUMPS, Ward};

    #[test]
    fn a_monitor_that_calls_a_pump_is_found() {
        let mut ward = Ward::peopled();
        ward.watch();
        ward.call(MONITORS[0], PUMPS[0], 22);
        ward.alerts("first_contact", MONITORS[0]);
    }

    #[test]
    fn a_new_server_of_a_known_service_is_told_of_and_not_who_calls_it() {
        let mut ward = Ward::peopled();
        ward.watch();
        // Whoever never spoke is not there.
        ward.call(INTRUDER, DESK, 80);
        // All of them called the server by this port while they taught.
        ward.call(MONITORS[0], INTRUDER, 8_443);
        ward.call(PUMPS[0], INTRUDER, 8_443);
        let found = ward.findings();
        let alerts: Vec<_> = found
            .iter()
            .filter(|f| f.detector == "first_contact" && f.severity >= Severity::Medium)
            .collect();
        assert_eq!(alerts.len(), 1, "{alerts:#?}");
        assert_eq!(alerts[0].device.ip, INTRUDER.ip.parse().ok());
    }

    #[test]
    fn an_archive_that_sends_to_its_successor_is_no_alert() {
        let mut ward = Ward::peopled();
        for caller in [MONITORS[0], MONITORS[1], DESK, PUMPS[0]] {
            ward.call(caller, MONITORS[2], 104);
            ward.call(caller, MONITORS[2], 11_112);
        }
        ward.watch();
        ward.call(MONITORS[2], PACS, 104);
        ward.is_quiet();
    }

    #[test]
    fn what_its_siblings_do_and_what_a_desk_does_is_no_alert() {
        let mut ward = Ward::peopled();
        ward.call(MONITORS[1], PACS, 9_000);
        ward.watch();
        ward.call(MONITORS[0], PACS, 9_000);
        ward.call(DESK, PUMPS[0], 80);
        ward.is_quiet();
    }
}
