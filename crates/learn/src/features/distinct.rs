//! How many different things were seen, in a fixed little memory.
//!
//! Linear counting (K.-Y. Whang, B. Vander-Zanden, H. Taylor, "A Linear-Time Probabilistic Counting
//! Algorithm for Database Applications", ACM TODS 15(2), 1990): each thing sets one bit of a map, and
//! the share of bits still clear tells how many there were. Exact for a few, within a few per cent up
//! to some hundreds, and at its end near 2,000: more than that is as strange as that.

use ml::Chance;
use serde::{Deserialize, Serialize};

const WORDS: usize = 6;
const BITS: usize = WORDS * 64;

/// A count of different things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct([u64; WORDS]);

impl Distinct {
    /// Sees a thing, by its [`mix`]ed mark. Whether it is (almost surely) the first time.
    pub fn see(&mut self, mark: u64) -> bool {
        let bit = ((u128::from(mark) * BITS as u128) >> 64) as usize;
        let word = &mut self.0[bit / 64];
        let new = *word & (1 << (bit % 64)) == 0;
        *word |= 1 << (bit % 64);
        new
    }

    /// About how many were seen.
    pub fn count(&self) -> f64 {
        let set: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let clear = BITS as f64 - f64::from(set);
        let all = BITS as f64;
        if set < 8 { f64::from(set) } else { all * (all / clear.max(0.5)).ln() }
    }
}

/// A mark of a number, spread over all bits.
pub fn mix(number: u64) -> u64 {
    Chance::new(number).bits()
}

/// A mark of a text.
pub fn mark(text: &str) -> u64 {
    let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_near_for_few_and_for_many() {
        for (many, within) in [(0_u64, 0.0), (1, 0.0), (5, 1.0), (50, 6.0), (300, 60.0)] {
            let mut distinct = Distinct::default();
            for thing in 0..many {
                distinct.see(mix(thing));
                distinct.see(mix(thing));
            }
            let off = distinct.count() - many as f64;
            assert!(off.abs() <= within, "{many}: off by {off}");
        }
    }

    #[test]
    fn what_was_seen_is_not_new_again() {
        let mut distinct = Distinct::default();
        assert!(distinct.see(mark("dicom: C-STORE")));
        assert!(!distinct.see(mark("dicom: C-STORE")));
    }
}
