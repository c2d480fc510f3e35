//! Why a window is strange: which features, observed against expected, and the nearest normal one.

use assets::DeviceIx;
use ml::trees::Part;
use model::time::Timestamp;

use super::Behaved;
use super::knowledge::{Knowledge, feature_of, tree_row};
use super::models::{Models, Which};
use super::standard::{Moments, Usual};
use crate::features::{TABLE, WIDTH, WINDOW};

/// Most features named.
const NAMED: usize = 5;

/// One feature that tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// Its place in the table of features.
    pub column: usize,
    /// What it was, in the feature's unit.
    pub observed: f32,
    /// What is usual for the device.
    pub expected: f32,
    /// Its share, 0 to 1.
    pub weight: f32,
}

/// Why a window is strange.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// The model that found it strangest.
    pub model: Which,
    /// Features, the heaviest first.
    pub reasons: Vec<Reason>,
    /// The family of attacks that it resembles, and how much (0 to 1).
    pub family: Option<(String, f32)>,
    /// The normal window that is most like it: whose, and when it ended.
    pub nearest: Option<(DeviceIx, Timestamp)>,
}

/// What a window is called in the memory of a model: its device and its number in time.
pub(super) fn tag(device: DeviceIx, end: Timestamp) -> u64 {
    let length = i64::try_from(WINDOW.as_nanos()).unwrap_or(i64::MAX);
    let number = end.nanos().div_euclid(length).clamp(0, (1 << 40) - 1).cast_unsigned();
    u64::from(device.0) << 40 | number
}

fn of_tag(tag: u64) -> (DeviceIx, Timestamp) {
    let length = i64::try_from(WINDOW.as_nanos()).unwrap_or(i64::MAX);
    let number = (tag & ((1 << 40) - 1)).cast_signed();
    let device = u32::try_from(tag >> 40).unwrap_or(u32::MAX);
    (DeviceIx(device), Timestamp::from_nanos(number.saturating_mul(length)))
}

pub(super) fn why(
    behaved: &Behaved,
    usual: &Usual,
    models: &Models,
    knowledge: Option<&Knowledge>,
) -> Why {
    let trees = tree_row(&behaved.standard, &behaved.scores, &behaved.row);
    let likely = knowledge.map_or(0.0, |knowledge| knowledge.likely);
    let by_trees = behaved.attack.is_some_and(|attack| attack + likely >= behaved.score - 1e-4);
    let mut parts: Vec<(usize, f32)> = Vec::new();
    let mut model = Which::Trees;
    if by_trees && let Some(knowledge) = knowledge {
        let mut out: Vec<Part> = Vec::new();
        if knowledge.attack.explain(&trees, 0, &mut out).is_ok() {
            let whole: f32 = out.iter().map(|part| part.amount.max(0.0)).sum();
            // A feature counts as one, in units of the device and as it is.
            let mut sums = [0.0; WIDTH];
            for part in &out {
                if let Some(column) = feature_of(part.column) {
                    sums[column] += part.amount;
                }
            }
            let of_row = sums.into_iter().enumerate().filter(|(_, amount)| *amount > 0.0);
            parts.extend(of_row.map(|(column, amount)| (column, amount / whole.max(1e-6))));
            parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
    } else {
        let strangest = (0..behaved.scores.len())
            .max_by(|a, b| behaved.scores[*a].total_cmp(&behaved.scores[*b]))
            .unwrap_or(0);
        model = Which::OF_NORMAL[strangest];
        let explained = models.explain(behaved.class, model, &behaved.standard);
        parts.extend(explained.iter().map(|part| (part.column, part.weight)));
    }
    if parts.is_empty() {
        let sizes = behaved.standard.iter().enumerate();
        parts.extend(sizes.map(|(column, size)| (column, size.abs() / WIDTH as f32)));
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    }
    let reasons = parts.into_iter().take(NAMED).map(|(column, weight)| Reason {
        column,
        observed: behaved.row[column],
        expected: usual.mean(column),
        weight: weight.clamp(0.0, 1.0),
    });
    Why {
        model,
        reasons: reasons.collect(),
        family: knowledge
            .and_then(|knowledge| knowledge.family(&trees))
            .map(|(name, share)| (name.to_owned(), share)),
        nearest: models.nearest(behaved.class, &behaved.standard).map(of_tag),
    }
}

/// The features that changed most between what was usual and what is lately.
pub(super) fn change(usual: &Moments, lately: &Moments) -> Vec<Reason> {
    let sizes = (0..WIDTH).map(|column| {
        let off = lately.mean()[column] - usual.mean()[column];
        (column, off.abs() / (usual.deviation(column) + TABLE[column].floor))
    });
    let mut sizes: Vec<_> = sizes.filter(|(_, size)| *size > 0.5).collect();
    sizes.sort_by(|a, b| b.1.total_cmp(&a.1));
    let whole: f32 = sizes.iter().map(|(_, size)| size).sum();
    let named = sizes.into_iter().take(NAMED).map(|(column, size)| Reason {
        column,
        observed: lately.mean()[column],
        expected: usual.mean()[column],
        weight: size / whole.max(1e-6),
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_found_again_by_its_tag() {
        let end = Timestamp::from_parts(1_795_435_810, 0);
        assert_eq!(of_tag(tag(DeviceIx(77), end)), (DeviceIx(77), end));
    }
}
