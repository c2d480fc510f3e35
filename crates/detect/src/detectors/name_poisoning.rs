//! Somebody answers for names that are not its own.
//!
//! Windows asks everybody on the link for a name that its server does not know (LLMNR, NetBIOS), and
//! believes whoever answers. A tool that answers yes to every question collects log-ons. What gives
//! it away is how many different names it claims, that it claims one that was another's, or one that
//! is only ever claimed for this (`wpad`, by which browsers look for a proxy).
//!
//! The look-alikes: a file server with its few names, a NetBIOS name server that answers for all
//! (both show while learning), and a computer that is asked for the name of its own address.

use std::collections::BTreeSet;

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "name_poisoning",
    doc: "A machine answers everybody's questions for names (LLMNR, NetBIOS) that are not its own.",
    kind: FindingKind::Rule,
    reads: &["llmnr.response", "nbns.response"],
    attack: &["T1557.001"],
    next_step: "Take the answering machine off the network. Change the passwords of whoever logged on to it; switch LLMNR and NetBIOS names off where they are not needed.",
    sources: &["MITRE ATT&CK T1557.001", "RFC 4795, section 5", "RFC 1002", "CISA AA23-278A"],
};

/// Different names that one machine answers for before they cannot be its own. A computer has its
/// name, its workgroup's and perhaps an alias.
const NAMES: usize = 4;
/// Most names that are remembered of one machine.
const MOST: usize = 64;
/// Names under which proxies and tunnels are looked for.
const BAIT: [&str; 3] = ["wpad", "isatap", "proxysrv"];

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct NamePoisoning {
    claimed: Bounded<Entity, BTreeSet<Box<str>>>,
    /// How many names a machine answered for while learning.
    usual: Bounded<Entity, usize>,
    /// Whose a name was while learning; nobody's where several answered for it.
    owners: Bounded<Box<str>, Entity>,
}

impl Default for NamePoisoning {
    fn default() -> Self {
        Self {
            claimed: Bounded::new(20_000),
            usual: Bounded::new(20_000),
            owners: Bounded::new(20_000),
        }
    }
}

impl Detector for NamePoisoning {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let for_a_name = if o.is("nbns.response") {
            o.str("to") == Some("query")
        } else {
            // Whose an address is may be asked of its owner.
            o.str("type") != Some("PTR")
        };
        let answered = for_a_name && !o.texts("answers").is_empty();
        let (Some(name), true) = (o.str("name"), answered) else { return };
        let bare = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
        let names = self.claimed.entry(cx.who.subject, BTreeSet::new);
        if names.len() < MOST {
            names.insert(bare.as_str().into());
        }
        let count = names.len();
        if cx.learning() {
            *self.usual.entry(cx.who.subject, || 0) = count;
            let owner = self.owners.entry(bare.as_str().into(), || cx.who.subject);
            if *owner != cx.who.subject {
                *owner = Entity::Nobody;
            }
            return;
        }
        let owner = self.owners.get(&Box::from(bare.as_str())).copied();
        let taken = owner.filter(|owner| {
            matches!(owner, Entity::Device(_)) && *owner != cx.who.subject && !is_shared(o)
        });
        let usual = self.usual.get(&cx.who.subject).copied().unwrap_or(0);
        let bait = BAIT.contains(&bare.as_str()) && usual == 0;
        let many = count >= NAMES.max(usual.saturating_mul(2));
        if !bait && !many && taken.is_none() {
            return;
        }
        let severity =
            if many || cx.is_clinical(cx.who.peer) { Severity::High } else { Severity::Medium };
        let title = words::sentence(&format!(
            "{} answers {} for names that are not its own: whoever believes it hands over a log-on.",
            cx.subject(o),
            cx.peer(o),
        ));
        let mut claim = out
            .claim(cx, o, severity, title)
            .because(Reason::new(
                "different names answered for",
                count.to_string(),
                format!("at most {}", usual.max(NAMES - 1)),
            ))
            .key("names")
            .score(if many { 0.95 } else { 0.8 });
        if let Some(Entity::Device(owner)) = taken {
            let label = cx.inventory.label(owner);
            claim = claim.because(Reason::new("whose name it is", label, cx.subject(o)));
        }
        if bait {
            claim = claim.because(Reason::new("name answered for", bare, "only its own"));
        }
        claim.make();
    }
}

/// A group's name is many machines' by right.
fn is_shared(o: &Observation) -> bool {
    o.is("nbns.response") && o.flag("group")
}

#[cfg(test)]
mod tests {
    use model::net::Transport;
    use protocols::{dns, nbns};

    use super::*;
    use crate::fixture::{DESK, DESK_B, Host, INTRUDER, SERVER, Ward, texts, word};

    fn llmnr(ward: &mut Ward, from: Host, to: Host, name: &str, kind: &str) {
        let flow = ward.flow_over(Transport::Udp, to, from, 5355);
        let fields = [("name", word(name)), ("type", word(kind)), ("answers", texts(&[from.ip]))];
        ward.say(&dns::LLMNR_RESPONSE, Some(&flow), from, Some(to), &fields);
    }

    fn nbns(ward: &mut Ward, from: Host, to: Host, name: &str) {
        let flow = ward.flow_over(Transport::Udp, to, from, 137);
        let fields = [("to", word("query")), ("name", word(name)), ("answers", texts(&[from.ip]))];
        ward.say(&nbns::RESPONSE, Some(&flow), from, Some(to), &fields);
    }

    #[test]
    fn one_who_answers_for_everything_is_found() {
        let mut ward = Ward::peopled();
        ward.watch();
        for name in ["filesrv", "printsrv", "intranett", "pascs", "mail"] {
            llmnr(&mut ward, INTRUDER, DESK, name, "A");
            nbns(&mut ward, INTRUDER, DESK_B, &name.to_uppercase());
            ward.pass(20.0);
        }
        assert_eq!(ward.worst("name_poisoning"), Some(Severity::High));
    }

    #[test]
    fn the_bait_of_browsers_is_enough() {
        let mut ward = Ward::peopled();
        ward.watch();
        llmnr(&mut ward, INTRUDER, DESK, "wpad", "A");
        ward.alerts("name_poisoning", INTRUDER);
    }

    #[test]
    fn a_name_that_was_another_s_is_found() {
        let mut ward = Ward::peopled();
        nbns(&mut ward, SERVER, DESK, "FILES");
        ward.watch();
        nbns(&mut ward, INTRUDER, DESK, "FILES");
        ward.alerts("name_poisoning", INTRUDER);
    }

    #[test]
    fn a_file_server_with_its_names_and_a_name_server_are_none() {
        let mut ward = Ward::peopled();
        for name in ["A1", "A2", "A3", "A4", "A5", "A6"] {
            nbns(&mut ward, SERVER, DESK, name);
        }
        ward.watch();
        for name in ["A1", "A2", "A7"] {
            nbns(&mut ward, SERVER, DESK, name);
        }
        for name in ["DESK3", "WARD"] {
            nbns(&mut ward, DESK_B, DESK, name);
            llmnr(&mut ward, DESK_B, DESK, name, "AAAA");
        }
        for address in 1..20 {
            llmnr(&mut ward, DESK_B, DESK, &format!("{address}.3.0.10.in-addr.arpa"), "PTR");
        }
        ward.is_quiet();
    }
}
