//! The physical floor: what it costs to read a capture, find the five-tuple of every packet and count
//! it in a table of flows, and nothing else. `cargo xtask bench` runs it beside the others.
//!
//! The file is read in blocks that stay in the second-level cache. A flow takes 80 bytes beside its
//! bucket in the index. Deliberately absent: everything that makes it useful. No timers, no
//! reassembly, no fragments, no tunnels, no order, no bound on memory.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Read;
use std::process::ExitCode;

/// Bytes read at once.
const BLOCK: usize = 256 << 10;

/// The longest record that is believed.
const LONGEST: usize = 262_144 + 16;

/// Both ends, the lower one first, and the protocol.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    low: u128,
    high: u128,
    low_port: u16,
    high_port: u16,
    protocol: u8,
}

/// A flow with its counts both ways.
#[derive(Clone, Copy, Default)]
struct Flow {
    key: Key,
    first: u32,
    last: u32,
    packets: [u32; 2],
    bytes: [u64; 2],
}

/// Flows, and an index by hash: the upper half of a bucket is the hash, the lower the place plus one.
struct Table {
    flows: Vec<Flow>,
    buckets: Vec<u64>,
}

impl Table {
    fn count(&mut self, key: Key, way: usize, at: u32, length: u64) {
        if self.flows.len() * 2 >= self.buckets.len() {
            self.grow();
        }
        let (hash, mask) = (hash(&key), self.buckets.len() - 1);
        let mut at_bucket = hash as usize & mask;
        let place = loop {
            let bucket = self.buckets[at_bucket];
            if bucket == 0 {
                self.flows.push(Flow { key, first: at, ..Flow::default() });
                self.buckets[at_bucket] = u64::from(hash) << 32 | self.flows.len() as u64;
                break self.flows.len() - 1;
            }
            let place = (bucket & 0xffff_ffff) as usize - 1;
            if bucket >> 32 == u64::from(hash) && self.flows[place].key == key {
                break place;
            }
            at_bucket = (at_bucket + 1) & mask;
        };
        let flow = &mut self.flows[place];
        flow.last = at;
        flow.packets[way] += 1;
        flow.bytes[way] += length;
    }

    fn grow(&mut self) {
        let mask = self.buckets.len() * 2 - 1;
        let old = std::mem::replace(&mut self.buckets, vec![0; mask + 1]);
        for bucket in old.into_iter().filter(|bucket| *bucket != 0) {
            let mut at = (bucket >> 32) as usize & mask;
            while self.buckets[at] != 0 {
                at = (at + 1) & mask;
            }
            self.buckets[at] = bucket;
        }
    }
}

/// Folded multiplications.
fn hash(key: &Key) -> u32 {
    let mix = |a: u64, b: u64| {
        let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xe703_7ed1_a0b4_28db);
        (product >> 64) as u64 ^ product as u64
    };
    let ports =
        u64::from(key.low_port) << 32 | u64::from(key.high_port) << 8 | u64::from(key.protocol);
    let low = mix((key.low >> 64) as u64 ^ ports, key.low as u64);
    let high = mix((key.high >> 64) as u64, key.high as u64);
    (mix(low, high) >> 32) as u32
}

/// The five-tuple of an Ethernet frame, and which way it goes.
fn key(frame: &[u8]) -> Option<(Key, usize)> {
    let mut at = 12;
    while let [0x81, 0x00] | [0x88, 0xa8] = frame.get(at..at + 2)? {
        at += 4;
    }
    let (packet, kind) = (frame.get(at + 2..)?, frame.get(at..at + 2)?);
    let (from, to, protocol, body) = match kind {
        [0x08, 0x00] => {
            let head = packet.get(..20)?;
            let address = |at: usize| {
                u128::from(u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]))
            };
            (address(12), address(16), head[9], packet.get(usize::from(head[0] & 15) * 4..)?)
        }
        [0x86, 0xdd] => {
            let head = packet.get(..40)?;
            let from = u128::from_be_bytes(head[8..24].try_into().ok()?);
            let to = u128::from_be_bytes(head[24..40].try_into().ok()?);
            (from, to, head[6], packet.get(40..)?)
        }
        _ => return None,
    };
    let (from_port, to_port) = match (protocol, body.get(..4)) {
        (6 | 17, Some(&[a, b, c, d])) => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        _ => (0, 0),
    };
    let way = usize::from((from, from_port) > (to, to_port));
    let ends = [(from, from_port), (to, to_port)];
    let ((low, low_port), (high, high_port)) = (ends[way], ends[1 - way]);
    Some((Key { low, high, low_port, high_port, protocol }, way))
}

/// Reads a classic pcap file in this machine's byte order: packets, those of flows, and flows.
fn run(mut file: impl Read) -> Result<(u64, u64, Table), String> {
    let mut table = Table { flows: Vec::new(), buckets: vec![0; 1 << 10] };
    let mut buffer = vec![0; BLOCK + LONGEST];
    let (mut filled, mut used, mut packets, mut counted) = (0, 0, 0, 0);
    let mut begun = false;
    loop {
        buffer.copy_within(used..filled, 0);
        filled -= used;
        used = 0;
        let read = file.read(&mut buffer[filled..]).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok((packets, counted, table));
        }
        filled += read;
        if !begun {
            if filled < 24 {
                continue;
            }
            if buffer[..4] != [0xd4, 0xc3, 0xb2, 0xa1] || buffer[20] != 1 {
                return Err("reads only what 'cargo xtask bench' lays: pcap of Ethernet".to_owned());
            }
            (begun, used) = (true, 24);
        }
        while let Some(&[a, b, c, d, _, _, _, _, e, f, g, h, i, j, k, l]) =
            buffer.get(used..used + 16).filter(|_| used + 16 <= filled)
        {
            let captured = u32::from_le_bytes([e, f, g, h]) as usize;
            if captured + 16 > LONGEST {
                return Err(format!("a packet of {captured} bytes"));
            }
            let end = used + 16 + captured;
            if end > filled {
                break;
            }
            packets += 1;
            if let Some((key, way)) = key(&buffer[used + 16..end]) {
                let wire_len = u64::from(u32::from_le_bytes([i, j, k, l]));
                table.count(key, way, u32::from_le_bytes([a, b, c, d]), wire_len);
                counted += 1;
            }
            used = end;
        }
    }
}

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("floor: give a capture");
        return ExitCode::from(2);
    };
    match File::open(&path).map_err(|error| error.to_string()).and_then(run) {
        Ok((packets, counted, table)) => {
            let longest = table.flows.iter().map(|flow| flow.last.saturating_sub(flow.first)).max();
            let (flows, longest) = (table.flows.len(), longest.unwrap_or_default());
            println!("{packets} packets, {counted} of {flows} flows, the longest of {longest} s");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("floor: {path}: {why}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(from: u8, to: u8, ports: [u8; 4]) -> Vec<u8> {
        let head = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, from, 10, 0, 0, to];
        [&[0; 12][..], &[8, 0], &head, &ports, &[0, 8, 0, 0]].concat()
    }

    fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0];
        out.extend([1, 0, 0, 0]);
        for frame in frames {
            let length = frame.len() as u32;
            [7, 0, length, length].into_iter().for_each(|word: u32| out.extend(word.to_le_bytes()));
            out.extend(frame);
        }
        out
    }

    #[test]
    fn a_flow_is_80_bytes() {
        assert_eq!(size_of::<Flow>(), 80);
    }

    #[test]
    fn both_directions_are_one_flow_and_a_thousand_flows_are_found_again() {
        let mut frames = Vec::new();
        for _ in 0..2 {
            for n in 0..1_000_u16 {
                let [high, low] = n.to_be_bytes();
                frames.push(frame(1, 2, [high, low, 0, 53]));
                frames.push(frame(2, 1, [0, 53, high, low]));
            }
        }
        frames.push(vec![0; 20]);
        let file = capture(&frames);
        let (packets, counted, table) = run(&file[..]).unwrap();
        assert_eq!((packets, counted, table.flows.len()), (4_001, 4_000, 1_000));
        assert!(table.flows.iter().all(|flow| flow.packets == [2, 2] && flow.bytes == [84, 84]));
        assert!(run(&file[..file.len() - 1]).is_ok_and(|(packets, ..)| packets == 4_000));
        assert!(run(&b"something else than a capture"[..]).is_err());
    }
}
