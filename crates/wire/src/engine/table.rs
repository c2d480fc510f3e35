//! The bounded table of flows: found by hash, ordered by age, woken by timers.

use model::flow::Direction;

use crate::chains::{Chain, Chains};
use crate::clock::Micros;
use crate::decode::{Packet, icmp_one_way};
use crate::flow::Flow;
use crate::index::Index;
use crate::reassembly::Stream;
use crate::slab::Slab;
use crate::wheel::Wheel;

/// A flow with everything that belongs to it.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) flow: Flow,
    pub(super) streams: [Stream; 2],
    pub(super) slot: T,
    age: Age,
    /// Engine time at which it was last put at the young end of its class.
    placed_at: Micros,
}

/// Classes in which flows are thrown out, first come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// One packet so far.
    Once,
    /// More.
    Many,
    /// To be spared.
    Kept,
}

/// All flows.
#[derive(Debug)]
pub(super) struct Table<T> {
    index: Index,
    slab: Slab<Entry<T>>,
    ages: Chains,
    once: Chain,
    many: Chain,
    kept: Chain,
    pub(super) wheel: Wheel,
}

impl<T> Table<T> {
    pub(super) fn new() -> Self {
        Self {
            index: Index::new(),
            slab: Slab::new(),
            ages: Chains::default(),
            once: Chain::new(),
            many: Chain::new(),
            kept: Chain::new(),
            wheel: Wheel::new(),
        }
    }

    /// Bytes that one flow takes: its entry, links, timer and two buckets.
    pub(super) const fn bytes_per_flow() -> usize {
        size_of::<Entry<T>>().saturating_add(8 + 8 + 8 + 16)
    }

    pub(super) const fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn memory(&self) -> usize {
        [self.index.memory(), self.slab.memory(), self.ages.memory(), self.wheel.memory()]
            .into_iter()
            .fold(0, usize::saturating_add)
    }

    pub(super) fn get(&self, place: u32) -> Option<&Entry<T>> {
        self.slab.get(place)
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Entry<T>> {
        self.slab.get_mut(place)
    }

    /// The flow that a packet belongs to, and which way the packet goes.
    #[inline]
    pub(super) fn find(&self, hash: u32, packet: &Packet<'_>) -> Option<(u32, Direction)> {
        let mut dir = Direction::Forward;
        let place = self.index.find(hash, |place| {
            let Some(Entry { flow, .. }) = self.slab.get(place) else { return false };
            let (a, b) = (flow.tuple.originator, flow.tuple.responder);
            if flow.tuple.transport != packet.transport {
                return false;
            }
            let (src, dst) = ((packet.src, packet.src_port), (packet.dst, packet.dst_port));
            if (a.ip, a.port) == src && (b.ip, b.port) == dst {
                dir = Direction::Forward;
                return true;
            }
            dir = Direction::Reverse;
            (a.ip, a.port) == dst
                && (b.ip, b.port) == src
                && !icmp_one_way(packet.transport, packet.src_port)
        })?;
        Some((place, dir))
    }

    pub(super) fn insert(&mut self, flow: Flow, slot: T) -> u32 {
        let (hash, placed_at) = (flow.hash, flow.opened_at);
        let streams = <[Stream; 2]>::default();
        let place = self.slab.insert(Entry { flow, streams, slot, age: Age::Once, placed_at });
        self.index.insert(hash, place);
        self.ages.push(&mut self.once, place);
        place
    }

    pub(super) fn remove(&mut self, place: u32) {
        let Some(entry) = self.slab.get(place) else { return };
        let (age, hash) = (entry.age, entry.flow.hash);
        let chain = match age {
            Age::Once => &mut self.once,
            Age::Many => &mut self.many,
            Age::Kept => &mut self.kept,
        };
        self.ages.remove(chain, place);
        self.index.remove(hash, place);
        self.wheel.clear(place);
        self.slab.free(place);
    }

    /// Puts a flow at the young end of a class.
    pub(super) fn place(&mut self, place: u32, age: Age, now: Micros) {
        let Some(entry) = self.slab.get_mut(place) else { return };
        let old = std::mem::replace(&mut entry.age, age);
        entry.placed_at = now;
        let chain = match old {
            Age::Once => &mut self.once,
            Age::Many => &mut self.many,
            Age::Kept => &mut self.kept,
        };
        self.ages.remove(chain, place);
        let chain = match age {
            Age::Once => &mut self.once,
            Age::Many => &mut self.many,
            Age::Kept => &mut self.kept,
        };
        self.ages.push(chain, place);
    }

    /// The flow at the old end of a class, and whether it was heard of since it was put there.
    pub(super) fn oldest(&self, age: Age) -> Option<(u32, bool)> {
        let chain = match age {
            Age::Once => &self.once,
            Age::Many => &self.many,
            Age::Kept => &self.kept,
        };
        let place = chain.head()?;
        let entry = self.slab.get(place)?;
        Some((place, entry.flow.touched_at > entry.placed_at))
    }

    /// Sets a flow's timer.
    pub(super) fn wake(&mut self, place: u32, at: Micros) {
        self.wheel.set(place, at);
        let wake_at = self.wheel.due_at(place);
        if let Some(entry) = self.slab.get_mut(place) {
            entry.flow.wake_at = wake_at;
        }
    }

    /// All flows, in no set order.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        [&self.once, &self.many, &self.kept]
            .into_iter()
            .flat_map(|chain| std::iter::successors(chain.head(), |&at| self.ages.next(at)))
    }
}
