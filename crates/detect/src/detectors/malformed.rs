//! Broken messages: how a service is probed for mistakes, or put out of work.
//!
//! Some devices send broken messages all their life; what was seen while learning is theirs.

use std::collections::BTreeSet;

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::detectors::flood;
use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "malformed",
    doc: "Messages that break the rules of their protocol, from where none came before.",
    kind: FindingKind::Anomaly,
    reads: &["protocol.anomaly", "flow.protocol", "flow.end"],
    attack: &["T1499.004", "T0814", "T0866"],
    next_step: "Check that the receiving service still works. Find the sender; a broken device needs repair, a fuzzer needs unplugging.",
    sources: &[
        "CISA ICSMA-20-254-01",
        "CWE-776",
        "SOAP 1.2 part 1 section 5",
        "CVE-2019-0708",
        "spec S10, S16",
    ],
};

/// Window in seconds; broken messages in it.
const WINDOW_SECONDS: f64 = 20.0;
const FEWEST: f64 = 3.0;
/// Protocols of medical devices and of their control.
const CARE: [&str; 9] =
    ["dicom", "hl7", "astm", "mqtt", "fhir", "rdp", "soap", "ws-discovery", "poct1a"];
/// Of which one message is enough, by how the rule that it breaks begins, and what it does:
/// SOAP forbids declarations in XML, since they grow to gigabytes or read files; the channel is for
/// the server's own use, and asking for it is how it was broken into (CVE-2019-0708).
const GRAVE: [(&str, &str); 2] = [
    (
        "document type declaration",
        "XML that tells it to unfold more than was sent, or to read its own files",
    ),
    ("rdp requests channel MS_T120", "the request with which BlueKeep breaks into remote desktops"),
];

/// Window in seconds, and conversations in it that are not in the language of the service: tools
/// that find out versions try several, seconds apart.
const FOREIGN: (f64, f64) = (60.0, 3.0);

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Malformed {
    senders: Bounded<(Entity, Entity, Box<str>), Bucket>,
    usual: Bounded<Box<str>, u64>,
    /// What each service spoke while learning.
    spoken: Bounded<(Entity, u16), BTreeSet<Box<str>>>,
    foreign: Bounded<Entity, Bucket>,
}

impl Default for Malformed {
    fn default() -> Self {
        Self {
            senders: Bounded::new(30_000),
            usual: Bounded::new(1_000),
            spoken: Bounded::new(30_000),
            foreign: Bounded::new(30_000),
        }
    }
}

impl Detector for Malformed {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if !o.is("protocol.anomaly") {
            self.conversation(o, cx, out);
            return;
        }
        let (Some(protocol), Some(what)) = (o.str("protocol"), o.str("what")) else { return };
        // Packets below any service are `crafted_packets`; floods of frames are `flood`.
        if matches!(protocol, "ip" | "tcp") || flood::is_flood(protocol, what) {
            return;
        }
        let key = (cx.who.subject, cx.who.peer, Box::from(protocol));
        let bucket = self.senders.entry(key, || Bucket::new(WINDOW_SECONDS));
        let count = bucket.add(o.at, o.uint("count").unwrap_or(1) as f64, cx.learning());
        let usual = bucket.learned_max();
        let grave = GRAVE.iter().find(|(rule, _)| what.starts_with(rule));
        if let Some((_, does)) = grave.filter(|_| usual == 0.0 || cx.learning()) {
            one_is_enough(o, cx, out, (what, does));
        }
        if cx.learning() {
            *self.usual.entry(protocol.into(), u64::default) += 1;
            return;
        }
        let common = self.usual.get(&Box::from(protocol)).copied().unwrap_or(0);
        let care = CARE.contains(&protocol);
        let bound = FEWEST.max(usual * 4.0) * if common > 5 { 4.0 } else { 1.0 };
        let severity = match (care, count >= bound) {
            (true, true) => Severity::Medium,
            (false, true) if !cx.normal.knows_pair(cx.who.subject, cx.who.peer) => Severity::Medium,
            _ => Severity::Info,
        };
        if out.repeats(cx, severity, protocol) {
            return;
        }
        let title = words::sentence(&format!(
            "{} sends {} broken {} messages ({what}).",
            cx.subject(o),
            cx.peer(o),
            protocol.to_uppercase(),
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new(
                    "broken messages",
                    format!("{count:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 20 s"),
            )
            .because(Reason::new("rule broken", what, "none").weight(0.5))
            .key(protocol)
            .p_value(learn::counts::poisson_tail(count, usual.max(0.5)))
            .make();
    }
}

/// A message that nobody sends by mistake.
fn one_is_enough(
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
    (what, does): (&str, &str),
) {
    let severity = if cx.is_clinical(cx.who.peer) { Severity::High } else { Severity::Medium };
    let title = words::sentence(&format!("{} sends {} {does}.", cx.subject(o), cx.peer(o)));
    out.claim(cx, o, severity, title)
        .kind(FindingKind::Rule)
        .because(Reason::new("in a message", what, "none: the protocol forbids it"))
        .key(does)
        .score(0.9)
        .make();
}

impl Malformed {
    /// A conversation in which the client said something that is not the service's language.
    fn conversation(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (Some(port), Some("tcp")) = (responder_port(o), o.str("transport")) else { return };
        let service = (cx.who.peer, port);
        let protocol = o.str("protocol").filter(|protocol| *protocol != "unrecognised");
        if let Some(protocol) = protocol.filter(|_| o.is("flow.protocol") && cx.learning()) {
            let spoken = self.spoken.entry(service, BTreeSet::new);
            if spoken.len() < 8 {
                spoken.insert(protocol.into());
            }
            return;
        }
        let Some(spoken) = self.spoken.get(&service) else { return };
        let foreign = match (o.is("flow.protocol"), protocol) {
            (true, Some(protocol)) => !spoken.contains(protocol),
            // Said at the end, where it never became anything that could be read.
            (false, None) => o.uint("payload_out").is_some_and(|bytes| bytes > 0),
            _ => false,
        };
        if !foreign {
            return;
        }
        let bucket = self.foreign.entry(cx.who.subject, || Bucket::new(FOREIGN.0));
        let count = bucket.add(o.at, 1.0, cx.learning());
        let usual = bucket.learned_max();
        if cx.learning() || count < FOREIGN.1.max(usual * 4.0) {
            return;
        }
        let key = format!("foreign {:?}", cx.who.peer);
        if out.repeats(cx, Severity::Medium, &key) {
            return;
        }
        let spoken = spoken.first().map_or_else(String::new, |protocol| protocol.to_uppercase());
        let title = words::sentence(&format!(
            "{} sends {} data that is no {spoken} to its {spoken} service, time and again.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, Severity::Medium, title)
            .because(
                Reason::new(
                    "conversations that the service cannot read",
                    format!("{count:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 60 s"),
            )
            .key(key)
            .p_value(learn::counts::poisson_tail(count, usual.max(0.5)))
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, DESK_B, Host, PACS, SERVER, Ward, num, word};

    #[test]
    fn broken_messages_one_after_the_other_are_found() {
        let mut ward = Ward::peopled();
        ward.watch();
        let flow = ward.call(DESK, PACS, 104);
        for _ in 0..4 {
            let fields = [("protocol", word("dicom")), ("what", word("bad length"))];
            ward.say(&model::emit::ANOMALY, Some(&flow), DESK, Some(PACS), &fields);
            ward.pass(0.5);
        }
        ward.alerts("malformed", DESK);
    }

    fn ends(ward: &mut Ward, from: Host, payload: u64) {
        let flow = ward.call(from, PACS, 104);
        let fields = [("transport", word("tcp")), ("payload_out", num(payload))];
        ward.say(&wire::kinds::END, Some(&flow), from, Some(PACS), &fields);
    }

    #[test]
    fn a_service_that_is_spoken_to_in_no_language_of_its_own_is_found() {
        let mut ward = Ward::peopled();
        let flow = ward.call(SERVER, PACS, 104);
        ward.speaks(&flow, SERVER, PACS, "dicom");
        ward.watch();
        (0..6).for_each(|_| ends(&mut ward, DESK_B, 0));
        ward.is_quiet();
        (0..6).for_each(|_| ends(&mut ward, DESK, 40));
        ward.alerts("malformed", DESK);
    }

    #[test]
    fn finding_out_versions_is_found() {
        let mut ward = Ward::peopled();
        let flow = ward.call(SERVER, PACS, 104);
        ward.speaks(&flow, SERVER, PACS, "dicom");
        ward.watch();
        for protocol in ["http", "tls", "rdp", "dicom"] {
            let flow = ward.call(DESK, PACS, 104);
            ward.speaks(&flow, DESK, PACS, protocol);
            ward.pass(5.0);
        }
        ward.alerts("malformed", DESK);
    }

    #[test]
    fn of_some_one_is_enough() {
        for (protocol, what) in [
            ("soap", "document type declaration with entities"),
            ("rdp", "rdp requests channel MS_T120"),
        ] {
            let mut ward = Ward::peopled();
            ward.watch();
            let flow = ward.call(DESK, PACS, 6_464);
            let fields = [("protocol", word(protocol)), ("what", word(what))];
            ward.say(&model::emit::ANOMALY, Some(&flow), DESK, Some(PACS), &fields);
            ward.alerts("malformed", DESK);
        }
    }

    #[test]
    fn one_broken_message_is_a_note() {
        let mut ward = Ward::peopled();
        ward.watch();
        let flow = ward.call(DESK, PACS, 104);
        let fields = [("protocol", word("dicom")), ("what", word("bad length"))];
        ward.say(&model::emit::ANOMALY, Some(&flow), DESK, Some(PACS), &fields);
        ward.is_quiet();
    }
}
