//! How often a device did something: counts of a fixed size, whatever an attacker sends.

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::facts::Fact;

/// Most others that a tally tells apart.
pub const MAX_OTHERS: usize = 16;

/// A pause that begins a new spell, in seconds.
const SPELL: f64 = 20.0;

/// How often something happened, over how long, how regularly, and with how many others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// How often.
    pub times: u32,
    /// In how many spells: a pause of 20 s begins a new one.
    pub spells: u32,
    /// First time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
    /// Mean time between two, in seconds, long pauses left out.
    gap_mean: f64,
    /// Sum of squared deviations from that mean.
    gap_squares: f64,
    /// How many gaps went into the mean.
    gaps: u32,
    /// Marks of the others, sorted.
    others: Vec<u32>,
}

impl Tally {
    fn count(&mut self, at: Timestamp, other: Option<u32>) {
        if self.times == 0 {
            self.first = at;
            self.spells = 1;
        } else {
            let gap = at.seconds_since(self.last);
            if gap > SPELL {
                self.spells = self.spells.saturating_add(1);
            }
            self.learn_gap(gap);
        }
        self.times = self.times.saturating_add(1);
        self.last = self.last.max(at);
        if let Some(other) = other
            && self.others.len() < MAX_OTHERS
            && let Err(place) = self.others.binary_search(&other)
        {
            self.others.insert(place, other);
        }
    }

    /// Welford's running mean and variance. A pause ten times the usual is a device switched off,
    /// not its rhythm.
    fn learn_gap(&mut self, gap: f64) {
        if gap < 0.0 || (self.gaps >= 8 && gap > 10.0 * self.gap_mean) {
            return;
        }
        self.gaps = self.gaps.saturating_add(1);
        let off = gap - self.gap_mean;
        self.gap_mean += off / f64::from(self.gaps);
        self.gap_squares += off * (gap - self.gap_mean);
    }

    /// How many others, up to [`MAX_OTHERS`].
    pub fn others(&self) -> usize {
        self.others.len()
    }

    /// From the first to the last time, in seconds.
    pub fn span(&self) -> f64 {
        self.last.seconds_since(self.first)
    }

    /// Whether it keeps on: it came back after a pause, or went on for half a minute.
    pub fn is_sustained(&self) -> bool {
        self.spells >= 2 || (self.times >= 5 && self.span() >= 30.0)
    }

    /// Whether it comes at least every 90 s and about evenly: a clock sends it, not a person. The
    /// deviation of arrivals at random is their mean; a clock stays well below.
    pub fn is_regular(&self) -> bool {
        if self.gaps < 8 || self.gap_mean > 90.0 {
            return false;
        }
        (self.gap_squares / f64::from(self.gaps)).sqrt() <= 0.6 * self.gap_mean
    }

    fn join(&mut self, other: &Self) {
        if other.times == 0 {
            return;
        }
        if self.times == 0 {
            self.clone_from(other);
            return;
        }
        // Two rhythms are none: the one with more behind it is kept.
        if other.gaps > self.gaps {
            (self.gap_mean, self.gap_squares, self.gaps) =
                (other.gap_mean, other.gap_squares, other.gaps);
        }
        self.times = self.times.saturating_add(other.times);
        self.spells = self.spells.max(other.spells);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.others.extend(&other.others);
        self.others.sort_unstable();
        self.others.dedup();
        self.others.truncate(MAX_OTHERS);
    }
}

/// All tallies of a device, in the order of [`Fact`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tallies(Vec<(Fact, Tally)>);

static NONE: Tally = Tally {
    times: 0,
    spells: 0,
    first: Timestamp::from_nanos(0),
    last: Timestamp::from_nanos(0),
    gap_mean: 0.0,
    gap_squares: 0.0,
    gaps: 0,
    others: Vec::new(),
};

impl Tallies {
    /// Counts one more. Says whether what a device is should be thought over again: always at
    /// first, later now and then, since the hundredth message tells little that the first
    /// ninety-nine did not.
    pub(crate) fn count(&mut self, fact: Fact, at: Timestamp, other: Option<u32>) -> bool {
        let place = match self.0.binary_search_by_key(&fact, |(fact, _)| *fact) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (fact, Tally::default()));
                place
            }
        };
        let tally = &mut self.0[place].1;
        tally.count(at, other);
        tally.times <= 64 || tally.times.is_multiple_of(32)
    }

    /// What was counted of a fact; an empty tally where it never happened.
    pub fn of(&self, fact: Fact) -> &Tally {
        let place = self.0.binary_search_by_key(&fact, |(fact, _)| *fact);
        place.map_or(&NONE, |place| &self.0[place].1)
    }

    /// How often.
    pub fn times(&self, fact: Fact) -> u32 {
        self.of(fact).times
    }

    /// With how many others.
    pub fn others(&self, fact: Fact) -> usize {
        self.of(fact).others()
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (fact, tally) in &other.0 {
            match self.0.binary_search_by_key(fact, |(fact, _)| *fact) {
                Ok(place) => self.0[place].1.join(tally),
                Err(place) => self.0.insert(place, (*fact, tally.clone())),
            }
        }
    }

    /// Puts what came from outside into order, so that look-ups find it.
    pub(crate) fn restore(&mut self) {
        self.0.sort_by_key(|(fact, _)| *fact);
        self.0.dedup_by_key(|(fact, _)| *fact);
        for (_, tally) in &mut self.0 {
            tally.others.sort_unstable();
            tally.others.dedup();
            tally.others.truncate(MAX_OTHERS);
        }
    }
}

/// A mark that tells others apart: the same bytes give the same mark in every run.
pub fn mark(bytes: &[u8]) -> u32 {
    // FNV-1a, folded: a chance collision makes a count one too low, which no rule minds.
    let full = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (full ^ (full >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn every(seconds: &[f64]) -> Tally {
        let (mut tally, mut at) = (Tally::default(), 1_000.0);
        tally.count(Timestamp::from_seconds_f64(at), None);
        for gap in seconds {
            at += gap;
            tally.count(Timestamp::from_seconds_f64(at), None);
        }
        tally
    }

    #[test]
    fn a_clock_is_regular_and_a_person_is_not() {
        assert!(every(&[4.0, 4.2, 3.9, 4.1, 4.0, 3.8, 4.0, 4.1, 4.0]).is_regular());
        assert!(!every(&[1.0, 80.0, 2.0, 0.5, 40.0, 3.0, 0.2, 60.0, 1.0]).is_regular());
        // Switched off over lunch, and on again.
        let mut gaps = vec![5.0; 12];
        gaps.extend([3_600.0, 5.0, 5.0]);
        assert!(every(&gaps).is_regular());
    }

    #[test]
    fn one_burst_is_not_sustained() {
        assert!(!every(&[0.1; 50]).is_sustained());
        assert!(every(&[0.1, 60.0]).is_sustained());
        assert!(every(&[5.0; 10]).is_sustained());
    }

    proptest! {
        #[test]
        fn others_stay_sorted_bounded_and_unique(marks: Vec<u8>) {
            let mut tallies = Tallies::default();
            for (at, mark) in marks.iter().enumerate() {
                let at = Timestamp::from_parts(at as i64, 0);
                tallies.count(Fact::Browsed, at, Some(u32::from(*mark)));
            }
            let tally = tallies.of(Fact::Browsed);
            prop_assert!(tally.others.is_sorted_by(|a, b| a < b));
            let distinct: std::collections::BTreeSet<_> = marks.iter().collect();
            prop_assert_eq!(tally.others(), distinct.len().min(MAX_OTHERS));
        }
    }
}
