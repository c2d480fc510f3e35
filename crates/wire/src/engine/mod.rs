//! Packets to flows.
//!
//! An [`Engine`] belongs to one thread. It is given packets in the order of capture and tells a
//! [`FlowSink`] what happens in which flow. Time is that of the packets; every table and buffer has
//! a bound, and what is dropped is counted in [`EngineStats`].
//!
//! Several engines can share the traffic: each is given every packet, follows its own shard (see
//! [`Config::shard`]) and lets time pass by all of them, so that the flows told are the same however
//! many there are.
//!
//! Deliberately absent: observations. The layer above makes them.

mod open;
mod table;
mod tcp;
mod timers;

use std::time::Duration;

use model::flow::Direction;
use model::net::Transport;
use model::time::Timestamp;

use crate::chunk::{Chunk, Next};
use crate::clock::{Clock, Micros};
use crate::config::{Config, Shard, Timeouts};
use crate::decode::{self, End, Fragment, Packet, Tcp, Walk};
use crate::defrag::Defragmenter;
use crate::flow::{CloseReason, Outcome};
use crate::hash::{Keys, shard_of};
use crate::notes::Notes;
use crate::reassembly::Pool;
use crate::sink::FlowSink;
use crate::stats::EngineStats;
use table::{Age, Entry, Table};
use tcp::Streams;

/// Packets out of fragments out of tunnels out of fragments: as deep as tunnels may be.
const MAX_NESTED: usize = 5;

/// Silence after which a SYN with another number begins a new flow without more proof.
const REUSE_AFTER: Micros = 60_000_000;

/// Times in engine time.
#[derive(Debug)]
struct Times {
    tcp_unanswered: Micros,
    tcp_established: Micros,
    tcp_closed: Micros,
    udp_unanswered: Micros,
    udp_answered: Micros,
    icmp: Micros,
    other: Micros,
    tcp_answer: Micros,
    answer: Micros,
    report: Micros,
}

fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

impl Times {
    fn new(timeouts: &Timeouts) -> Self {
        Self {
            tcp_unanswered: micros(timeouts.tcp_unanswered),
            tcp_established: micros(timeouts.tcp_established),
            tcp_closed: micros(timeouts.tcp_closed),
            udp_unanswered: micros(timeouts.udp_unanswered),
            udp_answered: micros(timeouts.udp_answered),
            icmp: micros(timeouts.icmp),
            other: micros(timeouts.other),
            tcp_answer: micros(timeouts.tcp_answer),
            answer: micros(timeouts.answer),
            // Below a tick it would come with every packet.
            report: micros(timeouts.report).max(crate::wheel::TICK),
        }
    }
}

/// Turns packets into flows. `T` is what the layer above keeps of each flow.
#[derive(Debug)]
pub struct Engine<T> {
    config: Config,
    times: Times,
    keys: Keys,
    max_flows: usize,
    clock: Clock,
    /// Engine time from which on timers have to be looked at.
    next_turn: Micros,
    table: Table<T>,
    pool: Pool,
    defrag: Defragmenter,
    stats: EngineStats,
    /// Flows whose timers went off; empty between packets.
    /// Flows that are left at the end of the input, the oldest last.
    ending: Vec<u32>,
    due: Vec<u32>,
}

impl<T: Default> Engine<T> {
    /// An engine without flows.
    pub fn new(config: Config) -> Self {
        let keys = Keys::from_seed(config.seed);
        let by_memory = config.max_flow_bytes.checked_div(Table::<T>::bytes_per_flow());
        let longest = micros(config.timeouts.longest()).saturating_add(3_600_000_000);
        Self {
            times: Times::new(&config.timeouts),
            keys,
            // The table numbers flows in 32 bits.
            max_flows: config
                .max_flows
                .min(by_memory.unwrap_or(usize::MAX))
                .clamp(1, u32::MAX as usize / 2),
            clock: Clock::new(longest),
            next_turn: 0,
            table: Table::new(),
            pool: Pool::new(config.max_held_bytes),
            defrag: Defragmenter::new(
                keys,
                config.max_fragment_bytes,
                micros(config.fragment_timeout),
            ),
            stats: EngineStats::default(),
            ending: Vec::new(),
            due: Vec::new(),
            config,
        }
    }

    /// What was counted up to now.
    pub fn stats(&self) -> EngineStats {
        let memory = [self.table.memory(), self.pool.memory(), self.defrag.memory()];
        EngineStats {
            open_flows: self.table.len() as u64,
            memory: memory.into_iter().fold(0, usize::saturating_add) as u64,
            ..self.stats.clone()
        }
    }

    /// Takes the next packet. `link_type` is libpcap's number, `wire_len` how long the packet was on
    /// the wire, and `bytes` what was captured of it.
    pub fn packet<S: FlowSink<Slot = T>>(
        &mut self,
        at: Timestamp,
        link_type: u32,
        wire_len: usize,
        bytes: &[u8],
        sink: &mut S,
    ) {
        self.advance(at, sink);
        let mut walk = Walk::new();
        match walk.frame(link_type, wire_len, bytes) {
            End::Packet => self.ip_packet(at, Some(wire_len), &walk.packet, sink),
            End::Fragment(fragment) => self.fragment(at, wire_len, &fragment, sink),
            other => {
                if self.first_shard() {
                    self.count_packet(wire_len);
                    self.without_flow(at, &other, sink);
                }
            }
        }
    }

    fn count_packet(&mut self, wire_len: usize) {
        self.stats.packets = self.stats.packets.saturating_add(1);
        self.stats.bytes = self.stats.bytes.saturating_add(wire_len as u64);
    }

    /// Whether this engine looks after what belongs to no flow.
    const fn first_shard(&self) -> bool {
        matches!(self.config.shard, None | Some(Shard { index: 0, .. }))
    }

    fn is_mine(&self, a: std::net::IpAddr, b: std::net::IpAddr) -> bool {
        match self.config.shard {
            None => true,
            Some(Shard { index, count }) => shard_of(a, b, count) == index,
        }
    }

    fn without_flow<S: FlowSink<Slot = T>>(&mut self, at: Timestamp, end: &End<'_>, sink: &mut S) {
        let stats = &mut self.stats;
        match end {
            End::Arp(frame) => {
                stats.arp = stats.arp.saturating_add(1);
                sink.arp(frame, at);
            }
            End::NonIp(number) => stats.non_ip.add(u32::from(*number), 1),
            End::UnknownLink(number) => stats.unknown_link.add(*number, 1),
            End::Malformed(what) => {
                if let Some(count) = stats.malformed.get_mut(what.layer.index()) {
                    *count = count.saturating_add(1);
                }
                sink.malformed(at, *what);
            }
            End::Packet | End::Fragment(_) => {}
        }
    }

    /// Puts fragments together. Every engine does, whosever shard they are in: what they carry may
    /// be a tunnel with packets of another one.
    fn fragment<S: FlowSink<Slot = T>>(
        &mut self,
        at: Timestamp,
        wire_len: usize,
        fragment: &Fragment<'_>,
        sink: &mut S,
    ) {
        if self.is_mine(fragment.head.src, fragment.head.dst) {
            self.count_packet(wire_len);
        }
        let mut whole = self.collect(fragment);
        for _ in 0..MAX_NESTED {
            let Some(done) = whole.take() else { return };
            let mut walk = Walk::new();
            match walk.datagram(done.head, &done.payload) {
                End::Packet => self.ip_packet(at, None, &walk.packet, sink),
                End::Fragment(inner) => whole = self.collect(&inner),
                other if self.first_shard() => self.without_flow(at, &other, sink),
                _ => {}
            }
            self.defrag.reuse(done.payload);
        }
    }

    fn collect(&mut self, fragment: &Fragment<'_>) -> Option<crate::defrag::Whole> {
        let mine = self.is_mine(fragment.head.src, fragment.head.dst);
        self.defrag.add(fragment, self.clock.now(), mine, &mut self.stats.fragments)
    }

    /// Takes a packet that is whole. `wire_len` is that of its frame; none where frames were counted
    /// as they came, as fragments.
    fn ip_packet<S: FlowSink<Slot = T>>(
        &mut self,
        at: Timestamp,
        wire_len: Option<usize>,
        packet: &Packet<'_>,
        sink: &mut S,
    ) {
        if matches!(packet.transport, Transport::Icmp | Transport::Icmp6) {
            self.refused(at, packet, sink);
        }
        if !self.is_mine(packet.src, packet.dst) {
            return;
        }
        if let Some(wire_len) = wire_len {
            self.count_packet(wire_len);
        }
        self.stats.flow_packets = self.stats.flow_packets.saturating_add(1);
        if packet.notes.has(Notes::TUNNELLED) {
            self.stats.tunnelled = self.stats.tunnelled.saturating_add(1);
        }
        let src = (packet.src, packet.src_port);
        let dst = (packet.dst, packet.dst_port);
        let hash = self.keys.both_ways(packet.transport, src, dst) as u32;
        let (place, dir) = self.flow_of(hash, packet, at, sink);
        self.follow(place, dir, packet, at, sink);
    }

    /// The flow of a packet, new or not, and which way the packet goes.
    fn flow_of<S: FlowSink<Slot = T>>(
        &mut self,
        hash: u32,
        packet: &Packet<'_>,
        at: Timestamp,
        sink: &mut S,
    ) -> (u32, Direction) {
        let Some((place, dir)) = self.table.find(hash, packet) else {
            return self.open(hash, packet, at, sink);
        };
        if packet.transport == Transport::Tcp && packet.tcp.has(Tcp::SYN) {
            let now = self.clock.now();
            let old = self.table.get(place).map(|entry| &entry.flow).filter(|flow| {
                let idle = now.saturating_sub(flow.touched_at) >= REUSE_AFTER;
                tcp::begins_anew(flow, dir, packet.tcp, idle)
            });
            if let Some(flow) = old {
                let reason = timers::ended(flow).unwrap_or(CloseReason::Timeout);
                self.close(place, reason, at, sink);
                return self.open(hash, packet, at, sink);
            }
        }
        (place, dir)
    }

    /// Counts a packet in its flow and hands on what it carries.
    fn follow<S: FlowSink<Slot = T>>(
        &mut self,
        place: u32,
        dir: Direction,
        packet: &Packet<'_>,
        at: Timestamp,
        sink: &mut S,
    ) {
        let now = self.clock.now();
        let Some(entry) = self.table.get_mut(place) else { return };
        let flow = &mut entry.flow;
        flow.traffic_mut(dir).count(at, packet.ip_len, packet.tcp.flags);
        flow.touched_at = now;
        flow.notes.add(packet.notes);
        if let Some(crafted) = flow.crafted.get_mut(dir.index()) {
            crafted.count(packet.notes);
        }
        if let Some(mac) = flow.macs.get_mut(dir.index())
            && mac.is_none()
        {
            *mac = packet.link.src;
        }
        if packet.transport == Transport::Tcp {
            let mut cx = Streams {
                pool: &mut self.pool,
                stats: &mut self.stats.streams,
                max_held: self.config.max_held_per_direction,
            };
            tcp::segment(entry, packet, dir, at, &mut cx, sink);
        } else {
            datagram(entry, packet, dir, at, &mut self.pool, sink);
        }
        if self.times.report_due(&entry.flow, now) {
            timers::report(entry, at, now, sink);
        }
        let (second, wake_at) = (entry.flow.packets() == 2, entry.flow.wake_at);
        let next = self.times.deadline(entry, now);
        if next < wake_at {
            self.table.wake(place, next);
        }
        if second {
            self.table.place(place, Age::Many, now);
        }
    }

    /// An ICMP error about a flow that waits for an answer is the answer.
    fn refused<S: FlowSink<Slot = T>>(&mut self, at: Timestamp, packet: &Packet<'_>, sink: &mut S) {
        let Some(about) = decode::icmp_subject(packet) else { return };
        if !self.is_mine(about.src, about.dst) {
            return;
        }
        let (src, dst) = ((about.src, about.src_port), (about.dst, about.dst_port));
        let hash = self.keys.both_ways(about.transport, src, dst) as u32;
        let quoted = Packet {
            src: about.src,
            dst: about.dst,
            transport: about.transport,
            src_port: about.src_port,
            dst_port: about.dst_port,
            ..*packet
        };
        let Some((place, Direction::Forward)) = self.table.find(hash, &quoted) else { return };
        let Some(entry) = self.table.get_mut(place) else { return };
        if entry.flow.outcome.is_none() && !entry.flow.one_way {
            entry.flow.outcome = Some(Outcome::Refused);
            sink.outcome(&entry.flow, &mut entry.slot, at, Outcome::Refused);
        }
    }
}

/// A packet of anything but TCP.
fn datagram<S: FlowSink>(
    entry: &mut Entry<S::Slot>,
    packet: &Packet<'_>,
    dir: Direction,
    at: Timestamp,
    pool: &mut Pool,
    sink: &mut S,
) {
    let Entry { flow, streams: [forward, reverse], slot, .. } = entry;
    let length = (packet.payload.len() as u64).saturating_add(u64::from(packet.missing));
    let traffic = flow.traffic_mut(dir);
    traffic.payload = traffic.payload.saturating_add(length);
    traffic.missed = traffic.missed.saturating_add(u64::from(packet.missing));
    if dir == Direction::Reverse
        && flow.outcome.is_none()
        && flow.traffic(dir.flipped()).packets > 0
    {
        flow.outcome = Some(Outcome::Established);
        sink.outcome(flow, slot, at, Outcome::Established);
    }
    if forward.done() {
        return;
    }
    if sink.data(flow, slot, at, dir, Chunk::Datagram(packet.payload)) == Next::Done {
        forward.finish(pool);
        reverse.finish(pool);
    }
}
