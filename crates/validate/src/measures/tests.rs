//! A made-up evaluation with known answers.

use ml::Chance;

use super::*;
use crate::evaluation::{Example, Exposure, FalseAlert, Incident, Label};

/// Two sites, two classes, four kinds of attack; scores of attacks three deviations above normal
/// ones, p-values exact. Names are hostile on purpose.
pub(crate) fn made_up(seed: u64) -> Evaluation {
    let mut chance = Chance::new(seed);
    let mut made = Evaluation::default();
    let classes = ["infusion_pump", "<b>mri & co</b>"];
    for i in 0..6_000 {
        let strata = BTreeMap::from([
            ("class".to_owned(), classes[i % 2].to_owned()),
            ("shift".to_owned(), ["day", "evening", "night"][i % 3].to_owned()),
        ]);
        let normal = chance.normal();
        let (truth, score) = match i % 100 {
            0 => (Label::Attack("scan".to_owned()), normal + 3.0),
            1 => (Label::Attack("spoofing".to_owned()), normal + 4.0),
            2 => (Label::LookAlike("backup".to_owned()), normal + 1.0),
            3 => (Label::Neutral, 99.0),
            _ => (Label::Normal, normal),
        };
        let p = Some(if truth == Label::Normal { 1.0 - chance.unit() } else { 0.001 });
        let group = format!("{}/quiet", classes[i % 2]);
        made.examples.push(Example { score, p, probability: None, truth, group, strata });
    }
    for i in 0..48 {
        let malicious = i % 4 != 3;
        let found = if malicious { i % 12 != 0 } else { i == 3 };
        let actor = if i % 2 == 0 { "known" } else { "stranger" };
        let detectors: &[&str] = match i % 3 {
            0 => &["scan"],
            1 => &["scan", "cadence"],
            _ => &["models"],
        };
        let detectors: Vec<String> =
            if found { detectors.iter().map(|d| (*d).to_owned()).collect() } else { Vec::new() };
        made.incidents.push(Incident {
            kind: if malicious { ["scan", "spoofing", "theft"][i % 3] } else { "backup" }
                .to_owned(),
            malicious,
            site: format!("hospital-{}", i % 2),
            seconds: found.then(|| (1.5 + chance.normal()).exp()),
            first: detectors.first().cloned(),
            detectors,
            strata: BTreeMap::from([
                ("actor".to_owned(), actor.to_owned()),
                ("class".to_owned(), classes[i % 2].to_owned()),
            ]),
        });
    }
    for i in 0..3 {
        made.false_alerts.push(FalseAlert {
            site: "hospital-0".to_owned(),
            detector: "cadence".to_owned(),
            title: format!("<script>alert({i})</script>"),
            strata: BTreeMap::from([("class".to_owned(), classes[0].to_owned())]),
        });
    }
    for site in 0..2 {
        let devices = classes.map(|class| (class.to_owned(), 20_u64));
        made.exposure.push(Exposure {
            site: format!("hospital-{site}"),
            seconds: 7.0 * 86_400.0,
            devices: 40,
            strata: BTreeMap::from([("class".to_owned(), BTreeMap::from(devices))]),
        });
    }
    made
}

fn measured() -> Measures {
    Measures::of(&made_up(1), &Settings::default())
}

fn near(estimate: Estimate, value: f64, within: f64) {
    let found = estimate.value().expect("a figure");
    assert!((found - value).abs() <= within, "{found} and not {value}");
}

#[test]
fn counts_and_rates_are_those_of_the_rows() {
    let all = measured().overall;
    assert_eq!((all.normals, all.attacks, all.incidents, all.false_alerts), (5_760, 120, 36, 3));
    assert_eq!(all.device_weeks, 80.0);
    near(all.false_alerts_per_device_week, 3.0 / 80.0, 1e-12);
    near(all.false_alerts_per_100_device_weeks(), 3.75, 1e-9);
    near(all.false_alerts_per_shift, 3.0 / 42.0, 1e-12);
    near(all.recall, 32.0 / 36.0, 1e-12);
    near(all.look_alikes_flagged, 1.0 / 12.0, 1e-12);
    near(all.alert_precision, 32.0 / 35.0, 1e-12);
    near(all.seconds_p50, 4.5, 1.5);
    // 42 shifts, two alerts each: the 84 highest scores of 5,880, nearly all of them attacks.
    assert_eq!(all.precision_at_budget.count(), 84);
    assert!(all.precision_at_budget.value().unwrap() > 0.8);
}

#[test]
fn scores_are_measured_as_normals_three_and_four_apart_have_to_come_out() {
    let measures = measured();
    // Phi(3 / sqrt 2) and Phi(4 / sqrt 2), halved.
    near(measures.overall.roc_auc, (0.983_05 + 0.997_66) / 2.0, 0.01);
    // Above the 99 % and the 99.9 % quantile of normal ones: Phi(3 - 2.326), Phi(3 - 3.090).
    near(measures.kinds["scan"].tpr_at_1_percent, 0.75, 0.15);
    near(measures.kinds["scan"].tpr_at_01_percent, 0.46, 0.2);
    near(measures.kinds["spoofing"].tpr_at_01_percent, 0.82, 0.15);
    near(measures.overall.false_positive_rate, 0.01, 0.001);
    near(measures.overall.realised["0.01"], 1.0, 0.4);
    assert!(measures.overall.p_error.unwrap() < 0.01);
    assert_eq!(measures.overall.ece, None, "no model gave a probability");
}

#[test]
fn strata_are_told_apart_and_too_few_is_said() {
    let measures = measured();
    let pump = &measures.strata["class"]["infusion_pump"];
    near(pump.false_alerts_per_device_week, 3.0 / 40.0, 1e-12);
    assert_eq!(measures.strata["class"]["<b>mri & co</b>"].false_alerts, 0);
    assert!(matches!(pump.realised["0.001"], Estimate::TooFew { needed: 5_000, .. }));
    let night = &measures.strata["shift"]["night"];
    assert_eq!(night.false_alerts_per_device_week.value(), None, "devices have no shift");
    assert_eq!(measures.kinds["theft"].tpr_at_01_percent.value(), None);
    assert!(matches!(measures.kinds["scan"].recall_stranger, Estimate::TooFew { .. }));
    assert_eq!(measures.strata["site"].len(), 2);
}

#[test]
fn look_alikes_have_no_part_in_rates_of_normal_life() {
    let look = &measured().look_alikes["backup"];
    assert_eq!((look.examples, look.incidents, look.flagged), (60, 12, 1));
    assert!(look.above_1_percent.value().unwrap() < 0.3);
}

#[test]
fn the_one_detector_that_finds_something_is_known() {
    let detectors = measured().detectors;
    assert_eq!(detectors["models"].only, detectors["models"].found);
    assert!(detectors["scan"].first > detectors["scan"].only && detectors["cadence"].first == 0);
    assert_eq!(detectors["cadence"].false_alerts, 3);
    assert_eq!(detectors["scan"].look_alikes, 1);
}

#[test]
fn a_group_that_pays_for_others_is_seen_and_chance_alone_is_not() {
    let fair = measured();
    let bias =
        fair.bias.iter().find(|b| b.stratum == "class" && b.measure == "false_positive_rate");
    assert!(bias.unwrap().ratio.interval().unwrap().0 < 1.0, "by chance");
    assert!(fair.between_groups(0.1).unwrap().ratio.value().unwrap() < 2.0);
    let mut unfair = made_up(1);
    for example in unfair.examples.iter_mut().filter(|e| e.strata["class"] == "infusion_pump") {
        example.score += 1.0;
        example.p = example.p.map(|p| p / 8.0);
    }
    let unfair = Measures::of(&unfair, &Settings::default());
    let bias =
        unfair.bias.iter().find(|b| b.stratum == "class" && b.measure == "false_positive_rate");
    assert_eq!(bias.unwrap().largest.value, "infusion_pump");
    assert!(bias.unwrap().ratio.interval().unwrap().0 > 2.0, "{bias:?}");
    let groups = unfair.between_groups(0.1).unwrap();
    assert_eq!(groups.largest.value, "infusion_pump/quiet");
    assert!(groups.ratio.value().unwrap() > 4.0, "{groups:?}");
}

#[test]
fn the_same_evaluation_gives_the_same_bytes_and_they_can_be_read() {
    let text = serde_json::to_string(&measured()).unwrap();
    assert_eq!(text, serde_json::to_string(&measured()).unwrap());
    let read: Measures = serde_json::from_str(&text).unwrap();
    assert_eq!(read.overall.recall.count(), 36);
    assert!(read.curves.roc.len() > 50 && read.curves.roc.len() < 400);
}

#[test]
fn an_empty_evaluation_has_no_figure() {
    let empty = Measures::of(&Evaluation::default(), &Settings::default());
    assert_eq!(empty.overall.roc_auc.value(), None);
    assert_eq!(empty.overall.recall.value(), None);
    assert!(empty.strata.is_empty() && empty.bias.is_empty());
    assert_eq!(empty.between_groups(0.01), None);
}
