//! Results and orders from somebody who never sent any.
//!
//! HL7 and ASTM know no password: whoever reaches the port is believed. So who sends which messages
//! is the only guard. One more device of a kind that sends the same is being added; a known name
//! from a new address, while the device behind it keeps still, has probably moved. Anything else is
//! told.
//!
//! Who sends what it always sent to a device that is new here injects nothing: the new one is told
//! of, once, since it has taken a server's place or draws its traffic.

use std::net::IpAddr;

use assets::{DeviceIx, Entity};
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::{Observation, Party};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "injection",
    doc: "HL7, ASTM or POCT1-A messages from a device that never sent them, of a kind it never sent, or to a device that is new here.",
    kind: FindingKind::Anomaly,
    reads: &["hl7.message", "astm.message", "poct1a.message"],
    attack: &["T0856", "T1565.002", "T0830"],
    next_step: "Tell the laboratory or ward that results may be false, and have the last ones checked against the device. Find the sender.",
    sources: &[
        "CLSI POCT1-A2",
        "spec S19, S24",
        "J. Forrest, C. Bland, M. Tully: HL7 security analyses, Black Hat 2018",
    ],
};

/// A name is disputed when its owner speaks within so many seconds of somebody else's use of it.
const DISPUTE_SECONDS: f64 = 120.0;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Injection {
    /// Who sent under which application name while learning.
    senders: Bounded<Box<str>, Vec<Entity>>,
    /// Who sent which kind of message to whom while learning.
    kinds: Bounded<(Entity, Box<str>), Vec<Entity>>,
    /// To whom somebody sent which kind of message while learning.
    #[serde(default = "receivers")]
    receivers: Bounded<(Entity, Box<str>), Vec<Entity>>,
    /// Whose name somebody new uses: who, since when, under which name.
    moved: Bounded<Entity, (Entity, Timestamp, Box<str>)>,
    /// Who uses the name of which device, since when, from where.
    took: Bounded<Entity, (DeviceIx, Timestamp, Option<IpAddr>)>,
}

fn receivers() -> Bounded<(Entity, Box<str>), Vec<Entity>> {
    Bounded::new(20_000)
}

impl Default for Injection {
    fn default() -> Self {
        Self {
            senders: Bounded::new(20_000),
            kinds: Bounded::new(20_000),
            receivers: receivers(),
            moved: Bounded::new(5_000),
            took: Bounded::new(5_000),
        }
    }
}

impl Detector for Injection {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let hl7 = o.is("hl7.message");
        if hl7 && o.str("ack_code").is_some() {
            return;
        }
        let name = match o.kind.name {
            "hl7.message" => o.str("sending_application"),
            "astm.message" => o.str("sender"),
            // Who sends it, only the greeting says: `analyser_identity`.
            _ => None,
        };
        let name = name.unwrap_or("");
        let actor = cx.who.subject;
        let what = match (hl7, o.is("poct1a.message")) {
            (true, _) => hl7_noun(o),
            (_, true) if o.str("type").is_some_and(|said| said.starts_with("OBS")) => {
                "point-of-care results (POCT1-A)"
            }
            // Greetings and acknowledgements carry no results.
            (_, true) => return,
            _ => "laboratory results (ASTM)",
        };
        let kind = (cx.who.peer, Box::from(what));
        let own = (actor, Box::from(what));
        if cx.learning() {
            for senders in
                [self.senders.entry(name.into(), Vec::new), self.kinds.entry(kind, Vec::new)]
            {
                if senders.len() < 64 && !senders.contains(&actor) {
                    senders.push(actor);
                }
            }
            let receivers = self.receivers.entry(own, Vec::new);
            if receivers.len() < 64 && !receivers.contains(&cx.who.peer) {
                receivers.push(cx.who.peer);
            }
            return;
        }
        self.dispute(o, cx, out, name);
        // An answer on a connection that the other side opened is not a new sender.
        let known = cx.familiarity();
        let reply =
            o.flow.as_ref().is_some_and(|flow| Some(flow.tuple.originator.ip) != o.subject.ip);
        if reply && known.pair {
            return;
        }
        let owners: Vec<Entity> = self.senders.get(&Box::from(name)).cloned().unwrap_or_default();
        let owner = match owners.as_slice() {
            [Entity::Device(ix)] if !name.is_empty() && Entity::Device(*ix) != actor => Some(*ix),
            _ => None,
        };
        if owners.contains(&actor) && !name.is_empty() {
            self.two_names(o, cx, out, name);
        }
        let kin = self.kinds.get(&kind).map_or(&[][..], Vec::as_slice);
        if owner.is_none() && (known.act || kin.contains(&actor)) {
            return;
        }
        if owner.is_none() && known.service_of_target {
            new_kind(o, cx, out, what);
            return;
        }
        if let Some(before) = self.receivers.get(&own)
            && owner.is_none()
            && cx.is_stranger(cx.who.peer)
        {
            return receiver(o, cx, out, what, before);
        }
        let one_more = kin::one_more(cx, actor, kin);
        // Whoever sends the same anyway may have been given the address of another.
        let one_of_them = one_more || kin.contains(&actor);
        let severity = match (owner, one_of_them) {
            // The same device at another address, or one that takes its place: its owner will say.
            (Some(owner), true) => {
                let moved = (actor, o.at, Box::from(name));
                self.moved.remove(&Entity::Device(owner));
                self.moved.entry(Entity::Device(owner), || moved);
                self.took.remove(&actor);
                self.took.entry(actor, || (owner, o.at, o.subject.ip));
                Severity::Low
            }
            (Some(_), false) => Severity::Critical,
            (None, true) => Severity::Low,
            (None, false) => Severity::High,
        };
        sender(o, cx, out, what, severity, owner.map(|ix| (ix, name)));
    }
}

/// Somebody sends who never sent, or under the name of another device.
fn sender(
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
    what: &str,
    severity: Severity,
    owner: Option<(DeviceIx, &str)>,
) {
    let known = cx.familiarity();
    let under = match owner {
        Some((ix, name)) => format!(" under the name '{name}' of {}", cx.inventory.label(ix)),
        None => String::new(),
    };
    let title = words::sentence(&format!(
        "{} sends {what} to {}{under}, which it never did before.",
        cx.subject(o),
        cx.peer(o),
    ));
    out.claim(cx, o, severity, title)
        .because(Reason::new(
            "sender of these messages",
            cx.subject(o),
            "devices that sent them while learning",
        ))
        .because(
            Reason::new(
                "application name",
                owner.map_or("its own", |(_, name)| name),
                if owner.is_some() { "used by one other device only" } else { "known ones" },
            )
            .weight(0.6),
        )
        .key(format!("{what} {:?}", cx.who.peer))
        .p_value(known.surprise_rate.min(0.02))
        .score(0.9)
        .make();
}

/// Somebody new is sent what others were sent until now.
fn receiver(o: &Observation, cx: &Context<'_>, out: &mut Findings, what: &str, before: &[Entity]) {
    // One more of those that always got it, such as an analyser that was bought.
    let one_more = kin::one_more(cx, cx.who.peer, before);
    let severity = if one_more { Severity::Low } else { Severity::Medium };
    let usual = match before {
        [Entity::Device(ix)] => cx.inventory.label(*ix),
        many => words::count(many.len() as u64, "other device", "other devices"),
    };
    let title = words::sentence(&format!(
        "{} is sent {what} by {}, which sent them to {usual} until now: it takes a server's place, or draws its traffic.",
        cx.peer(o),
        cx.subject(o),
    ));
    out.claim(cx, o, severity, title)
        .about_peer(o)
        .because(Reason::new("receiver of these messages", cx.peer(o), usual))
        .key("receives")
        .p_value(0.02)
        .score(0.7)
        .make();
}

/// A device that has long sent, but never this.
fn new_kind(o: &Observation, cx: &Context<'_>, out: &mut Findings, what: &str) {
    let known = cx.familiarity();
    let regular = known.surprise_rate < 0.02;
    // The target gets this from others: a service that the sender has taken up.
    let severity = if regular && known.others == 0 { Severity::Medium } else { Severity::Low };
    let title =
        words::sentence(&format!("{} now also sends {what} to {}.", cx.subject(o), cx.peer(o)));
    out.claim(cx, o, severity, title)
        .because(Reason::new("kind of message", what, "those it sent while learning"))
        .key(what)
        .p_value(known.surprise_rate)
        .score(0.6)
        .make();
}

impl Injection {
    /// One that used another's name speaks under its own again: it has not taken its place.
    fn two_names(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings, name: &str) {
        let Some((ix, at, ip)) = self.took.remove(&cx.who.subject) else { return };
        // A device with an old and a new address has the old one taken by another.
        if ip != o.subject.ip || o.at.seconds_since(at) > DISPUTE_SECONDS {
            return;
        }
        let title = words::sentence(&format!(
            "{} sends messages under its own name '{name}' and under that of {}: one of them is false.",
            cx.subject(o),
            cx.inventory.label(ix),
        ));
        let party = Party { ip: cx.inventory.ip(ix), ..Party::default() };
        out.claim(cx, o, Severity::Critical, title)
            .alone()
            .with(Entity::Device(ix), &party)
            .because(Reason::new("names of one device", 2_u64, "one"))
            .key("two names")
            .p_value(0.01)
            .score(0.9)
            .make();
    }

    /// The owner of a name speaks after somebody else has used it: there are two.
    fn dispute(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings, said: &str) {
        let owner = cx.who.subject;
        if self.moved.get(&owner).is_none_or(|(_, _, name)| **name != *said) {
            return;
        }
        let Some((claimant, at, name)) = self.moved.remove(&owner) else { return };
        let Entity::Device(ix) = claimant else { return };
        if claimant == owner || o.at.seconds_since(at) > DISPUTE_SECONDS {
            return;
        }
        let title = words::sentence(&format!(
            "{} sends messages under the name '{name}' of {}, which is still at work: one of them is false.",
            cx.inventory.label(ix),
            cx.subject(o),
        ));
        let party = Party { ip: cx.inventory.ip(ix), ..Party::default() };
        out.claim(cx, o, Severity::Critical, title)
            .about(claimant, &party)
            .alone()
            .with(owner, &o.subject)
            .because(Reason::new("devices under one name", 2_u64, "one"))
            .key("dispute")
            .p_value(0.01)
            .score(0.9)
            .make();
    }
}

fn hl7_noun(o: &Observation) -> &'static str {
    match o.str("type") {
        Some("ORU" | "OUL") => "results (HL7)",
        Some("ORM" | "OML" | "OMG" | "RDE" | "RDS" | "OMP") => "orders (HL7)",
        Some("ADT") => "admissions and patient data (HL7)",
        Some("SIU") => "appointments (HL7)",
        Some("MDM") => "documents (HL7)",
        _ => "HL7 messages",
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, Host, INTRUDER, MONITORS, NEW_MONITOR, SERVER, Ward, word};

    fn sends(ward: &mut Ward, from: Host, name: &str) {
        let fields =
            [("type", word("ORU")), ("trigger", word("R01")), ("sending_application", word(name))];
        ward.over(&protocols::hl7::MESSAGE, from, SERVER, 2_575, &fields);
    }

    fn wired() -> Ward {
        let mut ward = Ward::peopled();
        for (n, monitor) in MONITORS.into_iter().enumerate() {
            (0..5).for_each(|_| sends(&mut ward, monitor, &format!("MON{n}")));
        }
        ward.watch();
        ward
    }

    #[test]
    fn results_from_a_desk_or_an_intruder_are_found() {
        for (host, name) in [(DESK, "LAB"), (INTRUDER, "MON0"), (DESK, "MON1")] {
            let mut ward = wired();
            sends(&mut ward, host, name);
            ward.alerts("injection", host);
        }
    }

    #[test]
    fn point_of_care_results_from_a_desk_are_found_and_a_greeting_is_none() {
        let says = |ward: &mut Ward, from: Host, said: &str| {
            let fields = [("type", word(said))];
            ward.over(&protocols::poct1a::MESSAGE, from, SERVER, 3_001, &fields);
        };
        let mut ward = Ward::peopled();
        (0..5).for_each(|_| says(&mut ward, MONITORS[0], "OBS.R01"));
        ward.watch();
        says(&mut ward, MONITORS[0], "OBS.R01");
        says(&mut ward, DESK, "HEL.R01");
        assert_eq!(ward.worst("injection"), None);
        says(&mut ward, DESK, "OBS.R01");
        ward.alerts("injection", DESK);
    }

    #[test]
    fn two_under_one_name_are_a_dispute_and_one_that_moved_is_none() {
        let mut ward = wired();
        sends(&mut ward, NEW_MONITOR, "MON0");
        ward.pass(300.0);
        sends(&mut ward, NEW_MONITOR, "MON0");
        ward.is_quiet();
        sends(&mut ward, MONITORS[0], "MON0");
        ward.alerts("injection", NEW_MONITOR);
    }

    #[test]
    fn a_monitor_under_two_names_is_found() {
        let mut ward = wired();
        sends(&mut ward, MONITORS[1], "MON0");
        ward.is_quiet();
        ward.pass(5.0);
        sends(&mut ward, MONITORS[1], "MON1");
        ward.alerts("injection", MONITORS[1]);
    }

    #[test]
    fn a_new_server_that_all_send_to_is_told_of_once_and_not_the_senders() {
        let mut ward = wired();
        for (n, monitor) in MONITORS.into_iter().enumerate() {
            let name = format!("MON{n}");
            let fields = [
                ("type", word("ORU")),
                ("trigger", word("R01")),
                ("sending_application", word(&name)),
            ];
            ward.over(&protocols::hl7::MESSAGE, monitor, INTRUDER, 2_575, &fields);
        }
        let found = ward.findings();
        let told: Vec<_> = found.iter().filter(|f| f.detector == "injection").collect();
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(told[0].device.ip, INTRUDER.ip.parse().ok());
        assert!(told[0].severity == model::Severity::Medium && told[0].peers.len() == 1);
    }

    #[test]
    fn one_more_monitor_is_no_alert() {
        let mut ward = wired();
        sends(&mut ward, NEW_MONITOR, "MON9");
        ward.is_quiet();
    }
}
