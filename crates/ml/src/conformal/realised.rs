//! Promised against kept: how often normal rows fell to each level, by group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::intervals::{CONFIDENCE, Estimate, clopper_pearson};

/// Expected alarms below which a ratio of realised to nominal says nothing.
const EXPECTED: f64 = 5.0;

/// Counts by group and nominal level, of everything and of the latest rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Realised {
    levels: Vec<f64>,
    window: u64,
    most_groups: usize,
    groups: BTreeMap<String, Group>,
    /// Rows of groups for which there was no room.
    untold: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Group {
    all: Counts,
    /// The window that is being filled, and the one before.
    windows: [Counts; 2],
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Counts {
    rows: u64,
    /// One count for each level.
    reached: Vec<u64>,
}

impl Counts {
    fn take(&mut self, p: f64, levels: &[f64]) {
        self.rows += 1;
        self.reached.resize(levels.len(), 0);
        for (count, level) in self.reached.iter_mut().zip(levels) {
            *count += u64::from(p <= *level);
        }
    }

    fn at(&self, place: usize) -> u64 {
        self.reached.get(place).copied().unwrap_or_default()
    }
}

impl Realised {
    /// Counts at these nominal levels, in up to `most_groups` groups. What is "latest" is between one
    /// and two times `window` rows.
    pub fn new(levels: &[f64], window: u64, most_groups: usize) -> Self {
        let levels = levels.iter().copied().filter(|level| *level > 0.0).collect();
        Self { levels, window: window.max(1), most_groups, groups: BTreeMap::new(), untold: 0 }
    }

    /// Takes the p-value of a normal row of a group, before anything is learned from it.
    pub fn take(&mut self, group: &str, p: f64) {
        if !self.groups.contains_key(group) {
            if self.groups.len() >= self.most_groups {
                self.untold += 1;
                return;
            }
            self.groups.insert(group.to_owned(), Group::default());
        }
        let Some(counts) = self.groups.get_mut(group) else { return };
        counts.all.take(p, &self.levels);
        if counts.windows[0].rows >= self.window {
            counts.windows[1] = std::mem::take(&mut counts.windows[0]);
        }
        counts.windows[0].take(p, &self.levels);
    }

    /// Realised over nominal rate at a level, with Clopper and Pearson's interval: 1 is right. Too
    /// few where fewer than five alarms are expected. `None` for a group or a level that is not
    /// counted.
    pub fn ratio(&self, group: &str, level: f64) -> Option<Estimate> {
        let (place, counts) = self.find(group, level)?;
        Some(ratio(counts.all.at(place), counts.all.rows, level))
    }

    /// The same of the latest rows alone.
    pub fn latest(&self, group: &str, level: f64) -> Option<Estimate> {
        let (place, counts) = self.find(group, level)?;
        let [one, other] = &counts.windows;
        Some(ratio(one.at(place) + other.at(place), one.rows + other.rows, level))
    }

    fn find(&self, group: &str, level: f64) -> Option<(usize, &Group)> {
        let place = self.levels.iter().position(|followed| *followed == level)?;
        Some((place, self.groups.get(group)?))
    }

    /// Names of the groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// The nominal levels.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// Rows that were not counted since there were too many groups.
    pub const fn untold(&self) -> u64 {
        self.untold
    }
}

/// Realised over nominal, of a count of rows at or below a level.
pub(super) fn ratio(reached: u64, rows: u64, level: f64) -> Estimate {
    let needed = (EXPECTED / level).ceil() as u64;
    if rows < needed {
        return Estimate::TooFew { count: rows, needed };
    }
    let (low, high) = clopper_pearson(reached, rows, CONFIDENCE);
    let value = reached as f64 / rows as f64;
    Estimate::Known { value, low, high, count: rows }.times(1.0 / level)
}
