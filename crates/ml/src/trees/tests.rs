//! What must hold of any trees.

use proptest::prelude::*;

use super::{Early, Rows, TreeError, TreeSettings, Trees};
use crate::Chance;

/// Rows of four columns: two that decide, one of chance, one constant; some values are missing.
fn made(count: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
    let mut chance = Chance::new(seed);
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (a, b) = (chance.unit() as f32, chance.normal() as f32);
        let missing = chance.unit() < 0.1;
        let label = u32::from(a > 0.6) + u32::from(b > 0.5);
        rows.extend([if missing { f32::NAN } else { a }, b, chance.unit() as f32, 7.0]);
        labels.push(label);
    }
    (rows, labels)
}

fn few() -> TreeSettings {
    TreeSettings { rounds: 12, leaves: 8, row_share: 0.8, column_share: 0.8, ..Default::default() }
}

fn binary(labels: &[u32]) -> Vec<u32> {
    labels.iter().map(|label| (*label).min(1)).collect()
}

fn scores(trees: &Trees, rows: &[f32]) -> Vec<f32> {
    let mut out = Vec::new();
    trees.scores(Rows::new(rows, trees.width()).unwrap(), &mut out).unwrap();
    out
}

/// How often the likeliest class is the right one.
fn right(trees: &Trees, rows: &[f32], labels: &[u32]) -> f64 {
    let mut out = Vec::new();
    trees.probabilities(Rows::new(rows, trees.width()).unwrap(), &mut out).unwrap();
    let hits = out.chunks(trees.outputs()).zip(labels).filter(|(shares, label)| {
        let best = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap();
        let best = if shares.len() == 1 { usize::from(shares[0] > 0.5) } else { best };
        best == **label as usize
    });
    hits.count() as f64 / labels.len() as f64
}

#[test]
fn two_classes_and_three_are_told_apart_on_rows_never_seen() {
    let ((rows, labels), (others, truth)) = (made(2_000, 1), made(500, 2));
    let all = Rows::new(&rows, 4).unwrap();
    let two = Trees::train(all, &binary(&labels), None, &few()).unwrap();
    assert!(right(&two, &others, &binary(&truth)) > 0.93);
    let settings = TreeSettings { classes: 3, ..few() };
    let three = Trees::train(all, &labels, None, &settings).unwrap();
    assert!(right(&three, &others, &truth) > 0.92);
    assert_eq!((two.len(), three.len(), three.outputs()), (12, 36, 3));
}

#[test]
fn whether_a_value_is_missing_can_decide_alone() {
    let rows: Vec<f32> =
        (0..200).map(|at| if at % 2 == 0 { f32::NAN } else { at as f32 }).collect();
    let labels: Vec<u32> = (0..200).map(|at| at % 2).collect();
    let trees = Trees::train(Rows::new(&rows, 1).unwrap(), &labels, None, &few()).unwrap();
    let scores = scores(&trees, &[f32::NAN, 1e9, -1e9]);
    assert!(scores[0] < -1.0 && scores[1] > 1.0 && scores[2] > 1.0, "{scores:?}");
}

#[test]
fn columns_that_never_change_give_no_split() {
    let labels: Vec<u32> = (0..50).map(|at| u32::from(at < 10)).collect();
    let trees = Trees::train(Rows::new(&[3.0; 100], 2).unwrap(), &labels, None, &few()).unwrap();
    let one = scores(&trees, &[3.0, 3.0])[0];
    assert!(scores(&trees, &[f32::NAN, -9.0, 1e30, 0.0]).iter().all(|score| *score == one));
    let mut parts = Vec::new();
    trees.explain(&[3.0, 3.0], 0, &mut parts).unwrap();
    assert!(parts.is_empty());
}

#[test]
fn weights_move_the_score_to_where_they_lie() {
    let labels: Vec<u32> = (0..100).map(|at| at % 2).collect();
    let rows = vec![1.0; 100];
    let rows = Rows::new(&rows, 1).unwrap();
    let heavy = TreeSettings { class_weights: vec![1.0, 9.0], ..few() };
    let by_class = Trees::train(rows, &labels, None, &heavy).unwrap();
    let weights: Vec<f32> = labels.iter().map(|label| 1.0 + 8.0 * *label as f32).collect();
    let by_row = Trees::train(rows, &labels, Some(&weights), &few()).unwrap();
    let mut out = Vec::new();
    by_class.probabilities(Rows::new(&[1.0], 1).unwrap(), &mut out).unwrap();
    assert!((out[0] - 0.9).abs() < 0.01, "{out:?}");
    assert_eq!(by_class, by_row);
}

#[test]
fn training_stops_when_rows_kept_aside_get_no_better() {
    let mut chance = Chance::new(5);
    let rows: Vec<f32> = (0..600).map(|_| chance.unit() as f32).collect();
    let labels: Vec<u32> = (0..600).map(|_| chance.below(2) as u32).collect();
    let early = Some(Early { share: 0.3, patience: 5 });
    let settings = TreeSettings { rounds: 500, early, rate: 0.3, ..few() };
    let trees = Trees::train(Rows::new(&rows, 1).unwrap(), &labels, None, &settings).unwrap();
    assert!(trees.len() < 50, "noise was learned by heart in {} trees", trees.len());
}

#[test]
fn what_cannot_be_learned_from_is_refused_by_name() {
    let rows = Rows::new(&[1.0, 2.0], 1).unwrap();
    let train = |labels: &[u32], weights: Option<&[f32]>, settings: &TreeSettings| {
        Trees::train(rows, labels, weights, settings).unwrap_err()
    };
    let settings = few();
    assert_eq!(Rows::new(&[1.0], 0).unwrap_err(), TreeError::NoColumns);
    assert_eq!(Rows::new(&[1.0; 3], 2).unwrap_err(), TreeError::Ragged { values: 3, width: 2 });
    assert_eq!(Rows::new(&[], 70_000).unwrap_err(), TreeError::TooWide { columns: 70_000 });
    let none = Trees::train(Rows::new(&[], 1).unwrap(), &[], None, &settings).unwrap_err();
    assert_eq!(none, TreeError::NoRows);
    assert_eq!(train(&[0], None, &settings), TreeError::Labels { rows: 2, labels: 1 });
    assert_eq!(
        train(&[0, 2], None, &settings),
        TreeError::BadLabel { row: 1, label: 2, classes: 2 }
    );
    assert_eq!(train(&[1, 1], None, &settings), TreeError::OneClass);
    assert_eq!(train(&[0, 1], Some(&[1.0, 0.0]), &settings), TreeError::OneClass);
    assert!(matches!(
        train(&[0, 1], Some(&[1.0, f32::NAN]), &settings),
        TreeError::BadWeight { at: 1, .. }
    ));
    let wrong = TreeSettings { rate: f32::NAN, ..few() };
    assert!(matches!(train(&[0, 1], None, &wrong), TreeError::Setting { name: "rate", .. }));
    let trees = Trees::train(rows, &[0, 1], None, &settings).unwrap();
    let mut out = Vec::new();
    let wide = Rows::new(&[1.0, 2.0], 2).unwrap();
    assert_eq!(trees.scores(wide, &mut out), Err(TreeError::Width { expected: 1, given: 2 }));
}

#[test]
fn saved_trees_that_lead_nowhere_are_refused() {
    let (rows, labels) = made(300, 4);
    let rows = Rows::new(&rows, 4).unwrap();
    let trees = Trees::train(rows, &binary(&labels), None, &few()).unwrap();
    let good = serde_json::to_value(&trees).unwrap();
    let spoil = |pointer: &str, to: u64| {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = to.into();
        serde_json::from_value::<Trees>(bad).unwrap_err().to_string()
    };
    assert!(spoil("/trees/0/0/0/left", 60_000).contains("leads nowhere"));
    assert!(spoil("/trees/0/0/0/column", 4).contains("no column"));
    assert!(spoil("/classes", 3).contains("do not fit"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_same_rows_give_the_same_trees_bit_for_bit_also_when_saved(seed in any::<u64>()) {
        let (rows, labels) = made(150, seed);
        let settings = TreeSettings { classes: 3, rounds: 4, seed, ..few() };
        let all = Rows::new(&rows, 4).unwrap();
        let Ok(trees) = Trees::train(all, &labels, None, &settings) else { return Ok(()) };
        prop_assert_eq!(&trees, &Trees::train(all, &labels, None, &settings).unwrap());
        let text = serde_json::to_string(&trees).unwrap();
        let loaded: Trees = serde_json::from_str(&text).unwrap();
        let bits = |trees: &Trees| {
            scores(trees, &rows).into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        prop_assert_eq!(bits(&trees), bits(&loaded));
        prop_assert_eq!(trees, loaded);
    }

    #[test]
    fn stretching_a_column_without_changing_its_order_changes_no_score(seed in any::<u64>()) {
        let (rows, labels) = made(120, seed);
        let labels = binary(&labels);
        // Values are rounded first, so that stretching keeps those apart that are.
        let rows: Vec<f32> = rows.iter().map(|x| (x * 64.0).round()).collect();
        let stretched: Vec<f32> = rows.iter().map(|x| x * x * x + 5.0 * x - 3.0).collect();
        let grow = |rows: &[f32]| {
            Trees::train(Rows::new(rows, 4).unwrap(), &labels, None, &few())
                .map(|trees| scores(&trees, rows))
        };
        prop_assert_eq!(grow(&rows), grow(&stretched));
    }

    #[test]
    fn what_columns_added_sums_to_the_score(seed in any::<u64>(), classes in 2_u32..4) {
        let (rows, labels) = made(100, seed);
        let labels: Vec<u32> = labels.iter().map(|label| label % classes).collect();
        let settings = TreeSettings { classes, ..few() };
        let all = Rows::new(&rows, 4).unwrap();
        let Ok(trees) = Trees::train(all, &labels, None, &settings) else { return Ok(()) };
        let scores = scores(&trees, &rows);
        let mut parts = Vec::new();
        for (row, scores) in all.iter().zip(scores.chunks(trees.outputs())) {
            for (output, score) in scores.iter().enumerate() {
                let base = trees.explain(row, output, &mut parts).unwrap();
                let sum = base + parts.iter().map(|part| part.amount).sum::<f32>();
                prop_assert!((sum - score).abs() < 1e-4, "{sum} is not {score}");
                prop_assert!(parts.is_sorted_by(|a, b| a.amount >= b.amount));
            }
        }
    }

    #[test]
    fn any_numbers_can_be_learned_from_and_scored(
        values in prop::collection::vec(prop::num::f32::ANY, 1..200),
        width in 1_usize..5,
        seed in any::<u64>(),
        bins in 2_u16..=255,
    ) {
        let whole = values.len() / width * width;
        let rows = Rows::new(&values[..whole], width).unwrap();
        let mut chance = Chance::new(seed);
        let labels: Vec<u32> = (0..rows.count()).map(|_| chance.below(2) as u32).collect();
        let settings = TreeSettings { rounds: 5, bins, least_weight: 0.0, l2: 0.0, ..few() };
        match Trees::train(rows, &labels, None, &settings) {
            Ok(trees) => {
                let mut out = Vec::new();
                trees.probabilities(rows, &mut out).unwrap();
                prop_assert!(out.iter().all(|p| (0.0..=1.0).contains(p)));
                let text = serde_json::to_string(&trees).unwrap();
                prop_assert_eq!(serde_json::from_str::<Trees>(&text).unwrap(), trees);
            }
            Err(error) => {
                prop_assert!(matches!(error, TreeError::OneClass | TreeError::NoRows));
            }
        }
    }

    #[test]
    fn a_row_scores_the_same_alone_and_among_others(seed in any::<u64>(), count in 1_usize..150) {
        let (rows, labels) = made(300, seed);
        let Ok(trees) = Trees::train(Rows::new(&rows, 4).unwrap(), &binary(&labels), None, &few())
        else { return Ok(()) };
        let together = scores(&trees, &rows[..count * 4]);
        let alone: Vec<f32> = rows[..count * 4]
            .chunks(4)
            .map(|row| {
                let mut out = Vec::new();
                trees.score(row, &mut out).unwrap();
                out[0]
            })
            .collect();
        prop_assert_eq!(together, alone);
    }
}
