//! Just enough of pcap, Ethernet, IPv4 and TCP to read the captures that these tests ship.

use std::collections::BTreeMap;

use model::flow::Direction;
use model::net::Transport;

/// One flow: what carried it, its responder's port, and its pieces in order.
pub(crate) struct Flow {
    pub(crate) transport: Transport,
    pub(crate) port: u16,
    pub(crate) pieces: Vec<(Direction, Vec<u8>)>,
}

type Key = (Transport, [u8; 4], u16, [u8; 4], u16);

/// The flows of a capture in the order of their first packets.
pub(crate) fn flows(bytes: &[u8]) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    let mut known: BTreeMap<Key, (usize, Direction)> = BTreeMap::new();
    let mut expected: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    let mut rest = &bytes[24..];
    while rest.len() >= 16 {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let frame = &rest[16..16 + length];
        rest = &rest[16 + length..];
        let ip = &frame[14..];
        let end = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let (header, transport) = (usize::from(ip[0] & 15) * 4, Transport::from_ip_protocol(ip[9]));
        let segment = &ip[header..end];
        let port = |at: usize| u16::from_be_bytes([segment[at], segment[at + 1]]);
        let address = |at: usize| -> [u8; 4] { ip[at..at + 4].try_into().unwrap() };
        let (from, to) = ((address(12), port(0)), (address(16), port(2)));
        let key = (transport, from.0, from.1, to.0, to.1);
        let back = (transport, to.0, to.1, from.0, from.1);
        let (flow, dir) = *known.entry(key).or_insert_with(|| {
            flows.push(Flow { transport, port: to.1, pieces: Vec::new() });
            (flows.len() - 1, Direction::Forward)
        });
        known.entry(back).or_insert((flow, Direction::Reverse));
        let payload = match transport {
            Transport::Udp => &segment[8..],
            _ => {
                let sequence = u32::from_be_bytes(segment[4..8].try_into().unwrap());
                let payload = &segment[usize::from(segment[12] >> 4) * 4..];
                let syn = u32::from(segment[13] & 2 != 0);
                let next = expected.entry((flow, dir.index())).or_insert(sequence + syn);
                // Loopback neither loses nor reorders; what was sent twice is dropped.
                if payload.is_empty() || sequence != *next {
                    continue;
                }
                *next = sequence.wrapping_add(payload.len() as u32);
                payload
            }
        };
        flows[flow].pieces.push((dir, payload.to_vec()));
    }
    flows
}
