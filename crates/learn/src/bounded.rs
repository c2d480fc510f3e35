//! A map that cannot grow without end.
//!
//! Whoever sends traffic chooses the keys of our tables, so each has a cap. At the cap the eighth
//! that was touched longest ago goes, and the loss is counted. Which entries go depends on the
//! order of touches alone, so the same input always gives the same answers.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map of at most `cap` entries.
#[derive(Clone, Debug)]
pub struct Bounded<K, V> {
    map: HashMap<K, (u64, V), RandomState>,
    cap: usize,
    clock: u64,
    evicted: u64,
}

impl<K: Eq + Hash + Clone + Ord, V> Bounded<K, V> {
    /// An empty map of at most `cap` entries (at least eight).
    pub fn new(cap: usize) -> Self {
        Self { map: HashMap::default(), cap: cap.max(8), clock: 0, evicted: 0 }
    }

    /// The value of a key, without counting as a touch.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key).map(|(_, value)| value)
    }

    /// The value of a key, to be changed; counts as a touch.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.clock += 1;
        let clock = self.clock;
        self.map.get_mut(key).map(|(touched, value)| {
            *touched = clock;
            value
        })
    }

    /// The value of a key, made anew where there is none.
    pub fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        if self.map.len() >= self.cap && !self.map.contains_key(&key) {
            self.evict();
        }
        self.clock += 1;
        let clock = self.clock;
        let (touched, value) = self.map.entry(key).or_insert_with(|| (clock, make()));
        *touched = clock;
        value
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: &K) -> bool {
        self.map.contains_key(key)
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.map.remove(key).map(|(_, value)| value)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many entries had to go because of the cap.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Keeps only the entries for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.map.retain(|key, (_, value)| keep(key, value));
    }

    /// All entries, by key.
    pub fn sorted(&self) -> Vec<(&K, &V)> {
        let mut all: Vec<_> = self.map.iter().map(|(key, (_, value))| (key, value)).collect();
        all.sort_by(|a, b| a.0.cmp(b.0));
        all
    }

    fn evict(&mut self) {
        let mut touches: Vec<u64> = self.map.values().map(|(touched, _)| *touched).collect();
        let rank = touches.len() / 8;
        let (_, &mut bound, _) = touches.select_nth_unstable(rank);
        let before = self.map.len();
        self.map.retain(|_, (touched, _)| *touched > bound);
        self.evicted += (before - self.map.len()) as u64;
    }
}

impl<K: Serialize + Ord, V: Serialize> Serialize for Bounded<K, V> {
    /// As a list of pairs, the longest untouched first, so that loading keeps the order of touches.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<_> = self.map.iter().map(|(key, (at, value))| (at, key, value)).collect();
        all.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let pairs: Vec<_> = all.into_iter().map(|(_, key, value)| (key, value)).collect();
        (self.cap, pairs).serialize(serializer)
    }
}

impl<'de, K, V> Deserialize<'de> for Bounded<K, V>
where
    K: Deserialize<'de> + Eq + Hash + Clone + Ord,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (cap, pairs): (usize, Vec<(K, V)>) = Deserialize::deserialize(deserializer)?;
        let mut bounded = Self::new(cap);
        for (key, value) in pairs {
            bounded.entry(key, || value);
        }
        Ok(bounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_cap_the_longest_untouched_go_and_are_counted() {
        let mut map = Bounded::new(16);
        for key in 0..16 {
            map.entry(key, || key);
        }
        map.get_mut(&0);
        map.entry(99, || 99);
        assert!(map.len() <= 16 && map.contains(&0) && map.contains(&99) && !map.contains(&1));
        assert_eq!(map.evicted(), 3);
    }

    #[test]
    fn what_is_saved_comes_back_with_its_order_of_touches() {
        let mut map = Bounded::new(8);
        for key in 0..8_u32 {
            map.entry(key, || key * 2);
        }
        map.get_mut(&0);
        let text = serde_json::to_string(&map).unwrap();
        let mut again: Bounded<u32, u32> = serde_json::from_str(&text).unwrap();
        assert_eq!(again.sorted(), map.sorted());
        again.entry(50, || 0);
        map.entry(50, || 0);
        assert_eq!(again.sorted(), map.sorted());
    }
}
