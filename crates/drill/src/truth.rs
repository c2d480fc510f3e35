//! What really happened, in the files that scoring reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::Who;
use crate::scenario::{Kind, Scenario, Story};
use crate::time::{MS, Nanos, SEC, US, iso};
use crate::world::World;

/// Something that befell the hospital.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// What it was, in a few words; look-alikes begin with `benign:`.
    pub label: String,
    /// Technique of MITRE ATT&CK, or `-`.
    pub technique: String,
    /// Address of who did it.
    pub actor: String,
    /// Addresses of those it was done to.
    pub victims: Vec<String>,
    /// Whether it did harm.
    pub malicious: bool,
    /// More for the reader.
    pub note: String,
    /// RFC 3339.
    pub start: String,
    /// Unix seconds, just before its first packet.
    pub start_epoch: f64,
    /// RFC 3339.
    pub end: String,
    /// Unix seconds of its last packet.
    pub end_epoch: f64,
    /// Its name in the [`catalogue`](crate::catalogue).
    #[serde(default)]
    pub scenario: String,
    /// Whether who did it had been there from the first day, whatever the plan asked for.
    #[serde(default)]
    pub who: Who,
}

/// A host of the inside, or the router to the outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntry {
    /// IPv4 address.
    pub ip: String,
    /// Ethernet address.
    pub mac: String,
}

/// When normal life alone ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// Unix seconds: before this, nothing but normal life.
    pub baseline_end_epoch: f64,
}

/// Unix seconds to the next whole microsecond, so that a last packet lies within.
pub(crate) fn epoch(at: Nanos) -> f64 {
    (at + US - 1).div_euclid(US) as f64 / (SEC / US) as f64
}

/// The truth about a scenario whose first and last packets are known.
pub(crate) fn tell(w: &World, scenario: &Scenario, story: &Story, span: (Nanos, Nanos)) -> Truth {
    let malicious = scenario.kind == Kind::Attack;
    let ip = |h: usize| w.hosts[h].ip.to_string();
    let start = span.0 - MS;
    Truth {
        label: if malicious { story.label.clone() } else { format!("benign: {}", story.label) },
        technique: scenario.technique.to_owned(),
        actor: ip(story.actor),
        victims: story.victims.iter().map(|&h| ip(h)).collect(),
        malicious,
        note: story.note.clone(),
        start: iso(start),
        start_epoch: epoch(start),
        end: iso(span.1),
        end_epoch: epoch(span.1),
        scenario: scenario.name.to_owned(),
        who: if story.actor < w.founders { Who::Known } else { Who::Stranger },
    }
}

/// The hosts inside, by name, with an entry more for each address that one had before.
pub(crate) fn hosts(w: &World) -> BTreeMap<String, HostEntry> {
    let now = w.hosts.iter().filter(|h| !h.external).map(|h| (h.name.clone(), h.ip, h.mac));
    now.chain(w.former.iter().cloned())
        .map(|(name, ip, mac)| (name, HostEntry { ip: ip.to_string(), mac: mac.to_string() }))
        .collect()
}
