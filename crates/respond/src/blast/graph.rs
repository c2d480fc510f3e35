//! Who calls whom, as a graph of devices.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use model::device::{DeviceClass, DeviceId, Tier};

use super::Key;
use crate::devices::Side;
use crate::essentials::Judge;
use crate::history::Record;
use crate::range::Range;
use crate::restriction::Conversation;
use crate::segment::{Settings, zone_of};

/// Somebody: a device, an address that no device has, or the outside.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) device: Option<DeviceId>,
    pub(super) name: String,
    pub(super) class: DeviceClass,
    pub(super) tier: Tier,
    is_outside: bool,
    segments: Vec<u32>,
}

/// A recorded conversation between two nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge<'a> {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) conduit: u32,
    pub(super) conversation: &'a Conversation,
    pub(super) record: &'a Record,
}

/// Who calls whom. Made once for a history; asked for any device.
#[derive(Debug)]
pub struct Graph<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge<'a>>,
    pub(super) conduits: Vec<Key>,
    /// Edges that leave each node, and those that come to it: places in `edges`.
    out: Vec<Vec<u32>>,
    into: Vec<Vec<u32>>,
    segments: Vec<Vec<u32>>,
    of_conduit: Vec<Vec<u32>>,
    at: BTreeMap<IpAddr, u32>,
}

/// Which ways a walk takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    Along,
    AlongAndSegments,
    Against,
    AgainstAndSegments,
}

/// What a walk found: hops, by whom, and along which conversation, for each node.
#[derive(Debug)]
pub(super) struct Found {
    origin: u32,
    at: Vec<Option<(u8, u32, Option<u32>)>>,
    /// In the order they were found.
    pub(super) order: Vec<u32>,
}

impl Found {
    /// Everybody within reach but the origin.
    pub(super) fn reached(&self) -> impl Iterator<Item = u32> {
        self.order.iter().copied().filter(|node| *node != self.origin)
    }

    pub(super) fn hops(&self, node: u32) -> Option<u8> {
        self.at[node as usize].map(|(hops, _, _)| hops)
    }

    pub(super) fn via(&self, node: u32) -> u32 {
        self.at[node as usize].map_or(self.origin, |(_, via, _)| via)
    }

    /// The conversation by which a node was found.
    pub(super) fn edge(&self, node: u32) -> Option<u32> {
        self.at[node as usize].and_then(|(_, _, edge)| edge)
    }
}

impl<'a> Graph<'a> {
    /// The graph of all that was recorded, what attacks did included: they did reach it.
    pub fn new(judge: &'a Judge<'a>, settings: &Settings) -> Self {
        let mut graph = Self {
            judge,
            nodes: Vec::new(),
            edges: Vec::new(),
            conduits: Vec::new(),
            out: Vec::new(),
            into: Vec::new(),
            segments: Vec::new(),
            of_conduit: Vec::new(),
            at: BTreeMap::new(),
        };
        let ground = judge.ground();
        let mut devices: BTreeMap<&DeviceId, u32> = BTreeMap::new();
        let mut segments: BTreeMap<Range, u32> = BTreeMap::new();
        let mut outside = None;
        let mut place = |graph: &mut Self, address: IpAddr| -> Option<u32> {
            if let Some(node) = graph.at.get(&address) {
                return Some(*node);
            }
            let side = ground.devices.at(address);
            let known = match side {
                Side::Group => return None,
                Side::Outside => outside,
                Side::Device(device) => devices.get(&device.id).copied(),
                Side::Stranger => None,
            };
            let is_outside = matches!(side, Side::Outside);
            let node = known.unwrap_or_else(|| {
                graph.out.push(Vec::new());
                graph.into.push(Vec::new());
                graph.nodes.push(Node {
                    device: side.device().map(|device| device.id.clone()),
                    name: if is_outside { "outside".to_owned() } else { side.name(address) },
                    class: side.class(),
                    tier: side.tier(),
                    is_outside,
                    segments: Vec::new(),
                });
                (graph.nodes.len() - 1) as u32
            });
            if is_outside {
                // Of the outside, addresses are not kept: there are any number.
                outside = Some(node);
                return Some(node);
            }
            if let Side::Device(device) = side {
                devices.insert(&device.id, node);
            }
            graph.at.insert(address, node);
            let segment = *segments.entry(settings.segment(address)).or_insert_with(|| {
                graph.segments.push(Vec::new());
                (graph.segments.len() - 1) as u32
            });
            if !graph.nodes[node as usize].segments.contains(&segment) {
                graph.nodes[node as usize].segments.push(segment);
                graph.segments[segment as usize].push(node);
            }
            Some(node)
        };
        for address in ground.devices.all().flat_map(|device| &device.addresses) {
            place(&mut graph, *address);
        }
        let mut keys: BTreeMap<Key, u32> = BTreeMap::new();
        for (conversation, record) in ground.history.all() {
            let Some(from) = place(&mut graph, conversation.client) else { continue };
            // Who never answered was not reached, and may not exist.
            if record.answered == 0 {
                continue;
            }
            let Some(to) = place(&mut graph, conversation.server) else { continue };
            if from == to {
                continue;
            }
            let zone = |address| zone_of(settings, ground.devices.at(address), address);
            let (client, server) = (zone(conversation.client), zone(conversation.server));
            let key = (client, server, conversation.proto, conversation.port);
            let conduit = *keys.entry(key).or_insert_with(|| {
                graph.conduits.push(key);
                graph.of_conduit.push(Vec::new());
                (graph.conduits.len() - 1) as u32
            });
            let edge = graph.edges.len() as u32;
            graph.edges.push(Edge { from, to, conduit, conversation, record });
            graph.of_conduit[conduit as usize].push(edge);
            graph.out[from as usize].push(edge);
            graph.into[to as usize].push(edge);
        }
        graph
    }

    /// How many devices, addresses and conversations it has.
    pub fn size(&self) -> (usize, usize) {
        (self.nodes.len(), self.edges.len())
    }

    /// The conversations of a conduit.
    pub(super) fn of_conduit(&self, conduit: u32) -> &[u32] {
        &self.of_conduit[conduit as usize]
    }

    pub(super) fn node(&self, address: IpAddr) -> Option<u32> {
        self.at.get(&address).copied()
    }

    /// Breadth first, over conversations that `passes` lets pass.
    pub(super) fn walk(
        &self,
        origin: u32,
        walk: Walk,
        hops: u8,
        passes: &dyn Fn(u32) -> bool,
    ) -> Found {
        let mut found = Found { origin, at: vec![None; self.nodes.len()], order: Vec::new() };
        let mut waiting = VecDeque::from([origin]);
        let mut entered = vec![false; self.segments.len()];
        found.at[origin as usize] = Some((0, origin, None));
        let against = matches!(walk, Walk::Against | Walk::AgainstAndSegments);
        let segments = matches!(walk, Walk::AlongAndSegments | Walk::AgainstAndSegments);
        while let Some(node) = waiting.pop_front() {
            found.order.push(node);
            let far = found.hops(node).unwrap_or(0);
            let of = &self.nodes[node as usize];
            if far >= hops || (of.is_outside && node != origin) {
                continue;
            }
            let edges = if against { &self.into } else { &self.out };
            for place in &edges[node as usize] {
                let edge = &self.edges[*place as usize];
                let next = if against { edge.from } else { edge.to };
                if found.at[next as usize].is_none() && passes(*place) {
                    found.at[next as usize] = Some((far + 1, node, Some(*place)));
                    waiting.push_back(next);
                }
            }
            for segment in of.segments.iter().filter(|_| segments) {
                // Whoever comes to a segment first reaches all of it.
                if std::mem::replace(&mut entered[*segment as usize], true) {
                    continue;
                }
                for next in &self.segments[*segment as usize] {
                    if found.at[*next as usize].is_none() {
                        found.at[*next as usize] = Some((far + 1, node, None));
                        waiting.push_back(*next);
                    }
                }
            }
        }
        found
    }
}
