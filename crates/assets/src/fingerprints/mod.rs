//! What observations say about what a device is: one file a source.
//!
//! A [`Fingerprint`] has two halves. `learn` is shown each observation of the kinds that it reads,
//! and writes down what was done ([`Learn::count`]) and what was said ([`Learn::hint`],
//! [`Learn::name`], [`Learn::claim`]). `weigh` is shown the tallies later, and says which classes
//! they speak for, and which roles. Neither keeps anything of its own, so an inventory can be saved
//! and loaded, and a fingerprint can be added without touching another.
//!
//! To add one: a file here and one line in [`ALL`].

use std::net::IpAddr;

use model::device::DeviceClass;
use model::observation::Observation;
use model::time::Timestamp;

use crate::book::{Book, key};
use crate::entity::{DeviceIx, Entity};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::{NameRank, Record};
use crate::settings::{Place, Settings};
use crate::tally::{Tallies, mark};
use crate::words;

pub mod announced;
pub mod astm;
pub mod dhcp;
pub mod dicom;
pub mod dicomweb;
pub mod dns;
pub mod hl7;
pub mod http;
pub mod logs;
pub mod mac_vendor;
pub mod managed;
pub mod mqtt;
pub mod ntlm;
pub mod ntp;
pub mod poct1a;
pub mod ports;
pub mod remote;
pub mod router;
pub mod sdc;
pub mod smb;
pub mod syslog;
pub mod tls;
pub mod workstation;

#[cfg(test)]
mod tests;

/// One source of evidence.
#[derive(Debug)]
pub struct Fingerprint {
    /// Lower-case name: the source of its claims.
    pub name: &'static str,
    /// One line that says what it goes by.
    pub doc: &'static str,
    /// Kinds of observation that it reads, with the fields.
    pub reads: &'static [(&'static str, &'static [&'static str])],
    /// Writes down what an observation says.
    pub learn: fn(&Observation, &mut Learn<'_>),
    /// Says what the tallies speak for.
    pub weigh: fn(&Tallies, &mut Evidence),
}

/// Every fingerprint, in the order in which they are asked.
pub static ALL: &[&Fingerprint] = &[
    &mac_vendor::FINGERPRINT,
    &dhcp::FINGERPRINT,
    &dicom::FINGERPRINT,
    &dicomweb::FINGERPRINT,
    &hl7::FINGERPRINT,
    &astm::FINGERPRINT,
    &mqtt::FINGERPRINT,
    &http::FINGERPRINT,
    &sdc::FINGERPRINT,
    &tls::FINGERPRINT,
    &remote::FINGERPRINT,
    &smb::FINGERPRINT,
    &dns::FINGERPRINT,
    &announced::FINGERPRINT,
    &managed::FINGERPRINT,
    &ntp::FINGERPRINT,
    &syslog::FINGERPRINT,
    &logs::FINGERPRINT,
    &router::FINGERPRINT,
    &ports::FINGERPRINT,
    &workstation::FINGERPRINT,
    &poct1a::FINGERPRINT,
    &ntlm::FINGERPRINT,
];

/// Weight of one word in a host name, and in the name of an application.
const NAME_WORD: f32 = 1.5;
const APPLICATION_WORD: f32 = 1.0;

/// Where a fingerprint writes. What is said of a party that is no device is dropped.
#[derive(Debug)]
pub struct Learn<'a> {
    /// Time of the observation.
    pub at: Timestamp,
    /// Who did it.
    pub subject: Entity,
    /// Whom it was done to.
    pub peer: Entity,
    pub(crate) marks: [Option<u32>; 2],
    pub(crate) source: &'static str,
    pub(crate) records: &'a mut [Record],
    pub(crate) book: &'a mut Book,
    pub(crate) settings: &'a Settings,
    pub(crate) dirty: &'a mut Vec<u32>,
}

impl Learn<'_> {
    /// Counts something that a party did. `other` is a mark of whom or what it did it with.
    pub fn count(&mut self, who: Entity, fact: Fact, other: Option<u32>) {
        let Entity::Device(ix) = who else { return };
        let Some(record) = self.records.get_mut(ix.place()) else { return };
        if record.tallies.count(fact, self.at, other) {
            self.touch(ix);
        }
    }

    /// Counts something that the subject did with the peer.
    pub fn subject_did(&mut self, fact: Fact) {
        self.count(self.subject, fact, self.marks[1]);
    }

    /// Counts something that the peer did with the subject.
    pub fn peer_did(&mut self, fact: Fact) {
        self.count(self.peer, fact, self.marks[0]);
    }

    /// What words of a maker or program speak for.
    pub fn hint(&mut self, who: Entity, class: DeviceClass, weight: f32) {
        let Entity::Device(ix) = who else { return };
        let Some(record) = self.records.get_mut(ix.place()) else { return };
        record.hint(self.source, class, weight);
        self.touch(ix);
    }

    /// A name that a party goes by: it is kept, looked up by logs, and its words are weak evidence.
    ///
    /// Whoever has a host's name first keeps it: a later device cannot take over its log lines, and
    /// a name that several share (of an image, of a template) is nobody's best.
    pub fn name(&mut self, who: Entity, rank: NameRank, text: &str) {
        let Entity::Device(ix) = who else { return };
        let text = text.trim();
        if text.is_empty() || text.parse::<IpAddr>().is_ok() {
            return;
        }
        let lower = text.to_lowercase();
        let taken =
            rank.is_host() && self.book.names.get(&lower).is_some_and(|holder| *holder != ix.0);
        let rank = if taken { NameRank::Application } else { rank };
        let Some(record) = self.records.get_mut(ix.place()) else { return };
        if !record.call(rank, text) {
            return;
        }
        record.claim("name", text, self.source, rank.confidence(), self.at);
        if rank.is_host() {
            self.remember(ix, lower);
        }
        self.read_words(ix, rank, text);
    }

    /// Whether a party has a name from this source.
    pub fn has_name(&self, who: Entity, rank: NameRank) -> bool {
        let Entity::Device(ix) = who else { return false };
        self.records.get(ix.place()).is_some_and(|r| r.names.iter().any(|name| name.rank == rank))
    }

    /// The name of a program that a party runs: not a name of its own, but its words are weak
    /// evidence.
    pub fn application(&mut self, who: Entity, text: &str) {
        if let Entity::Device(ix) = who
            && self.claim(who, "application", text, 0.5)
        {
            self.read_words(ix, NameRank::Application, text);
        }
    }

    fn remember(&mut self, ix: DeviceIx, full: String) {
        let short = full.split('.').next().unwrap_or_default().to_owned();
        for name in [full, short] {
            if !name.is_empty() && self.book.names.len() < self.settings.max_devices * 4 {
                self.book.names.entry(name).or_insert(ix.0);
            }
        }
    }

    fn read_words(&mut self, ix: DeviceIx, rank: NameRank, text: &str) {
        // Only the host's part: the domain is the same for all.
        let text = if rank.is_host() { text.split('.').next().unwrap_or_default() } else { text };
        let (source, weight) = if rank == NameRank::Application {
            ("application", APPLICATION_WORD)
        } else {
            ("name", NAME_WORD)
        };
        for class in words::classes(text) {
            if let Some(record) = self.records.get_mut(ix.place()) {
                record.hint(source, class, weight);
            }
            self.touch(ix);
        }
    }

    /// Something said about a party that is worth keeping: a model, a version, a title. Says
    /// whether it is news, so that its words need to be read once only.
    pub fn claim(&mut self, who: Entity, what: &str, value: &str, confidence: f64) -> bool {
        let Entity::Device(ix) = who else { return false };
        let record = self.records.get_mut(ix.place());
        record.is_some_and(|r| r.claim(what, value, self.source, confidence, self.at))
    }

    /// The device of an address, where it is known.
    pub fn at_address(&self, ip: IpAddr) -> Entity {
        let state = self.book.ips.get(&key(ip));
        state.map_or(Entity::Nobody, |state| Entity::Device(DeviceIx(state.device)))
    }

    /// The device of a card, where it is known.
    pub fn with_card(&self, mac: model::Mac) -> Entity {
        let device = self.book.macs.get(&mac).and_then(|card| card.device);
        device.map_or(Entity::Nobody, |device| Entity::Device(DeviceIx(device)))
    }

    /// Whether an address lies outside the site.
    pub fn is_outside(&self, ip: IpAddr) -> bool {
        self.settings.place(ip.to_canonical()) == Place::Outside
    }

    fn touch(&mut self, ix: DeviceIx) {
        if let Some(record) = self.records.get_mut(ix.place())
            && !std::mem::replace(&mut record.dirty, true)
        {
            self.dirty.push(ix.0);
        }
    }
}

impl NameRank {
    /// Whether it names a host, and not an application on it.
    pub(crate) fn is_host(self) -> bool {
        matches!(self, Self::Dhcp | Self::Host | Self::Client | Self::Directory)
    }

    /// How far it can be believed.
    fn confidence(self) -> f64 {
        match self {
            Self::Dhcp => 0.8,
            Self::Host => 0.7,
            Self::Client | Self::AeTitle => 0.6,
            Self::Directory | Self::Application => 0.5,
        }
    }
}

/// A mark of a text, whatever its letter case.
pub(crate) fn text_mark(text: &str) -> u32 {
    mark(text.to_ascii_lowercase().as_bytes())
}

/// No evidence from tallies: for fingerprints that only read words.
fn no_weights(_: &Tallies, _: &mut Evidence) {}
