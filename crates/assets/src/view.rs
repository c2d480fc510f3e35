//! What the inventory says of a device.

use std::net::IpAddr;
use std::time::Duration;

use model::device::{Claim, Device, DeviceClass, DeviceId, InUse, Tier};
use model::finding::DeviceRef;
use model::net::Mac;
use model::time::Timestamp;

use crate::book::is_link_local;
use crate::entity::DeviceIx;
use crate::facts::Fact;
use crate::fingerprints::mac_vendor::makes;
use crate::in_use;
use crate::inventory::Inventory;
use crate::judge::Piece;
use crate::oui;
use crate::record::Record;

impl Inventory {
    fn record(&self, ix: DeviceIx) -> Option<&Record> {
        self.records.get(self.resolve(ix).place())
    }

    /// What a device most probably is; a person's word where there is one.
    pub fn class(&self, ix: DeviceIx) -> DeviceClass {
        self.record(ix).map_or(DeviceClass::Unknown, class)
    }

    /// How care depends on a device. An unknown one counts as life-sustaining, except outside the
    /// clinical segments where the site has said which those are.
    pub fn tier(&self, ix: DeviceIx) -> Tier {
        let Some(record) = self.record(ix) else { return Tier::T0 };
        if let Some(confirmed) =
            record.confirmed.as_ref().filter(|c| c.class != DeviceClass::Unknown)
        {
            return confirmed.class.tier();
        }
        match class(record) {
            DeviceClass::Unknown if !self.settings.is_clinical(&record.ips) => Tier::T3,
            DeviceClass::Unknown => Tier::T0,
            _ => record.verdict.tier,
        }
    }

    /// How sure the class is, 0 to 1: 0 while unknown, 1 on a person's word.
    pub fn confidence(&self, ix: DeviceIx) -> f64 {
        self.record(ix).map_or(0.0, |record| match &record.confirmed {
            Some(_) => 1.0,
            None => record.verdict.confidence,
        })
    }

    /// Its best name.
    pub fn name(&self, ix: DeviceIx) -> Option<&str> {
        self.record(ix)?.names.first().map(|name| name.text.as_str())
    }

    /// What to call it in a sentence: class, name and address, as far as they are known.
    pub fn label(&self, ix: DeviceIx) -> String {
        let mut label = self.class(ix).title().to_owned();
        if let Some(name) = self.name(ix) {
            label.push(' ');
            label.push_str(name);
        }
        match (self.ip(ix), self.mac(ix)) {
            (Some(ip), _) => label.push_str(&format!(" ({ip})")),
            (None, Some(mac)) => label.push_str(&format!(" ({mac})")),
            (None, None) => {}
        }
        label
    }

    /// Its latest address: IPv4 where it has one, since that is what people know it by.
    pub fn ip(&self, ix: DeviceIx) -> Option<IpAddr> {
        let ips = &self.record(ix)?.ips;
        let latest = |wanted: fn(&IpAddr) -> bool| ips.iter().rev().copied().find(wanted);
        latest(|ip| ip.is_ipv4() && !is_link_local(*ip))
            .or_else(|| latest(|ip| !is_link_local(*ip)))
            .or_else(|| ips.last().copied())
    }

    /// Whether the maker of its network card is known for devices of a class.
    pub fn maker_makes(&self, ix: DeviceIx, class: DeviceClass) -> bool {
        let vendor = self.mac(ix).and_then(oui::vendor);
        vendor.is_some_and(|vendor| makes(vendor).iter().any(|(made, _)| *made == class))
    }

    /// Its own Ethernet address, where it is known.
    pub fn mac(&self, ix: DeviceIx) -> Option<Mac> {
        self.record(ix)?.mac
    }

    /// Whether it does something for others, by the name of the role.
    pub fn has_role(&self, ix: DeviceIx, role: &str) -> bool {
        self.roles(ix).any(|own| own == role)
    }

    /// What it does for others, sorted.
    pub fn roles(&self, ix: DeviceIx) -> impl Iterator<Item = &str> {
        self.record(ix).into_iter().flat_map(|record| record.verdict.roles.iter().copied())
    }

    /// When it was first seen.
    pub fn first_seen(&self, ix: DeviceIx) -> Timestamp {
        self.record(ix).map_or(Timestamp::MIN, |record| record.first_seen)
    }

    /// When it was last seen.
    pub fn last_seen(&self, ix: DeviceIx) -> Timestamp {
        self.record(ix).map_or(Timestamp::MIN, |record| record.last_seen)
    }

    /// How often and how it did something.
    pub fn tally(&self, ix: DeviceIx, fact: Fact) -> Option<&crate::tally::Tally> {
        self.record(ix).map(|record| record.tallies.of(fact))
    }

    /// Its id: `D-` and a number by first appearance, of at least four digits.
    pub fn device_id(&self, ix: DeviceIx) -> DeviceId {
        let number = self.record(ix).map_or(0, |record| record.number);
        DeviceId(format!("D-{number:04}"))
    }

    /// The device of an id.
    pub fn by_id(&self, id: &DeviceId) -> Option<DeviceIx> {
        let number: u32 = id.0.strip_prefix("D-")?.parse().ok()?;
        let ix = DeviceIx(number.checked_sub(1)?);
        (ix.place() < self.records.len()).then(|| self.resolve(ix))
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.records.iter().filter(|record| record.joined_to.is_none()).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// All that is known of a device.
    pub fn device(&self, ix: DeviceIx) -> Device {
        let Some(record) = self.record(ix) else { return Device::default() };
        Device {
            id: self.device_id(ix),
            ip: record.ips.clone(),
            mac: record.mac,
            vendor: record.vendor.clone(),
            name: record.names.iter().map(|name| name.text.clone()).collect(),
            class: self.class(ix),
            tier: self.tier(ix),
            in_use: self.in_use(ix),
            confidence: self.confidence(ix),
            claims: claims(record),
            first_seen: record.first_seen,
            last_seen: record.last_seen,
            roles: self.roles(ix).map(str::to_owned).collect(),
            peers: record.peers.len() as u64,
            bytes_in: record.bytes_in,
            bytes_out: record.bytes_out,
        }
    }

    /// All devices, by id.
    pub fn devices(&self) -> Vec<Device> {
        let places = (0_u32..).zip(&self.records).filter(|(_, r)| r.joined_to.is_none());
        let mut all: Vec<_> = places.map(|(place, r)| (r.number, DeviceIx(place))).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, ix)| self.device(ix)).collect()
    }

    /// A device as a finding names it, with the address that took part or else its latest.
    pub fn reference(&self, ix: DeviceIx, ip: Option<IpAddr>) -> DeviceRef {
        DeviceRef {
            id: self.device_id(ix),
            ip: ip.or_else(|| self.ip(ix)),
            mac: self.mac(ix),
            name: self.name(ix).map(str::to_owned),
            class: self.class(ix),
            tier: self.tier(ix),
        }
    }

    /// Whether a device serves a patient just now.
    pub fn in_use(&self, ix: DeviceIx) -> InUse {
        self.record(ix).map_or(InUse::Unknown, |record| in_use::of(&record.tallies, self.now))
    }

    /// For how long a device has been silent.
    pub fn silent_for(&self, ix: DeviceIx) -> Duration {
        self.now.since(self.last_seen(ix))
    }
}

fn class(record: &Record) -> DeviceClass {
    record.confirmed.as_ref().map_or(record.verdict.class, |confirmed| confirmed.class)
}

/// What was said and seen, with what behaviour and words speak for, in a set order.
fn claims(record: &Record) -> Vec<Claim> {
    let mut claims = record.claims.clone();
    let sure = |weight: f32| {
        let odds = f64::from(weight - 3.0).exp();
        (odds / (1.0 + odds) * 1_000.0).round() / 1_000.0
    };
    let mut say = |what: &str, class: &str, source: &str, confidence: f64, at: Timestamp| {
        let (what, source) = (what.to_owned(), source.to_owned());
        claims.push(Claim { what, value: class.to_owned(), source, confidence, at });
    };
    let mut sums: Vec<Piece> = Vec::new();
    for piece in &record.verdict.pieces {
        match sums.iter_mut().find(|p| p.source == piece.source && p.class == piece.class) {
            Some(sum) => sum.weight += piece.weight,
            None => sums.push(piece.clone()),
        }
    }
    for piece in sums.iter().filter(|piece| piece.weight > 0.0) {
        say("class", piece.class.name(), piece.source, sure(piece.weight), record.last_seen);
    }
    for hint in &record.hints {
        say("class", hint.class.name(), &hint.source, sure(hint.weight), record.first_seen);
    }
    for role in &record.verdict.roles {
        say("role", role, "behaviour", 1.0, record.last_seen);
    }
    if let Some(confirmed) = &record.confirmed {
        let source = format!("person:{}", confirmed.by);
        say("class", confirmed.class.name(), &source, 1.0, confirmed.at);
    }
    claims
}
