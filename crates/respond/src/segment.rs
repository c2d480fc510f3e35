//! Segmentation from normal life: zones and conduits (IEC 62443-3-2), and an allow-list for each
//! device, with what it would have blocked.
//!
//! A zone is a class of device in one network segment; a conduit is what two zones say to each other
//! over one service. Only what is established, or needed by care, makes a conduit: what was seen
//! once is counted, and left for a person to look at.
//!
//! Nothing here is enforced. A [`Policy`] becomes an [`Intent`](crate::Intent) like any other, goes through
//! pre-flight and approvals, and enforcers write it out for switches and firewalls.
//!
//! Absent: security levels (they need a risk assessment, not flows), and physical topology: what
//! lies in one segment can talk past any sensor at its edge.

pub mod asked;
pub mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::device::{DeviceClass, DeviceId, Tier};
use serde::{Deserialize, Serialize};

pub use policy::{Allowed, Evaluation, Policy, PolicyDiff};

use crate::devices::Side;
use crate::essentials::Judge;
use crate::history::Record;
use crate::range::{Range, is_link_local};
use crate::restriction::{Conversation, Proto};

/// How zones and policies are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Bits that addresses of one IPv4 segment share.
    pub v4_prefix: u8,
    /// Bits that addresses of one IPv6 segment share.
    pub v6_prefix: u8,
    /// Ten-minute slots from which a conversation is established.
    pub slots: u32,
    /// Days from which a conversation is established.
    pub days: u32,
    /// Peers in one segment from which a policy allows the segment.
    pub together: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { v4_prefix: 24, v6_prefix: 64, slots: 6, days: 2, together: 8 }
    }
}

impl Settings {
    /// The segment of an address.
    pub fn segment(&self, address: IpAddr) -> Range {
        Range::new(address, if address.is_ipv4() { self.v4_prefix } else { self.v6_prefix })
    }
}

/// Who is together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneId {
    /// Devices of one class in one segment; `unknown` for addresses that no device has.
    Of(DeviceClass, Range),
    /// Everybody outside.
    Outside,
    /// Groups and broadcasts.
    Groups,
}

impl std::fmt::Display for ZoneId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Of(class, segment) => write!(f, "{class}@{segment}"),
            Self::Outside => f.write_str("outside"),
            Self::Groups => f.write_str("groups"),
        }
    }
}

/// A zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Which.
    pub id: ZoneId,
    /// Its name, for people.
    pub name: String,
    /// How care depends on it: the strictest of its members.
    pub tier: Tier,
    /// Its devices.
    pub devices: Vec<DeviceId>,
    /// Addresses in it that no device has.
    pub strangers: Vec<IpAddr>,
}

/// What two zones say to each other over one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conduit {
    /// Who calls.
    pub from: ZoneId,
    /// Who is called.
    pub to: ZoneId,
    /// Transport.
    pub proto: Proto,
    /// Port of whoever is called; 0 for ICMP and for any of many ports.
    pub port: u16,
    /// What is spoken, of the one seen most.
    pub service: String,
    /// Conversations in it that are established or needed.
    pub conversations: u64,
    /// Why care needs it, where it does: of the first that is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub essential: Option<String>,
    /// How many of them care needs.
    pub essentials: u64,
}

/// Zones and conduits, as normal life has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Zones, in order.
    pub zones: Vec<Zone>,
    /// Conduits, in order.
    pub conduits: Vec<Conduit>,
    /// Conversations that are neither established nor needed: no conduit was made for them.
    pub rare: u64,
    /// Conversations that began after a case of one of their sides did.
    pub suspect: u64,
}

/// The zone of an address.
pub fn zone_of(settings: &Settings, side: Side<'_>, address: IpAddr) -> ZoneId {
    match side {
        Side::Device(device) => {
            // Every cable has the same link-local range; another address of it tells where it is.
            let elsewhere = device.addresses.iter().find(|other| !is_link_local(**other));
            let place = elsewhere.copied().filter(|_| is_link_local(address)).unwrap_or(address);
            ZoneId::Of(device.class, settings.segment(place))
        }
        Side::Stranger => ZoneId::Of(DeviceClass::Unknown, settings.segment(address)),
        Side::Outside => ZoneId::Outside,
        Side::Group => ZoneId::Groups,
    }
}

/// Whether a conversation was seen often enough before anything went wrong.
pub(crate) fn is_established(
    settings: &Settings,
    judge: &Judge<'_>,
    conversation: &Conversation,
    record: &Record,
) -> bool {
    let normal = judge.ground().history.normal(conversation, record);
    normal.is_some_and(|normal| normal.slots >= settings.slots && normal.days >= settings.days)
}

/// Proposes zones and conduits.
pub fn propose(judge: &Judge<'_>, settings: &Settings) -> Proposal {
    let ground = judge.ground();
    let mut zones: BTreeMap<ZoneId, Zone> = BTreeMap::new();
    let mut join = |address: IpAddr, side: Side<'_>| {
        let id = zone_of(settings, side, address);
        let zone = zones.entry(id).or_insert_with(|| Zone {
            id,
            name: name(id),
            tier: Tier::T4,
            devices: Vec::new(),
            strangers: Vec::new(),
        });
        zone.tier = zone.tier.min(side.tier());
        match side {
            Side::Device(device) => zone.devices.push(device.id.clone()),
            Side::Stranger => zone.strangers.push(address),
            Side::Outside | Side::Group => {}
        }
        id
    };
    for device in ground.devices.all() {
        for address in &device.addresses {
            join(*address, Side::Device(device));
        }
    }
    let mut conduits: BTreeMap<(ZoneId, ZoneId, Proto, u16), (Conduit, u64)> = BTreeMap::new();
    let (mut rare, mut suspect) = (0, 0);
    let mut strangers = BTreeSet::new();
    for (conversation, record) in ground.history.all() {
        if ground.history.is_suspect(conversation, record) {
            suspect += 1;
            continue;
        }
        let why = judge.why(conversation, record);
        if why.is_none() && !is_established(settings, judge, conversation, record) {
            rare += 1;
            continue;
        }
        let [from, to] = [conversation.client, conversation.server].map(|address| {
            let side = ground.devices.at(address);
            let is_new = side.device().is_none() && strangers.insert(address);
            if is_new { join(address, side) } else { zone_of(settings, side, address) }
        });
        let Conversation { proto, port, .. } = *conversation;
        let (conduit, most) = conduits.entry((from, to, proto, port)).or_insert_with(|| {
            let service = String::new();
            let (conversations, essential, essentials) = (0, None, 0);
            (Conduit { from, to, proto, port, service, conversations, essential, essentials }, 0)
        });
        conduit.conversations += 1;
        conduit.essentials += u64::from(why.is_some());
        conduit.essential = conduit.essential.take().or(why);
        if record.times > *most {
            *most = record.times;
            conduit.service.clone_from(&record.service);
        }
    }
    let mut zones: Vec<Zone> = zones.into_values().collect();
    for zone in &mut zones {
        zone.devices.sort();
        zone.devices.dedup();
        zone.strangers.sort();
    }
    let conduits = conduits.into_values().map(|(conduit, _)| conduit).collect();
    Proposal { zones, conduits, rare, suspect }
}

fn name(id: ZoneId) -> String {
    match id {
        ZoneId::Of(class, segment) => format!("{}, {segment}", class.title()),
        ZoneId::Outside => "outside the hospital".to_owned(),
        ZoneId::Groups => "groups and broadcasts".to_owned(),
    }
}

#[cfg(test)]
mod tests;
