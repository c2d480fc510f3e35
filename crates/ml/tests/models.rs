//! What every model of normal rows promises, whichever it is.
#![allow(missing_docs)]

use ml::autoencoder::{self, Autoencoders};
use ml::forest::{self, Forest};
use ml::memory::{self, Memory};
use ml::{Chance, Contribution, Model};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

const WIDTH: usize = 6;

fn memory(seed: u64) -> Memory {
    Memory::new(WIDTH, &memory::Settings { capacity: 200, seed, ..Default::default() })
}

fn forest(seed: u64) -> Forest {
    Forest::new(WIDTH, &forest::Settings { capacity: 300, seed, ..Default::default() })
}

fn autoencoders(seed: u64) -> Autoencoders {
    let settings = autoencoder::Settings { mapping: 100, group: 4, seed, ..Default::default() };
    Autoencoders::new(WIDTH, &settings)
}

/// Rows with structure: three columns that go together, two of another scale, one that never
/// changes.
fn normal(chance: &mut Chance) -> Vec<f32> {
    let a = chance.normal();
    let b = chance.normal().exp() * 1_000.0;
    let row = [a, 2.0 * a + 0.1 * chance.normal(), 1.0 - a, b, b * 0.5, 4.0];
    row.iter().map(|&x| x as f32).collect()
}

fn trained<M: Model>(mut model: M, rows: usize) -> M {
    let mut chance = Chance::new(77);
    (0..rows).for_each(|_| model.learn(&normal(&mut chance)));
    model
}

fn bytes<M: Serialize>(model: &M) -> Vec<u8> {
    postcard::to_stdvec(model).unwrap()
}

fn explained<M: Model>(model: &M, row: &[f32]) -> Vec<Contribution> {
    let mut out = vec![];
    model.explain(row, &mut out);
    out
}

/// Everything that holds for any model.
fn promises<M>(make: impl Fn(u64) -> M)
where
    M: Model + Clone + Serialize + DeserializeOwned,
{
    let fresh = make(1);
    assert_eq!(fresh.score(&[1.0; WIDTH]), 0.0, "has learned nothing");
    let model = trained(make(1), 2_000);

    let same = bytes(&trained(make(1), 2_000)) == bytes(&model);
    assert!(same, "the same rows, another model");
    let mut loaded: M = postcard::from_bytes(&bytes(&model)).unwrap();
    assert!(bytes(&loaded) == bytes(&model), "saved and loaded");

    let mut chance = Chance::new(5);
    let inliers: Vec<f32> = (0..500)
        .map(|_| {
            let row = normal(&mut chance);
            assert_eq!(loaded.score(&row).to_bits(), model.score(&row).to_bits());
            model.score(&row)
        })
        .collect();
    let mut outlier = normal(&mut chance);
    outlier[..3].copy_from_slice(&[-12.0, -24.0, 13.0]);
    let score = model.score(&outlier);
    let below = inliers.iter().filter(|&&s| s < score).count();
    assert!(below >= 475, "only {below} of 500 normal rows score below an outlier");

    let why = explained(&model, &outlier);
    assert_eq!(why[0].observed, outlier[why[0].column]);
    assert!((-9.0..9.0).contains(&why[0].expected), "{why:?}");
    let planted = why.iter().filter(|c| c.column < 3).map(|c| c.weight).sum::<f32>();
    assert!(why[0].column < 3 && planted > 0.7, "{why:?}");
    assert!(why.is_sorted_by(|a, b| a.weight >= b.weight));
    assert!(why.iter().map(|c| c.weight).sum::<f32>() <= 1.0);

    let size = bytes(&model).len();
    let longer = trained(make(1), 20_000);
    assert!(bytes(&longer).len() < size + size / 5, "grows with what it has seen");

    let before = loaded.score(&outlier);
    (0..6_000).for_each(|_| loaded.learn(&outlier));
    assert!(loaded.score(&outlier) < 0.8 * before, "does not learn what is normal now");
}

#[test]
fn the_memory_keeps_every_promise_of_a_model() {
    promises(memory);
}

#[test]
fn the_forest_keeps_every_promise_of_a_model() {
    promises(forest);
}

#[test]
fn the_autoencoders_keep_every_promise_of_a_model() {
    promises(autoencoders);
}

#[test]
fn what_only_breaks_the_bond_of_columns_is_seen_by_models_that_look_at_them_together() {
    fn share<M: Model>(model: M, inliers: &[Vec<f32>], odd: &[f32]) -> f64 {
        let model = trained(model, 2_000);
        let score = model.score(odd);
        let below = inliers.iter().filter(|row| model.score(row) < score).count();
        below as f64 / inliers.len() as f64
    }
    let mut chance = Chance::new(6);
    let inliers: Vec<Vec<f32>> = (0..300).map(|_| normal(&mut chance)).collect();
    // Each number is usual by itself.
    let mut odd = inliers[0].clone();
    (odd[0], odd[1], odd[2]) = (1.2, -2.4, 2.2);
    let (near, small) = (share(memory(1), &inliers, &odd), share(autoencoders(1), &inliers, &odd));
    assert!(near > 0.97 && small > 0.97, "{near} {small}");
}

#[test]
fn a_memory_names_the_normal_row_that_is_nearest() {
    let mut model = memory(1);
    let mut chance = Chance::new(1);
    for tag in 0..100 {
        model.learn_as(&normal(&mut chance), 1_000 + tag);
    }
    let one = [50.0, 100.0, -49.0, 7.0, 3.0, 4.0];
    model.learn_as(&one, 42);
    let nearest = model.nearest(&[50.5, 100.0, -49.0, 7.0, 3.0, 4.0]).unwrap();
    assert_eq!((nearest.tag, nearest.row.as_slice()), (42, &one[..]));
    let why = explained(&model, &[50.5, 100.0, -49.0, 7.0, 3.0, 4.0]);
    assert_eq!((why.len(), why[0].column, why[0].expected), (1, 0, 50.0));
}

#[test]
fn the_blocks_of_a_memory_give_what_one_row_after_the_other_gives() {
    let settings = memory::Settings { capacity: 75, neighbours: 4, ..Default::default() };
    let width = 37;
    let mut model = Memory::new(width, &settings);
    let mut chance = Chance::new(3);
    let mut row = || (0..width).map(|_| chance.normal() as f32).collect::<Vec<f32>>();
    let rows: Vec<Vec<f32>> = (0..75).map(|_| row()).collect();
    rows.iter().for_each(|row| model.learn(row));
    let mut columns = ml::columns::Columns::new(width, u64::MAX);
    rows.iter().for_each(|row| columns.learn(row));
    for _ in 0..50 {
        let asked = row();
        let distance = |kept: &Vec<f32>| {
            let square = |(c, (x, y)): (usize, (&f32, &f32))| {
                let off = (x - y) / columns.column(c).unwrap().spread();
                f64::from(off * off).min(64.0)
            };
            let squares = asked.iter().zip(kept).enumerate().map(square);
            (squares.sum::<f64>() / width as f64).sqrt()
        };
        let mut all: Vec<f64> = rows.iter().map(distance).collect();
        all.sort_by(f64::total_cmp);
        let right = all[..4].iter().sum::<f64>() / 4.0;
        assert!((f64::from(model.score(&asked)) - right).abs() < 1e-4);
    }
}

#[test]
fn autoencoders_made_as_published_score_as_a_program_written_from_the_paper_does() {
    // From such a program in double precision, with the same first weights.
    let published = autoencoder::Settings {
        groups: Some(vec![vec![0, 1], vec![2]]),
        seed: 7,
        ..autoencoder::Settings::published(0)
    };
    let mut model = Autoencoders::new(3, &published);
    (0..200_u16).for_each(|i| {
        model.learn(&[i % 7, i * 3 % 11, i * i % 5].map(f32::from));
    });
    let rows = [[3.0, 4.0, 1.0], [9.0, -2.0, 4.0], [0.0, 0.0, 50.0]];
    for (row, right) in rows.iter().zip([0.447_357_66, 0.793_270_3, 27.526_56_f32]) {
        let score = model.score(row);
        assert!((score / right - 1.0).abs() < 1e-4, "{score} for {right}");
    }
}

fn any_number() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -10.0..10.0_f32,
        1 => Just(f32::NAN),
        1 => Just(f32::INFINITY),
        1 => Just(f32::MAX),
        1 => Just(f32::MIN),
        1 => Just(0.0),
        1 => any::<f32>(),
    ]
}

fn any_rows() -> impl Strategy<Value = Vec<Vec<f32>>> {
    // Rows of another width than was said, too.
    prop::collection::vec(prop::collection::vec(any_number(), 0..WIDTH + 2), 1..150)
}

fn survives<M>(mut model: M, rows: &[Vec<f32>]) -> Result<(), TestCaseError>
where
    M: Model + Serialize + DeserializeOwned,
{
    for row in rows {
        let score = model.score(row);
        prop_assert!(score.is_finite() && score >= 0.0, "{score}");
        for part in explained(&model, row) {
            prop_assert!(part.weight > 0.0 && part.weight <= 1.0, "{part:?}");
            prop_assert!(part.observed.is_finite() && part.expected.is_finite(), "{part:?}");
        }
        model.learn(row);
    }
    let loaded: M = postcard::from_bytes(&bytes(&model)).unwrap();
    for row in rows.iter().take(10) {
        prop_assert_eq!(loaded.score(row).to_bits(), model.score(row).to_bits());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_row_of_any_kind_makes_a_score_or_an_explanation_that_is_no_number(
        rows in any_rows(), seed: u64
    ) {
        survives(memory(seed), &rows)?;
        survives(forest(seed), &rows)?;
        let settings = autoencoder::Settings { mapping: 10, seed, ..Default::default() };
        survives(Autoencoders::new(WIDTH, &settings), &rows)?;
        survives(Autoencoders::new(WIDTH, &autoencoder::Settings::published(10)), &rows)?;
    }

    #[test]
    fn an_absent_column_never_makes_a_normal_row_strange(seed: u64, absent in 0..WIDTH) {
        let model = trained(memory(1), 300);
        let row = normal(&mut Chance::new(seed));
        let mut holed = row.clone();
        holed[absent] = f32::NAN;
        prop_assert!(model.score(&holed) <= model.score(&row));
    }
}
