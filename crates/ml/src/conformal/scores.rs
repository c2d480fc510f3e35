//! A bounded set of scores that can be asked how many are at least as large.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::sorted::Sorted;
use crate::Chance;

/// Which scores are kept when there are more than there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The latest: follows slow change.
    Latest,
    /// A uniform sample of all that ever came (Vitter's algorithm R, 1985): remembers rare hours.
    Sample,
}

/// Scores of normal rows in order of size. Asking is a binary search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    most: usize,
    keep: Keep,
    /// From the smallest up.
    sorted: Sorted,
    /// In the order in which they came; only where the latest are kept.
    arrived: VecDeque<f32>,
    seen: u64,
    chance: Chance,
}

impl Scores {
    /// None yet, and room for `most`. `seed` matters only for a sample.
    pub const fn new(most: usize, keep: Keep, seed: u64) -> Self {
        let chance = Chance::new(seed);
        Self { most, keep, sorted: Sorted::new(), arrived: VecDeque::new(), seen: 0, chance }
    }

    /// Takes a score; one that is not finite is not taken.
    pub fn learn(&mut self, score: f32) {
        if self.most == 0 || !score.is_finite() {
            return;
        }
        self.seen += 1;
        if self.sorted.len() >= self.most && !self.make_room() {
            return;
        }
        self.sorted.insert(score);
        if self.keep == Keep::Latest {
            self.arrived.push_back(score);
        }
    }

    /// Lets one score go. False where it is the new one that goes.
    fn make_room(&mut self) -> bool {
        match self.keep {
            Keep::Latest => {
                self.sorted.remove(self.arrived.pop_front().unwrap_or_default());
                true
            }
            Keep::Sample => {
                let end = usize::try_from(self.seen).unwrap_or(usize::MAX);
                let place = self.chance.below(end);
                let goes = place < self.sorted.len();
                if goes {
                    self.sorted.remove_at(place);
                }
                goes
            }
        }
    }

    /// The conformal p-value of a score. One that is not a number is normal: it says nothing.
    pub fn p(&self, score: f32) -> f64 {
        let below = self.sorted.below(score);
        let above = if score.is_nan() { self.sorted.len() } else { self.sorted.len() - below };
        (1 + above) as f64 / (1 + self.sorted.len()) as f64
    }

    /// The smallest score whose p-value is at most `p`, just above a kept one; infinite where so
    /// small a p-value cannot be reached.
    pub fn threshold(&self, p: f64) -> f32 {
        let most_above = (p * (1 + self.sorted.len()) as f64 + 1e-9).floor() as usize;
        let Some(above) = most_above.checked_sub(1) else { return f32::INFINITY };
        match self.sorted.len().checked_sub(above + 1).and_then(|place| self.sorted.get(place)) {
            Some(kept) => kept.next_up(),
            None => f32::NEG_INFINITY,
        }
    }

    /// The kept score that so many others are above.
    pub fn highest(&self, above: usize) -> Option<f32> {
        let place = self.sorted.len().checked_sub(above + 1)?;
        self.sorted.get(place)
    }

    /// How many are kept.
    pub fn kept(&self) -> usize {
        self.sorted.len()
    }

    /// How many ever came.
    pub const fn seen(&self) -> u64 {
        self.seen
    }
}
