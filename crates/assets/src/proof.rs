//! Proof that a card has an address, and what follows: an address found, two devices joined, or a
//! conflict between two cards.

use std::net::IpAddr;

use model::net::Mac;
use model::time::Timestamp;

use crate::book::{
    FRESH, FRESH_AFTER_MOVE, IpState, MAX_PROVEN, Proof, address, is_link_local, key,
};
use crate::entity::{DeviceIx, Entity};
use crate::inventory::Inventory;
use crate::record::Record;
use crate::settings::Place;

impl Inventory {
    /// A card claims an address in a way that counts as proof. Gives the card's device.
    pub(crate) fn prove(&mut self, mac: Mac, ip: IpAddr, proof: Proof, at: Timestamp) -> Entity {
        let ip = ip.to_canonical();
        if !mac.is_station() || self.settings.place(ip) != Place::Inside {
            return self.card_device(mac, at);
        }
        let key = key(ip);
        let Some(state) = self.book.ips.get(&key).copied() else {
            return self.prove_new(mac, ip, proof, at);
        };
        match state.card {
            Some((own, _)) if own == mac => {
                if let Some(state) = self.book.ips.get_mut(&key) {
                    state.used = state.used.max(at);
                    state.card = state.card.map(|(mac, old)| (mac, old.max(proof)));
                }
                if let Some(card) = self.book.macs.get_mut(&mac) {
                    card.lent.retain(|lent| *lent != key);
                }
                self.see(state.device, at);
                Entity::Device(DeviceIx(state.device))
            }
            Some((own, _)) if self.is_fresh(&state, ip, at) => {
                self.conflict(&state, own, mac, ip, at)
            }
            Some(_) => self.prove_new(mac, ip, proof, at),
            None => self.prove_unproved(&state, mac, ip, proof, at),
        }
    }

    /// Whether the card that has an address still uses it.
    fn is_fresh(&self, state: &IpState, ip: IpAddr, at: Timestamp) -> bool {
        let record = &self.records[state.device as usize];
        let latest = record.ips.iter().rev().find(|other| other.is_ipv4() == ip.is_ipv4());
        let bound = if latest == Some(&ip) { FRESH } else { FRESH_AFTER_MOVE };
        at.since(state.used) <= bound
    }

    fn conflict(
        &mut self,
        state: &IpState,
        own: Mac,
        rival: Mac,
        ip: IpAddr,
        at: Timestamp,
    ) -> Entity {
        let value = format!("{ip} of {own} is claimed by {rival}");
        let claimant = self.card_device(rival, at);
        for device in [Some(DeviceIx(state.device)), claimant.device()].into_iter().flatten() {
            let record = &mut self.records[device.place()];
            record.claim("address_conflict", &value, "arp", 1.0, at);
        }
        claimant
    }

    /// An address that nobody holds now goes to a card.
    fn prove_new(&mut self, mac: Mac, ip: IpAddr, proof: Proof, at: Timestamp) -> Entity {
        let entity = self.card_device(mac, at);
        let Entity::Device(DeviceIx(device)) = entity else { return entity };
        let key = key(ip);
        let Some(card) = self.book.macs.get_mut(&mac) else { return entity };
        // A router that answers for others (proxy ARP) has no more than an address of its own.
        let proxy =
            card.shared && card.proven.iter().any(|k| address(*k).is_ipv4() == ip.is_ipv4());
        if proxy || (card.proven.len() >= MAX_PROVEN && !card.proven.contains(&key)) {
            return entity;
        }
        card.prove(key);
        let state = IpState { device, card: Some((mac, proof)), used: at, via: Some(mac) };
        self.book.ips.insert(key, state);
        self.records[device as usize].use_ip(ip);
        entity
    }

    /// An address that stood for a device by itself is claimed by a card.
    fn prove_unproved(
        &mut self,
        state: &IpState,
        mac: Mac,
        ip: IpAddr,
        proof: Proof,
        at: Timestamp,
    ) -> Entity {
        let key = key(ip);
        let alive = at.since(self.records[state.device as usize].last_seen) <= FRESH;
        let came_otherwise = state.via.is_some_and(|via| via != mac);
        let card_device = self.book.macs.get(&mac).and_then(|card| card.device);
        if came_otherwise && !alive {
            return self.prove_new(mac, ip, proof, at);
        }
        if came_otherwise {
            let via_router = state.via.is_some_and(|via| self.book.is_shared(via));
            if !via_router || card_device.is_some() {
                let via = state.via.unwrap_or(mac);
                return self.conflict(state, via, mac, ip, at);
            }
        }
        let apart = card_device.is_some_and(|other| other != state.device)
            && (self.book.is_shared(mac) || self.uses_another(mac, ip, at));
        if apart {
            return self.card_device(mac, at);
        }
        let cap = self.max_cards();
        let Some(card) = self.book.card(mac, cap) else {
            return Entity::Device(DeviceIx(state.device));
        };
        let device = match card_device {
            Some(other) if other != state.device => {
                card.lent.push(key);
                card.prove(key);
                self.join(other, state.device)
            }
            _ => {
                card.device = Some(state.device);
                card.prove(key);
                self.own_card(state.device, mac, at);
                state.device
            }
        };
        if let Some(state) = self.book.ips.get_mut(&key) {
            state.card = Some((mac, proof));
            state.used = at;
        }
        let record = &mut self.records[device as usize];
        record.last_seen = record.last_seen.max(at);
        record.use_ip(ip);
        Entity::Device(DeviceIx(device))
    }

    /// Whether a card just now uses another address of the same family. Then what speaks through it
    /// under this one may be somebody whose packets it diverts.
    fn uses_another(&self, mac: Mac, ip: IpAddr, at: Timestamp) -> bool {
        let Some(card) = self.book.macs.get(&mac) else { return false };
        card.proven.iter().any(|other| {
            let other_ip = address(*other);
            other_ip != ip
                && other_ip.is_ipv4() == ip.is_ipv4()
                && !is_link_local(other_ip)
                && self.book.ips.get(other).is_some_and(|s| at.since(s.used) <= FRESH_AFTER_MOVE)
        })
    }

    /// Two places prove to be one device: the one that was known first goes on.
    fn join(&mut self, one: u32, two: u32) -> u32 {
        let (stays, goes) = (one.min(two), one.max(two));
        let gone = std::mem::take(&mut self.records[goes as usize]);
        for ip in &gone.ips {
            if let Some(state) = self.book.ips.get_mut(&key(*ip)).filter(|s| s.device == goes) {
                state.device = stays;
            }
        }
        if let Some(card) = gone.mac.and_then(|mac| self.book.macs.get_mut(&mac)) {
            card.device = Some(stays);
        }
        self.records[goes as usize] = Record {
            number: gone.number,
            joined_to: Some(stays),
            first_seen: gone.first_seen,
            ..Record::default()
        };
        self.records[stays as usize].join(gone);
        self.mark_dirty(stays);
        stays
    }
}
