//! Hashes of addresses and five-tuples.
//!
//! Two kinds. The flow table's own hash is keyed with a seed, so that nobody who sends packets can
//! make them collide; nothing that leaves the engine depends on it. Flow numbers and shards use
//! fixed keys, so that they are the same in every run and on every thread.
//!
//! All stand on the folded multiplication of wyhash (Wang Yi): 64 by 64 bits to 128, both halves
//! combined.

use std::net::IpAddr;

use model::flow::FlowId;
use model::net::{FiveTuple, Transport};
use model::time::Timestamp;

/// Keys of the hashes that have to be the same everywhere: digits of pi.
const FIXED: Keys = Keys([
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
]);

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a).wrapping_mul(u128::from(b));
    (product as u64) ^ (product >> 64) as u64
}

/// An address in two words; an IPv4 address as its mapped IPv6 address.
fn words(ip: IpAddr) -> (u64, u64) {
    match ip {
        IpAddr::V4(v4) => (0, 0x0000_ffff_0000_0000 | u64::from(u32::from(v4))),
        IpAddr::V6(v6) => {
            let bits = u128::from(v6);
            ((bits >> 64) as u64, bits as u64)
        }
    }
}

/// Keys of a hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys([u64; 4]);

impl Keys {
    /// From a seed, by splitmix64 (Steele, Lea, Flood 2014).
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }))
    }

    fn endpoint(&self, ip: IpAddr, port: u16) -> u64 {
        let (high, low) = words(ip);
        fold(high ^ (u64::from(port) << 16) ^ self.0[0], low ^ self.0[1])
    }

    /// The same for both directions of a flow.
    pub(crate) fn both_ways(
        &self,
        transport: Transport,
        (src, src_port): (IpAddr, u16),
        (dst, dst_port): (IpAddr, u16),
    ) -> u64 {
        let sum = self.endpoint(src, src_port).wrapping_add(self.endpoint(dst, dst_port));
        fold(sum ^ self.0[2], self.0[3] ^ u64::from(transport.ip_protocol()))
    }

    /// Of a key in words.
    pub(crate) fn of_words(&self, words: impl IntoIterator<Item = u64>) -> u64 {
        words
            .into_iter()
            .fold(self.0[0], |state, word| fold(state ^ word, self.0[1]).wrapping_add(self.0[2]))
    }

    /// Of the key that the fragments of one packet share.
    pub(crate) fn fragments(&self, src: IpAddr, dst: IpAddr, id: u32, protocol: u8) -> u64 {
        let ((a, b), (c, d)) = (words(src), words(dst));
        self.of_words([a, b, c, d, u64::from(id) << 8 | u64::from(protocol)])
    }
}

/// A flow's number. The first sequence number is mixed in, for captures whose clock stands still.
pub(crate) fn flow_id(tuple: &FiveTuple, started: Timestamp, first_seq: u32) -> FlowId {
    let ((a, b), (c, d)) = (words(tuple.originator.ip), words(tuple.responder.ip));
    let ports = u64::from(tuple.originator.port) << 32
        | u64::from(tuple.responder.port) << 16
        | u64::from(tuple.transport.ip_protocol());
    let (start, seq) = (started.nanos().cast_unsigned(), u64::from(first_seq));
    FlowId(FIXED.of_words([a, b, c, d, ports, start, seq]))
}

/// Which of `count` shards looks after the packets between two addresses: the same both ways, and
/// for every packet between them, fragments and ICMP errors included.
pub fn shard_of(a: IpAddr, b: IpAddr, count: u32) -> u32 {
    let sum = FIXED.endpoint(a, 0).wrapping_add(FIXED.endpoint(b, 0));
    let mixed = fold(sum ^ FIXED.0[2], FIXED.0[3]);
    // Scaled instead of divided: the upper half of a product is spread as evenly as a remainder.
    ((u128::from(mixed).wrapping_mul(u128::from(count))) >> 64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_directions_meet(a: [u8; 16], b: [u8; 16], p: u16, q: u16, seed: u64, count in 1_u32..64) {
            let (a, b) = (IpAddr::from(a), IpAddr::from(b));
            let keys = Keys::from_seed(seed);
            let there = keys.both_ways(Transport::Tcp, (a, p), (b, q));
            prop_assert_eq!(there, keys.both_ways(Transport::Tcp, (b, q), (a, p)));
            prop_assert_eq!(shard_of(a, b, count), shard_of(b, a, count));
            prop_assert!(shard_of(a, b, count) < count);
        }
    }

    #[test]
    fn shards_are_even_for_one_ward() {
        let mut counts = [0; 4];
        for host in 0..200_u8 {
            for server in 0..20_u8 {
                let (a, b) = (IpAddr::from([10, 1, 2, host]), IpAddr::from([10, 1, 9, server]));
                counts[shard_of(a, b, 4) as usize] += 1;
            }
        }
        assert!(counts.iter().all(|&count| (900..1_100).contains(&count)), "{counts:?}");
    }
}
