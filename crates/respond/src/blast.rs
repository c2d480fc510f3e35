//! Blast radius: from a device that may be taken, what can be reached, what can reach it, which
//! care depends on it, and which conduit to cut first.
//!
//! Two certainties. **Observed**: along conversations that were recorded, from who calls to who is
//! called; an attacker on the caller can speak there today. **Could**: also to everybody in the same
//! segment, where no firewall is between. Firewalls that stop what nobody has tried are not known
//! here, so "could" says too much, and "observed" too little.
//!
//! The outside is an end and no way: nobody is reached through the internet.
//!
//! **Cut first.** Of every conduit on the way, the conversations that care does not need are taken
//! away; the conduit whose cut leaves fewest life-sustaining and time-critical devices within reach
//! comes first. No cut takes an essential conversation.
//!
//! Bounded: hops, listed devices and conduits tried. The same history gives the same answer.

mod cut;
mod graph;

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::device::{DeviceClass, DeviceId, Tier};
use serde::{Deserialize, Serialize};

pub use cut::Cut;
pub use graph::Graph;

use crate::segment::ZoneId;
use crate::subject::Subject;
use graph::{Node, Walk};

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Hops from the device.
    pub hops: u8,
    /// Devices that are listed; all are counted.
    pub listed: usize,
    /// Conduits whose cut is tried.
    pub tried: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hops: 4, listed: 200, tried: 64 }
    }
}

/// How sure it is that somebody can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Along recorded conversations.
    Observed,
    /// Also through a segment that both are in.
    Could,
}

/// Somebody within reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The device; absent for an address that no device has, and for the outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// Its name, for people.
    pub name: String,
    /// What it is.
    pub class: DeviceClass,
    /// How care depends on it.
    pub tier: Tier,
    /// Hops.
    pub hops: u8,
    /// How sure.
    pub how: How,
    /// Name of whom one comes from, on a shortest way.
    pub via: String,
}

/// How many are within reach, by how care depends on them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Who, nearest first, and of those the ones care depends on most; the others are counted only.
    pub devices: Vec<Reached>,
    /// How many along recorded conversations, by tier.
    pub observed: BTreeMap<String, u64>,
    /// How many more through segments, by tier.
    pub could: BTreeMap<String, u64>,
}

/// The blast radius of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blast {
    /// Whose.
    pub of: String,
    /// What it can reach.
    pub reaches: Reach,
    /// What can reach it.
    pub reached_by: Reach,
    /// Which care is within reach along recorded conversations, in plain words: classes of clinical
    /// devices with their number, those that care depends on most first.
    pub care: Vec<String>,
    /// Conduits to cut, the one that protects most first; each protects somebody, and none cuts
    /// what care needs.
    pub cuts: Vec<Cut>,
}

/// The blast radius of a device, from the first of its addresses that anybody knows.
pub fn of_device(graph: &Graph<'_>, device: &Subject, limits: &Limits) -> Option<Blast> {
    device.addresses.iter().find_map(|address| of(graph, *address, limits))
}

/// The blast radius of whoever is at an address; nothing where nobody ever was.
pub fn of(graph: &Graph<'_>, address: IpAddr, limits: &Limits) -> Option<Blast> {
    let origin = graph.node(address)?;
    let out = graph.walk(origin, Walk::Along, limits.hops, &|_| true);
    let wide = graph.walk(origin, Walk::AlongAndSegments, limits.hops, &|_| true);
    let back = graph.walk(origin, Walk::Against, limits.hops, &|_| true);
    let wide_back = graph.walk(origin, Walk::AgainstAndSegments, limits.hops, &|_| true);
    let mut care: BTreeMap<(Tier, DeviceClass), u64> = BTreeMap::new();
    for node in out.reached().filter(|node| graph.nodes[*node as usize].tier.is_clinical()) {
        let Node { tier, class, .. } = graph.nodes[node as usize];
        *care.entry((tier, class)).or_default() += 1;
    }
    let care = care
        .into_iter()
        .map(|((tier, class), count)| format!("{count} x {} ({tier})", class.title()));
    Some(Blast {
        of: graph.nodes[origin as usize].name.clone(),
        care: care.collect(),
        cuts: cut::first(graph, origin, &out, limits),
        reaches: reach(graph, &out, &wide, limits),
        reached_by: reach(graph, &back, &wide_back, limits),
    })
}

fn reach(graph: &Graph<'_>, sure: &graph::Found, wide: &graph::Found, limits: &Limits) -> Reach {
    let mut told = Reach::default();
    let mut all = Vec::new();
    for node in wide.reached() {
        let (how, found) =
            if sure.hops(node).is_some() { (How::Observed, sure) } else { (How::Could, wide) };
        let of = &graph.nodes[node as usize];
        let count = if how == How::Observed { &mut told.observed } else { &mut told.could };
        *count.entry(of.tier.name().to_owned()).or_default() += 1;
        all.push((how, found.hops(node).unwrap_or(0), of.tier, node, found.via(node)));
    }
    all.sort_unstable();
    told.devices = all
        .into_iter()
        .take(limits.listed)
        .map(|(how, hops, tier, node, via)| {
            let Node { device, name, class, .. } = &graph.nodes[node as usize];
            let via = graph.nodes[via as usize].name.clone();
            Reached {
                device: device.clone(),
                name: name.clone(),
                class: *class,
                tier,
                hops,
                how,
                via,
            }
        })
        .collect();
    told
}

/// A conduit, as an index of the graph knows it.
pub(crate) type Key = (ZoneId, ZoneId, crate::restriction::Proto, u16);

#[cfg(test)]
mod tests;
