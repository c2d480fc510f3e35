//! A table with a bound: the oldest entry makes room for the newest.

use std::collections::{BTreeMap, VecDeque};

/// At most `cap` entries by key.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    entries: BTreeMap<K, (u64, V)>,
    /// Keys by age, with the number under which they were put; those of removed entries are stale.
    ages: VecDeque<(u64, K)>,
    next: u64,
    cap: usize,
}

impl<K: Ord + Copy, V> Table<K, V> {
    pub(super) const fn new(cap: usize) -> Self {
        Self { entries: BTreeMap::new(), ages: VecDeque::new(), next: 0, cap }
    }

    /// Puts an entry in, and gives back the one that had to make room.
    pub(super) fn put(&mut self, key: K, value: V) -> Option<V> {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        if let Some((_, old)) = self.entries.insert(key, (number, value)) {
            self.ages.push_back((number, key));
            self.tidy();
            return Some(old);
        }
        self.ages.push_back((number, key));
        let evicted = if self.entries.len() > self.cap { self.evict() } else { None };
        self.tidy();
        evicted
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    /// Takes the entries that `which` picks, in the order of their keys.
    pub(super) fn take_if(&mut self, mut which: impl FnMut(&K, &V) -> bool) -> Vec<V> {
        let (taken, kept) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|(key, (_, value))| which(key, value));
        self.entries = kept;
        let taken: BTreeMap<K, (u64, V)> = taken;
        taken.into_values().map(|(_, value)| value).collect()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|(_, value)| value)
    }

    fn evict(&mut self) -> Option<V> {
        while let Some((number, key)) = self.ages.pop_front() {
            if self.entries.get(&key).is_some_and(|(at, _)| *at == number) {
                return self.take(&key);
            }
        }
        None
    }

    /// Forgets stale keys once they are the most.
    fn tidy(&mut self) {
        if self.ages.len() > self.cap.saturating_mul(2) {
            let entries = &self.entries;
            self.ages.retain(|(number, key)| entries.get(key).is_some_and(|(at, _)| at == number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_oldest_makes_room_and_is_given_back() {
        let mut table = Table::new(2);
        assert_eq!(table.put(1, 'a'), None);
        assert_eq!(table.put(2, 'b'), None);
        assert_eq!(table.put(1, 'c'), Some('a'));
        assert_eq!(table.put(3, 'd'), Some('b'), "1 was renewed, so 2 is the oldest");
        assert_eq!((table.get(&1), table.get(&3)), (Some(&'c'), Some(&'d')));
    }

    proptest! {
        #[test]
        fn never_grows_past_its_bound(steps in proptest::collection::vec((0_u8..20, any::<bool>()), 0..400)) {
            let mut table = Table::new(4);
            for (key, put) in steps {
                if put { table.put(key, ()); } else { table.take(&key); }
                prop_assert!(table.entries.len() <= 4 && table.ages.len() <= 9);
            }
        }
    }
}
