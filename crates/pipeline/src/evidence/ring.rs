//! The last packets of one capture thread, in memory of a fixed bound.
//!
//! Segments of a quarter of a megabyte are filled one after another; the oldest is emptied and
//! filled anew once the bound is reached. Memory is taken as packets come, so that a quiet network
//! costs nothing.

use std::collections::VecDeque;

use capture::{LinkType, Packet};
use model::time::Timestamp;

/// Bytes of packets in a segment: at least one packet of the longest sort.
const SEGMENT: usize = 256 << 10;

#[derive(Clone, Copy, Debug)]
struct Record {
    at: Timestamp,
    link: LinkType,
    wire_len: u32,
    start: u32,
    len: u32,
    interface: u16,
}

#[derive(Debug, Default)]
struct Segment {
    /// Number of its first packet.
    first: u64,
    bytes: Vec<u8>,
    records: Vec<Record>,
}

impl Segment {
    fn has_room(&self, len: usize) -> bool {
        // Many small packets fill it by their records.
        let records = (self.records.len() + 1) * size_of::<Record>();
        self.bytes.is_empty() || self.bytes.len() + len + records <= SEGMENT
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Ring {
    segments: VecDeque<Segment>,
    most: usize,
    next: u64,
}

impl Ring {
    /// Of at most so many bytes, but of two segments at least.
    pub(super) fn new(bytes: usize) -> Self {
        Self { segments: VecDeque::new(), most: (bytes / SEGMENT).max(2), next: 0 }
    }

    /// Whether keeping a packet of `len` bytes would throw older ones out.
    pub(super) fn is_full_for(&self, len: usize) -> bool {
        self.segments.len() >= self.most
            && self.segments.back().is_some_and(|last| !last.has_room(len))
    }

    /// Keeps the first `len` bytes of a packet.
    #[inline]
    pub(super) fn push(&mut self, packet: &Packet<'_>, len: usize) {
        let data = packet.data.get(..len).unwrap_or(packet.data);
        if self.segments.back().is_none_or(|last| !last.has_room(data.len())) {
            self.open_segment();
        }
        let Some(last) = self.segments.back_mut() else { return };
        last.records.push(Record {
            at: packet.at,
            link: packet.link,
            wire_len: packet.wire_len,
            start: last.bytes.len() as u32,
            len: data.len() as u32,
            interface: packet.interface,
        });
        last.bytes.extend_from_slice(data);
        self.next += 1;
    }

    #[cold]
    fn open_segment(&mut self) {
        let mut segment = if self.segments.len() >= self.most {
            self.segments.pop_front().unwrap_or_default()
        } else {
            Segment::default()
        };
        segment.bytes.clear();
        segment.records.clear();
        segment.first = self.next;
        self.segments.push_back(segment);
    }

    /// Number of the oldest packet that is still there.
    pub(super) fn first(&self) -> u64 {
        self.segments.front().map_or(self.next, |segment| segment.first)
    }

    /// Number that the next packet will have.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Packets from a number on, as far as they are there, with their numbers.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = (u64, Packet<'_>)> {
        let after = move |segment: &&Segment| segment.first + segment.records.len() as u64 > number;
        self.segments.iter().filter(after).flat_map(move |segment| {
            let skip = number.saturating_sub(segment.first);
            let from = usize::try_from(skip).unwrap_or(usize::MAX).min(segment.records.len());
            (segment.first + from as u64..).zip(segment.records[from..].iter().map(|record| {
                let start = record.start as usize;
                Packet {
                    at: record.at,
                    link: record.link,
                    wire_len: record.wire_len,
                    interface: record.interface,
                    data: segment.bytes.get(start..start + record.len as usize).unwrap_or_default(),
                }
            }))
        })
    }

    /// Bytes of memory held.
    #[cfg(test)]
    fn held(&self) -> usize {
        let of = |s: &Segment| s.bytes.capacity() + s.records.capacity() * size_of::<Record>();
        self.segments.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(n: u64, data: &[u8]) -> Packet<'_> {
        Packet {
            at: Timestamp::from_nanos(n as i64),
            link: LinkType::ETHERNET,
            wire_len: 1_500,
            interface: 3,
            data,
        }
    }

    #[test]
    fn the_last_packets_are_there_in_order_and_memory_has_its_bound() {
        let mut ring = Ring::new(1 << 20);
        let data: Vec<u8> = (0..1_400).map(|n| n as u8).collect();
        for n in 0..20_000_u64 {
            let len = (n * 7919 % 1_400) as usize;
            ring.push(&packet(n, &data), len);
        }
        let kept: Vec<(u64, usize)> = ring.since(0).map(|(n, p)| (n, p.data.len())).collect();
        assert_eq!(kept.first().unwrap().0, ring.first());
        assert_eq!(kept.last().unwrap().0, 19_999);
        assert_eq!(ring.next(), 20_000);
        assert!(kept.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
        assert!(kept.iter().all(|(n, len)| *len == (n * 7919 % 1_400) as usize));
        assert!(kept.len() > 900, "{}", kept.len());
        assert!(ring.held() < 3 << 20, "{}", ring.held());
        let (number, third) = ring.since(19_998).next().unwrap();
        assert_eq!((number, third.at.nanos(), third.interface), (19_998, 19_998, 3));
    }

    #[test]
    fn empty_packets_and_the_longest_ones_are_kept_within_the_bound() {
        let mut ring = Ring::new(0);
        let long = vec![1; 256 << 10];
        for n in 0..10 {
            ring.push(&packet(n, &long), long.len());
        }
        assert_eq!(ring.since(0).count(), 2);
        for n in 0..100_000 {
            ring.push(&packet(n, &[]), 0);
        }
        assert!(ring.held() < 8 << 20, "{}", ring.held());
    }
}
