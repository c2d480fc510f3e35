//! Which conduit to cut first.
//!
//! Every device in reach hangs on a shortest way. What a cut can protect is at most what hangs
//! below the conduit, so conduits are tried in the order of that, and trying ends when no other can
//! protect more than the worst one kept.

use std::collections::{BTreeMap, BTreeSet};

use model::device::{DeviceId, Tier};
use serde::{Deserialize, Serialize};

use super::Limits;
use super::graph::{Edge, Found, Graph, Walk};
use crate::essentials::{is_clinical, is_infrastructure};
use crate::range::Range;
use crate::restriction::{Pattern, Proto, Way};
use crate::segment::ZoneId;

/// Cuts that are told.
const TOLD: usize = 5;
/// Callers whose patterns are listed.
const CALLERS: usize = 200;

/// A cut of a conduit: of all in it that care does not need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Who calls.
    pub from: ZoneId,
    /// Who is called.
    pub to: ZoneId,
    /// Transport.
    pub proto: Proto,
    /// Port of whoever is called; 0 for ICMP and for any of many ports.
    pub port: u16,
    /// Conversations that are cut: those that care does not need, of callers that are devices.
    pub conversations: u64,
    /// Conversations of the conduit that care needs, or that carry care, and that go on.
    pub kept: u64,
    /// Life-sustaining and time-critical devices (T0, T0i, T1) that are no longer within reach.
    pub protects: u64,
    /// All devices that are no longer within reach.
    pub protects_all: u64,
    /// What to block, by the device that calls: what an intent is made of. Port absent means any.
    pub block: BTreeMap<DeviceId, Vec<Pattern>>,
}

const fn is_critical(tier: Tier) -> bool {
    matches!(tier, Tier::T0 | Tier::T0i | Tier::T1)
}

/// The cuts that protect most, best first.
pub(super) fn first(graph: &Graph<'_>, origin: u32, found: &Found, limits: &Limits) -> Vec<Cut> {
    let mut candidates = upper_bounds(graph, origin, found);
    candidates.truncate(limits.tried);
    let before = count(graph, found);
    let mut best: Vec<(u64, u64, Cut)> = Vec::new();
    for (bound, conduit) in candidates {
        if best.len() >= TOLD && best.last().is_some_and(|(least, ..)| *least >= bound.0) {
            break;
        }
        let Some((cut, gone)) = try_cut(graph, conduit) else { continue };
        let left = graph.walk(origin, Walk::Along, limits.hops, &|edge| !gone.contains(&edge));
        let after = count(graph, &left);
        let (protects, all) = (before.0 - after.0, before.1 - after.1);
        if protects > 0 {
            best.push((protects, all, Cut { protects, protects_all: all, ..cut }));
            best.sort_by(|a, b| {
                let key = |cut: &Cut| (cut.from, cut.to, cut.proto, cut.port);
                (b.0, b.1).cmp(&(a.0, a.1)).then(key(&a.2).cmp(&key(&b.2)))
            });
            best.truncate(TOLD);
        }
    }
    best.into_iter().map(|(_, _, cut)| cut).collect()
}

/// Conduits on shortest ways, with how many critical devices and how many in all hang below.
fn upper_bounds(graph: &Graph<'_>, origin: u32, found: &Found) -> Vec<((u64, u64), u32)> {
    let mut below: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    let mut passed = BTreeSet::new();
    for node in found.reached() {
        let critical = u64::from(is_critical(graph.nodes[node as usize].tier));
        // A conduit that a way passes twice protects the device once. Ways are at most `hops` long.
        passed.clear();
        let mut at = node;
        while at != origin {
            let Some(edge) = found.edge(at) else { break };
            passed.insert(graph.edges[edge as usize].conduit);
            at = found.via(at);
        }
        for conduit in &passed {
            let sum = below.entry(*conduit).or_default();
            *sum = (sum.0 + critical, sum.1 + 1);
        }
    }
    let mut all: Vec<_> = below.into_iter().map(|(conduit, sum)| (sum, conduit)).collect();
    all.retain(|((critical, _), _)| *critical > 0);
    let key = |conduit: u32| graph.conduits[conduit as usize];
    all.sort_by(|a, b| b.0.cmp(&a.0).then(key(a.1).cmp(&key(b.1))));
    all
}

/// Critical devices within reach, and all.
fn count(graph: &Graph<'_>, found: &Found) -> (u64, u64) {
    found.reached().fold((0, 0), |(critical, all), node| {
        (critical + u64::from(is_critical(graph.nodes[node as usize].tier)), all + 1)
    })
}

fn is_suspect(graph: &Graph<'_>, edge: &Edge<'_>) -> bool {
    graph.judge.ground().history.is_suspect(edge.conversation, edge.record)
}

/// The cut of a conduit, with the conversations it takes; nothing where care needs all of them.
///
/// What is blocked is a pattern, so a conversation of any of many ports is cut only where no needed
/// one goes from and to the same two.
fn try_cut(graph: &Graph<'_>, conduit: u32) -> Option<(Cut, BTreeSet<u32>)> {
    let (from, to, proto, port) = graph.conduits[conduit as usize];
    let mut gone = BTreeSet::new();
    let mut block: BTreeMap<DeviceId, Vec<Pattern>> = BTreeMap::new();
    let mut kept = 0;
    for place in graph.of_conduit(conduit) {
        let edge = &graph.edges[*place as usize];
        // Without names, addresses and time nothing works; that is no cut that anybody would make.
        if is_infrastructure(&edge.record.service, edge.conversation) {
            continue;
        }
        // What carries care is kept even where too little was recorded to call it needed.
        if is_clinical(&edge.record.service, edge.conversation) && !is_suspect(graph, edge) {
            kept += 1;
            continue;
        }
        let many = port == 0 && proto != Proto::Icmp;
        let history = graph.judge.ground().history;
        let needed = if many {
            let (client, server) = (edge.conversation.client, edge.conversation.server);
            let mut all = history.between(client, server);
            all.any(|(key, record)| key.proto == proto && graph.judge.why(key, record).is_some())
        } else {
            graph.judge.why(edge.conversation, edge.record).is_some()
        };
        if needed {
            kept += 1;
            continue;
        }
        // Who is no device cannot be restricted; nor is a list of thousands a cut.
        let Some(caller) = graph.nodes[edge.from as usize].device.clone() else { continue };
        if block.len() >= CALLERS && !block.contains_key(&caller) {
            continue;
        }
        gone.insert(*place);
        let peer = Range::one(edge.conversation.server);
        let port = (proto != Proto::Icmp && port > 0).then_some(port);
        let pattern = Pattern { way: Way::Out, peer, proto: Some(proto), port };
        block.entry(caller).or_default().push(pattern);
    }
    let conversations = gone.len() as u64;
    if gone.is_empty() {
        return None;
    }
    let (protects, protects_all) = (0, 0);
    Some((Cut { from, to, proto, port, conversations, kept, protects, protects_all, block }, gone))
}
