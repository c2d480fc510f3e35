//! What a device's care needs of the network, and why: what no restriction may cut.
//!
//! Needs are declared by the hospital ([`profile`]), declared by the manufacturer (MUD files), or
//! learned (`learned.rs` has the rule). DHCP and, for IPv6, neighbour discovery are always needed by
//! clinical devices. ARP has no address to name: enforcers let it pass.
//!
//! Both sides count: what A and B say to each other may be a need of either. A need that names a
//! range on its other side counts for those who were recorded in it before any case of theirs
//! began: that a PACS takes images from a whole network does not make an attack from that network
//! a need.
//!
//! Absent: any knowledge of what is restricted; see [`crate::preflight`].

mod always;
mod learned;
pub mod profile;
mod services;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use model::Timestamp;
use model::device::DeviceId;
use serde::{Deserialize, Serialize};

pub use learned::Learning;
pub use profile::{Declared, Peer, Profile, ProfileError, Selector};
pub(crate) use services::{carries, is_clinical, is_infrastructure};

use crate::devices::{Devices, Side};
use crate::history::{History, Names, Record};
use crate::range::Range;
use crate::restriction::{Conversation, Pattern, Proto, Way};
use crate::subject::Subject;

/// Where a need comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The hospital declared it.
    Hospital,
    /// The manufacturer declared it in a MUD file that the hospital adopted.
    Mud,
    /// It was learned, and no person has confirmed it.
    Learned,
    /// No device on a network can do without.
    Always,
}

/// A kind of conversation that a device needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Which, seen from the device. Absent where it is declared by a name that has no known address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// The name it was declared by, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why, in plain words.
    pub reason: String,
    /// Where it comes from.
    pub source: Source,
    /// Whether a person stands for it.
    pub confirmed: bool,
    /// What usually passes from one sign of it to the next, where that can be told. Of several
    /// conversations, the shortest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// When it was last seen; absent where it was not in the last 14 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

/// What was declared, and how needs are learned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Essentials {
    /// How often something must have been seen.
    pub learning: Learning,
    declared: Vec<(Source, Profile)>,
}

/// What is known of the network: what needs are looked up in.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Recorded conversations.
    pub history: &'a History,
    /// The devices.
    pub devices: &'a Devices,
    /// Which addresses names had.
    pub names: &'a Names,
}

impl Essentials {
    /// Adds what the hospital declared.
    pub fn add(&mut self, profiles: impl IntoIterator<Item = Profile>) {
        self.declared.extend(profiles.into_iter().map(|profile| (Source::Hospital, profile)));
    }

    /// Adds what a manufacturer declared for some devices. `approved` says who adopted it and when.
    pub fn add_mud(&mut self, selector: Selector, needs: Vec<Declared>, approved: &str) {
        let approved = approved.to_owned();
        let profile = Profile { selector, approved, needs, not_needed: Vec::new() };
        self.declared.push((Source::Mud, profile));
    }

    /// Looks up needs over this ground. Declared ones are resolved once, here.
    pub fn judge<'a>(&'a self, ground: Ground<'a>) -> Judge<'a> {
        let mut declared: BTreeMap<DeviceId, Vec<Need>> = BTreeMap::new();
        let mut unneeded: BTreeMap<DeviceId, Vec<Pattern>> = BTreeMap::new();
        for device in ground.devices.all() {
            for (source, profile) in &self.declared {
                if !profile.selector.selects(device) {
                    continue;
                }
                let needs = declared.entry(device.id.clone()).or_default();
                profile.needs.iter().for_each(|need| {
                    resolve(need, *source, &profile.approved, &ground, needs);
                });
                let mut not = Vec::new();
                profile.not_needed.iter().for_each(|need| {
                    resolve(need, *source, &profile.approved, &ground, &mut not);
                });
                let patterns = not.into_iter().filter_map(|need| need.pattern);
                unneeded.entry(device.id.clone()).or_default().extend(patterns);
            }
        }
        let dhcp = always::dhcp_servers(&ground, &self.learning);
        Judge { learning: &self.learning, ground, declared, unneeded, dhcp }
    }
}

/// One need for each address that its other side has.
fn resolve(
    need: &Declared,
    source: Source,
    approved: &str,
    ground: &Ground<'_>,
    out: &mut Vec<Need>,
) {
    let says = match source {
        Source::Mud => "declared by the manufacturer, adopted by",
        _ => "declared by",
    };
    let (ranges, name): (Vec<Range>, Option<String>) = match &need.peer {
        Peer::Addresses(range) => (vec![*range], None),
        Peer::Name(name) => {
            (ground.names.of(name).into_iter().map(Range::one).collect(), Some(name.clone()))
        }
        Peer::Class(class) => {
            let of_class = ground.devices.all().filter(|device| device.class == *class);
            let addresses = of_class.flat_map(|device| device.addresses.iter());
            (addresses.map(|address| Range::one(*address)).collect(), None)
        }
    };
    let made = |pattern| Need {
        pattern,
        name: name.clone(),
        reason: format!("{} ({says} {approved})", need.reason),
        source,
        confirmed: true,
        interval: need.every,
        last: None,
    };
    if ranges.is_empty() && name.is_some() {
        out.push(made(None));
    }
    out.extend(ranges.into_iter().map(|peer| {
        made(Some(Pattern { way: need.way, peer, proto: need.proto, port: need.port }))
    }));
}

/// Says of conversations whether care needs them.
#[derive(Debug)]
pub struct Judge<'a> {
    learning: &'a Learning,
    ground: Ground<'a>,
    declared: BTreeMap<DeviceId, Vec<Need>>,
    unneeded: BTreeMap<DeviceId, Vec<Pattern>>,
    dhcp: Vec<IpAddr>,
}

impl<'a> Judge<'a> {
    /// What it looks things up in.
    pub const fn ground(&self) -> &Ground<'a> {
        &self.ground
    }

    /// What was declared for a device, seen or not, without when it was last seen.
    pub fn declared(&self, device: &DeviceId) -> &[Need] {
        self.declared.get(device).map_or(&[], Vec::as_slice)
    }

    /// All devices for which something was declared.
    pub fn all_declared(&self) -> impl Iterator<Item = (&DeviceId, &Need)> {
        self.declared.iter().flat_map(|(id, needs)| needs.iter().map(move |need| (id, need)))
    }

    /// What a device can never do without; nothing for devices that are not clinical.
    pub fn always(&self, device: &Subject) -> Vec<Need> {
        if device.tier().is_clinical() { always::needs(device, &self.dhcp) } else { Vec::new() }
    }

    /// All needs of a device: declared, by it and by others of it, always, and from what was
    /// recorded, in this order. What allow-lists are made of: one that allows all of these cuts
    /// nothing that is known to be needed, but for names without a known address.
    pub fn of(&self, device: &Subject) -> Vec<Need> {
        let history = self.ground.history;
        let mut needs: Vec<Need> = self.declared(&device.id).to_vec();
        needs.extend(self.of_others(device));
        needs.extend(self.always(device));
        let mut recorded = BTreeMap::new();
        let own = device.addresses.iter().flat_map(|address| history.of(*address));
        for (conversation, record) in own {
            let normal = history.normal(conversation, record);
            let interval = normal.and_then(|normal| normal.interval);
            let mut known = false;
            for need in &mut needs {
                let it = |p: Pattern| matches(&p, &device.addresses, conversation);
                if need.pattern.is_some_and(it) {
                    // One of many ports is not all of them.
                    known |= conversation.port > 0 || conversation.proto == Proto::Icmp;
                    need.last = need.last.max(Some(record.last));
                    need.interval = match (need.interval, interval) {
                        (Some(one), Some(two)) => Some(one.min(two)),
                        (one, two) => one.or(two),
                    };
                }
            }
            if known {
                continue;
            }
            let Some((reason, source)) = self.needed(conversation, record) else { continue };
            let (way, peer) = if device.has(conversation.client) {
                (Way::Out, conversation.server)
            } else {
                (Way::In, conversation.client)
            };
            let port = Some(conversation.port).filter(|port| *port > 0);
            let proto = Some(conversation.proto);
            let pattern = Pattern { way, peer: Range::one(peer), proto, port };
            recorded.insert(
                pattern,
                Need {
                    pattern: Some(pattern),
                    name: None,
                    reason,
                    source,
                    confirmed: source != Source::Learned,
                    interval,
                    last: Some(record.last),
                },
            );
        }
        needs.extend(recorded.into_values());
        needs
    }

    /// Why care needs a recorded conversation; nothing where it does not, as far as is known.
    pub fn why(&self, conversation: &Conversation, record: &Record) -> Option<String> {
        self.needed(conversation, record).map(|(reason, _)| reason)
    }

    /// Why care needs a recorded conversation, and by whom that is said.
    fn needed(&self, conversation: &Conversation, record: &Record) -> Option<(String, Source)> {
        let suspect = self.ground.history.is_suspect(conversation, record);
        for address in [conversation.client, conversation.server] {
            let Side::Device(device) = self.ground.devices.at(address) else { continue };
            let is_it = |need: &&Need| {
                need.pattern.is_some_and(|pattern| {
                    (!suspect || pattern.peer.is_one())
                        && matches(&pattern, &device.addresses, conversation)
                })
            };
            let always =
                if always::may_be(conversation) { self.always(device) } else { Vec::new() };
            if let Some(need) = self.declared(&device.id).iter().chain(&always).find(is_it) {
                return Some((format!("{}: {}", device.title(), need.reason), need.source));
            }
        }
        self.learned(conversation, record).map(|found| (found.reason, Source::Learned))
    }

    /// What others declared to need of a device: their needs that name one of its addresses, seen
    /// from it.
    pub fn of_others(&self, device: &Subject) -> Vec<Need> {
        let mut all = Vec::new();
        for (id, need) in self.all_declared().filter(|(id, _)| **id != device.id) {
            let named = need.pattern.filter(|p| p.peer.is_one() && device.has(p.peer.address()));
            let (Some(pattern), Some(other)) = (named, self.ground.devices.get(id)) else {
                continue;
            };
            let way = match pattern.way {
                Way::Out => Way::In,
                Way::In => Way::Out,
            };
            all.extend(other.addresses.iter().map(|address| Need {
                pattern: Some(Pattern { way, peer: Range::one(*address), ..pattern }),
                reason: format!("{}: {}", other.title(), need.reason),
                ..need.clone()
            }));
        }
        all
    }

    fn learned(&self, conversation: &Conversation, record: &Record) -> Option<learned::Learned> {
        let Ground { history, devices, .. } = self.ground;
        let sides = [devices.at(conversation.client), devices.at(conversation.server)];
        let normal = history.normal(conversation, record);
        let mut found = learned::learned(self.learning, conversation, record, normal, sides)?;
        for (of, side) in found.of.iter_mut().zip(sides) {
            let Side::Device(device) = side else { continue };
            let unneeded = self.unneeded.get(&device.id).into_iter().flatten();
            *of &= !unneeded.into_iter().any(|p| p.matches(&device.addresses, conversation));
        }
        (found.of != [false; 2]).then_some(found)
    }
}

/// Whether a conversation of a device is one of a pattern, where port 0 stands for many ports.
pub(crate) fn matches(pattern: &Pattern, own: &[IpAddr], conversation: &Conversation) -> bool {
    if conversation.port == 0 && conversation.proto != Proto::Icmp {
        return Pattern { port: None, ..*pattern }.matches(own, conversation);
    }
    pattern.matches(own, conversation)
}

#[cfg(test)]
pub(crate) mod tests;
