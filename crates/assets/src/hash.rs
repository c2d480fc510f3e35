//! A fast hash for addresses, with a seed that nobody outside knows: every packet looks addresses
//! up, and a sender that picks its own must not be able to make them collide.
//!
//! Multiplication to 128 bits, folded (as in wyhash). The seed differs between runs; nothing that
//! is written out follows the order of a table.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers of one seed.
#[derive(Clone, Debug)]
pub(crate) struct Seeded([u64; 2]);

impl Default for Seeded {
    fn default() -> Self {
        let random = RandomState::new();
        Self([random.hash_one(0_u8) | 1, random.hash_one(1_u8) | 1])
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded { state: self.0[0], seed: self.0[1] }
    }
}

/// One hash in the making.
#[derive(Debug)]
pub(crate) struct Folded {
    state: u64,
    seed: u64,
}

impl Folded {
    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.state ^ word).wrapping_mul(u128::from(self.seed));
        self.state = (wide as u64) ^ ((wide >> 64) as u64).rotate_left(23);
    }
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u128(&mut self, number: u128) {
        self.mix(number as u64);
        self.mix((number >> 64) as u64);
    }

    fn write_usize(&mut self, _length: usize) {
        // Of the keys here only arrays of fixed length write one.
    }

    fn finish(&self) -> u64 {
        let wide =
            u128::from(self.state).wrapping_mul(u128::from(self.seed ^ 0x9e37_79b9_7f4a_7c15));
        (wide as u64) ^ ((wide >> 64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_addresses_spread_over_a_table() {
        let seeded = Seeded::default();
        let mut slots = vec![0_u32; 4_096];
        for n in 0..4_096_u128 {
            // The low bits choose the slot of a table, the high bits its tag.
            slots[(seeded.hash_one(0xffff_0a14_0000 + n) & 4_095) as usize] += 1;
        }
        // Thrown at random, hardly any slot gets nine of as many balls as there are slots.
        assert!(slots.iter().all(|count| *count < 12), "{:?}", slots.iter().max());
        assert!(slots.iter().filter(|count| **count > 0).count() > 2_300);
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(Seeded::default().hash_one(7_u128), Seeded::default().hash_one(7_u128));
    }
}
