//! Packets that no network stack sends by itself: types that nobody assigned, and routes that only a
//! router may change.
//!
//! Such packets are how the maker of a network stack is found out, or how one is broken. One may be a
//! fault; several within a minute are a tool.

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "packet_shapes",
    doc: "Control messages of unassigned types, unknown IP protocols, redirects by no router.",
    kind: FindingKind::Rule,
    reads: &["icmp.message", "flow.protocol"],
    attack: &["T0866", "T0846", "T0830"],
    next_step: "Check that the devices that were sent to still work. Find the machine that sent these packets and take it off the network.",
    sources: &["RFC 792", "CISA ICSA-20-168-01", "CISA ICSMA-19-274-01", "spec S11, S12"],
};

/// Window in seconds, and the fewest such packets in it.
const WINDOW_SECONDS: f64 = 60.0;
const FEWEST: f64 = 2.0;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct PacketShapes {
    senders: Bounded<(Entity, Shape), Bucket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Shape {
    Unassigned,
    UnknownProtocol,
    Redirect,
}

impl Shape {
    fn of(o: &Observation) -> Option<Self> {
        if o.is("flow.protocol") {
            let unknown = o.str("protocol") == Some("unrecognised");
            return (unknown && o.str("transport") == Some("ip")).then_some(Self::UnknownProtocol);
        }
        match (o.str("name"), o.uint("type")) {
            (Some("redirect"), _) => Some(Self::Redirect),
            // ICMPv4 assigns up to 43, and 253 and 254 for trials; ICMPv6 assigns other numbers.
            (None, Some(44..=252)) if o.subject.ip.is_some_and(|ip| ip.is_ipv4()) => {
                Some(Self::Unassigned)
            }
            _ => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Unassigned => "control messages of a type that does not exist",
            Self::UnknownProtocol => "packets of an unknown protocol",
            Self::Redirect => "orders to send traffic another way",
        }
    }
}

impl Default for PacketShapes {
    fn default() -> Self {
        Self { senders: Bounded::new(20_000) }
    }
}

impl Detector for PacketShapes {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(shape) = Shape::of(o) else { return };
        if matches!(cx.who.peer, Entity::Group) {
            return;
        }
        let bucket = self.senders.entry((cx.who.subject, shape), || Bucket::new(WINDOW_SECONDS));
        let count = bucket.add(o.at, 1.0, cx.learning());
        let usual = bucket.learned_max();
        // A router that never redirected until now has been set up anew; anybody else has no say.
        let router = cx.class(cx.who.subject) == model::device::DeviceClass::Router;
        let fewest =
            if shape == Shape::UnknownProtocol && usual > 0.0 { usual * 8.0 } else { FEWEST };
        if cx.learning() || usual > 0.0 && shape != Shape::UnknownProtocol || count < fewest {
            return;
        }
        let severity = match shape {
            Shape::Redirect if router => Severity::Low,
            Shape::UnknownProtocol if cx.normal.knows_pair(cx.who.subject, cx.who.peer) => return,
            _ if cx.is_clinical(cx.who.peer) => Severity::High,
            _ => Severity::Medium,
        };
        let title = words::sentence(&format!(
            "{} sends {} to {}.",
            cx.subject(o),
            shape.words(),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new(shape.words(), format!("{count:.0}"), format!("at most {usual:.0}"))
                    .unit("in 60 s"),
            )
            .key(shape.words())
            .score(0.85)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::net::Transport;

    use crate::fixture::{DESK, Fields, Host, PUMPS, ROUTER, SERVER, Ward, num, word};

    fn sends(ward: &mut Ward, from: Host, to: Host, fields: Fields<'_>) {
        let flow = ward.flow_over(Transport::Icmp, from, to, 0);
        ward.say(&protocols::icmp::MESSAGE, Some(&flow), from, Some(to), fields);
    }

    #[test]
    fn types_that_do_not_exist_and_redirects_by_a_desk_are_found() {
        for fields in [&[("type", num(165))][..], &[("type", num(5)), ("name", word("redirect"))]] {
            let mut ward = Ward::peopled();
            ward.watch();
            PUMPS.into_iter().for_each(|pump| sends(&mut ward, DESK, pump, fields));
            ward.alerts("packet_shapes", DESK);
        }
    }

    #[test]
    fn echoes_and_a_router_that_always_redirected_are_none() {
        let redirect = [("type", num(5)), ("name", word("redirect"))];
        let mut ward = Ward::peopled();
        ward.call(ROUTER, SERVER, 53);
        sends(&mut ward, ROUTER, DESK, &redirect);
        ward.watch();
        for _ in 0..5 {
            sends(&mut ward, ROUTER, DESK, &redirect);
            sends(&mut ward, DESK, PUMPS[0], &[("type", num(8)), ("name", word("echo_request"))]);
        }
        ward.is_quiet();
    }
}
