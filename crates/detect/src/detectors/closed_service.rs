//! Somebody new speaks to a device over a service that was none of theirs.
//!
//! Two sorts of device do what they are told by whoever reaches them: those at the bedside and in
//! departments with a protocol of their maker's own, and the controllers of ventilation and plant,
//! whose protocols know no password. Who speaks to them in normal life is a short list. Web pages,
//! medical messages, file sharing and interactive sessions have detectors of their own.

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::flow::FlowId;
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "closed_service",
    doc: "A device's own protocol, or a plant controller's, is spoken by somebody who never did.",
    kind: FindingKind::Anomaly,
    reads: &["flow.outcome", "flow.protocol"],
    attack: &["T0855", "T0836"],
    next_step: "Check the settings of the device beside the patient or in the room. Ask its owner who may configure it, and restrict the service to those.",
    sources: &["CISA ICSMA-19-190-01", "CISA ICSMA-21-294-01", "spec S02, S07, S25"],
};

/// Services that control plant and know no password, by their registered ports (IANA): Modbus, S7,
/// Fox, Fox over TLS, DNP3, EtherNet/IP, BACnet/IP.
const PLANT: [u16; 7] = [502, 102, 1911, 4911, 20_000, 44_818, 47_808];

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClosedService {
    /// Flows over a service that was none of the caller's, until their protocol is known.
    opened: Bounded<FlowId, u32>,
}

impl Default for ClosedService {
    fn default() -> Self {
        Self { opened: Bounded::new(20_000) }
    }
}

impl Detector for ClosedService {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (Some(flow), Entity::Device(_)) = (&o.flow, cx.who.peer) else { return };
        if cx.learning() || !matches!(cx.who.subject, Entity::Device(_)) {
            return;
        }
        if o.is("flow.outcome") {
            let known = cx.familiarity();
            let ours = known.service_of_target || known.peers_of_class;
            if o.str("outcome") == Some("established") && !ours {
                self.opened.entry(flow.id, || known.others_on_service);
            }
            return;
        }
        let Some(others) = self.opened.remove(&flow.id) else { return };
        if o.str("protocol") == Some("unrecognised") && !cx.is_stranger(cx.who.peer) {
            spoken(o, cx, out, others);
        }
    }
}

fn spoken(o: &Observation, cx: &Context<'_>, out: &mut Findings, others: u32) {
    let port = responder_port(o).unwrap_or(0);
    let plant = PLANT.contains(&port);
    let pair = cx.normal.knows_pair(cx.who.subject, cx.who.peer);
    let at_work = cx.is_appliance(cx.who.peer) && cx.is_clinical(cx.who.peer);
    let severity = match (plant, at_work && !pair) {
        (true, _) if cx.is_clinical(cx.who.peer) => Severity::High,
        (true, _) | (false, true) => Severity::Medium,
        _ => return,
    };
    let what =
        if plant { "the control protocol of a plant" } else { "a protocol of its maker's own" };
    let title = words::sentence(&format!(
        "{} gives orders to {} over {what} (port {port}), which it never did.",
        cx.subject(o),
        cx.peer(o),
    ));
    out.claim(cx, o, severity, title)
        .because(Reason::new(
            "who speaks to it over this service",
            cx.subject(o),
            words::count(others.into(), "other device", "other devices"),
        ))
        .key(format!("{:?} {port}", cx.who.peer))
        .p_value(1.0 / (f64::from(others) + cx.normal.learned_seconds() / 60.0 + 2.0))
        .score(0.85)
        .make();
}
