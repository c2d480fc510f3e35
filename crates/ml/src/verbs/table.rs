//! Bounded tables of counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most that a word is counted.
const MOST: u32 = 1 << 20;

/// How often which word came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    all: u64,
    /// Words with their counts, by rising word.
    of: Vec<(u32, u32)>,
}

impl Counts {
    pub(super) fn different(&self) -> usize {
        self.of.len()
    }

    pub(super) const fn all(&self) -> u64 {
        self.all
    }

    pub(super) fn words(&self) -> impl Iterator<Item = u32> {
        self.of.iter().map(|&(word, _)| word)
    }

    /// How many different words are here or there.
    pub(super) fn different_from_either(&self, other: &Self) -> usize {
        let shared = self.of.iter().filter(|(word, _)| other.count(*word) > 0).count();
        self.different() + other.different() - shared
    }

    fn place(&self, word: u32) -> Result<usize, usize> {
        self.of.binary_search_by_key(&word, |&(word, _)| word)
    }

    fn count(&self, word: u32) -> u32 {
        self.place(word).map_or(0, |place| self.of[place].1)
    }

    /// Witten and Bell's method C over the probability from a shorter history.
    pub(super) fn probability(&self, word: u32, shorter: f64) -> f64 {
        let different = self.different() as f64;
        if different == 0.0 {
            return shorter;
        }
        (f64::from(self.count(word)) + different * shorter) / (self.all as f64 + different)
    }

    /// Counts a word, and makes room for it first where there are `most`. Hands back the words that
    /// are forgotten for that.
    pub(super) fn add(&mut self, word: u32, most: usize) -> Vec<u32> {
        let mut forgotten = vec![];
        if self.place(word).is_err() && self.of.len() >= most {
            forgotten = self.halve();
            if self.of.len() >= most {
                // All came often: the rarest goes, of several the smallest.
                if let Some(&(rarest, _)) =
                    self.of.iter().min_by_key(|&&(word, count)| (count, word))
                {
                    self.forget(rarest);
                    forgotten.push(rarest);
                }
            }
        }
        match self.place(word) {
            Ok(place) if self.of[place].1 >= MOST => {
                forgotten = self.halve();
                return forgotten;
            }
            Ok(place) => self.of[place].1 += 1,
            Err(place) => self.of.insert(place, (word, 1)),
        }
        self.all += 1;
        forgotten
    }

    /// Halves all counts. Hands back the words that are gone.
    fn halve(&mut self) -> Vec<u32> {
        let mut gone = vec![];
        self.of.retain_mut(|(word, count)| {
            *count /= 2;
            if *count == 0 {
                gone.push(*word);
            }
            *count > 0
        });
        self.all = self.of.iter().map(|&(_, count)| u64::from(count)).sum();
        gone
    }

    /// Forgets a word.
    pub(super) fn forget(&mut self, word: u32) {
        if let Ok(place) = self.place(word) {
            self.all -= u64::from(self.of.remove(place).1);
        }
    }
}

/// Makes room for one more history: halves all counts, and if that is not enough lets the rarest
/// history go.
pub(super) fn thin_out(table: &mut BTreeMap<u64, Counts>, most: usize) {
    table.retain(|_, counts| {
        counts.halve();
        counts.all > 0
    });
    if table.len() >= most
        && let Some(key) =
            table.iter().min_by_key(|(key, counts)| (counts.all, **key)).map(|(k, _)| *k)
    {
        table.remove(&key);
    }
}
