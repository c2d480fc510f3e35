//! The inventory: takes observations in, says who took part, and remembers.

use std::collections::HashMap;
use std::net::IpAddr;

use model::KindMap;
use model::net::Mac;
use model::observation::{Observation, Party};
use model::time::Timestamp;

use crate::book::{Book, key};
use crate::budget::Budget;
use crate::entity::{DeviceIx, Entity, Who};
use crate::fingerprints::{self, Fingerprint, Learn, ports};
use crate::identity::Life;
use crate::judge::{Evidence, judge};
use crate::record::{Confirmed, Record};
use crate::settings::{Place, Settings};
use crate::tally::mark;

/// All devices of a site. Time is data: it only moves with what is observed and with
/// [`Inventory::tick`].
#[derive(Debug)]
pub struct Inventory {
    pub(crate) settings: Settings,
    pub(crate) book: Book,
    pub(crate) records: Vec<Record>,
    pub(crate) budget: Budget,
    /// Devices refused because there is no room.
    pub(crate) refused: u64,
    /// Silent collectors, and who called them first.
    pub(crate) called: HashMap<u128, u32>,
    /// Places whose class has to be thought over, in the order in which they came up.
    dirty: Vec<u32>,
    /// Latest time seen, and the second for which classes were last thought over.
    pub(crate) now: Timestamp,
    judged: i64,
    /// Fingerprints by the kinds that they read.
    readers: KindMap<Vec<&'static Fingerprint>>,
}

impl Inventory {
    /// An empty inventory.
    pub fn new(settings: Settings) -> Self {
        Self {
            budget: Budget::new(settings.new_per_second, settings.new_burst),
            settings,
            book: Book::default(),
            records: Vec::new(),
            refused: 0,
            called: HashMap::new(),
            dirty: Vec::new(),
            now: Timestamp::MIN,
            judged: i64::MIN,
            readers: KindMap::default(),
        }
    }

    /// Learns from an observation, and says who took part in it.
    pub fn observe(&mut self, o: &Observation) -> Who {
        if o.at > self.now {
            self.tick(o.at);
        }
        let before = self.records.len();
        let (subject, peer) = match o.kind.name {
            "flow.start" => self.parties(o, Life::Sent, Life::Called),
            "flow.update" => self.flow_update(o),
            "flow.end" => self.flow_end(o),
            "flow.outcome" => self.flow_outcome(o),
            "flow.protocol" => self.parties(o, Life::Called, Life::Called),
            "arp.packet" => self.arp(o),
            name => self.others(name, o),
        };
        let is_new = |entity: Entity| entity.device().is_some_and(|ix| ix.place() >= before);
        Who { subject, peer, subject_is_new: is_new(subject), peer_is_new: is_new(peer) }
    }

    /// Both sides of an observation.
    fn parties(&mut self, o: &Observation, subject: Life, peer: Life) -> (Entity, Entity) {
        let of_packets = o.flow.is_some();
        let mut settle = |party: &Party, life| {
            // In a log, loopback is whatever host wrote it.
            let itself = !of_packets && party.ip.is_some_and(|ip| ip.is_loopback());
            if itself { Entity::Nobody } else { self.settle(party, life, o.at).0 }
        };
        let subject = settle(&o.subject, subject);
        (subject, o.peer.as_ref().map_or(Entity::Nobody, |party| settle(party, peer)))
    }

    fn flow_update(&mut self, o: &Observation) -> (Entity, Entity) {
        let out = o.uint("delta_bytes_out").unwrap_or(0);
        let back = o.uint("delta_bytes_in").unwrap_or(0);
        let both = match (out > 0, back > 0) {
            (true, true) => self.parties(o, Life::Answered, Life::Answered),
            (true, false) => self.parties(o, Life::Sent, Life::Called),
            // What came back only counts where the flow was answered before.
            _ => self.parties(o, Life::Called, Life::Called),
        };
        self.count_bytes(both, out, back);
        both
    }

    fn flow_end(&mut self, o: &Observation) -> (Entity, Entity) {
        let mut both = self.parties(o, Life::Called, Life::Called);
        let unknown = |entity: Entity| entity == Entity::Nobody;
        // Flow records of others come without a beginning.
        if (unknown(both.0) || unknown(both.1))
            && matches!(o.str("state"), Some("S1" | "SF" | "RSTO" | "RSTR"))
        {
            both = self.parties(o, Life::Answered, Life::Answered);
        }
        let out = o.uint("delta_bytes_out").unwrap_or(0);
        let back = o.uint("delta_bytes_in").unwrap_or(0);
        self.count_bytes(both, out, back);
        both
    }

    fn count_bytes(&mut self, (subject, peer): (Entity, Entity), out: u64, back: u64) {
        for (entity, sent, got) in [(subject, out, back), (peer, back, out)] {
            if let Entity::Device(ix) = entity {
                let record = &mut self.records[ix.place()];
                record.bytes_out = record.bytes_out.saturating_add(sent);
                record.bytes_in = record.bytes_in.saturating_add(got);
            }
        }
    }

    fn flow_outcome(&mut self, o: &Observation) -> (Entity, Entity) {
        if o.str("outcome") != Some("established") {
            return self.parties(o, Life::Sent, Life::Called);
        }
        let both = self.parties(o, Life::Answered, Life::Answered);
        self.meet(both);
        for party in [Some(&o.subject), o.peer.as_ref()].into_iter().flatten() {
            self.answered(party, o.at);
        }
        let port = o.flow.as_ref().map_or(0, |flow| flow.tuple.responder.port);
        if ports::fact(port).is_some() {
            self.learn(o, both);
        }
        both
    }

    fn meet(&mut self, (subject, peer): (Entity, Entity)) {
        for (one, other) in [(subject, peer), (peer, subject)] {
            if let (Entity::Device(ix), Some(mark)) = (one, self.mark(other)) {
                self.records[ix.place()].meet(mark);
            }
        }
    }

    /// A mark that tells a party from others.
    pub(crate) fn mark(&self, entity: Entity) -> Option<u32> {
        match entity {
            Entity::Device(ix) => Some(mark(&self.records[ix.place()].number.to_be_bytes())),
            Entity::External(ip) => Some(mark(&key(ip).to_be_bytes())),
            Entity::Group | Entity::Nobody => None,
        }
    }

    /// Everything but flows and ARP.
    fn others(&mut self, name: &'static str, o: &Observation) -> (Entity, Entity) {
        let client = match name {
            "dhcp.message" => self.lease(o),
            "icmp.message" => {
                self.neighbour(o);
                Entity::Nobody
            }
            _ => Entity::Nobody,
        };
        let answers = o.flow.as_ref().is_some_and(|flow| {
            o.subject.ip == Some(flow.tuple.responder.ip)
                && o.subject.port == Some(flow.tuple.responder.port)
        });
        let (from, to) =
            if answers { (Life::Answered, Life::Answered) } else { (Life::Sent, Life::Called) };
        let (mut subject, mut peer) = self.parties(o, from, to);
        if name == "dhcp.message" && subject == Entity::Nobody {
            subject = client;
        }
        if name == "syslog.message"
            && peer == Entity::Nobody
            && let (Some(party), Some(mark)) = (&o.peer, self.mark(subject))
        {
            peer = self.vouch(party, mark, o.at).0;
        }
        self.learn(o, (subject, peer));
        (subject, peer)
    }

    /// Shows an observation to the fingerprints that read its kind.
    fn learn(&mut self, o: &Observation, (subject, peer): (Entity, Entity)) {
        let marks = [self.mark(subject), self.mark(peer)];
        let readers = self.readers.entry(o.kind, |kind| {
            let reads = |f: &&Fingerprint| f.reads.iter().any(|(name, _)| *name == kind.name);
            fingerprints::ALL.iter().copied().filter(reads).collect()
        });
        let mut learn = Learn {
            at: o.at,
            subject,
            peer,
            marks,
            source: "",
            records: &mut self.records,
            book: &mut self.book,
            settings: &self.settings,
            dirty: &mut self.dirty,
        };
        for fingerprint in &*readers {
            learn.source = fingerprint.name;
            (fingerprint.learn)(o, &mut learn);
        }
    }

    pub(crate) fn mark_dirty(&mut self, device: u32) {
        if !std::mem::replace(&mut self.records[device as usize].dirty, true) {
            self.dirty.push(device);
        }
    }

    /// Moves time on, and once a second thinks over what the devices are of which something new
    /// was learned.
    pub fn tick(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let second = self.now.seconds();
        if second <= self.judged {
            return;
        }
        self.judged = second;
        for device in std::mem::take(&mut self.dirty) {
            self.think_over(device);
        }
    }

    /// Judges anew what is known of a device.
    pub(crate) fn think_over(&mut self, device: u32) {
        let Some(record) = self.records.get_mut(device as usize) else { return };
        record.dirty = false;
        let mut evidence = Evidence::default();
        for fingerprint in fingerprints::ALL {
            (fingerprint.weigh)(&record.tallies, evidence.of(fingerprint.name));
        }
        record.verdict = judge(evidence, &record.hints);
    }

    /// Who a party is. Only looks up: learns nothing.
    pub fn entity(&self, party: &Party) -> Entity {
        match (party.ip, party.mac, &party.name) {
            (Some(ip), mac, _) => self.look_up(ip, mac),
            (None, Some(mac), _) => self.look_up_card(mac),
            (None, None, Some(name)) => self.look_up_name(name),
            (None, None, None) => Entity::Nobody,
        }
    }

    pub(crate) fn look_up(&self, ip: IpAddr, mac: Option<Mac>) -> Entity {
        if let Some(state) = self.book.ips.get(&key(ip)) {
            return Entity::Device(self.resolve(DeviceIx(state.device)));
        }
        let ip = ip.to_canonical();
        match self.settings.place(ip) {
            Place::Outside => Entity::External(ip),
            Place::Group => Entity::Group,
            Place::Inside => Entity::Nobody,
            Place::Nowhere => mac.map_or(Entity::Nobody, |mac| self.look_up_card(mac)),
        }
    }

    pub(crate) fn look_up_card(&self, mac: Mac) -> Entity {
        if mac.is_group() {
            return Entity::Group;
        }
        let device = self.book.macs.get(&mac).and_then(|card| card.device);
        device.map_or(Entity::Nobody, |device| Entity::Device(self.resolve(DeviceIx(device))))
    }

    fn look_up_name(&self, name: &str) -> Entity {
        if let Ok(ip) = name.parse() {
            return self.look_up(ip, None);
        }
        let full = name.to_lowercase();
        let short = full.split('.').next().unwrap_or_default();
        let device = self.book.names.get(&full).or_else(|| self.book.names.get(short));
        device.map_or(Entity::Nobody, |device| Entity::Device(self.resolve(DeviceIx(*device))))
    }

    /// The place that now stands for a device.
    pub(crate) fn resolve(&self, ix: DeviceIx) -> DeviceIx {
        let mut place = ix.0;
        // Joins go from later to earlier places, so this ends.
        while let Some(stays) = self.records.get(place as usize).and_then(|r| r.joined_to) {
            if stays >= place {
                break;
            }
            place = stays;
        }
        DeviceIx(place)
    }

    /// What a person says a device is. It beats all inference and is never mixed with it.
    pub fn confirm(&mut self, ix: DeviceIx, class: model::DeviceClass, by: &str, at: Timestamp) {
        let place = self.resolve(ix).place();
        if let Some(record) = self.records.get_mut(place) {
            record.confirmed = Some(Confirmed { class, by: by.to_owned(), at });
        }
    }

    /// Devices refused: for want of room, and because too many appeared at once.
    pub fn refused(&self) -> u64 {
        self.refused.saturating_add(self.budget.refused())
    }
}
