//! The promises, by simulation and on arbitrary scores.

use proptest::prelude::*;

use super::realised::ratio;
use super::*;
use crate::Chance;

/// A positive, skewed score, as models give them.
fn score(chance: &mut Chance, scale: f64) -> f32 {
    (scale * (0.8 * chance.normal()).exp()) as f32
}

#[test]
fn realised_is_not_above_nominal_for_exchangeable_scores() {
    let mut chance = Chance::new(1);
    for keep in [Keep::Latest, Keep::Sample] {
        let mut reached = [0_u32; 3];
        let rounds = 4_000;
        for round in 0..rounds {
            let mut scores = Scores::new(99, keep, round);
            (0..150).for_each(|_| scores.learn(score(&mut chance, 1.0)));
            let p = scores.p(score(&mut chance, 1.0));
            for (count, level) in reached.iter_mut().zip([0.01, 0.1, 0.5]) {
                *count += u32::from(p <= level);
            }
        }
        // Three standard deviations above what was promised, and, since 100 divides all levels and
        // there are no ties, as much below.
        for (count, level) in reached.iter().zip([0.01_f64, 0.1, 0.5]) {
            let expected = level * rounds as f64;
            let room = 3.0 * (expected * (1.0 - level)).sqrt();
            assert!((f64::from(*count) - expected).abs() < room, "{keep:?} {level} {reached:?}");
        }
    }
}

#[test]
fn scores_that_are_nearly_all_equal_raise_no_alarm() {
    let mut scores = Scores::new(1_000, Keep::Latest, 0);
    (0..1_000).for_each(|_| scores.learn(0.0));
    assert_eq!(scores.p(0.0), 1.0);
    assert_eq!(scores.p(f32::NAN), 1.0);
    assert_eq!(scores.p(0.1), 1.0 / 1_001.0);
}

/// Devices of very different volume: the trap that made one global threshold wrong on 43.5 % of the
/// windows of quiet devices and 0.49 % of those of busy ones.
const VOLUMES: [(&str, f64, usize); 3] =
    [("pump/quiet", 40.0, 3), ("pump/middle", 4.0, 20), ("pump/busy", 1.0, 400)];

#[test]
fn every_group_gets_what_was_promised_however_different_their_volumes() {
    let mut chance = Chance::new(2);
    let mut mondrian = Mondrian::new(2_000, Keep::Latest, 99, 16);
    let mut one_for_all = Scores::new(20_000, Keep::Latest, 0);
    let mut by_group = Realised::new(&[0.01], 1_000_000, 16);
    let mut by_all = Realised::new(&[0.01], 1_000_000, 16);
    for round in 0..1_500 {
        for (group, scale, rows) in VOLUMES {
            for _ in 0..rows {
                let new = score(&mut chance, scale);
                let path = [group, "pump", ""];
                if round > 150 {
                    let judged = mondrian.p(&path, new);
                    assert_eq!(judged.level, 0, "{group}");
                    by_group.take(group, judged.p);
                    by_all.take(group, one_for_all.p(new));
                }
                mondrian.learn(&path, new);
                one_for_all.learn(new);
            }
        }
    }
    let of = |counts: &Realised, group| counts.ratio(group, 0.01).unwrap().value().unwrap();
    assert!(of(&by_all, "pump/quiet") > 40.0, "the trap is one");
    let ratios = VOLUMES.map(|(group, ..)| of(&by_group, group));
    assert!(ratios.iter().all(|ratio| (0.7..=1.2).contains(ratio)), "{ratios:?}");
}

#[test]
fn a_group_with_too_few_scores_borrows_and_says_so() {
    let mut mondrian = Mondrian::new(100, Keep::Latest, 20, 3);
    assert_eq!(mondrian.p(&["a/x", "a", ""], 9.0), Calibrated { p: 1.0, level: 3, kept: 0 });
    (0..5).for_each(|i| mondrian.learn(&["a/x", "a", ""], i as f32));
    assert_eq!(mondrian.p(&["a/x", "a", ""], 9.0).level, 0, "its own, while nobody has more");
    (0..30).for_each(|i| mondrian.learn(&["a/y", "a", ""], i as f32));
    let borrowed = mondrian.p(&["a/x", "a", ""], 99.0);
    assert_eq!(borrowed, Calibrated { p: 1.0 / 36.0, level: 1, kept: 35 });
    assert!(mondrian.scores("a/y").is_none(), "there is room for three groups");
    assert_eq!(mondrian.p(&["b"], 9.0).p, 1.0);
}

/// How life changes over `t` from 0 to 1: a factor on every score.
type Drift = fn(f64) -> f64;

const DRIFTS: [(&str, Drift); 5] = [
    ("none", |_| 1.0),
    ("step up", |t| if t < 0.5 { 1.0 } else { 3.0 }),
    ("steps", |t| [1.0, 2.0, 0.7, 3.0, 1.5][((t * 5.0) as usize).min(4)]),
    ("ramp", |t| 1.0 + 4.0 * t),
    ("seasonal", |t| 1.0 + 0.6 * (t * 60.0 * std::f64::consts::TAU).sin()),
];

struct Run {
    followed: Realised,
    raw: Realised,
}

/// Two groups of different volume under one drift, each level's alarms as realised rates.
fn run(drift: Drift, rows: usize, seed: u64) -> Run {
    let mut chance = Chance::new(seed);
    let mut mondrian = Mondrian::new(4_000, Keep::Latest, 1_000, 8);
    let mut adaptive = [Adaptive::default(), Adaptive::default()];
    let mut run = Run {
        followed: Realised::new(&LEVELS, 1_000_000, 4),
        raw: Realised::new(&LEVELS, 1_000_000, 4),
    };
    let groups = [("busy", 1.0, 1), ("quiet", 30.0, 4)];
    for i in 0..rows + 2_000 {
        for ((name, scale, each), adaptive) in groups.iter().zip(&mut adaptive) {
            if i % each != 0 {
                continue;
            }
            let t = i.saturating_sub(2_000) as f64 / rows as f64;
            let new = score(&mut chance, scale * drift(t));
            if i >= 2_000 {
                let p = mondrian.p(&[name, ""], new).p;
                // The smallest level at which it is an alarm stands for its p-value.
                let alarms = LEVELS.iter().filter(|level| adaptive.alarm(p, **level));
                run.followed.take(name, alarms.copied().fold(1.0, f64::min));
                run.raw.take(name, p);
                adaptive.take(p);
            }
            mondrian.learn(&[name, ""], new);
        }
    }
    run
}

#[test]
fn adaptive_levels_keep_the_promise_under_every_drift_in_every_group() {
    for (what, drift) in DRIFTS {
        let done = run(drift, 100_000, 7);
        for level in [0.01, 0.001] {
            let ratio = |name| done.followed.ratio(name, level).unwrap().value().unwrap();
            let (busy, quiet) = (ratio("busy"), ratio("quiet"));
            assert!(busy <= 1.2 && quiet <= 1.2, "{what} {level}: {busy} {quiet}");
            assert!(busy.max(quiet) / busy.min(quiet) <= 2.0, "{what} {level}: {busy} {quiet}");
        }
    }
}

#[test]
fn a_day_is_enough_where_levels_that_stay_break_the_promise_threefold() {
    let mut worst = 0.0_f64;
    for (what, drift) in DRIFTS {
        let done = run(drift, 20_000, 7);
        let ratio = |counts: &Realised, name| counts.ratio(name, 0.01).unwrap().value().unwrap();
        let (busy, quiet) = (ratio(&done.followed, "busy"), ratio(&done.followed, "quiet"));
        assert!(busy <= 1.2 && quiet <= 1.2, "{what}: {busy} {quiet}");
        worst = worst.max(ratio(&done.raw, "quiet"));
    }
    assert!(worst > 3.0, "{worst}");
}

#[test]
fn counts_of_the_latest_rows_forget_older_ones() {
    let mut counts = Realised::new(&[0.1], 100, 1);
    (0..1_000).for_each(|_| counts.take("a", 0.05));
    (0..200).for_each(|_| counts.take("a", 0.5));
    counts.take("b", 0.5);
    assert_eq!(counts.latest("a", 0.1).unwrap().value(), Some(0.0));
    assert!(counts.ratio("a", 0.1).unwrap().value().unwrap() > 8.0);
    assert_eq!((counts.ratio("b", 0.1), counts.ratio("a", 0.2), counts.untold()), (None, None, 1));
    assert!(matches!(ratio(1, 49, 0.1), crate::intervals::Estimate::TooFew { needed: 50, .. }));
}

proptest! {
    #[test]
    fn the_long_run_bound_holds_for_any_p_values(
        kept in 1_u32..2_000, bad in 0.0..=1.0_f64, rows in 100_usize..4_000, seed in any::<u64>()
    ) {
        let mut chance = Chance::new(seed);
        let mut adaptive = Adaptive::new(&[0.01]);
        let mut alarms = 0.0;
        for i in 0..rows {
            // The worst p-value that can be for a stretch, anything after it.
            let spoilt = (i as f64) < bad * rows as f64;
            let p = if spoilt { 1.0 / f64::from(kept + 1) } else { 1.0 - chance.unit() };
            let p = p.max(1.0 / f64::from(kept + 1));
            alarms += f64::from(u8::from(adaptive.alarm(p, 0.01)));
            adaptive.take(p);
        }
        let apart = (alarms / rows as f64 - 0.01).abs();
        let span = f64::from(1 + kept).ln().max(-0.01_f64.ln());
        let bound = (span + 2.0 * adaptive::STEP) / (adaptive::STEP * rows as f64);
        prop_assert!(apart <= bound, "{apart} {bound}");
    }

    #[test]
    fn adjusting_keeps_the_order_of_p_values(
        taken in prop::collection::vec(0.0..=1.0_f64, 0..300), a in 0.0..=1.0_f64, b in 0.0..=1.0_f64
    ) {
        let mut adaptive = Adaptive::default();
        taken.iter().for_each(|p| adaptive.take(p.powi(4)));
        let (low, high) = (adaptive.adjust(a.min(b)), adaptive.adjust(a.max(b)));
        prop_assert!(0.0 < low && low <= high * (1.0 + 1e-12) && high <= 1.0, "{low} {high}");
    }

    #[test]
    fn p_values_are_counted_right_and_nothing_outgrows_its_bound(
        learned in prop::collection::vec(prop_oneof![0.0..4.0_f32, Just(f32::NAN), Just(1.0)], 0..200),
        most in 0_usize..50, asked in 0.0..4.0_f32, sample in any::<bool>()
    ) {
        let keep = if sample { Keep::Sample } else { Keep::Latest };
        let mut scores = Scores::new(most, keep, 1);
        learned.iter().for_each(|score| scores.learn(*score));
        let finite: Vec<f32> = learned.iter().copied().filter(|score| score.is_finite()).collect();
        prop_assert_eq!(scores.kept(), finite.len().min(most));
        if !sample {
            let kept = &finite[finite.len() - scores.kept()..];
            let above = kept.iter().filter(|score| **score >= asked).count();
            prop_assert_eq!(scores.p(asked), (1 + above) as f64 / (1 + kept.len()) as f64);
        }
        for p in [0.05, 0.3] {
            let threshold = scores.threshold(p);
            if threshold.is_finite() {
                prop_assert!(scores.p(threshold) <= p);
                prop_assert!(scores.p(threshold.next_down()) > p);
            }
        }
        let text = serde_json::to_string(&scores).unwrap();
        prop_assert_eq!(serde_json::from_str::<Scores>(&text).unwrap(), scores);
    }
}

#[test]
fn without_drift_adjusted_p_values_are_as_good_as_the_levels_themselves() {
    let mut chance = Chance::new(11);
    let mut adaptive = Adaptive::default();
    let mut counts = Realised::new(&LEVELS, 1, 1);
    // p-values five times too small.
    for _ in 0..60_000 {
        let p = chance.unit() / 5.0;
        counts.take("", adaptive.adjust(p));
        adaptive.take(p);
    }
    for level in LEVELS {
        let ratio = counts.ratio("", level).unwrap().value().unwrap();
        assert!((0.75..=1.2).contains(&ratio), "{level} {ratio}");
    }
}
