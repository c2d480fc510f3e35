//! Packets of any link type through decoding, defragmentation, flows and all parsers.
//!
//! Input: a byte that chooses the link type, then packets, each with four bytes in front: the
//! milliseconds since the packet before (two bytes) and its length (two bytes).
//!
//! Two workers that share the flows have to see what one sees.

use std::time::Duration;

use capture::{LinkType, Packet};
use model::observation::{Observation, ObservationId};
use model::privacy::SiteKey;
use model::time::Timestamp;
use pipeline::merge;
use pipeline::worker::Worker;
use wire::{Config, Shard};

/// NULL, Ethernet, raw IP, Linux cooked, raw IPv4, raw IPv6, Linux cooked v2, IEEE 802.11.
const LINKS: [u32; 8] = [0, 1, 101, 113, 228, 229, 276, 105];

/// Runs it once.
pub(crate) fn run(input: &[u8]) {
    let Some((choice, mut rest)) = input.split_first() else { return };
    let link = LinkType(LINKS[usize::from(*choice) % LINKS.len()]);
    let mut at = Timestamp::from_parts(1_800_000_000, 0);
    let mut packets = Vec::new();
    while let Some((&[h, l, high, low], tail)) = rest.split_first_chunk::<4>() {
        at = at.plus(Duration::from_millis(u16::from_be_bytes([h, l]).into()));
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (data, tail) = tail.split_at(length.min(tail.len()));
        packets.push(Packet { at, link, wire_len: length as u32, interface: 0, data });
        rest = tail;
    }
    let alone = [follow(&packets, None)];
    let shared = [0, 1].map(|index| follow(&packets, Some(Shard { index, count: 2 })));
    assert_eq!(told(&alone), told(&shared), "two workers see something else than one");
}

fn follow(packets: &[Packet<'_>], shard: Option<Shard>) -> Vec<Observation> {
    let mut worker = Worker::new(Config { shard, ..Config::default() }, SiteKey::new(b"fuzz"));
    for (number, packet) in (0..).zip(packets) {
        worker.packet(number, packet);
    }
    worker.finish(packets.len() as u64);
    worker.take()
}

/// What all workers together tell, in the order in which it is told.
fn told(lists: &[Vec<Observation>]) -> Vec<(u64, &'static str, ObservationId)> {
    let mut out = Vec::new();
    let Ok(()) = merge::in_order(lists, |o| {
        out.push((o.packet, o.kind.name, o.id));
        Ok::<(), std::convert::Infallible>(())
    });
    out
}
