//! Results and orders from somebody who never sent any.
//!
//! HL7 and ASTM know no password: whoever reaches the port is believed. So who sends which messages
//! is the only guard. A new device beside several of its kind (same maker, same application name) is
//! being added; anything else is told.

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "injection",
    doc: "HL7 or ASTM messages from a device that never sent them, or of a kind it never sent.",
    kind: FindingKind::Anomaly,
    reads: &["hl7.message", "astm.message"],
    attack: &["T0856", "T1565.002", "T0830"],
    next_step: "Tell the laboratory or ward that results may be false, and have the last ones checked against the device. Find the sender.",
    sources: &[
        "spec S19, S24",
        "J. Forrest, C. Bland, M. Tully: HL7 security analyses, Black Hat 2018",
    ],
};

/// So many devices under one application name: the name is that of a product, not of a device.
const PRODUCT: usize = 2;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Injection {
    /// Who sent under which application name while learning.
    senders: Bounded<Box<str>, Vec<Entity>>,
}

impl Default for Injection {
    fn default() -> Self {
        Self { senders: Bounded::new(20_000) }
    }
}

impl Detector for Injection {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let hl7 = o.is("hl7.message");
        if hl7 && o.str("ack_code").is_some() {
            return;
        }
        let name = if hl7 { o.str("sending_application") } else { o.str("sender") }.unwrap_or("");
        let actor = cx.who.subject;
        if cx.learning() {
            let senders = self.senders.entry(name.into(), Vec::new);
            if senders.len() < 16 && !senders.contains(&actor) {
                senders.push(actor);
            }
            return;
        }
        let known = cx.familiarity();
        if known.act {
            return;
        }
        let what = if hl7 { hl7_noun(o) } else { "laboratory results (ASTM)" };
        if known.service_of_target {
            self.new_kind(o, cx, out, what);
            return;
        }
        // An answer on a connection that the other side opened is not a new sender.
        let reply =
            o.flow.as_ref().is_some_and(|flow| Some(flow.tuple.originator.ip) != o.subject.ip);
        if reply && known.pair {
            return;
        }
        let owners: Vec<Entity> = self.senders.get(&Box::from(name)).cloned().unwrap_or_default();
        let product = owners.len() >= PRODUCT;
        let sibling = product && self.same_maker(cx, actor, &owners);
        let borrowed = owners.len() == 1 && !name.is_empty() && owners.first() != Some(&actor);
        let severity = match (borrowed, sibling && !known.actor) {
            (true, _) => Severity::Critical,
            (false, true) => Severity::Low,
            (false, false) => Severity::High,
        };
        let owner = match owners.first() {
            Some(Entity::Device(ix)) if borrowed => {
                format!(" under the name '{name}' of {}", cx.inventory.label(*ix))
            }
            _ => String::new(),
        };
        let title = words::sentence(&format!(
            "{} sends {what} to {}{owner}, and never did before.",
            cx.subject(o).trim_end_matches(", new here,"),
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
                    name,
                    if borrowed { "used by one other device only" } else { "known ones" },
                )
                .weight(0.6),
            )
            .key("sender")
            .p_value(known.surprise_rate.min(0.02))
            .score(0.9)
            .make();
    }
}

impl Injection {
    /// A device that has long sent, but never this.
    fn new_kind(&self, o: &Observation, cx: &Context<'_>, out: &mut Findings, what: &str) {
        let known = cx.familiarity();
        let regular = known.surprise_rate < 0.02;
        // The target gets this from others: a service that the sender has taken up.
        let severity = if regular && known.others == 0 { Severity::Medium } else { Severity::Low };
        let title =
            words::sentence(
                &format!("{} now also sends {what} to {}.", cx.subject(o), cx.peer(o),),
            );
        out.claim(cx, o, severity, title)
            .because(Reason::new("kind of message", what, "those it sent while learning"))
            .key(what)
            .p_value(known.surprise_rate)
            .score(0.6)
            .make();
    }

    fn same_maker(&self, cx: &Context<'_>, actor: Entity, owners: &[Entity]) -> bool {
        let maker = |entity: &Entity| match entity {
            Entity::Device(ix) => cx.inventory.mac(*ix).map(|mac| [mac.0[0], mac.0[1], mac.0[2]]),
            _ => None,
        };
        let own = maker(&actor);
        own.is_some() && owners.iter().filter(|owner| maker(owner) == own).count() >= PRODUCT
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
