//! The order of words: how surprising a word is after the two before it. For the verbs of protocols
//! and whatever else comes as symbols.
//!
//! Counts of what followed what, for histories of 0, 1 and 2 words, each backed off to the shorter
//! one in the manner of Witten and Bell ("The Zero-Frequency Problem", 1991, method C): a history
//! after which many different words came leaves much room for another. Below the shortest is the
//! model of the peers, where one is given, and below that every known word and one unknown word are
//! equally probable. So a device that is new is judged by its group, and with time by itself.
//!
//! Tables have bounds (`table.rs`): when one is full, all its counts are halved and what falls to
//! nought is forgotten. Deliberately absent: what a symbol means, and time.

mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::table::Counts;

/// The longest history, in words.
pub const ORDER: usize = 2;
/// How many words an explanation names.
const NAMED: usize = 3;

/// How large the tables of a model may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Different words that are known.
    pub words: usize,
    /// Different histories of each length that are known.
    pub histories: usize,
    /// Different words that are known after a history.
    pub followers: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { words: 256, histories: 512, followers: 32 }
    }
}

/// What followed what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verbs {
    settings: Settings,
    words: Counts,
    /// After one word, and after two.
    after: [BTreeMap<u64, Counts>; ORDER],
}

/// A surprising word: after which, and what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Surprise {
    /// The words before it that were known to come before something, the last one last.
    pub after: Vec<u32>,
    /// The word.
    pub word: u32,
    /// Minus the binary logarithm of its probability.
    pub bits: f64,
    /// The most probable words instead, with their probabilities.
    pub expected: Vec<(u32, f64)>,
}

/// The words of one window: how surprising they were together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    words: u64,
    sum: f64,
    most: f64,
}

impl Running {
    /// Takes the bits of one more word.
    pub fn take(&mut self, bits: f64) {
        self.words += 1;
        self.sum += bits;
        self.most = self.most.max(bits);
    }

    /// Mean bits of a word; 0 where there was none.
    pub fn mean(&self) -> f64 {
        self.sum / self.words.max(1) as f64
    }

    /// Bits of the most surprising word.
    pub const fn most(&self) -> f64 {
        self.most
    }
}

/// The last `length` words of a history as a key; none where it is shorter.
fn key(history: &[u32], length: usize) -> Option<u64> {
    let words = history.get(history.len().checked_sub(length)?..)?;
    Some(words.iter().fold(0, |key, &word| key << 32 | u64::from(word)))
}

impl Verbs {
    /// A model that knows nothing.
    pub fn new(settings: &Settings) -> Self {
        let settings = Settings {
            words: settings.words.max(2),
            histories: settings.histories.max(1),
            followers: settings.followers.max(2),
        };
        Self { settings, ..Self::default() }
    }

    /// How many different words are known.
    pub fn known(&self) -> usize {
        self.words.different()
    }

    /// How many words were learned, as far as they are not forgotten.
    pub const fn learned(&self) -> u64 {
        self.words.all()
    }

    /// Takes a word as normal after a history, whose last word came just before.
    pub fn learn(&mut self, history: &[u32], word: u32) {
        let forgotten = self.words.add(word, self.settings.words);
        for table in &mut self.after {
            // A word that is not known any more must not be expected anywhere.
            for &word in &forgotten {
                table.retain(|_, counts| {
                    counts.forget(word);
                    counts.all() > 0
                });
            }
        }
        for (length, table) in (1..).zip(&mut self.after) {
            let Some(key) = key(history, length) else { continue };
            if !table.contains_key(&key) && table.len() >= self.settings.histories {
                table::thin_out(table, self.settings.histories);
            }
            table.entry(key).or_default().add(word, self.settings.followers);
        }
    }

    /// Probability of a word after a history. Over all words that this model or its peers know,
    /// and one that neither knows, it adds up to 1.
    pub fn probability(&self, history: &[u32], word: u32, peers: Option<&Self>) -> f64 {
        let known = match peers {
            Some(peers) => self.words.different_from_either(&peers.words),
            None => self.known(),
        };
        let floor = 1.0 / (known as f64 + 1.0);
        let base = peers.map_or(floor, |peers| peers.backed_off(history, word, floor));
        self.backed_off(history, word, base)
    }

    fn backed_off(&self, history: &[u32], word: u32, base: f64) -> f64 {
        let mut p = self.words.probability(word, base);
        for (length, table) in (1..).zip(&self.after) {
            let Some(counts) = key(history, length).and_then(|key| table.get(&key)) else { break };
            p = counts.probability(word, p);
        }
        p
    }

    /// Bits of surprise at a word after a history: minus the binary logarithm of its probability.
    pub fn surprise(&self, history: &[u32], word: u32, peers: Option<&Self>) -> f64 {
        -self.probability(history, word, peers).log2()
    }

    /// Why a word is surprising.
    pub fn explain(&self, history: &[u32], word: u32, peers: Option<&Self>) -> Surprise {
        let known = |length: usize| {
            let has = |model: &Self| {
                let Some(table) = length.checked_sub(1).and_then(|n| model.after.get(n)) else {
                    return false;
                };
                key(history, length).is_some_and(|key| table.contains_key(&key))
            };
            has(self) || peers.is_some_and(has)
        };
        let length = (1..=ORDER).rev().find(|&length| known(length)).unwrap_or(0);
        let words = self.words.words().chain(peers.into_iter().flat_map(|p| p.words.words()));
        let mut expected: Vec<(u32, f64)> =
            words.map(|word| (word, self.probability(history, word, peers))).collect();
        expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        expected.dedup_by_key(|(word, _)| *word);
        expected.retain(|&(other, _)| other != word);
        expected.truncate(NAMED);
        Surprise {
            after: history[history.len() - length..].to_vec(),
            word,
            bits: self.surprise(history, word, peers),
            expected,
        }
    }
}

#[cfg(test)]
mod tests;
