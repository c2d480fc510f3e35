//! Run lengths and delays by simulation.

use proptest::prelude::*;

use super::*;
use crate::Chance;

/// Steps to the alarm for p-values `uniform ^ power`: 1 is chance, 1 / 0.3 is beta(0.3, 1).
fn steps(run_length: f64, power: f64, chance: &mut Chance) -> u32 {
    let mut evidence = Evidence::new(run_length);
    (1..).find(|_| evidence.take(chance.unit().powf(power)).is_some()).unwrap_or_default()
}

#[test]
fn alarms_by_chance_come_no_oftener_than_promised() {
    let mut chance = Chance::new(1);
    for (run_length, runs) in [(100.0, 400), (1_000.0, 100)] {
        let lengths: Vec<f64> =
            (0..runs).map(|_| f64::from(steps(run_length, 1.0, &mut chance))).collect();
        let mean = lengths.iter().sum::<f64>() / f64::from(runs);
        // Run lengths are about exponential: their mean is known to within mean / sqrt(runs).
        assert!(mean >= run_length * (1.0 - 2.0 / f64::from(runs).sqrt()), "{mean}");
        assert!(mean <= run_length * 20.0, "{mean}: so cautious that it is of no use");
    }
}

#[test]
fn the_promise_holds_for_conformal_p_values_too() {
    // Not independent: all of a stretch stand on the same kept scores.
    use crate::conformal::{Keep, Scores};
    let mut chance = Chance::new(6);
    let (mut alarms, steps) = (0_u32, 200_000_u32);
    let mut kept = Scores::new(2_000, Keep::Latest, 0);
    (0..2_000).for_each(|_| kept.learn(chance.unit() as f32));
    let mut evidence = Evidence::new(1_000.0);
    for _ in 0..steps {
        let score = chance.unit() as f32;
        alarms += u32::from(evidence.take(kept.p(score)).is_some());
        kept.learn(score);
    }
    assert!(alarms <= steps / 1_000, "{alarms}");
}

#[test]
fn many_devices_together_keep_a_budget() {
    // 50 devices, 400 windows each in a shift: two false alerts at most, in expectation.
    let mut chance = Chance::new(7);
    let mut devices = vec![Evidence::with_budget(2.0, 50.0 * 400.0); 50];
    let shifts = 20;
    let mut alarms = 0;
    for _ in 0..400 * shifts {
        alarms += devices.iter_mut().filter_map(|device| device.take(chance.unit())).count();
    }
    assert!(alarms <= 2 * shifts, "{alarms} in {shifts} shifts");
}

#[test]
fn sustained_weak_evidence_is_found_soon() {
    // p ~ beta(0.3, 1): the median p-value is 0.1, and one in eight is below 0.001.
    let mut chance = Chance::new(2);
    let mut lengths: Vec<u32> = (0..300).map(|_| steps(10_000.0, 1.0 / 0.3, &mut chance)).collect();
    lengths.sort_unstable();
    let (median, late) = (lengths[150], lengths[285]);
    assert!((5..=16).contains(&median) && late <= 40, "median {median}, 95 % {late}");
}

#[test]
fn a_long_quiet_time_does_not_delay_the_detector_as_it_does_the_martingale() {
    let mut chance = Chance::new(3);
    let mut evidence = Evidence::new(10_000.0);
    let mut martingale = Martingale::default();
    for _ in 0..3_000 {
        let p = chance.unit();
        evidence.take(p);
        martingale.take(p);
    }
    assert!(martingale.ln_capital() < -5.0);
    let mut alarm = None;
    let mut steps = 0_u32;
    while alarm.is_none() && steps < 100 {
        steps += 1;
        let p = chance.unit().powf(1.0 / 0.3);
        alarm = evidence.take(p);
        martingale.take(p);
    }
    let alarm = alarm.expect("an alarm");
    assert!(steps <= 40 && alarm.since <= u64::from(steps) + 20, "{steps} {alarm:?}");
    assert_eq!(evidence.progress(), 0.0, "it begins anew");
}

#[test]
fn a_martingale_reaches_twenty_by_chance_in_fewer_than_one_of_twenty_streams() {
    let mut chance = Chance::new(4);
    let reached = (0..1_000)
        .filter(|_| {
            let mut martingale = Martingale::default();
            (0..300).for_each(|_| martingale.take(chance.unit()));
            martingale.p() <= 0.05
        })
        .count();
    assert!(reached <= 50 + 14, "{reached} of 1,000");
    let mut martingale = Martingale::default();
    (0..100).for_each(|_| martingale.take(chance.unit().powf(1.0 / 0.3)));
    assert!(martingale.p() < 1e-6, "{}", martingale.p());
}

#[test]
fn forgetting_lowers_evidence() {
    let mut evidence = Evidence::new(1e9);
    (0..4).for_each(|_| assert_eq!(evidence.take(0.001), None));
    let before = evidence.progress();
    evidence.forget(0.9);
    assert!(evidence.progress() < before);
    evidence.forget(1.0);
    assert_eq!(evidence.progress(), 0.0);
    assert_eq!(evidence.take(0.5), None);
}

proptest! {
    #[test]
    fn no_p_value_breaks_it(values in prop::collection::vec(any::<f64>(), 0..200)) {
        let mut evidence = Evidence::new(100.0);
        let mut martingale = Martingale::default();
        for p in values {
            if let Some(alarm) = evidence.take(p) {
                prop_assert!(alarm.ln_evidence.is_finite());
            }
            martingale.take(p);
            prop_assert!(martingale.ln_capital().is_finite());
            prop_assert!((0.0..=1.0).contains(&evidence.progress()));
        }
        evidence.reset();
        let text = serde_json::to_string(&evidence).unwrap();
        // serde_json may read a number one unit in the last place off.
        let mut read: Evidence = serde_json::from_str(&text).unwrap();
        prop_assert!(evidence.take(0.5).is_none() && read.take(0.5).is_none());
        prop_assert!((read.progress() - evidence.progress()).abs() < 1e-9);
    }

    #[test]
    fn smaller_p_values_are_never_less_evidence(
        values in prop::collection::vec(0.0..=1.0_f64, 1..50), by in 0.0..=1.0_f64
    ) {
        let (mut one, mut other) = (Martingale::default(), Martingale::default());
        for p in values {
            one.take(p);
            other.take(p * by);
        }
        prop_assert!(other.ln_capital() >= one.ln_capital() - 1e-9);
    }
}
