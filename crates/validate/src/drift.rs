//! Drift in a validation: normal life of the second half of a site's time held against the first.
//!
//! By group of calibration: the population stability index of every feature, and how often ADWIN told
//! of a device. Hospitals of normal life only ought to be stable; where a folder of somebody's own is
//! not, what is learned there in a morning does not hold in the afternoon. Features of news are left
//! out: how much is new falls by itself.

use std::collections::BTreeMap;

use learn::features::{Family, TABLE};
use ml::drift::{Psi, Stability};
use ml::intervals::quantile;

use crate::evaluation::Label;
use crate::hospitals::Watched;
use crate::report::Drift;

/// Rows that are kept of a site for each half of a group.
const ROWS: usize = 256;
/// Bins of an index.
const BINS: usize = 10;
/// Columns of a group that are told of.
const TOLD: usize = 3;

/// Rows of a group.
#[derive(Clone, Debug, Default)]
struct Group {
    halves: [Vec<Vec<f32>>; 2],
    changes: u64,
}

/// Normal life of sites, in two halves of their time.
#[derive(Clone, Debug, Default)]
pub struct Halves(BTreeMap<String, Group>);

impl Halves {
    /// Those of one site.
    pub fn of(watched: &Watched) -> Self {
        let from = watched.site.learn_until;
        let (_, to) = watched.seen.summary.span.unwrap_or_default();
        let middle = from.seconds_f64() + to.seconds_since(from) / 2.0;
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let normal = watched.seen.windows.iter().filter(|one| {
            one.behaved.end > from && watched.labels.of(one.ip, one.behaved.end) == Label::Normal
        });
        for one in normal {
            let group = groups.entry(one.behaved.group.clone()).or_default();
            let half = usize::from(one.behaved.end.seconds_f64() > middle);
            group.halves[half].push(one.behaved.row.to_vec());
            group.changes += u64::from(!one.behaved.changed.is_empty());
        }
        for group in groups.values_mut() {
            group.halves.iter_mut().for_each(thin);
        }
        // Devices that have just come are in a group of their own, whatever they do later.
        groups.retain(|name, _| !name.starts_with("new/"));
        Self(groups)
    }

    /// Adds those of another site.
    pub fn add(&mut self, other: Self) {
        for (name, group) in other.0 {
            let mine = self.0.entry(name).or_default();
            mine.changes += group.changes;
            for (mine, rows) in mine.halves.iter_mut().zip(group.halves) {
                mine.extend(rows);
            }
        }
    }

    /// By group, what moved most; a group in which nothing did has one line that says so.
    pub fn table(&self) -> Vec<Drift> {
        self.0.iter().flat_map(|(name, group)| group.told(name)).collect()
    }
}

/// Keeps evenly spread rows.
fn thin(rows: &mut Vec<Vec<f32>>) {
    let step = rows.len().div_ceil(ROWS).max(1);
    *rows = rows.drain(..).step_by(step).collect();
}

impl Group {
    fn column(&self, half: usize, column: usize) -> Vec<f32> {
        self.halves[half].iter().filter_map(|row| row.get(column)).copied().collect()
    }

    fn told(&self, name: &str) -> Vec<Drift> {
        let median = |values: &[f32]| {
            let mut values: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
            values.sort_unstable_by(f64::total_cmp);
            quantile(&values, 0.5).unwrap_or(0.0)
        };
        let plain = TABLE.iter().enumerate().filter(|(_, one)| one.family != Family::News);
        let mut columns: Vec<Drift> = plain
            .map(|(place, feature)| {
                let (then, now) = (self.column(0, place), self.column(1, place));
                let mut psi = Psi::new(&then, BINS);
                now.iter().for_each(|value| psi.take(*value));
                Drift {
                    group: name.to_owned(),
                    column: format!("{} ({})", feature.name, feature.unit),
                    before: median(&then),
                    after: median(&now),
                    index: psi.index(),
                    stability: psi.stability(),
                    changes: self.changes,
                }
            })
            .collect();
        columns.sort_by(|a, b| b.index.unwrap_or(0.0).total_cmp(&a.index.unwrap_or(0.0)));
        let moved = columns.iter().filter(|one| one.stability >= Stability::Moved).count();
        // The largest index stands for the group where none of them is a move.
        columns.truncate(moved.clamp(1, TOLD));
        columns
    }
}

#[cfg(test)]
mod tests {
    use learn::features::WIDTH;
    use ml::Chance;

    use super::*;

    fn halves(shift: f32) -> Halves {
        let mut chance = Chance::new(3);
        let mut rows = |shift: f32| -> Vec<Vec<f32>> {
            let mut row = || {
                let mut row = vec![0.0; WIDTH];
                row[2] = chance.unit() as f32 + shift;
                row
            };
            (0..1_000).map(|_| row()).collect()
        };
        let mut group = Group { halves: [rows(0.0), rows(shift)], changes: 2 };
        group.halves.iter_mut().for_each(thin);
        Halves(BTreeMap::from([("pump/quiet".to_owned(), group)]))
    }

    #[test]
    fn a_group_that_moved_is_told_with_what_moved_and_one_that_did_not_with_one_line() {
        let told = halves(0.5).table();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].column.starts_with(TABLE[2].name) && told[0].group == "pump/quiet");
        assert!(told[0].stability == Stability::Different && told[0].changes == 2, "{told:?}");
        assert!((told[0].after - told[0].before - 0.5).abs() < 0.1, "{told:?}");
        let told = halves(0.0).table();
        assert!(told.len() == 1 && told[0].stability == Stability::Stable, "{told:?}");
    }

    #[test]
    fn few_windows_are_too_few_to_say_and_sites_add_up() {
        let few = Group { halves: [vec![vec![1.0; WIDTH]], vec![vec![9.0; WIDTH]]], changes: 0 };
        let mut all = Halves(BTreeMap::from([("ct/quiet".to_owned(), few)]));
        assert!(all.table().iter().all(|one| one.stability == Stability::TooFew));
        let one = halves(0.5);
        all.add(one.clone());
        all.add(one);
        let groups: Vec<_> = all.table().into_iter().map(|one| (one.group, one.changes)).collect();
        assert_eq!(groups, [("ct/quiet".to_owned(), 0), ("pump/quiet".to_owned(), 4)]);
    }
}
