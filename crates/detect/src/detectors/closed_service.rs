//! Somebody new speaks to a device over a service that was none of theirs.
//!
//! Two sorts of device do what they are told by whoever reaches them: those at the bedside and in
//! departments with a protocol of their maker's own, and the controllers of ventilation and plant,
//! whose protocols know no password. Who speaks to them in normal life is a short list. Web pages,
//! medical messages, file sharing and interactive sessions have detectors of their own.

use assets::Entity;
use learn::Bounded;
use model::device::Tier;
use model::finding::{FindingKind, Reason, Severity};
use model::flow::FlowId;
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin;
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
    /// Who spoke to a service while learning.
    speakers: Bounded<(Entity, u16), Vec<Entity>>,
    /// Flows over a service that was none of the caller's, until their protocol is known.
    opened: Bounded<FlowId, u32>,
}

impl Default for ClosedService {
    fn default() -> Self {
        Self { speakers: Bounded::new(20_000), opened: Bounded::new(20_000) }
    }
}

impl Detector for ClosedService {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (Some(flow), Entity::Device(_)) = (&o.flow, cx.who.peer) else { return };
        let Entity::Device(_) = cx.who.subject else { return };
        if cx.learning() {
            self.learn(o, cx);
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
        let others = self.opened.remove(&flow.id);
        if !is_raw(o) || cx.is_stranger(cx.who.peer) {
            return;
        }
        match others {
            Some(others) => spoken(o, cx, out, others),
            None => self.forged(o, cx, out),
        }
    }
}

impl ClosedService {
    fn learn(&mut self, o: &Observation, cx: &Context<'_>) {
        let Some(port) = responder_port(o).filter(|_| o.is("flow.protocol")) else { return };
        if is_raw(o) {
            let speakers = self.speakers.entry((cx.who.peer, port), Vec::new);
            if speakers.len() < 256 && !speakers.contains(&cx.who.subject) {
                speakers.push(cx.who.subject);
            }
        }
    }

    /// Datagrams that nobody answers, as devices at the bedside send to their central station, from
    /// somebody who is none of these devices.
    fn forged(&self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let port = responder_port(o).unwrap_or(0);
        let Some(speakers) = self.speakers.get(&(cx.who.peer, port)) else { return };
        let of_care = |one: &Entity| cx.is_appliance(*one) && cx.known_tier(*one) == Some(Tier::T0);
        if o.str("transport") != Some("udp")
            || speakers.contains(&cx.who.subject)
            || !speakers.iter().all(of_care)
            || kin::one_more(cx, cx.who.subject, speakers)
        {
            return;
        }
        let title = words::sentence(&format!(
            "{} sends {} what only devices at the bedside send it: the values shown there may be false.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, Severity::High, title)
            .because(Reason::new(
                "who speaks to it over this service",
                cx.subject(o),
                words::count(
                    speakers.len() as u64,
                    "device at the bedside",
                    "devices at the bedside",
                ),
            ))
            .attack(&["T0856", "T0832"])
            .key(format!("forged {port}"))
            .p_value(1.0 / (speakers.len() as f64 + cx.normal.learned_seconds() / 60.0 + 2.0))
            .score(0.85)
            .make();
    }
}

/// Whether a flow is in a protocol of a maker's own, or in one by which plant is controlled.
fn is_raw(o: &Observation) -> bool {
    matches!(o.str("protocol"), Some("unrecognised" | "bacnet" | "modbus"))
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

#[cfg(test)]
mod tests {
    use model::net::Transport;

    use crate::fixture::{DESK, Host, MONITORS, NEW_MONITOR, PUMPS, SERVER, Ward, nth, word};

    #[test]
    fn orders_to_a_plant_controller_by_a_desk_are_found() {
        let controller = nth(60);
        let mut ward = Ward::peopled();
        ward.call(SERVER, controller, 502);
        ward.watch();
        let flow = ward.call(DESK, controller, 502);
        ward.speaks(&flow, DESK, controller, "unrecognised");
        ward.alerts("closed_service", DESK);
    }

    #[test]
    fn a_strange_protocol_to_a_pump_is_found_and_a_web_page_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        let flow = ward.call(DESK, PUMPS[0], 80);
        ward.speaks(&flow, DESK, PUMPS[0], "http");
        ward.is_quiet();
        let flow = ward.call(DESK, PUMPS[0], 7_777);
        ward.speaks(&flow, DESK, PUMPS[0], "unrecognised");
        ward.alerts("closed_service", DESK);
    }

    fn wave(ward: &mut Ward, from: Host) {
        let flow = ward.flow_over(Transport::Udp, from, SERVER, 24_000);
        ward.say(
            &wire::kinds::START,
            Some(&flow),
            from,
            Some(SERVER),
            &[("transport", word("udp"))],
        );
        ward.speaks(&flow, from, SERVER, "unrecognised");
    }

    #[test]
    fn measurements_from_one_that_is_no_monitor_are_forged_and_from_one_more_are_not() {
        let mut ward = Ward::peopled();
        MONITORS.into_iter().for_each(|monitor| wave(&mut ward, monitor));
        ward.watch();
        ward.call(NEW_MONITOR, SERVER, 8_443);
        wave(&mut ward, NEW_MONITOR);
        wave(&mut ward, MONITORS[0]);
        ward.is_quiet();
        wave(&mut ward, DESK);
        ward.alerts("closed_service", DESK);
    }
}
