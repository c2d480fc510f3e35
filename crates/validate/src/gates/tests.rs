//! Gates that open, gates that hold.

use std::collections::BTreeMap;

use super::*;
use crate::evaluation::{Evaluation, Label};
use crate::measures::tests::made_up;
use crate::measures::{Measures, Settings, beside as both};

fn measured(evaluation: &Evaluation) -> Measures {
    Measures::of(evaluation, &Settings::default())
}

fn outcome(verdicts: &[Verdict], gate: &str, of: &str) -> Option<Outcome> {
    verdicts.iter().find(|v| v.gate == gate && v.of == of).map(|v| v.outcome)
}

#[test]
fn every_bound_that_can_be_held_against_has_its_verdict() {
    let verdicts = release(&measured(&made_up(1)), &Bounds::default());
    assert_eq!(outcome(&verdicts, "tpr_at_01_percent", "scan"), Some(Outcome::Failed));
    assert_eq!(outcome(&verdicts, "tpr_at_01_percent", "theft"), None, "it has no examples");
    assert_eq!(outcome(&verdicts, "recall_known", "theft"), Some(Outcome::Passed));
    assert_eq!(outcome(&verdicts, "false_alerts_per_shift", ""), Some(Outcome::Passed));
    assert_eq!(outcome(&verdicts, "look_alikes_flagged", ""), Some(Outcome::TooFew));
    assert_eq!(outcome(&verdicts, "seconds_p50", ""), Some(Outcome::Passed));
    assert_eq!(
        outcome(&verdicts, "realised_over_nominal_0.001", "infusion_pump/quiet"),
        Some(Outcome::TooFew)
    );
    assert_eq!(outcome(&verdicts, "between_groups_0.01", ""), Some(Outcome::TooFew));
    assert!(!holds(&verdicts));
    assert!(release(&measured(&Evaluation::default()), &Bounds::default()).is_empty());
}

#[test]
fn kinds_that_another_system_finds_more_of_are_named() {
    let ours = measured(&made_up(1));
    assert!(holds(&beside(&both(&ours, &ours), "itself")));
    let mut better = made_up(1);
    for example in
        better.examples.iter_mut().filter(|e| e.truth == Label::Attack("scan".to_owned()))
    {
        example.score += 3.0;
    }
    let verdicts = beside(&both(&ours, &measured(&better)), "kitsune");
    assert_eq!(outcome(&verdicts, "beside_kitsune", "scan"), Some(Outcome::Failed));
    assert_eq!(outcome(&verdicts, "beside_kitsune", "spoofing"), Some(Outcome::Passed));
    assert_eq!(outcome(&verdicts, "beside_kitsune", "theft"), None, "nobody scored it");
}

#[test]
fn attacks_from_known_devices_have_a_gate_of_their_own() {
    let mut made = made_up(1);
    let mut place = 0;
    for example in &mut made.examples {
        if let Label::Attack(_) = &example.truth {
            place += 1;
            let known = place / 2 % 2 == 0;
            let who = if known { "known" } else { "stranger" };
            example.strata.insert("actor".to_owned(), who.to_owned());
            // Those of strangers are plain, those of known devices are not.
            example.score = if known { 0.0 } else { 99.0 };
        }
    }
    let verdicts = release(&measured(&made), &Bounds::default());
    for kind in ["scan", "spoofing"] {
        assert_eq!(outcome(&verdicts, "tpr_known_at_01_percent", kind), Some(Outcome::Failed));
    }
    made.examples.retain(|e| e.strata.get("actor").is_none_or(|who| who == "stranger"));
    let verdicts = release(&measured(&made), &Bounds::default());
    assert_eq!(outcome(&verdicts, "tpr_known_at_01_percent", "scan"), None, "nobody measured it");
}

#[test]
fn what_is_realised_after_a_change_is_judged_apart_from_what_came_before() {
    let mut made = made_up(1);
    let half = made.examples.len() / 2;
    for (place, example) in made.examples.iter_mut().enumerate() {
        let life = if place < half { "before a change" } else { "after a change" };
        example.strata.insert("life".to_owned(), life.to_owned());
        if place >= half && example.truth == Label::Normal {
            example.p = example.p.map(|p| p / 5.0);
        }
    }
    let verdicts = release(&measured(&made), &Bounds::default());
    let of = |gate: &str| outcome(&verdicts, gate, "infusion_pump/quiet");
    assert_eq!(of("realised_after_change_0.01"), Some(Outcome::Failed));
    assert_ne!(of("realised_over_nominal_0.01"), Some(Outcome::Failed));
}

#[test]
fn a_device_that_has_attacked_is_no_false_positive_of_its_group_and_one_that_has_not_is() {
    let realised = |case: &str| {
        let mut made = made_up(1);
        for example in made.examples.iter_mut().filter(|e| e.truth == Label::Normal).take(300) {
            example.strata.insert("case".to_owned(), case.to_owned());
            example.p = Some(0.001);
        }
        let group = measured(&made).groups.remove("infusion_pump/quiet").unwrap();
        (group.realised["0.01"].value().unwrap(), group.accused, group.others.len())
    };
    let (right, none, nothing) = realised("right");
    assert!(right < 1.5 && none == 0 && nothing == 0, "{right}");
    let (wrong, accused, others) = realised("false");
    assert!(wrong > 4.0 && accused > 100 && others > 0, "{wrong}, {accused}");
}

#[test]
fn groups_are_compared_only_where_enough_was_to_be_expected() {
    let measures = measured(&made_up(1));
    // 2,880 normal examples in each of two groups: 288, 29 and 3 false positives to be expected.
    assert!(measures.between_groups(0.1).is_some());
    assert_eq!(measures.between_groups(0.01), None);
    assert_eq!(measures.between_groups(0.001), None);
    // A site that was watched for an hour has groups that are still too strict.
    let mut short = made_up(1);
    for (place, example) in short.examples.iter_mut().enumerate() {
        let site = format!("hospital-{}", place % 4 / 2);
        example.strata.insert("site".to_owned(), site);
    }
    assert!(measured(&short).between_groups(0.1).is_some());
    short.exposure.iter_mut().for_each(|site| site.seconds = 3_600.0);
    assert_eq!(measured(&short).between_groups(0.1), None);
    assert_eq!(measured(&short).groups.len(), 2, "they are told of all the same");
}

#[test]
fn a_table_is_held_against_the_bounds_of_tables() {
    let mut table = made_up(1);
    for example in table.examples.iter_mut().filter(|e| e.truth == Label::Attack("scan".to_owned()))
    {
        example.strata.insert("novelty".to_owned(), "new".to_owned());
    }
    let verdicts = release(&measured(&table), &Bounds::for_table());
    assert_eq!(outcome(&verdicts, "roc_auc", ""), Some(Outcome::Passed));
    assert_eq!(outcome(&verdicts, "novel_at_3_percent", ""), Some(Outcome::Passed));
    assert!(!verdicts.iter().any(|v| v.gate == "tpr_at_01_percent"));
    let without = release(&measured(&made_up(1)), &Bounds::for_table());
    assert_eq!(outcome(&without, "novel_at_3_percent", ""), Some(Outcome::TooFew));
}

#[test]
fn an_update_that_changes_nothing_passes() {
    let champion = measured(&made_up(1));
    let verdicts = update(&champion, &champion, &Bounds::default());
    assert!(holds(&verdicts));
    assert_eq!(outcome(&verdicts, "update.roc_auc", ""), Some(Outcome::Passed));
}

#[test]
fn an_update_that_changes_every_score_a_little_passes() {
    let champion = made_up(1);
    for seed in 2..8 {
        let mut chance = ml::Chance::new(seed);
        let mut challenger = champion.clone();
        challenger.examples.iter_mut().for_each(|e| e.score += 0.1 * chance.normal());
        let verdicts = update(&measured(&champion), &measured(&challenger), &Bounds::default());
        assert!(holds(&verdicts), "{seed}: {verdicts:#?}");
    }
}

#[test]
fn an_update_that_is_worse_for_one_class_only_is_refused() {
    let champion = made_up(1);
    let mut challenger = champion.clone();
    for example in &mut challenger.examples {
        match example.truth {
            Label::Attack(_) if example.strata["class"] == "infusion_pump" => example.score -= 2.0,
            Label::Attack(_) => example.score += 2.0,
            _ => {}
        }
    }
    let verdicts = update(&measured(&champion), &measured(&challenger), &Bounds::default());
    let failed = outcome(&verdicts, "update.roc_auc", "class: infusion_pump");
    assert_eq!(failed, Some(Outcome::Failed), "{verdicts:#?}");
    assert_ne!(
        outcome(&verdicts, "update.roc_auc", "class: <b>mri & co</b>"),
        Some(Outcome::Failed)
    );
}

#[test]
fn an_update_with_twice_the_false_positives_on_one_class_is_refused() {
    let champion = made_up(1);
    let mut challenger = champion.clone();
    for example in challenger.examples.iter_mut().filter(|e| e.strata["class"] == "infusion_pump") {
        example.p = example.p.map(|p| p / 3.0);
    }
    let verdicts = update(&measured(&champion), &measured(&challenger), &Bounds::default());
    let failed = outcome(&verdicts, "update.false_positive_rate", "class: infusion_pump");
    assert_eq!(failed, Some(Outcome::Failed), "{verdicts:#?}");
}

#[test]
fn a_stratum_that_vanishes_is_not_a_pass() {
    let champion = made_up(1);
    let mut challenger = champion.clone();
    challenger.examples.retain(|example| example.strata["class"] == "infusion_pump");
    let verdicts = update(&measured(&champion), &measured(&challenger), &Bounds::default());
    assert_eq!(
        outcome(&verdicts, "update.roc_auc", "class: <b>mri & co</b>"),
        Some(Outcome::TooFew)
    );
}

#[test]
fn an_update_that_few_devices_dominate_is_refused() {
    let bounds = PoisoningBounds::default();
    let even: BTreeMap<String, f64> = (0..40).map(|i| (format!("device-{i}"), 10.0)).collect();
    assert_eq!(poisoning(&even, &bounds).outcome, Outcome::Passed);
    let mut owned = even.clone();
    owned.insert("device-7".to_owned(), 900.0);
    let verdict = poisoning(&owned, &bounds);
    assert!(verdict.outcome == Outcome::Failed && verdict.why.contains("device-7"), "{verdict:?}");
    owned.insert("device-7".to_owned(), f64::NAN);
    assert_eq!(poisoning(&owned, &bounds).outcome, Outcome::Failed);
    let few: BTreeMap<String, f64> = (0..4).map(|i| (format!("device-{i}"), 10.0)).collect();
    assert_eq!(poisoning(&few, &bounds).outcome, Outcome::TooFew);
    assert_eq!(poisoning(&BTreeMap::new(), &bounds).outcome, Outcome::TooFew);
}

#[test]
fn bounds_may_be_given_in_part() {
    let bounds: Bounds =
        serde_json::from_str(r#"{"recall_known":0.9,"update":{"roc_auc":0.5}}"#).unwrap();
    assert_eq!((bounds.recall_known, bounds.update.roc_auc), (0.9, 0.5));
    assert_eq!(bounds.between_groups, 2.0);
    assert!(serde_json::from_str::<Bounds>(r#"{"recal":1}"#).is_err());
}
