//! Who is who: from addresses to devices.
//!
//! Decisions are lazy. An address without proof of its card is a device by itself; it joins
//! another only when a card proves to have both (`proof.rs`). A card that turns out to be a router's
//! gives back what it was lent. A card that claims an address which another is using does not get
//! it: the first keeps it, and both devices carry the conflict as a claim.

use std::net::IpAddr;

use model::net::Mac;
use model::observation::Party;
use model::time::Timestamp;

use crate::book::{
    FRESH_AFTER_MOVE, IpState, Key, Proof, SOLE, SOLE_FLOWS, address, is_link_local, key,
};
use crate::entity::{DeviceIx, Entity};
use crate::facts::Fact;
use crate::inventory::Inventory;
use crate::record::Record;
use crate::settings::Place;
use crate::tally::mark;

/// How surely a party is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It was called, and has not answered as yet.
    Called,
    /// It sent something.
    Sent,
    /// It sent something and was answered, or answered.
    Answered,
}

impl Inventory {
    /// Finds a party's device, or makes one where there is enough to go by. The flag says whether
    /// it is new.
    pub(crate) fn settle(&mut self, party: &Party, life: Life, at: Timestamp) -> (Entity, bool) {
        let Some(ip) = party.ip else { return self.settle_without_ip(party, life, at) };
        let key = key(ip);
        if let Some(state) = self.book.ips.get_mut(&key) {
            let device = state.device;
            if life != Life::Called {
                if state.card.is_some_and(|(mac, _)| Some(mac) == party.mac) {
                    state.used = state.used.max(at);
                }
                let strange = party.mac.filter(|_| state.via != party.mac);
                let sole = state.card.filter(|(_, proof)| *proof == Proof::Sole);
                self.see(device, at);
                if let Some(mac) = strange {
                    return (self.came_with(key, mac, at), false);
                }
                if let Some((mac, _)) = sole.filter(|_| !self.is_latest(device, ip)) {
                    self.share(mac);
                }
            }
            return (Entity::Device(DeviceIx(device)), false);
        }
        let ip = ip.to_canonical();
        match self.settings.place(ip) {
            Place::Outside => {
                if let Some(mac) = party.mac.filter(|_| life != Life::Called) {
                    self.outside_behind(mac, key);
                }
                (Entity::External(ip), false)
            }
            Place::Group => (Entity::Group, false),
            Place::Nowhere => self.settle_without_ip(party, life, at),
            Place::Inside => self.admit(ip, party.mac, life, at),
        }
    }

    fn settle_without_ip(&mut self, party: &Party, life: Life, at: Timestamp) -> (Entity, bool) {
        let found = self.entity(party);
        if let Entity::Device(DeviceIx(device)) = found
            && life != Life::Called
            && party.mac.is_some()
        {
            let record = &mut self.records[device as usize];
            record.last_seen = record.last_seen.max(at);
        }
        (found, false)
    }

    /// A device showed itself.
    pub(crate) fn see(&mut self, device: u32, at: Timestamp) {
        let record = &mut self.records[device as usize];
        record.last_seen = record.last_seen.max(at);
    }

    fn is_latest(&self, device: u32, ip: IpAddr) -> bool {
        self.records[device as usize].ips.last() == Some(&ip.to_canonical())
    }

    /// An inside address that nobody has as yet.
    fn admit(&mut self, ip: IpAddr, mac: Option<Mac>, life: Life, at: Timestamp) -> (Entity, bool) {
        if life == Life::Called {
            return (Entity::Nobody, false);
        }
        let mac = mac.filter(|mac| mac.is_station());
        if let Some(mac) = mac.filter(|_| is_link_local(ip)) {
            let before = self.records.len();
            let entity = self.prove(mac, ip, Proof::Link, at);
            return (entity, self.records.len() > before);
        }
        if let Some(device) = mac.and_then(|mac| self.moved(mac, ip, at)) {
            return (Entity::Device(DeviceIx(device)), false);
        }
        let Some(device) = self.create(life == Life::Answered, at) else {
            return (Entity::Nobody, false);
        };
        self.records[device as usize].use_ip(ip);
        let key = key(ip);
        self.book.ips.insert(key, IpState { device, card: None, used: at, via: mac });
        if let Some(mac) = mac {
            self.behind(mac, key, at);
        }
        (Entity::Device(DeviceIx(device)), true)
    }

    /// Makes a device, where there is room and, unless it was answered, a permit.
    pub(crate) fn create(&mut self, answered: bool, at: Timestamp) -> Option<u32> {
        if self.records.len() >= self.settings.max_devices {
            self.refused = self.refused.saturating_add(1);
            return None;
        }
        if !answered && !self.budget.take(at) {
            return None;
        }
        let place = u32::try_from(self.records.len()).ok()?;
        self.records.push(Record {
            number: place.saturating_add(1),
            first_seen: at,
            last_seen: at,
            ..Record::default()
        });
        Some(place)
    }

    /// The device that shows a new address with a card that long showed one address only, now
    /// silent: it moved. Taken back should the old address speak again.
    fn moved(&mut self, mac: Mac, ip: IpAddr, at: Timestamp) -> Option<u32> {
        let new = key(ip);
        let card = self.book.macs.get_mut(&mac).filter(|card| !card.shared)?;
        let [old] = card.proven[..] else { return None };
        let device = card.device?;
        let state = self.book.ips.get(&old)?;
        let sole = state.card == Some((mac, Proof::Sole));
        if !sole || at.since(state.used) < FRESH_AFTER_MOVE || old == new {
            return None;
        }
        card.lent.push(new);
        card.prove(new);
        self.book.ips.insert(
            new,
            IpState { device, card: Some((mac, Proof::Sole)), used: at, via: Some(mac) },
        );
        let record = &mut self.records[device as usize];
        record.use_ip(ip);
        record.last_seen = record.last_seen.max(at);
        Some(device)
    }

    /// Packets of a known address came with another Ethernet address than last time.
    fn came_with(&mut self, key: Key, mac: Mac, at: Timestamp) -> Entity {
        if let Some(state) = self.book.ips.get_mut(&key) {
            state.via = Some(mac);
        }
        self.behind(mac, key, at);
        let device = self.book.ips.get(&key).map(|state| DeviceIx(state.device));
        device.map_or(Entity::Nobody, Entity::Device)
    }

    /// Notes that an inside address speaks through a card.
    fn behind(&mut self, mac: Mac, key: Key, at: Timestamp) {
        let cap = self.max_cards();
        let Some(card) = self.book.card(mac, cap) else { return };
        if card.behind.is_empty() && card.proven.is_empty() {
            card.sole_since = Some(at);
        }
        let more = card.carries(key);
        // A card that was taken for one device's because it showed nothing else shows more now.
        let adopted = card.proven.first().copied().filter(|own| *own != key).is_some_and(|own| {
            self.book.ips.get(&own).is_some_and(|s| matches!(s.card, Some((_, Proof::Sole))))
        });
        if more || adopted {
            self.share(mac);
        }
    }

    fn outside_behind(&mut self, mac: Mac, key: Key) {
        let cap = self.max_cards();
        if self.book.card(mac, cap).is_some_and(|card| card.carries_outside(key)) {
            self.share(mac);
        }
    }

    pub(crate) fn max_cards(&self) -> usize {
        self.settings.max_devices.saturating_mul(2)
    }

    /// A card proved to be a router's: it gives back every address that it was lent, and is nobody's
    /// own unless ARP or a lease says so.
    fn share(&mut self, mac: Mac) {
        let Some(card) = self.book.macs.get_mut(&mac) else { return };
        card.shared = true;
        card.behind = Vec::new();
        card.outside = Vec::new();
        let lent = std::mem::take(&mut card.lent);
        card.proven.retain(|key| !lent.contains(key));
        for key in &lent {
            if let Some(state) = self.book.ips.remove(key) {
                self.records[state.device as usize].ips.retain(|ip| *ip != address(*key));
            }
        }
        let Some(card) = self.book.macs.get_mut(&mac) else { return };
        let Some(device) = card.device else { return };
        let ips = &mut self.book.ips;
        card.proven.retain(|key| {
            let Some(state) = ips.get_mut(key) else { return false };
            let own = !matches!(state.card, Some((_, Proof::Sole)));
            if !own {
                state.card = None;
            }
            own
        });
        if card.proven.is_empty() {
            card.device = None;
            let record = &mut self.records[device as usize];
            record.mac = None;
            record.vendor = None;
            record.forget("mac");
            self.mark_dirty(device);
        }
    }

    /// A party took part in an answered flow. Where its card showed nothing else for long, the card
    /// is its own; where the card is another's, that one carries it.
    pub(crate) fn answered(&mut self, party: &Party, at: Timestamp) {
        let (Some(ip), Some(mac)) = (party.ip, party.mac) else { return };
        let key = key(ip);
        let state = self.book.ips.get_mut(&key);
        if state.as_ref().is_some_and(|s| s.card.is_some_and(|(own, _)| own == mac)) {
            return;
        }
        let Some(card) = self.book.macs.get_mut(&mac) else { return };
        if let Some(carrier) = card.device {
            let inside = state.is_some();
            if inside && card.shared {
                self.carries(carrier, Fact::RoutedInside, key, at);
            } else if !inside && self.settings.place(ip.to_canonical()) == Place::Outside {
                self.carries(carrier, Fact::RoutedOutside, key, at);
            }
            return;
        }
        let Some(state) = state.filter(|s| s.card.is_none() && s.via == Some(mac)) else { return };
        if card.shared || !card.outside.is_empty() || card.behind != [key] {
            return;
        }
        card.sole_flows = card.sole_flows.saturating_add(1);
        let long = card.sole_since.is_some_and(|since| at.since(since) >= SOLE);
        if long && card.sole_flows >= SOLE_FLOWS {
            state.card = Some((mac, Proof::Sole));
            state.used = at;
            card.prove(key);
            card.device = Some(state.device);
            let device = state.device;
            self.own_card(device, mac, at);
        }
    }

    fn carries(&mut self, carrier: u32, fact: Fact, key: Key, at: Timestamp) {
        let other = Some(mark(&key.to_be_bytes()));
        if self.records[carrier as usize].tallies.count(fact, at, other) {
            self.mark_dirty(carrier);
        }
    }

    /// A device's card is known now.
    pub(crate) fn own_card(&mut self, device: u32, mac: Mac, at: Timestamp) {
        let record = &mut self.records[device as usize];
        record.mac = Some(mac);
        crate::fingerprints::mac_vendor::learn_card(record, mac, at);
        self.mark_dirty(device);
    }

    /// The device of a card, made where there is none.
    pub(crate) fn card_device(&mut self, mac: Mac, at: Timestamp) -> Entity {
        if !mac.is_station() {
            return Entity::Nobody;
        }
        let cap = self.max_cards();
        let Some(card) = self.book.card(mac, cap) else { return Entity::Nobody };
        if let Some(device) = card.device {
            let record = &mut self.records[device as usize];
            record.last_seen = record.last_seen.max(at);
            return Entity::Device(DeviceIx(device));
        }
        let Some(device) = self.create(false, at) else { return Entity::Nobody };
        if let Some(card) = self.book.card(mac, cap) {
            card.device = Some(device);
        }
        self.own_card(device, mac, at);
        Entity::Device(DeviceIx(device))
    }
}
