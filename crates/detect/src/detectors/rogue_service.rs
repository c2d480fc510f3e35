//! Somebody new answers for a service that devices trust blindly: names and time.

use assets::Entity;
use learn::Bounded;
use model::device::Tier;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "rogue_service",
    doc: "A new machine answers as name or time server, or time jumps.",
    kind: FindingKind::Anomaly,
    reads: &["dns.response", "ntp.message"],
    attack: &["T1557", "T0856"],
    next_step: "Ask network engineering whether the server is theirs. If not, have its switch port closed and check the devices that listened to it.",
    sources: &["spec S20", "RFC 8633"],
};

/// A step of the clock that matters to a device, in seconds.
const STEP_SECONDS: f64 = 60.0;
/// Fewest answers seen while learning before a new server is news.
const FEWEST_ANSWERS: u64 = 5;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct RogueService {
    servers: Bounded<(Entity, bool), u64>,
    offsets: Bounded<Entity, f64>,
    answers: [u64; 2],
}

impl Default for RogueService {
    fn default() -> Self {
        Self { servers: Bounded::new(20_000), offsets: Bounded::new(20_000), answers: [0; 2] }
    }
}

impl Detector for RogueService {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let time = o.is("ntp.message");
        if time && !matches!(o.str("mode"), Some("server" | "broadcast")) {
            return;
        }
        let server = cx.who.subject;
        let offset = if time { o.float("offset") } else { None };
        if cx.learning() {
            *self.servers.entry((server, time), u64::default) += 1;
            self.answers[usize::from(time)] += 1;
            if let Some(offset) = offset {
                *self.offsets.entry(server, || offset) = offset;
            }
            return;
        }
        let known = self.servers.contains(&(server, time));
        if time {
            self.step(o, cx, out, known, offset);
        }
        if known || !matches!(server, Entity::Device(_)) {
            return;
        }
        if self.answers[usize::from(time)] < FEWEST_ANSWERS {
            return;
        }
        *self.servers.entry((server, time), u64::default) += 1;
        let (what, noun) = if time { ("time", "time server") } else { ("names", "name server") };
        // A server of the network that was there all along and takes up a second job is less odd
        // than a newcomer or a desk.
        let severity = if cx.normal.knows(server) && cx.known_tier(server) == Some(Tier::T0i) {
            Severity::Low
        } else {
            Severity::Medium
        };
        let title = words::sentence(&format!(
            "{} answers {} as {noun}, which it never did: it could send the device wrong {what}.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new(noun, "new", "those seen while learning"))
            .key(noun)
            .p_value(1.0 / (self.answers[usize::from(time)] as f64 + 2.0))
            .make();
    }
}

impl RogueService {
    fn step(
        &mut self,
        o: &Observation,
        cx: &Context<'_>,
        out: &mut Findings,
        known: bool,
        offset: Option<f64>,
    ) {
        let Some(offset) = offset else { return };
        let usual = *self.offsets.entry(cx.who.subject, || if known { offset } else { 0.0 });
        let step = offset - usual;
        if step.abs() < STEP_SECONDS {
            return;
        }
        // A known server that steps is daylight saving or a repair; a stranger's step is an attack.
        let severity = if known { Severity::Low } else { Severity::High };
        if known {
            *self.offsets.entry(cx.who.subject, || offset) = offset;
        }
        let title = words::sentence(&format!(
            "{} tells {} a time that is {} {}.",
            cx.subject(o),
            cx.peer(o),
            words::span(step.abs()),
            if step > 0.0 { "ahead" } else { "behind" },
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new("offset of its clock", format!("{offset:.0}"), format!("{usual:.0}"))
                    .unit("s"),
            )
            .key("step")
            .attack(&["T0856"])
            .p_value(0.001)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::net::Transport;
    use model::observation::Value;

    use crate::fixture::{DESK, Host, INTRUDER, MONITORS, SERVER, Ward, num, word};

    fn tells(ward: &mut Ward, server: Host, offset: f64) {
        let flow = ward.flow_over(Transport::Udp, MONITORS[0], server, 123);
        let fields =
            [("mode", word("server")), ("stratum", num(2)), ("offset", Value::Float(offset))];
        ward.say(&protocols::ntp::MESSAGE, Some(&flow), server, Some(MONITORS[0]), &fields);
    }

    fn synchronised() -> Ward {
        let mut ward = Ward::peopled();
        (0..8).for_each(|_| tells(&mut ward, SERVER, 0.01));
        ward.watch();
        ward
    }

    #[test]
    fn a_new_time_server_that_is_hours_wrong_is_found() {
        for host in [INTRUDER, DESK] {
            let mut ward = synchronised();
            ward.call(host, SERVER, 8_443);
            tells(&mut ward, host, 7_200.0);
            ward.alerts("rogue_service", host);
        }
    }

    #[test]
    fn the_known_server_may_step() {
        let mut ward = synchronised();
        (0..3).for_each(|_| tells(&mut ward, SERVER, 3_600.0));
        ward.is_quiet();
    }
}
