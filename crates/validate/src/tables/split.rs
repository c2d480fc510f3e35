//! Rows to learn from, and rows to be judged by.

use std::collections::BTreeMap;

use ml::Chance;
use serde::{Deserialize, Serialize};

use super::TableError;
use super::column::Table;

/// How a table is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Learned from one file, judged by another.
    #[default]
    Official,
    /// A quarter of the rows, by chance: the kindest way, and the least telling.
    Random,
    /// A quarter of the groups (devices, sites), by chance.
    Group,
    /// The last quarter of the time.
    Time,
    /// Each kind of attack in turn is judged by a training that never saw it.
    LeaveOneAttackOut,
    /// Each group in turn is judged by a training that never saw it.
    LeaveOneGroupOut,
}

/// Groups that are left out in turn at most; more are put together.
const MOST_TURNS: usize = 20;

/// Rows to learn from and rows to be judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fold {
    /// What is left out: a kind of attack or a group; empty in splits without turns.
    pub left_out: String,
    /// Rows to learn from.
    pub learned: Vec<u32>,
    /// Rows to be judged by.
    pub judged: Vec<u32>,
}

/// Cuts a table. A share is by whole groups or by chance; nothing is in both parts of a fold.
///
/// # Errors
/// When the split needs a test half, groups or times that are not there.
pub fn folds(table: &Table, split: Split, seed: u64) -> Result<Vec<Fold>, TableError> {
    let mut chance = Chance::new(seed);
    let all: Vec<u32> = (0..table.rows() as u32).collect();
    let one = |judged: &dyn Fn(u32) -> bool| {
        let (judged, learned) = all.iter().copied().partition(|row| judged(*row));
        vec![Fold { left_out: String::new(), learned, judged }]
    };
    let grouped = match table.groups.is_empty() {
        true => Err(TableError::Split("the column of groups: --group")),
        false => Ok(()),
    };
    Ok(match split {
        Split::Official => {
            if table.test >= table.rows() {
                return Err(TableError::Split("the test half: --test"));
            }
            one(&|row| row as usize >= table.test)
        }
        Split::Random => {
            let judged: Vec<bool> = all.iter().map(|_| chance.unit() < 0.25).collect();
            one(&|row| judged[row as usize])
        }
        Split::Time => {
            let mut times = table.times.clone();
            if times.is_empty() {
                return Err(TableError::Split("the column of times: --time"));
            }
            times.sort_unstable_by(f64::total_cmp);
            let since = times[times.len() * 3 / 4];
            one(&|row| table.times[row as usize] >= since)
        }
        Split::Group => {
            grouped?;
            let turns = turns(table, 4, &mut chance);
            one(&|row| turns.get(&table.groups[row as usize]) == Some(&0))
        }
        Split::LeaveOneGroupOut => {
            grouped?;
            let turns = turns(table, MOST_TURNS, &mut chance);
            by_group(table, &all, &turns)
        }
        Split::LeaveOneAttackOut => by_attack(table, &all, &mut chance),
    })
}

/// The turn of each group: by chance, and as even as may be.
fn turns(table: &Table, most: usize, chance: &mut Chance) -> BTreeMap<u32, usize> {
    let mut groups = table.groups.clone();
    groups.sort_unstable();
    groups.dedup();
    chance.shuffle(&mut groups);
    groups.into_iter().enumerate().map(|(at, group)| (group, at % most)).collect()
}

fn by_group(table: &Table, all: &[u32], turns: &BTreeMap<u32, usize>) -> Vec<Fold> {
    let count = turns.values().max().map_or(0, |last| last + 1);
    let fold = |turn: usize| {
        let mine = |row: &u32| turns.get(&table.groups[*row as usize]) == Some(&turn);
        let (judged, learned) = all.iter().copied().partition(mine);
        let of_turn = turns.iter().filter(|(_, other)| **other == turn);
        let names = of_turn.map(|(group, _)| {
            table.group_names.get(*group as usize).map_or("others", String::as_str)
        });
        Fold { left_out: names.collect::<Vec<_>>().join(", "), learned, judged }
    };
    (0..count).map(fold).collect()
}

/// Each kind of attack with a share of the normal rows, and both kept from training.
fn by_attack(table: &Table, all: &[u32], chance: &mut Chance) -> Vec<Fold> {
    let mut kinds: Vec<u32> = table.labels.clone();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.retain(|kind| *kind != table.normal);
    let parts = kinds.len().clamp(5, MOST_TURNS);
    let part: Vec<usize> = all.iter().map(|_| chance.below(parts)).collect();
    let fold = |(at, kind): (usize, u32)| {
        let aside = |row: &u32| !table.attack(*row) && part[*row as usize] == at % parts;
        let mine = |row: &u32| table.labels[*row as usize] == kind || aside(row);
        let (judged, learned) = all.iter().copied().partition(mine);
        Fold { left_out: table.kinds[kind as usize].clone(), learned, judged }
    };
    kinds.into_iter().enumerate().map(fold).collect()
}
