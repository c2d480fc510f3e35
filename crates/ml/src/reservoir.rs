//! Which of a stream of rows are kept: a sample of fixed size in which every row is as probable as
//! any other (Vitter, "Random Sampling with a Reservoir", 1985, algorithm R), or in which old rows
//! fade (Aggarwal, "On Biased Reservoir Sampling in the Presence of Stream Evolution", 2006).

use serde::{Deserialize, Serialize};

use crate::Chance;

/// Says where a row is to be kept. Holds no row itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservoir {
    capacity: usize,
    horizon: u64,
    seen: u64,
    chance: Chance,
}

impl Reservoir {
    /// A reservoir of so many places. A row stays for about `horizon` rows; `u64::MAX` keeps a
    /// fair sample of everything ever seen.
    pub fn new(capacity: usize, horizon: u64, seed: u64) -> Self {
        let capacity = capacity.max(1);
        let horizon = horizon.max(capacity as u64);
        Self { capacity, horizon, seen: 0, chance: Chance::new(seed) }
    }

    /// The place of the next row, none where it is not kept. Places fill in order before any is
    /// taken again.
    pub fn place(&mut self) -> Option<usize> {
        self.seen = self.seen.saturating_add(1);
        if self.seen <= self.capacity as u64 {
            return Some(self.seen as usize - 1);
        }
        let among = usize::try_from(self.seen.min(self.horizon)).unwrap_or(usize::MAX);
        let place = self.chance.below(among);
        (place < self.capacity).then_some(place)
    }

    /// How many places are taken.
    pub fn len(&self) -> usize {
        self.capacity.min(usize::try_from(self.seen).unwrap_or(usize::MAX))
    }

    /// Whether nothing was ever kept.
    pub const fn is_empty(&self) -> bool {
        self.seen == 0
    }

    /// How many places there are.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many rows came by.
    pub const fn seen(&self) -> u64 {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(horizon: u64, rows: u64) -> Vec<u64> {
        let mut reservoir = Reservoir::new(200, horizon, 5);
        let mut places = vec![0; 200];
        for row in 0..rows {
            if let Some(place) = reservoir.place() {
                places[place] = row;
            }
        }
        places
    }

    #[test]
    fn a_fair_reservoir_holds_old_rows_as_well_as_new_ones() {
        let rows = kept(u64::MAX, 10_000);
        let mean = rows.iter().sum::<u64>() / 200;
        assert!((4_300..5_700).contains(&mean), "{mean}");
    }

    #[test]
    fn a_horizon_lets_old_rows_go() {
        let rows = kept(1_000, 10_000);
        let old = rows.iter().filter(|&&row| row < 5_000).count();
        assert!(old <= 4, "{old} of 200 rows are older than five horizons");
    }
}
