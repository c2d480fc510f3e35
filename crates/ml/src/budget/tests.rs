//! The cap in every case, and the simulation by which the default was chosen.

use proptest::prelude::*;

use super::*;
use crate::Chance;

const SHIFT: f64 = 8.0 * 3_600.0;
const TESTS: usize = 5_000;
const KEPT: f64 = 8_000.0;

struct Outcome {
    false_per_shift: f64,
    windows: f64,
    attacks: f64,
}

/// Three weeks of shifts. Once a day (or every third shift) one device is attacked for 20 windows,
/// 25 tests apart; its p-values are beta(0.1, 1), nearly always small and often as small as can be.
fn weeks(rule: Rule, attacked: bool, seed: u64) -> Outcome {
    let mut chance = Chance::new(seed);
    let mut budget = Budget::with_rule(2.0, SHIFT, 1_000.0, rule, 0.1);
    let (mut wrong, mut windows, mut attacks) = (0, 0, 0);
    let shifts = 63;
    for shift in 0..shifts {
        let mut found = 0;
        for i in 0..TESTS {
            let bad = attacked && shift % 3 == 2 && (1_000..1_500).contains(&i) && i % 25 == 0;
            let p = if bad { chance.unit().powi(10) } else { chance.unit() };
            // As a conformal p-value comes.
            let p = (1.0 + (p * (KEPT + 1.0)).floor()) / (KEPT + 1.0);
            let at = SHIFT * (shift as f64 + i as f64 / TESTS as f64);
            if budget.test(at, p).reject {
                wrong += u32::from(!bad);
                found += u32::from(bad);
            }
        }
        windows += found;
        attacks += u32::from(found > 0);
    }
    let of = f64::from(shifts / 3);
    Outcome {
        false_per_shift: f64::from(wrong) / f64::from(shifts),
        windows: f64::from(windows) / (20.0 * of),
        attacks: f64::from(attacks) / of,
    }
}

#[test]
fn false_alerts_stay_within_the_budget_and_every_attack_is_found_only_by_the_default() {
    // False alerts a shift; share of attacked windows; share of attacks:
    // Shift 1.27, 0.45, 1.00; Lord 0.00, 0.00, 0.00; Saffron 0.00, 0.00, 0.00.
    for rule in [Rule::Shift, Rule::Lord, Rule::Saffron] {
        let quiet = weeks(rule, false, 3);
        let attacked = weeks(rule, true, 4);
        // Two a shift over 63 shifts, and three standard deviations.
        assert!(quiet.false_per_shift <= 2.0 + 3.0 * (2.0_f64 / 63.0).sqrt(), "{rule:?}");
        assert!(attacked.false_per_shift <= 2.0 + 3.0 * (2.0_f64 / 63.0).sqrt(), "{rule:?}");
        match rule {
            Rule::Shift => assert!(attacked.attacks > 0.95 && attacked.windows > 0.35),
            _ => assert!(attacked.attacks < 0.1, "{rule:?} finds {}", attacked.attacks),
        }
    }
}

/// Share of alerts that are wrong over a stream in which one test in ten is a true alert.
fn false_discoveries(rule: Rule, seed: u64) -> (f64, f64) {
    let mut chance = Chance::new(seed);
    let mut budget = Budget::with_rule(1e9, 1.0, 1.0, rule, 0.1);
    let (mut wrong, mut right, mut bad) = (0.0, 0.0, 0.0);
    for i in 0..4_000 {
        let attack = chance.below(10) == 0;
        let p = chance.unit().powi(if attack { 12 } else { 1 });
        let alert = budget.test(f64::from(i), p).reject;
        bad += f64::from(u8::from(attack));
        wrong += f64::from(u8::from(alert && !attack));
        right += f64::from(u8::from(alert && attack));
    }
    (wrong / f64::max(wrong + right, 1.0), right / bad)
}

#[test]
fn endless_rules_keep_the_false_discovery_rate_where_there_is_much_to_find() {
    for rule in [Rule::Lord, Rule::Saffron] {
        let runs = (0..20).map(|seed| false_discoveries(rule, seed));
        let (wrong, found) = runs.fold((0.0, 0.0), |sum, run| (sum.0 + run.0, sum.1 + run.1));
        assert!(wrong / 20.0 <= 0.11, "{rule:?} {}", wrong / 20.0);
        assert!(found / 20.0 > 0.2, "{rule:?} {}", found / 20.0);
    }
}

#[test]
fn alerts_earn_and_the_cap_takes_back() {
    let mut budget = Budget::new(1.0, 100.0, 100.0);
    let before = budget.test(0.0, 0.9).level;
    assert!(budget.test(1.0, 0.0).reject);
    assert!(budget.test(2.0, 0.9).level > before, "an alert earns");
    (0..10_000).for_each(|_| {
        budget.test(3.0, 0.9);
    });
    assert!(budget.left() < 0.4);
    for i in 0..10_000 {
        budget.test(4.0 + f64::from(i) / 1e4, 0.0);
    }
    assert_eq!(budget.test(5.0, 0.0), Decision { reject: false, level: 0.0 });
    assert!(budget.test(300.0, 0.0).reject, "a shift later there is a new budget");
}

#[test]
fn a_clock_that_was_wrong_once_does_not_use_up_the_budget_for_ever() {
    let mut budget = Budget::new(1.0, 100.0, 10.0);
    budget.test(1e15, 0.0);
    while budget.left() > 0.0 {
        budget.test(1e15, 0.0);
    }
    assert!(!budget.test(50.0, 0.0).reject, "what was spent is owed");
    assert!(budget.test(200.0, 0.0).reject);
}

proptest! {
    #[test]
    fn no_shift_is_offered_more_than_the_budget(
        rule in prop_oneof![Just(Rule::Shift), Just(Rule::Lord), Just(Rule::Saffron)],
        steps in prop::collection::vec((0.0..30.0_f64, 0.0..0.2_f64), 1..400),
        per_shift in 0.0..5.0_f64, tests in 0.0..50.0_f64
    ) {
        let mut budget = Budget::with_rule(per_shift, 100.0, tests, rule, 0.9);
        let mut at = -1_000.0;
        let mut offered: Vec<(f64, f64)> = Vec::new();
        for (wait, p) in steps {
            at += wait;
            offered.push((at, budget.test(at, p).level));
            let sum: f64 = offered.iter().filter(|o| o.0 > at - 100.0).map(|o| o.1).sum();
            prop_assert!(sum <= per_shift + 1e-9, "{sum} of {per_shift}");
        }
        let text = serde_json::to_string(&budget).unwrap();
        let again: Budget = serde_json::from_str(&text).unwrap();
        prop_assert!((again.left() - budget.left()).abs() < 1e-9);
    }

    #[test]
    fn no_clock_and_no_p_value_breaks_it(
        steps in prop::collection::vec((any::<f64>(), any::<f64>()), 1..100)
    ) {
        let mut budget = Budget::new(2.0, 60.0, 10.0);
        for (at, p) in steps {
            let done = budget.test(at, p);
            prop_assert!((0.0..=1.0).contains(&done.level));
            prop_assert!(!(p.is_nan() && done.reject));
        }
    }
}
