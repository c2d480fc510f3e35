//! One device, as the inventory keeps it.

use std::net::IpAddr;

use model::device::{Claim, DeviceClass};
use model::net::Mac;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::judge::Verdict;
use crate::tally::Tallies;

/// Most addresses, names and claims that are kept of one device: the latest addresses, and the
/// first names and claims, so that a flood of new ones cannot wash out what was known before.
const MAX_ADDRESSES: usize = 16;
const MAX_NAMES: usize = 16;
const MAX_CLAIMS: usize = 96;
/// Most claims about the same thing, so that one thing said in many ways leaves room for others.
const MAX_CLAIMS_ALIKE: usize = 12;
const MAX_HINTS: usize = 48;
/// Most others that are told apart in the count of peers.
const MAX_PEERS: usize = 4_096;

/// What a fingerprint took from words: a maker, a name, a banner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hint {
    /// Fingerprint that gave it.
    pub(crate) source: String,
    /// What the words speak for.
    pub(crate) class: DeviceClass,
    /// How strongly, in nats.
    pub(crate) weight: f32,
}

/// A name and how much it is worth: lower ranks are better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Name {
    pub(crate) rank: NameRank,
    pub(crate) text: String,
}

/// Where a name comes from, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameRank {
    /// The name that it asks a lease for.
    Dhcp,
    /// The name in its own log lines or log-ons.
    Host,
    /// Its MQTT client identifier.
    Client,
    /// Its AE title.
    AeTitle,
    /// The name under which DNS or a certificate knows it.
    Directory,
    /// The application that it says it is.
    Application,
}

/// What a person said of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Confirmed {
    pub(crate) class: DeviceClass,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
}

/// One device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Number in its id.
    pub(crate) number: u32,
    /// The device that this place now stands for, once two proved to be one.
    pub(crate) joined_to: Option<u32>,
    /// Addresses, the latest last.
    pub(crate) ips: Vec<IpAddr>,
    /// Its own Ethernet address.
    pub(crate) mac: Option<Mac>,
    /// Maker of its network card.
    pub(crate) vendor: Option<String>,
    pub(crate) names: Vec<Name>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) hints: Vec<Hint>,
    pub(crate) tallies: Tallies,
    pub(crate) confirmed: Option<Confirmed>,
    /// What all this makes it; thought over again after a load.
    #[serde(skip)]
    pub(crate) verdict: Verdict,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// Marks of those it talks with, sorted.
    pub(crate) peers: Vec<u32>,
    /// Whether its class has to be thought over.
    #[serde(skip)]
    pub(crate) dirty: bool,
}

impl Record {
    /// Takes an address as the latest.
    pub(crate) fn use_ip(&mut self, ip: IpAddr) {
        if self.ips.last() == Some(&ip) {
            return;
        }
        self.ips.retain(|old| *old != ip);
        if self.ips.len() >= MAX_ADDRESSES {
            self.ips.remove(0);
        }
        self.ips.push(ip);
    }

    /// Notes a claim: once for the same thing from the same source. Says whether it is news.
    pub(crate) fn claim(
        &mut self,
        what: &str,
        value: &str,
        source: &str,
        confidence: f64,
        at: Timestamp,
    ) -> bool {
        let same = |c: &&mut Claim| c.what == what && c.value == value && c.source == source;
        if let Some(old) = self.claims.iter_mut().find(same) {
            old.at = old.at.max(at);
            return false;
        }
        let alike = self.claims.iter().filter(|claim| claim.what == what).count();
        if self.claims.len() >= MAX_CLAIMS || alike >= MAX_CLAIMS_ALIKE {
            return false;
        }
        let (what, value, source) = (what.to_owned(), value.to_owned(), source.to_owned());
        self.claims.push(Claim { what, value, source, confidence, at });
        true
    }

    /// Notes a name; says whether it is news, or known from a better source now.
    pub(crate) fn call(&mut self, rank: NameRank, text: &str) -> bool {
        if let Some(place) = self.names.iter().position(|n| n.text.eq_ignore_ascii_case(text)) {
            if self.names[place].rank <= rank {
                return false;
            }
            self.names.remove(place);
        }
        if self.names.len() >= MAX_NAMES {
            return false;
        }
        let place = self.names.partition_point(|name| name.rank <= rank);
        self.names.insert(place, Name { rank, text: text.to_owned() });
        true
    }

    /// Notes what words speak for; of one source and class only the strongest counts.
    pub(crate) fn hint(&mut self, source: &str, class: DeviceClass, weight: f32) {
        let room = self.hints.len() < MAX_HINTS;
        match self.hints.iter_mut().find(|h| h.class == class && h.source == source) {
            Some(old) => old.weight = old.weight.max(weight),
            None if room => {
                self.hints.push(Hint { source: source.to_owned(), class, weight });
            }
            None => {}
        }
    }

    /// Forgets all that one source said, as when a card's maker proves to be another's.
    pub(crate) fn forget(&mut self, source: &str) {
        self.claims.retain(|claim| claim.source != source);
        self.hints.retain(|hint| hint.source != source);
    }

    /// Counts another that it talks with.
    pub(crate) fn meet(&mut self, mark: u32) {
        if let Err(place) = self.peers.binary_search(&mark)
            && self.peers.len() < MAX_PEERS
        {
            self.peers.insert(place, mark);
        }
    }

    /// Takes over what was learned under another place that proved to be the same device.
    pub(crate) fn join(&mut self, other: Self) {
        // What it was called and did before comes first, so that bounds drop the newer.
        for ip in other.ips {
            if !self.ips.contains(&ip) {
                self.use_ip(ip);
            }
        }
        for name in other.names {
            self.call(name.rank, &name.text);
        }
        for claim in other.claims {
            self.claim(&claim.what, &claim.value, &claim.source, claim.confidence, claim.at);
        }
        for hint in other.hints {
            self.hint(&hint.source, hint.class, hint.weight);
        }
        for peer in other.peers {
            self.meet(peer);
        }
        self.tallies.join(&other.tallies);
        self.mac = self.mac.or(other.mac);
        self.vendor = self.vendor.take().or(other.vendor);
        self.confirmed = self.confirmed.take().or(other.confirmed);
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
    }
}
