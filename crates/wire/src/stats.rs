//! What the engine counts, and above all what it lost.

use crate::decode::Layer;
use crate::flow::CloseReason;

/// Why a flow was thrown out of a full table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evicted {
    /// It had one packet.
    pub single_packet: u64,
    /// It was silent for longest among the rest.
    pub idle: u64,
    /// It was to be spared, but there was nothing else.
    pub kept: u64,
}

/// Fragments and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentStats {
    /// Fragments seen.
    pub fragments: u64,
    /// Packets put together.
    pub packets: u64,
    /// Fragments that cover bytes which another one brought before.
    pub overlaps: u64,
    /// ... with other content.
    pub conflicts: u64,
    /// Packets given up after waiting too long.
    pub timed_out: u64,
    /// Packets given up because memory was full.
    pub evicted: u64,
    /// Packets given up because their fragments make no sense: too many, or beyond 64 KiB.
    pub invalid: u64,
    /// Fragments that the capture cut short.
    pub cut: u64,
}

impl FragmentStats {
    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.fragments, other.fragments),
            (&mut self.packets, other.packets),
            (&mut self.overlaps, other.overlaps),
            (&mut self.conflicts, other.conflicts),
            (&mut self.timed_out, other.timed_out),
            (&mut self.evicted, other.evicted),
            (&mut self.invalid, other.invalid),
            (&mut self.cut, other.cut),
        ];
        for (into, count) in pairs {
            *into = into.saturating_add(count);
        }
    }
}

/// TCP streams and what was lost of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Gaps passed on.
    pub gaps: u64,
    /// Bytes of payload that the sensor did not see.
    pub missed_bytes: u64,
    /// Segments that repeat bytes.
    pub retransmitted: u64,
    /// Segments past a hole, or late.
    pub out_of_order: u64,
    /// Segments with other content than was seen in their place.
    pub conflicts: u64,
    /// Segments outside the receiver's window, left out.
    pub out_of_window: u64,
    /// Holes given up early because a limit was reached.
    pub overflows: u64,
}

impl StreamStats {
    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.gaps, other.gaps),
            (&mut self.missed_bytes, other.missed_bytes),
            (&mut self.retransmitted, other.retransmitted),
            (&mut self.out_of_order, other.out_of_order),
            (&mut self.conflicts, other.conflicts),
            (&mut self.out_of_window, other.out_of_window),
            (&mut self.overflows, other.overflows),
        ];
        for (into, count) in pairs {
            *into = into.saturating_add(count);
        }
    }
}

/// Counts by number, for a bounded count of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: Vec<(u32, u64)>,
    /// Those that found no place.
    pub others: u64,
}

impl Tally {
    const MOST: usize = 32;

    pub(crate) fn add(&mut self, number: u32, count: u64) {
        if let Some((_, sum)) = self.counts.iter_mut().find(|(other, _)| *other == number) {
            *sum = sum.saturating_add(count);
        } else if self.counts.len() < Self::MOST {
            self.counts.push((number, count));
        } else {
            self.others = self.others.saturating_add(count);
        }
    }

    /// Numbers and counts, by number.
    pub fn sorted(&self) -> Vec<(u32, u64)> {
        let mut counts = self.counts.clone();
        counts.sort_unstable();
        counts
    }
}

/// What the engine counts. With several shards each packet is counted by one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Packets seen.
    pub packets: u64,
    /// Bytes of them on the wire.
    pub bytes: u64,
    /// Packets that carry part of a flow.
    pub flow_packets: u64,
    /// ARP packets.
    pub arp: u64,
    /// Packets that are neither IP nor ARP, by EtherType (0: none).
    pub non_ip: Tally,
    /// Packets of link types that are not understood, by type.
    pub unknown_link: Tally,
    /// Packets that cannot be read, by [`Layer::index`].
    pub malformed: [u64; Layer::COUNT],
    /// Packets that came out of a tunnel.
    pub tunnelled: u64,
    /// Fragments.
    pub fragments: FragmentStats,
    /// Streams.
    pub streams: StreamStats,
    /// Flows opened.
    pub opened: u64,
    /// Flows closed, by [`CloseReason::index`].
    pub closed: [u64; CloseReason::COUNT],
    /// Flows thrown out of a full table.
    pub evicted: Evicted,
    /// Flows open now.
    pub open_flows: u64,
    /// Most flows open at once.
    pub peak_flows: u64,
    /// Bytes that the table, out-of-order segments and fragments take.
    pub memory: u64,
}

impl EngineStats {
    /// Packets that cannot be read.
    pub fn malformed_packets(&self) -> u64 {
        self.malformed.iter().fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// Adds another shard's. Peaks are added too: an upper bound.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.packets, other.packets),
            (&mut self.bytes, other.bytes),
            (&mut self.flow_packets, other.flow_packets),
            (&mut self.arp, other.arp),
            (&mut self.tunnelled, other.tunnelled),
            (&mut self.opened, other.opened),
            (&mut self.open_flows, other.open_flows),
            (&mut self.peak_flows, other.peak_flows),
            (&mut self.memory, other.memory),
            (&mut self.evicted.single_packet, other.evicted.single_packet),
            (&mut self.evicted.idle, other.evicted.idle),
            (&mut self.evicted.kept, other.evicted.kept),
        ];
        let layers = self.malformed.iter_mut().zip(other.malformed);
        let reasons = self.closed.iter_mut().zip(other.closed);
        for (into, count) in pairs.into_iter().chain(layers).chain(reasons) {
            *into = into.saturating_add(count);
        }
        self.fragments.add(&other.fragments);
        self.streams.add(&other.streams);
        for (into, from) in
            [(&mut self.non_ip, &other.non_ip), (&mut self.unknown_link, &other.unknown_link)]
        {
            from.counts.iter().for_each(|&(number, count)| into.add(number, count));
            into.others = into.others.saturating_add(from.others);
        }
    }
}
