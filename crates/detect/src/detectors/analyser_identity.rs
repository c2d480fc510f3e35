//! An analyser that introduces itself as another one than stood at its place.
//!
//! Point-of-care analysers (POCT1-A) begin with who they are, serial number and all, and the data
//! manager believes them. A serial that another device has, or a new one at an address that always
//! had the same, is how results are slipped in.
//!
//! The look-alikes: an analyser that was exchanged for one of the same model, one that moved to
//! another address, and a hub that speaks for many. Who sends results that never did is `injection`.

use std::collections::BTreeSet;

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::{Observation, Party};
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "analyser_identity",
    doc: "A point-of-care analyser gives another serial number than its address had, or another's.",
    kind: FindingKind::Anomaly,
    reads: &["poct1a.message"],
    attack: &["T0856", "T1565.002"],
    next_step: "Compare the serial number on the analyser with the one in the data manager. Hold back its results until they agree.",
    sources: &["CLSI POCT1-A2", "spec S24"],
};

/// Most serial numbers remembered of one device.
const MOST: usize = 64;

/// What a device has said of itself.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Said {
    serials: BTreeSet<Box<str>>,
    models: BTreeSet<Box<str>>,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct AnalyserIdentity {
    devices: Bounded<Entity, Said>,
    /// Who gave a serial number while learning.
    owners: Bounded<Box<str>, Vec<Entity>>,
}

impl Default for AnalyserIdentity {
    fn default() -> Self {
        Self { devices: Bounded::new(20_000), owners: Bounded::new(20_000) }
    }
}

impl Detector for AnalyserIdentity {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(serial) = o.str("serial").filter(|serial| !serial.trim().is_empty()) else {
            return;
        };
        let who = cx.who.subject;
        let model = format!("{} {}", o.str("vendor").unwrap_or(""), o.str("model").unwrap_or(""));
        if cx.learning() {
            let said = self.devices.entry(who, Said::default);
            if said.serials.len() < MOST && said.models.len() < MOST {
                said.serials.insert(serial.into());
                said.models.insert(model.into());
            }
            let owners = self.owners.entry(serial.into(), Vec::new);
            if owners.len() < MOST && !owners.contains(&who) {
                owners.push(who);
            }
            return;
        }
        let said = self.devices.get(&who);
        if said.is_some_and(|said| said.serials.contains(serial)) {
            return;
        }
        if let Some([owner @ Entity::Device(_)]) =
            self.owners.get(&Box::from(serial)).map(Vec::as_slice)
        {
            return borrowed(o, cx, out, *owner);
        }
        // A hub speaks for many, and for one more tomorrow.
        let Some(said) = said.filter(|said| said.serials.len() == 1) else { return };
        let same_model = said.models.contains(model.as_str());
        let severity = if same_model { Severity::Low } else { Severity::High };
        let title = words::sentence(&format!(
            "{} now introduces itself with another serial number{}.",
            cx.subject(o),
            if same_model { " of the same model" } else { " and as another model" },
        ));
        let before = said.serials.first().map_or("unknown", |serial| serial);
        out.claim(cx, o, severity, title)
            .because(Reason::new("serial number", serial, before))
            .key(format!("serial {serial}"))
            .p_value(0.02)
            .score(0.85)
            .make();
    }
}

/// A serial number that one other device has.
fn borrowed(o: &Observation, cx: &Context<'_>, out: &mut Findings, owner: Entity) {
    let Entity::Device(ix) = owner else { return };
    // The same analyser at another address has the network card of its maker.
    let moved =
        cx.inventory.mac(ix).is_some() && kin::one_more(cx, cx.who.subject, &[owner, owner]);
    let severity = if moved { Severity::Low } else { Severity::High };
    let title = words::sentence(&format!(
        "{} introduces itself to {} with the serial number of {}.",
        cx.subject(o),
        cx.peer(o),
        cx.inventory.label(ix),
    ));
    let party = Party { ip: cx.inventory.ip(ix), ..Party::default() };
    out.claim(cx, o, severity, title)
        .with(owner, &party)
        .because(Reason::new(
            "device with this serial number",
            cx.subject(o),
            cx.inventory.label(ix),
        ))
        .key("borrowed")
        .p_value(0.01)
        .score(0.9)
        .make();
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use protocols::poct1a::MESSAGE;

    use crate::fixture::{DESK, Host, INTRUDER, MONITORS, NEW_MONITOR, SERVER, Ward, word};

    fn greets(ward: &mut Ward, from: Host, serial: &str, model: &str) {
        let fields = [("type", word("HEL.R01")), ("serial", word(serial)), ("model", word(model))];
        ward.over(&MESSAGE, from, SERVER, 3_001, &fields);
    }

    fn laboratory() -> Ward {
        let mut ward = Ward::peopled();
        greets(&mut ward, MONITORS[0], "S-1", "GAS 5");
        greets(&mut ward, MONITORS[1], "S-2", "GAS 5");
        ward.watch();
        ward
    }

    #[test]
    fn the_serial_of_another_is_found() {
        for host in [DESK, INTRUDER] {
            let mut ward = laboratory();
            greets(&mut ward, host, "S-1", "GAS 5");
            ward.alerts("analyser_identity", host);
        }
    }

    #[test]
    fn another_model_at_an_analyser_s_address_is_found() {
        let mut ward = laboratory();
        greets(&mut ward, MONITORS[0], "X-9", "EMULATOR");
        ward.alerts("analyser_identity", MONITORS[0]);
    }

    #[test]
    fn an_exchange_a_move_and_a_hub_are_none() {
        let mut ward = laboratory();
        greets(&mut ward, MONITORS[0], "S-1", "GAS 5");
        greets(&mut ward, MONITORS[0], "S-3", "GAS 5");
        greets(&mut ward, NEW_MONITOR, "S-2", "GAS 5");
        assert!(ward.worst("analyser_identity") <= Some(Severity::Low));
        let mut ward = Ward::peopled();
        greets(&mut ward, SERVER, "S-1", "GAS 5");
        greets(&mut ward, SERVER, "S-2", "GLU 1");
        ward.watch();
        greets(&mut ward, SERVER, "S-7", "NEW");
        assert_eq!(ward.worst("analyser_identity"), None);
    }
}
