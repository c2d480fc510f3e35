//! Whether life moves away from what it was, by group of devices and at the whole site.
//!
//! ADWIN speaks when one device changes at once. What moves slowly, or in many devices a little, it
//! is slow to see; there the population stability index of the group says how its windows of late are
//! spread against those of its first hours: their scores, and each feature. The first windows of a
//! group after teaching are the reference; later ones are looked at in stretches of the same length.
//! A reference of daytime makes a night look like a change: read the index over days. Features of news
//! are not named: how much is new falls by itself.
//!
//! Deliberately absent: any effect. Levels follow change by themselves; this is for who looks after
//! the models.

use std::collections::BTreeMap;

use ml::drift::{Psi, Stability};
use serde::{Deserialize, Serialize};

use crate::features::{Family, Row, TABLE, WIDTH};

/// Windows of the reference, and of each stretch held against it.
const STRETCH: usize = 1_024;
/// Bins of an index.
const BINS: usize = 10;
/// Groups that are followed.
const MOST_GROUPS: usize = 64;
/// Name of the whole site among the groups.
const SITE: &str = "site";

/// Groups, each with its reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drifting {
    groups: BTreeMap<String, Group>,
}

/// How far a group has moved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Rows of the reference while it is gathered, the score behind the features.
    first: Vec<Vec<f32>>,
    /// One for each feature, then one for the score.
    spread: Vec<Psi>,
    taken: usize,
    index: f64,
    stability: Option<Stability>,
    most: Option<(usize, f64)>,
    changes: u64,
}

impl Group {
    fn take(&mut self, row: &Row, score: f32) {
        let values = row.iter().copied().chain([score]);
        if self.spread.is_empty() {
            self.first.push(values.collect());
            if self.first.len() >= STRETCH {
                let first = std::mem::take(&mut self.first);
                let column = |place: usize| first.iter().map(|row| row[place]).collect::<Vec<_>>();
                self.spread = (0..=WIDTH).map(|place| Psi::new(&column(place), BINS)).collect();
            }
            return;
        }
        for (psi, value) in self.spread.iter_mut().zip(values) {
            psi.take(value);
        }
        self.taken += 1;
        if self.taken >= STRETCH {
            self.look();
        }
    }

    /// A stretch is over.
    fn look(&mut self) {
        self.taken = 0;
        if let Some(scores) = self.spread.last() {
            self.index = scores.index().unwrap_or(0.0);
            self.stability = Some(scores.stability());
        }
        let moved = self.spread.iter().zip(TABLE).enumerate();
        let moved = moved.filter(|(_, (_, feature))| feature.family != Family::News);
        let moved = moved.map(|(place, (psi, _))| (place, psi));
        let moved = moved.filter(|(_, psi)| psi.stability() >= Stability::Moved);
        let moved = moved.filter_map(|(place, psi)| Some((place, psi.index()?)));
        self.most = moved.max_by(|a, b| a.1.total_cmp(&b.1));
        self.spread.iter_mut().for_each(Psi::forget);
    }

    /// Population stability index of the scores over the last stretch; 0 before the first.
    pub const fn index(&self) -> f64 {
        self.index
    }

    /// What the rule of thumb says of it.
    pub fn stability(&self) -> Stability {
        self.stability.unwrap_or(Stability::TooFew)
    }

    /// The feature that moved most over the last stretch, by its column, and its index, where one has
    /// moved.
    pub const fn most(&self) -> Option<(usize, f64)> {
        self.most
    }

    /// How often ADWIN told of a device of this group.
    pub const fn changes(&self) -> u64 {
        self.changes
    }
}

impl Drifting {
    /// A window after teaching that nobody objects to; `changed` says that ADWIN told of its device.
    pub(super) fn take(&mut self, group: &str, row: &Row, score: f32, changed: bool) {
        for name in [group, SITE] {
            if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(name) {
                continue;
            }
            if !self.groups.contains_key(name) {
                self.groups.insert(name.to_owned(), Group::default());
            }
            if let Some(group) = self.groups.get_mut(name) {
                group.changes += u64::from(changed);
                group.take(row, score);
            }
        }
    }

    /// Groups of which there was at least one stretch, or a change, by name.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &Group)> {
        let told = self.groups.iter().filter(|(_, one)| one.stability.is_some() || one.changes > 0);
        told.map(|(name, group)| (name.as_str(), group))
    }
}

#[cfg(test)]
mod tests {
    use ml::Chance;

    use super::*;

    fn days(drifting: &mut Drifting, chance: &mut Chance, stretches: usize, shift: f64) {
        for _ in 0..stretches * STRETCH {
            let mut row = [0.0; WIDTH];
            row[3] = (chance.normal() + shift) as f32;
            drifting.take("pump/quiet", &row, chance.unit() as f32, false);
        }
    }

    #[test]
    fn what_moved_is_named_and_what_did_not_is_stable() {
        let (mut drifting, mut chance) = (Drifting::default(), Chance::new(7));
        days(&mut drifting, &mut chance, 1, 0.0);
        assert_eq!(drifting.groups().count(), 0, "a reference alone says nothing");
        days(&mut drifting, &mut chance, 3, 0.0);
        let (name, group) = drifting.groups().next().expect("a group");
        assert_eq!(
            (name, group.stability(), group.most()),
            ("pump/quiet", Stability::Stable, None)
        );
        days(&mut drifting, &mut chance, 1, 1.0);
        for (name, group) in drifting.groups() {
            assert_eq!(group.most().map(|most| most.0), Some(3), "{name}");
            assert_eq!(group.stability(), Stability::Stable, "the scores did not move");
        }
        days(&mut drifting, &mut chance, 1, 0.0);
        assert!(drifting.groups().all(|(_, group)| group.most().is_none()), "it came back");
    }

    #[test]
    fn groups_have_a_bound_and_changes_are_counted() {
        let mut drifting = Drifting::default();
        for group in 0..1_000 {
            drifting.take(&format!("g{group}"), &[0.0; WIDTH], 0.0, group == 5);
        }
        assert!(drifting.groups.len() <= MOST_GROUPS);
        let changed: Vec<_> = drifting.groups().map(|(name, one)| (name, one.changes())).collect();
        assert_eq!(changed, [("g5", 1), (SITE, 1)]);
    }
}
