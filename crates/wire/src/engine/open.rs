//! New flows, and the room for them.

use model::flow::Direction;
use model::net::{Endpoint, FiveTuple, Mac, Transport, is_unicast};
use model::time::Timestamp;

use super::Engine;
use super::table::Age;
use crate::clock::Micros;
use crate::decode::{Packet, Tcp, icmp_asks, icmp_is_answer};
use crate::flow::{CloseReason, Crafted, Flow, Reported, Scale, Steps, Traffic};
use crate::hash;
use crate::sink::FlowSink;

/// Ports from here on are handed out to callers (Linux; RFC 6335 begins at 49152).
const EPHEMERAL: u16 = 32_768;

/// Ports below are for services.
const WELL_KNOWN: u16 = 1_024;

/// Flows that are given another turn while one is looked for that may go.
const TRIES: usize = 64;

/// Whether the sender of a flow's first packet is the side that was called.
fn sent_by_responder(packet: &Packet<'_>) -> bool {
    match packet.transport {
        Transport::Tcp if packet.tcp.has(Tcp::SYN) => packet.tcp.has(Tcp::ACK),
        // In the middle of a connection the ports have to tell.
        Transport::Tcp => {
            let (src, dst) = (packet.src_port, packet.dst_port);
            (src < WELL_KNOWN && dst >= WELL_KNOWN) || (src < EPHEMERAL && dst >= EPHEMERAL)
        }
        Transport::Icmp | Transport::Icmp6 => icmp_is_answer(packet.transport, packet.src_port),
        _ => false,
    }
}

/// Whether nobody in particular is asked, so that no answer is nothing to tell.
fn asks_nobody(packet: &Packet<'_>) -> bool {
    !is_unicast(packet.dst)
        || packet.link.dst.is_some_and(Mac::is_group)
        || !icmp_asks(packet.transport, packet.src_port)
        || (packet.transport == Transport::Tcp && !packet.tcp.has(Tcp::SYN))
}

impl<T: Default> Engine<T> {
    /// Opens the flow of a packet; which way the packet goes.
    pub(super) fn open<S: FlowSink<Slot = T>>(
        &mut self,
        hash: u32,
        packet: &Packet<'_>,
        at: Timestamp,
        sink: &mut S,
    ) -> (u32, Direction) {
        if self.table.len() >= self.max_flows {
            self.evict(at, sink);
        }
        let now = self.clock.now();
        let flow = new_flow(hash, packet, at, now);
        let dir = if sent_by_responder(packet) { Direction::Reverse } else { Direction::Forward };
        let place = self.table.insert(flow, T::default());
        if let Some(entry) = self.table.get_mut(place) {
            sink.opened(&entry.flow, &mut entry.slot, at);
        }
        self.stats.opened = self.stats.opened.saturating_add(1);
        self.stats.peak_flows = self.stats.peak_flows.max(self.table.len() as u64);
        (place, dir)
    }

    /// Throws a flow out: the oldest with a single packet, or else one that was silent for long,
    /// and only if there is no other one that the layer above wants to keep.
    fn evict<S: FlowSink<Slot = T>>(&mut self, at: Timestamp, sink: &mut S) {
        for age in [Age::Once, Age::Many, Age::Kept] {
            let Some(place) = self.victim(age, sink) else { continue };
            self.close(place, CloseReason::Evicted, at, sink);
            let evicted = &mut self.stats.evicted;
            let count = match age {
                Age::Once => &mut evicted.single_packet,
                Age::Many => &mut evicted.idle,
                Age::Kept => &mut evicted.kept,
            };
            *count = count.saturating_add(1);
            return;
        }
    }

    /// The flow of a class that goes first. One that was heard of since it was last looked at gets
    /// another turn, so that packets need not move their flow to the young end each time. One that
    /// is to be spared leaves the class for good, so that looking at all of them costs each once.
    fn victim<S: FlowSink<Slot = T>>(&mut self, age: Age, sink: &S) -> Option<u32> {
        let now = self.clock.now();
        let mut turns = 0..TRIES;
        loop {
            let (place, heard) = self.table.oldest(age)?;
            let entry = self.table.get(place)?;
            if age != Age::Kept && sink.keep(&entry.flow, &entry.slot) {
                self.table.place(place, Age::Kept, now);
            } else if heard && age != Age::Once && turns.next().is_some() {
                let touched = entry.flow.touched_at;
                self.table.place(place, age, touched);
            } else {
                return Some(place);
            }
        }
    }
}

fn new_flow(hash: u32, packet: &Packet<'_>, at: Timestamp, now: Micros) -> Flow {
    let src = Endpoint { ip: packet.src, port: packet.src_port };
    let dst = Endpoint { ip: packet.dst, port: packet.dst_port };
    let (mut originator, mut responder) = (src, dst);
    let mut macs = [packet.link.src, packet.link.dst.filter(|mac| !mac.is_group())];
    let called = sent_by_responder(packet);
    if called {
        std::mem::swap(&mut originator, &mut responder);
        macs.swap(0, 1);
    }
    let tuple = FiveTuple { transport: packet.transport, originator, responder };
    Flow {
        id: hash::flow_id(&tuple, at, packet.tcp.seq),
        tuple,
        macs,
        vlan: packet.link.vlan,
        notes: packet.notes,
        crafted: [Crafted::default(); 2],
        started: at,
        traffic: [Traffic::default(); 2],
        outcome: None,
        steps: Steps::default(),
        with_syn: packet.transport == Transport::Tcp && packet.tcp.has(Tcp::SYN),
        hash,
        // That of a SYN; what a SYN-ACK acknowledges is one more.
        isn: if called { packet.tcp.ack.wrapping_sub(1) } else { packet.tcp.seq },
        scales: [Scale::Unknown; 2],
        one_way: called || asks_nobody(packet),
        reported: Reported { at, engine_at: now, packets: [0; 2], bytes: [0; 2] },
        opened_at: now,
        touched_at: now,
        wake_at: Micros::MAX,
    }
}
