//! One station claims the address of another that is alive.
//!
//! Addresses do move: by DHCP, with a new network card, to a stand-by router. A claim is an attack
//! when the station that makes it is known to have an address of its own, when the old owner goes
//! on claiming the address too, or when it is repeated as an answer that nobody asked for.

use std::net::IpAddr;

use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::net::Mac;
use model::observation::{Observation, Party};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "arp_spoofing",
    doc: "A station claims an address that another living station has: it can read and change traffic.",
    kind: FindingKind::Rule,
    reads: &["arp.packet", "dhcp.message", "flow.start"],
    attack: &["T1557.002", "T0830"],
    next_step: "Check the patient, not the screen: values may be false. Find the switch port of the claiming station and have it closed.",
    sources: &[
        "RFC 826",
        "RFC 5227",
        "D. McKee, McAfee: 80 to 0 in under 5 seconds, DEF CON 26 (2018)",
    ],
};

/// An owner that was heard within so many seconds is alive.
const ALIVE_SECONDS: f64 = 300.0;
/// The old owner answers a claim within so many seconds, or the address has moved.
const CONTEST_SECONDS: f64 = 120.0;

/// An answer belongs to a question asked so many seconds before. So many answers without one, within
/// so many seconds, are poisoning: tools repeat them, since caches forget.
const ASKED_SECONDS: f64 = 3.0;
const UNASKED: f64 = 2.0;
const UNASKED_SECONDS: f64 = 60.0;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Owner {
    mac: Mac,
    heard: Timestamp,
    /// Who else has claimed it since, and when.
    claimed: Option<(Mac, Timestamp)>,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct ArpSpoofing {
    owners: Bounded<IpAddr, Owner>,
    addresses: Bounded<Mac, (IpAddr, Timestamp)>,
    /// When an address was last asked for.
    asked: Bounded<IpAddr, Timestamp>,
    /// Answers of a station without a question, for addresses of others.
    unasked: Bounded<Mac, Bucket>,
}

impl Default for ArpSpoofing {
    fn default() -> Self {
        Self {
            owners: Bounded::new(50_000),
            addresses: Bounded::new(50_000),
            asked: Bounded::new(50_000),
            unasked: Bounded::new(20_000),
        }
    }
}

impl Detector for ArpSpoofing {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        match o.kind.name {
            "arp.packet" => {
                if o.str("operation") == Some("request")
                    && let Some(target) = o.ip("target_ip")
                {
                    *self.asked.entry(target, || o.at) = o.at;
                }
                if let (Some(ip), Some(mac)) = (o.ip("sender_ip"), o.mac("sender_mac")) {
                    self.claim(o, cx, out, ip, mac);
                }
            }
            "dhcp.message" => {
                // What the address server hands out has moved by right.
                if let ("ack", Some(ip), Some(mac)) = (
                    o.str("type").unwrap_or(""),
                    o.ip("assigned_ip").or(o.ip("client_ip")),
                    o.mac("client_mac"),
                ) {
                    self.own(ip, mac, o.at);
                }
            }
            _ => self.heard(o),
        }
    }
}

impl ArpSpoofing {
    fn own(&mut self, ip: IpAddr, mac: Mac, at: Timestamp) {
        *self.owners.entry(ip, || Owner { mac, heard: at, claimed: None }) =
            Owner { mac, heard: at, claimed: None };
        *self.addresses.entry(mac, || (ip, at)) = (ip, at);
    }

    /// Traffic shows that the owner lives. It does not make an owner: past a router the Ethernet
    /// address is the router's.
    fn heard(&mut self, o: &Observation) {
        if let (Some(ip), Some(mac)) = (o.subject.ip, o.subject.mac)
            && let Some(owner) = self.owners.get_mut(&ip)
            && owner.mac == mac
        {
            owner.heard = o.at;
        }
    }

    fn claim(
        &mut self,
        o: &Observation,
        cx: &Context<'_>,
        out: &mut Findings,
        ip: IpAddr,
        mac: Mac,
    ) {
        if !mac.is_station() {
            return;
        }
        let own = self.addresses.get(&mac).copied();
        let Some(owner) = self.owners.get(&ip).copied() else {
            self.own(ip, mac, o.at);
            return;
        };
        if owner.mac == mac {
            // The old owner speaks while somebody else has claimed its address.
            if let Some((claimant, at)) = owner.claimed
                && o.at.seconds_since(at) < CONTEST_SECONDS
            {
                self.report(o, cx, out, ip, mac, claimant);
            }
            if let Some(owner) = self.owners.get_mut(&ip) {
                owner.heard = o.at;
                owner.claimed = None;
            }
            return;
        }
        if o.at.seconds_since(owner.heard) > ALIVE_SECONDS {
            self.own(ip, mac, o.at);
            return;
        }
        let has_its_own = own.is_some_and(|(other, heard)| {
            other != ip && o.at.seconds_since(heard) < ALIVE_SECONDS * 4.0
        });
        if has_its_own || self.is_poisoning(o, ip, mac) {
            self.report(o, cx, out, ip, owner.mac, mac);
        } else if let Some(owner) = self.owners.get_mut(&ip) {
            owner.claimed = Some((mac, o.at));
        }
    }

    /// Whether this is one of several answers that nobody asked for.
    fn is_poisoning(&mut self, o: &Observation, ip: IpAddr, mac: Mac) -> bool {
        if o.str("operation") != Some("reply") || o.flag("gratuitous") {
            return false;
        }
        let asked = self.asked.get(&ip);
        if asked.is_some_and(|at| o.at.seconds_since(*at) <= ASKED_SECONDS) {
            return false;
        }
        let unasked = self.unasked.entry(mac, || Bucket::new(UNASKED_SECONDS));
        unasked.add(o.at, 1.0, false) >= UNASKED
    }

    fn report(
        &self,
        o: &Observation,
        cx: &Context<'_>,
        out: &mut Findings,
        ip: IpAddr,
        owner: Mac,
        claimant: Mac,
    ) {
        let claimant_ip = self.addresses.get(&claimant).map(|(ip, _)| *ip);
        let claimant_party = Party { ip: claimant_ip, mac: Some(claimant), ..Party::default() };
        let owner_party = Party { ip: Some(ip), mac: Some(owner), ..Party::default() };
        let claimant_entity = cx.inventory.entity(&claimant_party);
        let owner_entity = cx.inventory.entity(&owner_party);
        let title = words::sentence(&if claimant_entity == owner_entity {
            format!(
                "{} claims the address {ip} of another station, and can read and change what is sent there.",
                cx.name(claimant_entity, &claimant_party),
            )
        } else {
            format!(
                "{} pretends to be {}: it claims the address {ip}, and can read and change what is sent there.",
                cx.name(claimant_entity, &claimant_party),
                cx.name(owner_entity, &owner_party),
            )
        });
        let severity =
            if cx.is_clinical(owner_entity) { Severity::Critical } else { Severity::High };
        out.claim(cx, o, severity, title)
            .about(claimant_entity, &claimant_party)
            .alone()
            .with(owner_entity, &owner_party)
            .because(Reason::new(&format!("Ethernet address of {ip}"), claimant, owner))
            .key(ip.to_string())
            .score(0.95)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, Host, INTRUDER, MONITORS, ROUTER, SERVER, Ward, ip, mac, word};

    fn says(ward: &mut Ward, operation: &str, from: Host, claimed: &str, asked: Option<&str>) {
        let mut fields = vec![
            ("operation", word(operation)),
            ("sender_ip", ip(claimed)),
            ("sender_mac", mac(from.mac)),
        ];
        fields.extend(asked.map(|asked| ("target_ip", ip(asked))));
        ward.say(&protocols::arp::PACKET, None, from, None, &fields);
    }

    fn segment() -> Ward {
        let mut ward = Ward::peopled();
        for _ in 0..3 {
            for host in [ROUTER, MONITORS[0], DESK] {
                says(&mut ward, "request", host, host.ip, Some(SERVER.ip));
            }
            ward.pass(10.0);
        }
        ward.watch();
        for host in [ROUTER, MONITORS[0], DESK] {
            says(&mut ward, "request", host, host.ip, Some(SERVER.ip));
        }
        ward
    }

    #[test]
    fn a_known_station_that_claims_the_routers_address_is_found_at_once() {
        let mut ward = segment();
        says(&mut ward, "reply", DESK, ROUTER.ip, None);
        let findings = ward.findings();
        let found = findings.iter().find(|f| f.detector == "arp_spoofing").expect("a finding");
        assert_eq!(found.device.mac, DESK.mac.parse().ok());
    }

    #[test]
    fn a_station_without_an_address_is_found_by_answers_that_nobody_asked_for() {
        let mut ward = segment();
        for _ in 0..3 {
            ward.pass(4.0);
            says(&mut ward, "reply", INTRUDER, MONITORS[0].ip, None);
        }
        assert!(ward.worst("arp_spoofing").is_some());
    }

    #[test]
    fn announcements_after_a_switch_is_replaced_and_a_lease_that_moved_are_none() {
        let mut ward = segment();
        for host in [ROUTER, MONITORS[0], DESK] {
            says(&mut ward, "reply", host, host.ip, None);
            says(&mut ward, "reply", host, host.ip, None);
        }
        ward.pass(400.0);
        says(&mut ward, "reply", INTRUDER, DESK.ip, None);
        ward.is_quiet();
    }
}
