//! Much more goes out than ever before.
//!
//! Counted per device from inside to outside, against the most that went out in a window of the same
//! length while learning; and, for bedside devices, to anybody they never dealt with.

use assets::Entity;
use learn::{Bounded, Rate};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::{Observation, Party};
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "exfiltration",
    doc: "A device sends far more to the outside than it ever did.",
    kind: FindingKind::Anomaly,
    reads: &["flow.update", "flow.end"],
    attack: &["T1048", "T1567"],
    next_step: "Ask the user or the owner of the device what is being sent. If nobody knows, block the address at the perimeter; then find out what data was on the device.",
    sources: &["spec S22"],
};

/// Windows in seconds.
const WINDOWS: (f64, f64) = (10.0, 300.0);
/// Fewest bytes in the long window: to a known partner, and to a new one.
const KNOWN_PARTNER: f64 = 20e6;
const NEW_PARTNER: f64 = 3e6;
/// A clinical device has less to say to strangers.
const NEW_PARTNER_CLINICAL: f64 = 0.5e6;
/// One that nobody has seen before has sent nothing for good reason.
const NEW_DEVICE: f64 = 1e6;
/// So many times the most that was learned.
const TIMES: f64 = 8.0;

#[derive(Debug, Serialize, Deserialize)]
struct Outgoing {
    sent: Rate,
    received: Rate,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exfiltration {
    devices: Bounded<(Entity, bool), Outgoing>,
    usual: Bounded<Entity, Rate>,
}

impl Default for Exfiltration {
    fn default() -> Self {
        Self { devices: Bounded::new(20_000), usual: Bounded::new(20_000) }
    }
}

impl Detector for Exfiltration {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (a, b) = (cx.who.subject, cx.who.peer);
        let delta = |field| o.uint(field).unwrap_or(0) as f64;
        let (sent, received) = (delta("delta_bytes_out"), delta("delta_bytes_in"));
        let Some(peer) = &o.peer else { return };
        // Whoever opened the flow: what counts is which side is ours.
        if matches!(a, Entity::Device(_)) && cx.is_external(b) {
            self.count(o, cx, out, (a, &o.subject), (b, peer), (sent, received));
        } else if matches!(b, Entity::Device(_)) && cx.is_external(a) {
            self.count(o, cx, out, (b, peer), (a, &o.subject), (received, sent));
        }
    }
}

impl Exfiltration {
    fn count(
        &mut self,
        o: &Observation,
        cx: &Context<'_>,
        out: &mut Findings,
        (device, party): (Entity, &Party),
        (outside, outside_party): (Entity, &Party),
        (sent, received): (f64, f64),
    ) {
        let usual = self.usual.entry(device, || Rate::new(WINDOWS.0, WINDOWS.1));
        usual.add(o.at, sent, cx.learning());
        let most = usual.long.learned_max();
        if cx.learning() {
            return;
        }
        let new = !cx.normal.knows_pair(device, outside);
        let state = self.devices.entry((device, new), || Outgoing {
            sent: Rate::new(WINDOWS.0, WINDOWS.1),
            received: Rate::new(WINDOWS.0, WINDOWS.1),
        });
        let (short, long) = state.sent.add(o.at, sent, false);
        let (_, back) = state.received.add(o.at, received, false);
        let clinical = cx.is_clinical(device);
        let floor = match (new, clinical) {
            (true, true) => NEW_PARTNER_CLINICAL,
            (true, false) if cx.is_stranger(device) => NEW_DEVICE,
            (true, false) => NEW_PARTNER,
            (false, _) => KNOWN_PARTNER,
        };
        // The next trickle after a great deal is not a great deal.
        if long < floor.max(most * TIMES) || long < 2.0 * back || short < long * 0.02 {
            return;
        }
        let title = words::sentence(&format!(
            "{} has sent {} to {} within minutes; the most it ever sent outside in that time was {}.",
            cx.name(device, party),
            words::size(long as u64),
            cx.name(outside, outside_party),
            words::size(most as u64),
        ));
        let severity = if clinical { Severity::High } else { Severity::Medium };
        out.claim(cx, o, severity, title)
            .about(device, party)
            .alone()
            .with(outside, outside_party)
            .because(Reason::new(
                "sent to the outside in five minutes",
                words::size(long as u64),
                words::size(most as u64),
            ))
            .because(
                Reason::new(
                    "sent over received",
                    format!("{:.0}", long / back.max(1.0)),
                    "below 2",
                )
                .weight(0.4),
            )
            .score(0.9)
            .p_value((most.max(1e3) / long).min(0.5))
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, DESK_B, OUTSIDE, OUTSIDE_B, Ward};

    #[test]
    fn much_sent_to_a_new_address_is_found() {
        let mut ward = Ward::peopled();
        ward.watch();
        let flow = ward.call(DESK, OUTSIDE, 443);
        (0..8)
            .for_each(|_| ward.grows(&flow, (DESK, OUTSIDE), "tcp", [800, 300, 1_000_000, 20_000]));
        ward.alerts("exfiltration", DESK);
    }

    #[test]
    fn much_received_and_what_goes_to_a_known_partner_in_its_measure_are_none() {
        let mut ward = Ward::peopled();
        let flow = ward.call(DESK, OUTSIDE, 443);
        ward.grows(&flow, (DESK, OUTSIDE), "tcp", [800, 300, 1_000_000, 20_000]);
        ward.watch();
        (0..8)
            .for_each(|_| ward.grows(&flow, (DESK, OUTSIDE), "tcp", [800, 300, 1_000_000, 20_000]));
        let other = ward.call(DESK_B, OUTSIDE_B, 443);
        (0..8).for_each(|_| {
            ward.grows(&other, (DESK_B, OUTSIDE_B), "tcp", [300, 900, 90_000, 9_000_000])
        });
        ward.is_quiet();
    }
}
