//! IP packets out of their fragments.
//!
//! Of bytes that come twice the first count; whether the second had other content is counted, as
//! overlaps have no honest use (RFC 5722). Memory is capped: past the cap the packet that has waited
//! longest is given up. Buffers are used again.

use std::net::IpAddr;

use crate::chains::{Chain, Chains};
use crate::clock::Micros;
use crate::decode::{Fragment, IpHead};
use crate::hash::Keys;
use crate::index::Index;
use crate::notes::Notes;
use crate::slab::Slab;
use crate::stats::FragmentStats;

/// No IP packet is longer.
const LARGEST: usize = 65_535;

/// Separate stretches of one packet at most.
const MAX_STRETCHES: usize = 64;

/// Unused buffers kept.
const KEPT: usize = 16;

/// A packet put together.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) head: IpHead,
    pub(crate) payload: Vec<u8>,
}

#[derive(Debug)]
struct Datagram {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    /// IPv4 tells packets apart by protocol too; zero for IPv6, which does not.
    protocol: u8,
    hash: u32,
    /// Whether this engine counts it; others put it together too, in case a tunnel is in it.
    mine: bool,
    since: Micros,
    /// Header of the first fragment, or of any as long as that has not come.
    head: IpHead,
    has_first: bool,
    /// Bytes on the wire of all fragments.
    wire: u32,
    /// Length of the payload, once the last fragment has come.
    length: Option<usize>,
    bytes: Vec<u8>,
    /// What is there, in order and not touching: from, to.
    stretches: Vec<(usize, usize)>,
}

/// What came of adding a fragment to its packet.
enum Added {
    Waiting,
    Complete,
    Invalid,
}

/// Packets that wait for more of their fragments.
#[derive(Debug)]
pub(crate) struct Defragmenter {
    keys: Keys,
    index: Index,
    waiting: Slab<Datagram>,
    chains: Chains,
    /// By age.
    oldest: Chain,
    held: usize,
    cap: usize,
    timeout: Micros,
    free: Vec<Vec<u8>>,
}

impl Defragmenter {
    pub(crate) fn new(keys: Keys, cap: usize, timeout: Micros) -> Self {
        Self {
            keys,
            index: Index::new(),
            waiting: Slab::new(),
            chains: Chains::default(),
            oldest: Chain::new(),
            held: 0,
            cap,
            timeout,
            free: Vec::new(),
        }
    }

    /// Bytes held.
    pub(crate) const fn memory(&self) -> usize {
        self.held
    }

    /// Gives up what has waited too long.
    pub(crate) fn expire(&mut self, now: Micros, stats: &mut FragmentStats) {
        while let Some(place) = self.oldest.head() {
            let (since, mine) =
                self.waiting.get(place).map_or((now, false), |other| (other.since, other.mine));
            if now.saturating_sub(since) < self.timeout {
                return;
            }
            self.give_up(place);
            stats.timed_out = stats.timed_out.saturating_add(u64::from(mine));
        }
    }

    /// Takes a fragment; the packet, if it was the last that was wanting. Only fragments that are
    /// `mine` are counted.
    pub(crate) fn add(
        &mut self,
        fragment: &Fragment<'_>,
        now: Micros,
        mine: bool,
        stats: &mut FragmentStats,
    ) -> Option<Whole> {
        self.expire(now, stats);
        let mut uncounted = FragmentStats::default();
        let whole = self.take(fragment, now, mine, if mine { stats } else { &mut uncounted });
        while self.held > self.cap {
            let Some(oldest) = self.oldest.head() else { break };
            let counted = self.waiting.get(oldest).is_some_and(|other| other.mine);
            self.give_up(oldest);
            stats.evicted = stats.evicted.saturating_add(u64::from(counted));
        }
        whole
    }

    fn take(
        &mut self,
        fragment: &Fragment<'_>,
        now: Micros,
        mine: bool,
        stats: &mut FragmentStats,
    ) -> Option<Whole> {
        stats.fragments = stats.fragments.saturating_add(1);
        if fragment.cut {
            stats.cut = stats.cut.saturating_add(1);
            return None;
        }
        let place = self.find_or_open(fragment, now, mine);
        let added = self.waiting.get_mut(place).map(|datagram| {
            let before = datagram.memory();
            let added = datagram.add(fragment, stats);
            (added, before, datagram.memory())
        });
        let (added, before, after) = added?;
        self.held = self.held.saturating_add(after).saturating_sub(before);
        match added {
            Added::Complete => {
                let whole = self.waiting.get_mut(place).map(Datagram::take);
                self.held = self.held.saturating_sub(whole.as_ref()?.payload.capacity());
                self.give_up(place);
                stats.packets = stats.packets.saturating_add(1);
                return whole;
            }
            Added::Invalid => {
                self.give_up(place);
                stats.invalid = stats.invalid.saturating_add(1);
            }
            Added::Waiting => {}
        }
        None
    }

    /// Takes the buffer of a packet back.
    pub(crate) fn reuse(&mut self, mut buffer: Vec<u8>) {
        if self.free.len() < KEPT && buffer.capacity() <= LARGEST.saturating_add(1) {
            buffer.clear();
            self.free.push(buffer);
        }
    }

    fn find_or_open(&mut self, fragment: &Fragment<'_>, now: Micros, mine: bool) -> u32 {
        let head = fragment.head;
        let protocol = if head.src.is_ipv4() { head.protocol } else { 0 };
        let hash = self.keys.fragments(head.src, head.dst, fragment.id, protocol) as u32;
        let found = self.index.find(hash, |place| {
            self.waiting.get(place).is_some_and(|other| {
                (other.src, other.dst, other.id, other.protocol)
                    == (head.src, head.dst, fragment.id, protocol)
            })
        });
        if let Some(place) = found {
            return place;
        }
        let bytes = self.free.pop().unwrap_or_default();
        let place = self.waiting.insert(Datagram {
            src: head.src,
            dst: head.dst,
            id: fragment.id,
            protocol,
            hash,
            mine,
            since: now,
            head,
            has_first: false,
            wire: 0,
            length: None,
            bytes,
            stretches: Vec::new(),
        });
        self.held = self.held.saturating_add(self.waiting.get(place).map_or(0, Datagram::memory));
        self.index.insert(hash, place);
        self.chains.push(&mut self.oldest, place);
        place
    }

    fn give_up(&mut self, place: u32) {
        let Some(datagram) = self.waiting.get_mut(place) else { return };
        self.held = self.held.saturating_sub(datagram.memory());
        let buffer = std::mem::take(&mut datagram.bytes);
        datagram.stretches = Vec::new();
        self.index.remove(datagram.hash, place);
        self.chains.remove(&mut self.oldest, place);
        self.waiting.free(place);
        if buffer.capacity() > 0 {
            self.reuse(buffer);
        }
    }
}

impl Datagram {
    /// Bytes held, with the entry itself.
    fn memory(&self) -> usize {
        let stretches = self.stretches.capacity().saturating_mul(size_of::<(usize, usize)>());
        self.bytes.capacity().saturating_add(stretches).saturating_add(size_of::<Self>())
    }

    fn add(&mut self, fragment: &Fragment<'_>, stats: &mut FragmentStats) -> Added {
        let from = fragment.offset as usize;
        let to = from.saturating_add(fragment.payload.len());
        // All but the last come in units of eight bytes.
        let uneven = fragment.more && !fragment.payload.len().is_multiple_of(8);
        if to > LARGEST || fragment.payload.is_empty() || uneven {
            return Added::Invalid;
        }
        if !fragment.more {
            if self.length.is_some_and(|length| length != to) {
                return Added::Invalid;
            }
            self.length = Some(to);
        }
        self.head.notes.add(fragment.head.notes);
        if from == 0 && !self.has_first {
            let notes = self.head.notes;
            self.head = fragment.head;
            self.head.notes.add(notes);
            self.has_first = true;
        }
        self.wire = self.wire.saturating_add(fragment.head.ip_len);
        if self.bytes.len() < to {
            self.bytes.resize(to, 0);
        }
        if !self.fill(from, fragment.payload, stats) {
            return Added::Invalid;
        }
        match (self.length, self.stretches.as_slice()) {
            (Some(length), [.., (_, end)]) if *end > length => Added::Invalid,
            (Some(length), [(0, end)]) if *end == length => Added::Complete,
            _ => Added::Waiting,
        }
    }

    /// Copies what is not there yet. False where there are too many stretches.
    fn fill(&mut self, from: usize, payload: &[u8], stats: &mut FragmentStats) -> bool {
        let to = from.saturating_add(payload.len());
        let (mut overlap, mut conflict) = (false, false);
        let mut at = from;
        let mut gaps = [(0, 0); MAX_STRETCHES];
        let mut count = 0_usize;
        for &(start, end) in self.stretches.iter().filter(|&&(start, end)| end > from && start < to)
        {
            let (start, end) = (start.max(from), end.min(to));
            overlap = true;
            let new = payload.get(start.saturating_sub(from)..end.saturating_sub(from));
            conflict |= new != self.bytes.get(start..end);
            if let Some(gap) = gaps.get_mut(count).filter(|_| at < start) {
                *gap = (at, start);
                count = count.saturating_add(1);
            }
            at = end;
        }
        if let Some(gap) = gaps.get_mut(count).filter(|_| at < to) {
            *gap = (at, to);
            count = count.saturating_add(1);
        }
        for &(start, end) in gaps.iter().take(count) {
            let new = payload.get(start.saturating_sub(from)..end.saturating_sub(from));
            if let (Some(old), Some(new)) = (self.bytes.get_mut(start..end), new) {
                old.copy_from_slice(new);
            }
        }
        stats.overlaps = stats.overlaps.saturating_add(u64::from(overlap));
        stats.conflicts = stats.conflicts.saturating_add(u64::from(conflict));
        if conflict {
            self.head.notes.add(Notes::CONFLICT);
        }
        self.join(from, to);
        self.stretches.len() < MAX_STRETCHES
    }

    /// Adds a stretch and joins it with those that it touches.
    fn join(&mut self, mut from: usize, mut to: usize) {
        self.stretches.retain(|&(start, end)| {
            let touches = start <= to && end >= from;
            if touches {
                from = from.min(start);
                to = to.max(end);
            }
            !touches
        });
        let at = self.stretches.partition_point(|&(start, _)| start < from);
        self.stretches.insert(at, (from, to));
    }

    fn take(&mut self) -> Whole {
        let mut head = self.head;
        head.ip_len = self.wire;
        head.notes.add(Notes::FRAGMENTED);
        let mut payload = std::mem::take(&mut self.bytes);
        payload.truncate(self.length.unwrap_or(0));
        Whole { head, payload }
    }
}

#[cfg(test)]
mod tests;
