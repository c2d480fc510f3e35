//! Rows that stand in a table more than once, and stretches of it that hold only one label.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Sign};
use crate::tables::column::Table;
use crate::tables::split::Fold;

/// Share of judged rows that may stand in training too: these are measured apart.
const MOST_REPEATED: f64 = 0.01;

/// Share of judged rows that may nearly stand in training too.
const MOST_NEAR: f64 = 0.1;

/// Share of rows that may stand in the table with two labels.
const MOST_CONFLICTS: f64 = 0.01;

/// Share of rows that may lie in groups or stretches of time with only one label.
const MOST_ONE_LABEL: f64 = 0.5;

/// Stretches that the time of a table is cut into.
const STRETCHES: usize = 20;

/// Rows of training that stand there twice, and judged rows that stand in training.
pub(super) fn repeated(table: &Table, folds: &[Fold]) -> Vec<Finding> {
    let (mut twice, mut again, mut near, mut learned, mut judged) = (0, 0, 0, 0, 0_usize);
    for fold in folds {
        let of = |rows: &[u32], prints: &[u64]| -> BTreeSet<u64> {
            rows.iter().map(|row| prints[*row as usize]).collect()
        };
        let (exact, nearly) = (of(&fold.learned, &table.exact), of(&fold.learned, &table.near));
        twice = twice.max(fold.learned.len() - exact.len());
        learned = learned.max(fold.learned.len());
        judged += fold.judged.len();
        for row in &fold.judged {
            let same = exact.contains(&table.exact[*row as usize]);
            again += usize::from(same);
            near += usize::from(!same && nearly.contains(&table.near[*row as usize]));
        }
    }
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let mut out = Vec::new();
    if twice > 0 {
        let figure = share(twice, learned);
        let says = format!(
            "{twice} rows to learn from ({:.1} %) stand there already: they are learned once",
            figure * 100.0
        );
        out.push(Finding::of_rows(Sign::Duplicates, false, (twice as u64, figure), says));
    }
    let across = [
        (Sign::Repeated, again, MOST_REPEATED, "also stand in training: they are measured apart"),
        (Sign::NearlyRepeated, near, MOST_NEAR, "stand in training but for the third digit"),
    ];
    for (sign, count, most, how) in across.into_iter().filter(|(_, count, ..)| *count > 0) {
        let figure = share(count, judged);
        let says = format!("{count} rows to be judged by ({:.1} %) {how}", figure * 100.0);
        out.push(Finding::of_rows(sign, figure > most, (count as u64, figure), says));
    }
    out
}

/// Rows that are normal and an attack.
pub(super) fn conflicts(table: &Table) -> Option<Finding> {
    let mut labels: BTreeMap<u64, [u64; 2]> = BTreeMap::new();
    for row in 0..table.rows() as u32 {
        labels.entry(table.exact[row as usize]).or_default()[usize::from(table.attack(row))] += 1;
    }
    let both = labels.values().filter(|counts| counts.iter().all(|count| *count > 0));
    let count: u64 = both.map(|counts| counts.iter().sum::<u64>()).sum();
    let figure = count as f64 / table.rows().max(1) as f64;
    let says = format!(
        "{count} rows ({:.1} %) stand in the table as normal and as an attack: they are kept from \
         training, and nobody can judge them rightly",
        figure * 100.0
    );
    let found = Finding::of_rows(Sign::Conflict, figure > MOST_CONFLICTS, (count, figure), says);
    (count > 0).then_some(found)
}

/// Groups and stretches of time that hold only one label.
pub(super) fn one_label(table: &Table) -> Vec<Finding> {
    let mut out = Vec::new();
    let groups = table.groups.iter().map(|group| *group as usize);
    out.extend(pure(table, groups, Sign::OneLabelGroups, "groups"));
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for time in &table.times {
        (low, high) = (low.min(*time), high.max(*time));
    }
    let width = (high - low) / STRETCHES as f64;
    let stretch = |time: &f64| (((time - low) / width) as usize).min(STRETCHES - 1);
    let what = "stretches of time (twentieths)";
    out.extend(pure(table, table.times.iter().map(stretch), Sign::OneLabelTimes, what));
    out
}

fn pure(
    table: &Table,
    parts: impl Iterator<Item = usize>,
    sign: Sign,
    what: &str,
) -> Option<Finding> {
    let mut labels: BTreeMap<usize, [u64; 2]> = BTreeMap::new();
    for (row, part) in parts.enumerate() {
        labels.entry(part).or_default()[usize::from(table.attack(row as u32))] += 1;
    }
    let pure: Vec<u64> = labels
        .values()
        .filter(|counts| counts.contains(&0))
        .map(|counts| counts.iter().sum())
        .collect();
    let (count, rows) = (pure.len(), pure.iter().sum::<u64>());
    let figure = rows as f64 / table.rows().max(1) as f64;
    let says = format!(
        "{count} of {} {what} hold only one label, and {:.1} % of the rows: whoever recognises them \
         needs no model",
        labels.len(),
        figure * 100.0
    );
    let refused = figure > MOST_ONE_LABEL;
    (count > 0).then(|| Finding::of_rows(sign, refused, (count as u64, figure), says))
}
