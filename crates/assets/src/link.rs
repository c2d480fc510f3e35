//! What proves that a card has an address: ARP, neighbour discovery, leases.

use model::observation::{Observation, Party};
use model::time::Timestamp;

use crate::book::Proof;
use crate::entity::Entity;
use crate::identity::Life;
use crate::inventory::Inventory;

impl Inventory {
    /// ARP: the sender is known by its card. A claim counts as proof only where the Ethernet header
    /// and the packet name the same card.
    pub(crate) fn arp(&mut self, o: &Observation) -> (Entity, Entity) {
        let from = o.subject.mac.or(o.mac("sender_mac"));
        let claimed = o.mac("sender_mac").filter(|mac| Some(*mac) == from);
        let subject = match (claimed, o.ip("sender_ip"), from) {
            (Some(mac), Some(ip), _) => self.prove(mac, ip, Proof::Link, o.at),
            (_, _, Some(mac)) => self.card_device(mac, o.at),
            _ => Entity::Nobody,
        };
        let peer = o.ip("target_ip").map_or(Entity::Nobody, |ip| self.look_up(ip, None));
        (subject, peer)
    }

    /// Neighbour discovery: an advertisement claims its target, a solicitation its own source.
    pub(crate) fn neighbour(&mut self, o: &Observation) {
        let Some(mac) = o.mac("about_mac").filter(|mac| o.subject.mac == Some(*mac)) else {
            return;
        };
        let claimed = match o.str("name") {
            Some("neighbor_advertisement") => o.ip("about"),
            Some("neighbor_solicitation" | "router_advertisement") => o.subject.ip,
            _ => None,
        };
        if let Some(ip) = claimed {
            self.prove(mac, ip, Proof::Link, o.at);
        }
    }

    /// DHCP: who asks is known by its card, also through a relay, and a lease proves an address.
    /// Gives the client's device.
    pub(crate) fn lease(&mut self, o: &Observation) -> Entity {
        let Some(client) = o.mac("client_mac") else { return Entity::Nobody };
        match o.str("type") {
            Some("ack") => match o.ip("assigned_ip").or(o.ip("client_ip")) {
                Some(ip) => self.prove(client, ip, Proof::Lease, o.at),
                None => self.look_up_card(client),
            },
            // An offer is not taken yet, and a refusal is nobody's.
            Some("offer" | "nak") => self.look_up_card(client),
            _ => self.card_device(client, o.at),
        }
    }

    /// A collector of log lines or flow records never answers: two senders vouch for it.
    pub(crate) fn vouch(&mut self, peer: &Party, by: u32, at: Timestamp) -> (Entity, bool) {
        let Some(ip) = peer.ip else { return (Entity::Nobody, false) };
        let key = crate::book::key(ip);
        match self.called.get(&key) {
            Some(first) if *first != by => {
                self.called.remove(&key);
                self.settle(peer, Life::Sent, at)
            }
            Some(_) => (Entity::Nobody, false),
            None => {
                if self.called.len() < MAX_CALLED {
                    self.called.insert(key, by);
                }
                (Entity::Nobody, false)
            }
        }
    }
}

/// Most silent collectors that wait for a second sender.
const MAX_CALLED: usize = 1_024;
