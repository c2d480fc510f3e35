//! Against scikit-learn 1.9 on the same rows, and what has to hold on any rows.

use proptest::prelude::*;

use super::*;

// Normal scores rounded to tenths, so that there are ties; NumPy's generator with seed 5.
#[rustfmt::skip]
const SCORES: [f64; 60] = [
    0.8, 0.8, -0.6, 1.0, 2.5, -0.4, 0.2, 1.1, 1.7, -0.4, -0.2, 1.3, 0.1, -0.9, 0.9,
    -1.3, -1.2, -1.3, 1.0, 0.7, -1.0, -0.0, 0.4, 0.0, -1.3, 0.6, -0.1, -0.3, -0.0, 0.7,
    -0.1, 2.4, -0.5, -1.3, -0.7, 0.9, -0.4, 1.4, 0.6, -0.5, -0.7, -0.5, 1.3, 0.7, 0.1,
    1.9, 0.5, -0.5, 2.8, 0.3, 0.2, 0.9, 0.0, -0.6, -0.6, -1.0, 0.0, 2.2, -0.3, 0.4,
];
#[rustfmt::skip]
const TRUTHS: [u8; 60] = [
    0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1,
    0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0,
];
// Uniform, without ties.
#[rustfmt::skip]
const PROBABILITIES: [f64; 60] = [
    0.8588, 0.3373, 0.7937, 0.399, 0.5941, 0.7375, 0.5014, 0.6908, 0.6973, 0.0057, 0.0391, 0.149,
    0.2136, 0.2032, 0.049, 0.2172, 0.6009, 0.8861, 0.3495, 0.3664, 0.4167, 0.6803, 0.7841, 0.941,
    0.3757, 0.7068, 0.3416, 0.824, 0.2306, 0.871, 0.5051, 0.7253, 0.535, 0.3161, 0.4943, 0.0505,
    0.043, 0.53, 0.4772, 0.8331, 0.0201, 0.5569, 0.4906, 0.598, 0.7296, 0.5247, 0.563, 0.4918,
    0.6152, 0.2481, 0.5526, 0.6724, 0.1911, 0.9904, 0.7465, 0.9553, 0.2939, 0.4435, 0.2614, 0.0467,
];

fn truths() -> Vec<bool> {
    TRUTHS.iter().map(|is| *is == 1).collect()
}

fn near(value: Option<f64>, expected: f64) {
    let value = value.expect("a value");
    assert!((value - expected).abs() < 1e-12, "{value} and not {expected}");
}

#[test]
fn areas_are_those_of_scikit_learn_with_ties() {
    let ranking = Ranking::of(&SCORES, &truths());
    near(ranking.roc_auc(), 0.816849816849817);
    near(ranking.average_precision(), 0.7456966856662908);
    near(ranking.roc_auc_variance(), 0.0034441203035766367);
}

#[test]
fn rates_at_a_bounded_false_positive_rate_are_those_of_scikit_learn() {
    let ranking = Ranking::of(&SCORES, &truths());
    for (fpr, tpr, threshold) in [
        (0.05, 0.42857142857142855, 1.1),
        (0.1, 0.47619047619047616, 1.0),
        (0.3, 0.7142857142857143, 0.3),
    ] {
        near(ranking.tpr_at_fpr(fpr), tpr);
        near(ranking.threshold_at_fpr(fpr), threshold);
    }
}

#[test]
fn a_threshold_does_what_scikit_learn_says_it_does() {
    let done = Ranking::of(&SCORES, &truths()).at(0.8);
    near(done.precision(), 0.6470588235294118);
    near(done.recall(), 0.5238095238095238);
    near(done.f1(), 0.5789473684210527);
    near(done.accuracy(), 0.7333333333333333);
    near(done.fpr(), 6.0 / 39.0);
}

#[test]
fn calibration_errors_are_those_of_numpy_and_scikit_learn() {
    let rounded: Vec<f64> =
        SCORES.iter().map(|s| (100.0 / (1.0 + (0.3 - s).exp())).round() / 100.0).collect();
    near(brier(&rounded, &truths()), 0.178565);
    near(ece(&PROBABILITIES, &truths(), 6), 0.26424666666666663);
}

#[test]
fn equal_probabilities_share_a_bin() {
    // Always 0.3, right three times in ten: perfectly calibrated, however many bins.
    let truths: Vec<bool> = (0..10).map(|i| i < 3).collect();
    assert!(ece(&[0.3; 10], &truths, 5).unwrap() < 1e-12);
    assert_eq!(ece(&[1.0, 0.0], &[false, true], 10), Some(1.0));
}

#[test]
fn realised_counts_what_falls_to_the_level_or_below() {
    let p: Vec<f64> = (1..=1000).map(|i| f64::from(i) / 1000.0).collect();
    near(realised(&p, 0.01), 1.0);
    near(realised(&[0.001, 0.5], 0.01), 50.0);
    assert_eq!(realised(&[], 0.01), None);
}

#[test]
fn precision_at_a_budget_counts_ties_at_the_border_by_their_expectation() {
    let ranking = Ranking::new([(3.0, true), (2.0, true), (2.0, false), (2.0, false), (1.0, true)]);
    near(ranking.precision_at(1), 1.0);
    near(ranking.precision_at(2), (1.0 + 1.0 / 3.0) / 2.0);
    near(ranking.precision_at(4), 0.5);
    near(ranking.precision_at(99), 0.6);
    assert_eq!(ranking.precision_at(0), None);
}

#[test]
fn what_cannot_be_measured_is_not_a_number() {
    let one_kind = Ranking::new([(1.0, false), (2.0, false)]);
    assert_eq!(one_kind.roc_auc(), None);
    assert_eq!(one_kind.average_precision(), None);
    assert_eq!(one_kind.tpr_at_fpr(0.1), None);
    assert_eq!(one_kind.threshold_at_fpr(0.1), Some(f64::INFINITY));
    assert_eq!(Ranking::default().at(0.0).recall(), None);
    assert!(Ranking::default().roc().is_empty());
}

#[test]
fn a_score_that_is_not_a_number_ranks_last() {
    let ranking = Ranking::new([(f64::NAN, false), (-1e300, true)]);
    assert_eq!(ranking.roc_auc(), Some(1.0));
}

fn rows() -> impl Strategy<Value = Vec<(f64, bool)>> {
    prop::collection::vec(((0_i32..12).prop_map(|s| f64::from(s) / 4.0), any::<bool>()), 2..60)
}

proptest! {
    #[test]
    fn the_area_is_the_share_of_pairs_in_the_right_order(rows in rows()) {
        let mut pairs = (0.0, 0.0);
        for a in rows.iter().filter(|row| row.1) {
            for b in rows.iter().filter(|row| !row.1) {
                pairs.1 += 1.0;
                pairs.0 += if a.0 > b.0 { 1.0 } else if a.0 == b.0 { 0.5 } else { 0.0 };
            }
        }
        match Ranking::new(rows).roc_auc() {
            Some(auc) => prop_assert!((auc - pairs.0 / pairs.1).abs() < 1e-12),
            None => prop_assert_eq!(pairs.1, 0.0),
        }
    }

    #[test]
    fn no_measure_depends_on_the_order_of_rows(rows in rows(), seed in any::<u64>()) {
        let mut other = rows.clone();
        crate::Chance::new(seed).shuffle(&mut other);
        prop_assert_eq!(Ranking::new(rows), Ranking::new(other));
    }

    #[test]
    fn the_threshold_keeps_its_promise_and_the_next_would_not(rows in rows(), fpr in 0.0..1.0) {
        let ranking = Ranking::new(rows);
        prop_assume!(ranking.negatives() > 0 && ranking.positives() > 0);
        let threshold = ranking.threshold_at_fpr(fpr).unwrap();
        let done = ranking.at(threshold);
        prop_assert!(done.fpr().unwrap() <= fpr);
        prop_assert_eq!(done.recall(), ranking.tpr_at_fpr(fpr));
        if let Some(next) = ranking.steps().iter().find(|step| step.score < threshold) {
            prop_assert!(ranking.at(next.score).fpr().unwrap() > fpr);
        }
    }

    #[test]
    fn curves_end_where_everything_is_an_alarm(rows in rows()) {
        let ranking = Ranking::new(rows);
        prop_assume!(ranking.negatives() > 0 && ranking.positives() > 0);
        prop_assert_eq!(ranking.roc().last().copied(), Some((1.0, 1.0)));
        prop_assert_eq!(ranking.precision_recall().last().unwrap().0, 1.0);
    }
}
