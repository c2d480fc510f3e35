//! Requests or messages at a rate that no client of the service has.
//!
//! Clinical messages queue up and then come in bursts (an interface after an outage, a scanner at
//! the end of a study): those from known senders are never called a flood here.

use assets::Entity;
use learn::{Bounded, Bucket, Rate};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "message_flood",
    doc: "Requests or messages at many times the rate of normal life.",
    kind: FindingKind::Rule,
    reads: &[
        "http.request",
        "mqtt.publish",
        "mqtt.connect",
        "dns.query",
        "dicom.association",
        "hl7.message",
        "syslog.message",
    ],
    attack: &["T1499.003", "T0814"],
    next_step: "Ask the owner of the sending machine whether this is a test or an import; warn the people who rely on the target.",
    sources: &["spec S28"],
};

/// Windows in seconds; fewest messages in each that can be a flood; times the learned maximum.
const WINDOWS: (f64, f64) = (2.0, 20.0);
const FEWEST: (f64, f64) = (60.0, 300.0);
const TIMES: f64 = 8.0;
/// From a client that the service never had, so many of the same in the long window are enough:
/// whoever opens a page asks for many things, but for each of them once.
const SAME: f64 = 100.0;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct MessageFlood {
    senders: Bounded<(Entity, Entity, Kind), Rate>,
    /// Requests of one sender for one thing.
    same: Bounded<(Entity, Entity, Box<str>), Bucket>,
    services: Bounded<(Entity, Kind), f64>,
}

impl Default for MessageFlood {
    fn default() -> Self {
        Self {
            senders: Bounded::new(50_000),
            same: Bounded::new(50_000),
            services: Bounded::new(20_000),
        }
    }
}

impl Detector for MessageFlood {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(kind) = Kind::of(o) else { return };
        let noun = kind.noun();
        let rate = self
            .senders
            .entry((cx.who.subject, cx.who.peer, kind), || Rate::new(WINDOWS.0, WINDOWS.1));
        let (short, long) = rate.add(o.at, 1.0, cx.learning());
        let busiest = self.services.entry((cx.who.peer, kind), f64::default);
        if cx.learning() {
            *busiest = busiest.max(short);
            return;
        }
        // The most that any one client of this service sent while learning is usual for it.
        let usual = (rate.short.learned_max().max(*busiest), rate.long.learned_max());
        let fast = short >= FEWEST.0.max(usual.0 * TIMES);
        let steady = long >= FEWEST.1.max(usual.1 * TIMES).max(usual.0 * TIMES);
        let usual_long = usual.1;
        let same = self.same(o, cx) >= SAME.max(usual_long * TIMES);
        if !fast && !steady && !same {
            return;
        }
        let queued = matches!(kind, Kind::Hl7 | Kind::Dicom | Kind::Syslog);
        let severity = if queued && cx.normal.knows_pair(cx.who.subject, cx.who.peer) {
            Severity::Low
        } else if cx.is_clinical(cx.who.peer) {
            Severity::High
        } else {
            Severity::Medium
        };
        let (count, seconds) = if fast { (short, WINDOWS.0) } else { (long, WINDOWS.1) };
        let expected = if fast { usual.0 } else { usual.1 };
        let title = words::sentence(&format!(
            "{} sends {} {count:.0} {noun} within {seconds:.0} s, far more than any client of it did before.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new(noun, format!("{count:.0}"), format!("at most {expected:.0}"))
                    .unit(if fast { "in 2 s" } else { "in 20 s" }),
            )
            .key(format!("{kind:?} {:?}", cx.who.peer))
            .score(0.9)
            .make();
    }
}

impl MessageFlood {
    /// How often a client that is new to the service has asked for the same thing lately.
    fn same(&mut self, o: &Observation, cx: &Context<'_>) -> f64 {
        if !o.is("http.request") || cx.familiarity().service_of_target {
            return 0.0;
        }
        let Some(path) = o.str("path") else { return 0.0 };
        let key = (cx.who.subject, cx.who.peer, path.into());
        self.same.entry(key, || Bucket::new(WINDOWS.1)).add(o.at, 1.0, false)
    }
}

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Kind {
    Http,
    MqttPublish,
    MqttConnect,
    Dns,
    Dicom,
    Hl7,
    Syslog,
}

impl Kind {
    fn of(o: &Observation) -> Option<Self> {
        match o.kind.name {
            "http.request" => Some(Self::Http),
            "mqtt.publish" if !o.flag("from_broker") => Some(Self::MqttPublish),
            "mqtt.connect" => Some(Self::MqttConnect),
            "dns.query" => Some(Self::Dns),
            "dicom.association" => Some(Self::Dicom),
            "hl7.message" if o.str("ack_code").is_none() => Some(Self::Hl7),
            "syslog.message" => Some(Self::Syslog),
            _ => None,
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Http => "web requests",
            Self::MqttPublish => "MQTT messages",
            Self::MqttConnect => "MQTT connections",
            Self::Dns => "name look-ups",
            Self::Dicom => "DICOM associations",
            Self::Hl7 => "HL7 messages",
            Self::Syslog => "log lines",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, Host, PACS, PUMPS, SERVER, Ward, word};

    fn asks(ward: &mut Ward, from: Host, path: &str) {
        let fields = [("method", word("GET")), ("path", word(path))];
        ward.over(&protocols::http::REQUEST, from, SERVER, 80, &fields);
    }

    #[test]
    fn requests_by_the_hundred_are_found() {
        let mut ward = Ward::peopled();
        ward.watch();
        for n in 0..200 {
            asks(&mut ward, DESK, &format!("/{n}"));
            ward.pass(0.01);
        }
        ward.alerts("message_flood", DESK);
    }

    #[test]
    fn the_same_request_over_and_over_from_a_new_client_is_found() {
        let mut ward = Ward::peopled();
        ward.watch();
        for _ in 0..160 {
            asks(&mut ward, PUMPS[0], "/");
            ward.pass(0.07);
        }
        ward.alerts("message_flood", PUMPS[0]);
    }

    #[test]
    fn a_page_with_many_parts_and_a_queue_that_empties_are_none() {
        let mut ward = Ward::peopled();
        let results = [("type", word("ORU")), ("sending_application", word("LAB"))];
        ward.over(&protocols::hl7::MESSAGE, PACS, SERVER, 2_575, &results);
        ward.watch();
        (0..50).for_each(|n| asks(&mut ward, DESK, &format!("/part{n}")));
        let flow = ward.call(PACS, SERVER, 2_575);
        for _ in 0..200 {
            ward.say(&protocols::hl7::MESSAGE, Some(&flow), PACS, Some(SERVER), &results);
            ward.pass(0.005);
        }
        ward.is_quiet();
    }
}
