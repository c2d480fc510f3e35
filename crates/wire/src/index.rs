//! From a flow's hash to its place in the slab: open addressing with linear probing.
//!
//! A bucket is eight bytes, upper half the hash, lower half the place plus one; so the table grows
//! and closes holes without a look at the flows. At most half of the buckets are in use.

/// Smallest number of buckets.
const SMALLEST: usize = 256;

/// The table.
#[derive(Debug)]
pub(crate) struct Index {
    buckets: Vec<u64>,
    len: usize,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { buckets: vec![0; SMALLEST], len: 0 }
    }

    fn mask(&self) -> usize {
        self.buckets.len().wrapping_sub(1)
    }

    fn bucket(&self, at: usize) -> u64 {
        self.buckets.get(at).copied().unwrap_or(0)
    }

    /// The first place with this hash that `is_it` accepts.
    pub(crate) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.mask();
        let mut at = hash as usize & mask;
        loop {
            let bucket = self.bucket(at);
            if bucket == 0 {
                return None;
            }
            let place = (bucket as u32).wrapping_sub(1);
            if (bucket >> 32) as u32 == hash && is_it(place) {
                return Some(place);
            }
            at = at.wrapping_add(1) & mask;
        }
    }

    /// Adds a place that is not in it.
    pub(crate) fn insert(&mut self, hash: u32, place: u32) {
        if self.len.saturating_mul(2) >= self.buckets.len() {
            let doubled = vec![0; self.buckets.len().saturating_mul(2)];
            let old = std::mem::replace(&mut self.buckets, doubled);
            old.into_iter().filter(|&bucket| bucket != 0).for_each(|bucket| self.put(bucket));
        }
        self.put(u64::from(hash) << 32 | u64::from(place.wrapping_add(1)));
        self.len = self.len.saturating_add(1);
    }

    fn put(&mut self, bucket: u64) {
        let mask = self.mask();
        let mut at = (bucket >> 32) as usize & mask;
        while self.bucket(at) != 0 {
            at = at.wrapping_add(1) & mask;
        }
        if let Some(free) = self.buckets.get_mut(at) {
            *free = bucket;
        }
    }

    /// Takes a place out, and closes the hole by moving back what was pushed past it.
    pub(crate) fn remove(&mut self, hash: u32, place: u32) {
        let mask = self.mask();
        let wanted = u64::from(hash) << 32 | u64::from(place.wrapping_add(1));
        let mut hole = hash as usize & mask;
        while self.bucket(hole) != wanted {
            if self.bucket(hole) == 0 {
                return;
            }
            hole = hole.wrapping_add(1) & mask;
        }
        let mut at = hole;
        loop {
            at = at.wrapping_add(1) & mask;
            let bucket = self.bucket(at);
            if bucket == 0 {
                break;
            }
            let home = (bucket >> 32) as usize & mask;
            // It may move where the hole lies between its home and where it is.
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                if let Some(slot) = self.buckets.get_mut(hole) {
                    *slot = bucket;
                }
                hole = at;
            }
        }
        if let Some(slot) = self.buckets.get_mut(hole) {
            *slot = 0;
        }
        self.len = self.len.saturating_sub(1);
    }

    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        self.buckets.capacity().saturating_mul(size_of::<u64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        // Few hashes, so that probing runs are long and cross each other.
        #[test]
        fn finds_what_a_map_finds(steps in proptest::collection::vec((0_u32..400, any::<bool>()), 0..800)) {
            let (mut index, mut model) = (Index::new(), BTreeMap::new());
            for (place, add) in steps {
                let hash = (place % 7) * 0x0100_0001 + 250;
                match (add, model.contains_key(&place)) {
                    (true, false) => {
                        index.insert(hash, place);
                        model.insert(place, hash);
                    }
                    (false, true) => {
                        index.remove(hash, place);
                        model.remove(&place);
                    }
                    _ => {}
                }
            }
            for place in 0_u32..400 {
                let hash = (place % 7) * 0x0100_0001 + 250;
                let found = index.find(hash, |other| other == place);
                prop_assert_eq!(found.is_some(), model.contains_key(&place));
            }
            prop_assert_eq!(index.len, model.len());
        }
    }
}
