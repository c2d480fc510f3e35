//! Packets whose shape crashes or takes over the network software inside devices.
//!
//! Two families of flaws sit in the network stacks that pumps, monitors and printers are built with.
//! URGENT/11 (IPnet of VxWorks and others): source-route options that do not add up (CVE-2019-12256),
//! an urgent pointer of zero (CVE-2019-12255), broken TCP options (CVE-2019-12260). Ripple20 (Treck):
//! fragments of a packet within a packet (CVE-2020-11896). No stack sends these by itself, so that one
//! to a device at which patients are treated is worth a look, and several are an attack or somebody
//! who finds out what stacks there are.
//!
//! The look-alikes: a device that has always sent such packets, and a site that carries its traffic in
//! tunnels; both show while learning. An urgent pointer beyond its segment is deliberately not here:
//! it is allowed (RFC 6093). Control messages of unassigned types are `packet_shapes`.

use std::collections::BTreeSet;

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "crafted_packets",
    doc: "Packets of the shapes with which network stacks in devices are crashed or taken over.",
    kind: FindingKind::Rule,
    reads: &["protocol.anomaly"],
    attack: &["T0866", "T0814", "T0846"],
    next_step: "Check that the device still works, beside the patient. Find the machine that sent these packets and take it off the network; ask the maker whether the device's network software is among those affected.",
    sources: &[
        "CISA ICSMA-19-274-01",
        "CVE-2019-12255",
        "CVE-2019-12256",
        "CVE-2019-12260",
        "CISA ICSA-20-168-01",
        "CVE-2020-11896",
        "RFC 6093",
        "spec S11, S12",
    ],
};

/// Window in seconds, and the fewest such packets in it that are no single fault.
const WINDOW_SECONDS: f64 = 120.0;
const FEWEST: f64 = 2.0;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct CraftedPackets {
    senders: Bounded<(Entity, Shape), Bucket>,
    /// Shapes that somebody sent while learning: something on the way makes them.
    usual: BTreeSet<Shape>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Shape {
    SourceRoute,
    IpOptions,
    TcpOptions,
    Urgent,
    TunnelledFragments,
}

impl Shape {
    fn of(o: &Observation) -> Option<Self> {
        match (o.str("protocol")?, o.str("what")?) {
            ("ip", "source route") => Some(Self::SourceRoute),
            ("ip", "options whose lengths do not add up") => Some(Self::IpOptions),
            ("ip", "fragments of a packet within a packet") => Some(Self::TunnelledFragments),
            ("tcp", "options whose lengths do not add up") => Some(Self::TcpOptions),
            ("tcp", "urgent pointer of zero") => Some(Self::Urgent),
            _ => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::SourceRoute => "packets that name their own route",
            Self::IpOptions => "packets with broken IP options",
            Self::TcpOptions => "connection requests with broken options",
            Self::Urgent => "packets marked urgent that have nothing urgent in them",
            Self::TunnelledFragments => "fragments of packets hidden in other packets",
        }
    }

    const fn family(self) -> &'static str {
        match self {
            Self::TunnelledFragments => "Ripple20 (Treck network stack)",
            _ => "URGENT/11 (VxWorks network stack)",
        }
    }
}

impl Default for CraftedPackets {
    fn default() -> Self {
        Self { senders: Bounded::new(20_000), usual: BTreeSet::new() }
    }
}

impl Detector for CraftedPackets {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(shape) = Shape::of(o) else { return };
        let bucket = self.senders.entry((cx.who.subject, shape), || Bucket::new(WINDOW_SECONDS));
        let count = bucket.add(o.at, o.uint("count").unwrap_or(1) as f64, cx.learning());
        let usual = bucket.learned_max();
        if cx.learning() {
            self.usual.insert(shape);
            return;
        }
        let Entity::Device(_) = cx.who.peer else { return };
        let common = self.usual.contains(&shape);
        if common && (usual > 0.0 || shape == Shape::TunnelledFragments) {
            return;
        }
        let care = cx.is_clinical(cx.who.peer);
        let severity = match (care, count >= FEWEST && !common) {
            (true, true) => Severity::High,
            (true, false) | (false, true) => Severity::Medium,
            (false, false) => Severity::Low,
        };
        let title = words::sentence(&format!(
            "{} sends {} {}: such packets are made to crash or take over devices.",
            cx.subject(o),
            cx.peer(o),
            shape.words(),
        ));
        out.claim(cx, o, severity, title)
            .because(
                Reason::new(shape.words(), format!("{count:.0}"), format!("at most {usual:.0}"))
                    .unit("in 120 s"),
            )
            .because(
                Reason::new("published flaws with this shape", shape.family(), "none").weight(0.5),
            )
            .key(shape.words())
            .score(0.85)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;

    use crate::fixture::{DESK, DESK_B, Host, MONITORS, PUMPS, SERVER, Ward, num, word};

    fn sends(ward: &mut Ward, from: Host, to: Host, layer: &str, what: &str, count: u64) {
        let flow = ward.flow(from, to, 80);
        let fields = [("protocol", word(layer)), ("what", word(what)), ("count", num(count))];
        ward.say(&model::ANOMALY, Some(&flow), from, Some(to), &fields);
    }

    #[test]
    fn the_shapes_of_both_families_are_found() {
        for (layer, what) in [
            ("ip", "source route"),
            ("ip", "options whose lengths do not add up"),
            ("ip", "fragments of a packet within a packet"),
            ("tcp", "options whose lengths do not add up"),
            ("tcp", "urgent pointer of zero"),
        ] {
            let mut ward = Ward::peopled();
            ward.watch();
            PUMPS.into_iter().for_each(|pump| sends(&mut ward, DESK, pump, layer, what, 1));
            assert_eq!(ward.worst("crafted_packets"), Some(Severity::High), "{what}");
        }
    }

    #[test]
    fn a_flood_within_one_flow_is_as_bad_as_many_flows() {
        let mut ward = Ward::peopled();
        ward.watch();
        sends(&mut ward, DESK, MONITORS[0], "tcp", "urgent pointer of zero", 5_000);
        ward.alerts("crafted_packets", DESK);
    }

    #[test]
    fn a_server_that_always_sent_them_and_scan_flags_are_none() {
        let mut ward = Ward::peopled();
        for _ in 0..4 {
            sends(&mut ward, SERVER, MONITORS[0], "tcp", "urgent pointer of zero", 3);
            ward.pass(5.0);
        }
        ward.watch();
        for _ in 0..4 {
            sends(&mut ward, SERVER, MONITORS[0], "tcp", "urgent pointer of zero", 3);
            sends(&mut ward, DESK, PUMPS[0], "tcp", "flags that no stack sets together", 1);
        }
        ward.is_quiet();
    }

    #[test]
    fn one_odd_packet_between_desks_is_no_alert() {
        let mut ward = Ward::peopled();
        ward.watch();
        sends(&mut ward, DESK, DESK_B, "ip", "source route", 1);
        ward.is_quiet();
    }
}
