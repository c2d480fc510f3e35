//! Against statsmodels 0.14 and SciPy 1.17, and coverage by simulation.

use proptest::prelude::*;

use super::*;

fn near(found: (f64, f64), expected: (f64, f64)) {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-10 * b.abs().max(1.0);
    assert!(close(found.0, expected.0) && close(found.1, expected.1), "{found:?} {expected:?}");
}

#[test]
fn intervals_of_shares_are_those_of_statsmodels() {
    for (k, n, of_wilson, exact) in [
        (0, 20, (0.0, 0.161_125_158_052_819_4), (0.0, 0.168_433_470_983_085_34)),
        (
            3,
            40,
            (0.025_836_025_774_588_184, 0.198_642_335_243_105_5),
            (0.015_742_179_851_041_53, 0.203_864_748_732_898_98),
        ),
        (40, 40, (0.912_378_398_802_713_4, 1.0), (0.911_902_697_121_197_6, 1.0)),
        (
            997,
            1000,
            (0.991_216_985_946_496_9, 0.998_979_216_118_861_4),
            (0.991_257_976_761_521_7, 0.999_380_900_068_350_5),
        ),
    ] {
        near(wilson(k, n, 0.95), of_wilson);
        near(clopper_pearson(k, n, 0.95), exact);
    }
}

#[test]
fn deviations_are_those_of_the_tables() {
    for (share, deviations) in [(0.05, 1.959_963_984_540_054), (0.001, 3.290_526_731_491_926)] {
        assert!((two_sided(share) - deviations).abs() < 1e-9);
    }
}

#[test]
fn intervals_of_counts_are_those_of_scipy() {
    for (count, expected) in [
        (0, (0.0, 3.688_879_454_113_935_4)),
        (1, (0.025_317_807_984_289_876, 5.571_643_390_938_898)),
        (7, (2.814_363_051_519_865_4, 14.422_675_361_702_376)),
        (120, (99.491_925_625_938_7, 143.490_585_369_352_26)),
        (2500, (2_402.952_365_431_124, 2_599.961_484_340_542_5)),
    ] {
        near(poisson(count, 0.95), expected);
    }
}

#[test]
fn the_bootstrap_covers_a_median_about_as_often_as_it_says() {
    let mut chance = Chance::new(3);
    let covered = (0..200).filter(|round| {
        let sample: Vec<f64> = (0..60).map(|_| chance.normal()).collect();
        let Estimate::Known { low, high, .. } = Estimate::quantile(&sample, 0.5, 10, *round) else {
            panic!("60 are not too few");
        };
        low <= 0.0 && 0.0 <= high
    });
    let covered = covered.count();
    assert!((180..=200).contains(&covered), "{covered} of 200");
}

#[test]
fn delongs_interval_covers_the_true_area() {
    // Normals one apart: the area is the normal distribution at 1 / sqrt(2), 0.7602.
    let mut chance = Chance::new(4);
    let covered = (0..400)
        .filter(|_| {
            let rows = (0..120).map(|i| (chance.normal() + f64::from(u8::from(i < 40)), i < 40));
            let ranking = crate::metrics::Ranking::new(rows.collect::<Vec<_>>());
            let (low, high) = Estimate::roc_auc(&ranking, 10).interval().expect("enough");
            low <= 0.7602 && 0.7602 <= high
        })
        .count();
    assert!((368..=392).contains(&covered), "{covered} of 400");
}

#[test]
fn too_little_data_gives_no_figure() {
    assert_eq!(Estimate::share(3, 4, 30), Estimate::TooFew { count: 4, needed: 30 });
    assert_eq!(Estimate::rate(9, 0.5, 1), Estimate::TooFew { count: 0, needed: 1 });
    assert_eq!(Estimate::rate(0, 0.0, 0).value(), None);
    assert_eq!(Estimate::quantile(&[], 0.5, 0, 0).value(), None);
    assert_eq!(Estimate::share(0, 0, 0).value(), None);
}

#[test]
fn an_estimate_survives_being_written_down() {
    for estimate in [Estimate::rate(1, 4.0, 2), Estimate::share(3, 4, 30)] {
        let text = serde_json::to_string(&estimate).expect("JSON");
        let read: Estimate = serde_json::from_str(&text).expect("an estimate");
        // serde_json may read a number one unit in the last place off.
        assert_eq!((read.value(), read.count()), (estimate.value(), estimate.count()));
    }
}

#[test]
fn quantiles_are_those_of_numpy() {
    // numpy.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.95])
    let sample = [1.0, 2.0, 4.0, 8.0];
    let found: Vec<_> = [0.0, 0.25, 0.5, 0.95].map(|q| quantile(&sample, q).unwrap()).into();
    for (found, expected) in found.iter().zip([1.0, 1.75, 3.0, 7.4]) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

proptest! {
    #[test]
    fn an_interval_holds_its_figure(n in 1_u64..5_000, part in 0.0..=1.0_f64) {
        let k = (n as f64 * part) as u64;
        let share = k as f64 / n as f64;
        for (low, high) in [wilson(k, n, 0.95), clopper_pearson(k, n, 0.95)] {
            prop_assert!(0.0 <= low && low <= share + 1e-12 && share <= high + 1e-12 && high <= 1.0);
        }
        let (low, high) = poisson(k, 0.95);
        prop_assert!(low <= k as f64 && k as f64 <= high);
    }
}
