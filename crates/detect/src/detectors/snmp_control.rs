//! Network management turned against devices: settings changed by SNMP, communities guessed, and
//! defaults that work.
//!
//! A community is all that protects a device in versions 1 and 2c, and many never got another than
//! the one they were shipped with. Management stations read all day and, where they set anything,
//! set it from the same place; both show while learning.
//!
//! The look-alikes: the management station itself, a printer server that asks every printer with
//! `public`, and one mistyped community.

use std::collections::BTreeSet;

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::{Observation, Value};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "snmp_control",
    doc: "A device's settings are changed by SNMP, its community is guessed, or a published one works.",
    kind: FindingKind::Rule,
    reads: &["snmp.request", "snmp.response"],
    attack: &["T0855", "T1602.001", "T0812"],
    next_step: "Ask whether the machine manages devices. Have the device's community changed, or SNMP switched off, by its maker or by biomedical engineering.",
    sources: &["RFC 3414, section 1", "CVE-1999-0517", "MITRE ATT&CK T1602.001", "CWE-1392"],
};

/// Communities tried on devices within so many seconds before they are guesses.
const GUESS_SECONDS: f64 = 120.0;
const GUESSES: usize = 4;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct SnmpControl {
    /// Who set objects of a device, and who asked it, while learning.
    setters: Bounded<(Entity, Entity), ()>,
    askers: Bounded<(Entity, Entity), ()>,
    /// Communities that a machine has used lately, with the time of the first.
    tried: Bounded<Entity, (Timestamp, BTreeSet<Box<str>>)>,
    /// Most that it used while learning.
    usual: Bounded<Entity, usize>,
}

impl Default for SnmpControl {
    fn default() -> Self {
        Self {
            setters: Bounded::new(20_000),
            askers: Bounded::new(50_000),
            tried: Bounded::new(20_000),
            usual: Bounded::new(20_000),
        }
    }
}

impl Detector for SnmpControl {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if o.is("snmp.response") {
            return self.answer(o, cx, out);
        }
        self.guess(o, cx, out);
        let pair = (cx.who.subject, cx.who.peer);
        if o.str("type") == Some("set") {
            self.set(o, cx, out);
        }
        if cx.learning() {
            self.askers.entry(pair, || ());
        }
    }
}

impl SnmpControl {
    fn set(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let pair = (cx.who.subject, cx.who.peer);
        if cx.learning() {
            self.setters.entry(pair, || ());
            return;
        }
        if self.setters.contains(&pair) || !matches!(cx.who.peer, Entity::Device(_)) {
            return;
        }
        // Who manages others and now this one too has got a new device to manage.
        let manages = self.setters.sorted().iter().any(|((setter, _), ())| *setter == pair.0);
        let severity = match (manages, cx.is_clinical(cx.who.peer)) {
            (true, true) | (false, false) => Severity::Low,
            (true, false) => return,
            (false, true) => Severity::High,
        };
        let severity = if !manages && o.flag("default_credential") {
            severity.max(Severity::Medium)
        } else {
            severity
        };
        let title = words::sentence(&format!(
            "{} changes settings of {} over SNMP, which it never did.",
            cx.subject(o),
            cx.peer(o),
        ));
        let object = o.str("object").unwrap_or("unknown");
        out.claim(cx, o, severity, title)
            .because(Reason::new("object that is set", object, "none by this machine"))
            .key("set")
            .score(0.85)
            .make();
    }

    fn guess(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(Value::Token(token)) = o.get("community") else { return };
        let (since, tokens) = self.tried.entry(cx.who.subject, || (o.at, BTreeSet::new()));
        if o.at.seconds_since(*since) > GUESS_SECONDS {
            (*since, *tokens) = (o.at, BTreeSet::new());
        }
        if tokens.len() < 64 {
            tokens.insert(token.to_string().into());
        }
        let count = tokens.len();
        if cx.learning() {
            let most = self.usual.entry(cx.who.subject, || 0);
            *most = count.max(*most);
            return;
        }
        let usual = self.usual.get(&cx.who.subject).copied().unwrap_or(0);
        if count < GUESSES.max(usual * 2) {
            return;
        }
        let severity = if cx.is_clinical(cx.who.peer) { Severity::High } else { Severity::Medium };
        let title = words::sentence(&format!(
            "{} guesses SNMP communities: {count} different ones, lately on {}.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new("different communities", count.to_string(), format!("at most {usual}"))
                    .unit("in 120 s"),
            )
            .key("guess")
            .attack(&["T1110.001"])
            .make();
    }

    /// A published community that a device accepts.
    fn answer(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if !o.flag("default_credential") || o.str("error") != Some("noError") {
            return;
        }
        let (agent, asker) = (cx.who.subject, cx.who.peer);
        if cx.learning() {
            self.askers.entry((asker, agent), || ());
            return;
        }
        if self.askers.contains(&(asker, agent)) || !matches!(agent, Entity::Device(_)) {
            return;
        }
        let severity = if cx.is_clinical(agent) && !cx.normal.knows_pair(asker, agent) {
            Severity::Medium
        } else {
            Severity::Low
        };
        let title = words::sentence(&format!(
            "{} tells {} about itself by a community that anybody can look up.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new("community", "a published default", "one of its own"))
            .because(Reason::new("who asks", cx.peer(o), "those who asked before").weight(0.5))
            .key("default")
            .attack(&["T0812", "T1602.001"])
            .score(0.8)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::net::Transport;
    use protocols::snmp;

    use crate::fixture::{DESK, Host, MONITORS, PUMPS, SERVER, Ward, patient, word, yes};

    fn asks(ward: &mut Ward, from: Host, to: Host, kind: &str, community: u64) {
        let flow = ward.flow_over(Transport::Udp, from, to, 161);
        let fields = [
            ("type", word(kind)),
            ("community", patient(community)),
            ("object", word("1.3.6.1.2.1.1.4.0")),
        ];
        ward.say(&snmp::REQUEST, Some(&flow), from, Some(to), &fields);
    }

    fn answers(ward: &mut Ward, from: Host, to: Host) {
        let flow = ward.flow_over(Transport::Udp, to, from, 161);
        let fields = [("error", word("noError")), ("default_credential", yes())];
        ward.say(&snmp::RESPONSE, Some(&flow), from, Some(to), &fields);
    }

    /// A server that asks and sets all pumps.
    fn managed() -> Ward {
        let mut ward = Ward::peopled();
        for pump in PUMPS {
            asks(&mut ward, SERVER, pump, "get", 1);
            asks(&mut ward, SERVER, pump, "set", 2);
            answers(&mut ward, pump, SERVER);
        }
        ward.watch();
        ward
    }

    #[test]
    fn a_desk_that_sets_a_pump_is_found() {
        let mut ward = managed();
        asks(&mut ward, DESK, PUMPS[0], "set", 9);
        ward.alerts("snmp_control", DESK);
    }

    #[test]
    fn guessed_communities_are_found() {
        let mut ward = managed();
        for community in 10..16 {
            asks(&mut ward, DESK, PUMPS[0], "get", community);
            ward.pass(1.0);
        }
        ward.alerts("snmp_control", DESK);
    }

    #[test]
    fn a_monitor_that_answers_a_stranger_by_a_default_is_found() {
        let mut ward = managed();
        answers(&mut ward, MONITORS[0], DESK);
        ward.alerts("snmp_control", MONITORS[0]);
    }

    #[test]
    fn the_management_station_at_work_is_none() {
        let mut ward = managed();
        for pump in PUMPS {
            asks(&mut ward, SERVER, pump, "get_bulk", 1);
            asks(&mut ward, SERVER, pump, "set", 2);
            answers(&mut ward, pump, SERVER);
        }
        ward.is_quiet();
    }

    #[test]
    fn one_mistyped_community_is_none() {
        let mut ward = managed();
        asks(&mut ward, DESK, PUMPS[0], "get", 10);
        asks(&mut ward, DESK, PUMPS[0], "get", 11);
        ward.is_quiet();
    }
}
