//! `wardwatch validate` and `wardwatch model`, from the outside.

use drill::{Event, Plan, Speed, Who};
use serde_json::Value;

use crate::rig::Desk;

/// A small hospital with its truth, in a folder of the desk.
fn hospital(desk: &Desk) {
    let event = |scenario: &str| Event {
        scenario: scenario.to_owned(),
        who: Who::Stranger,
        speed: Speed::Fast,
    };
    let plan = Plan {
        seed: 5,
        baseline_minutes: 3.0,
        attack_minutes: 1.0,
        gap_seconds: 5.0,
        image_kib: 12,
        pace: 0.5,
        events: vec![event("port_scan"), event("ward_move")],
        ..Plan::default()
    };
    drill::generate(&plan, &desk.path("ward")).unwrap();
}

#[test]
fn a_folder_with_its_truth_is_validated_and_the_report_is_written_for_people_and_machines() {
    let desk = Desk::new();
    hospital(&desk);
    let ran = desk.run("validate ward --model 0 --out out").ended(0);
    assert!(ran.out.contains("share of attacks found"), "{}", ran.out);
    let read = |name: &str| std::fs::read_to_string(desk.path("out").join(name)).unwrap();
    let incidents: Value = serde_json::from_str(&read("incidents.json")).unwrap();
    let scan = &incidents[0];
    assert_eq!(
        (scan["kind"].as_str(), scan["malicious"].as_bool()),
        (Some("port_scan"), Some(true))
    );
    assert!(scan["seconds"].as_f64().is_some_and(|seconds| seconds < 10.0), "{scan}");
    assert_eq!(incidents[1]["malicious"], false);
    let card: Value = serde_json::from_str(&read("card.json")).unwrap();
    assert_eq!((&card["bomFormat"], &card["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    let page = read("report.html");
    assert!(page.starts_with("<!DOCTYPE html>") || page.starts_with("<!doctype html>"));
    assert!(!page.contains("http://") || !page.contains("<script src"), "nothing from elsewhere");
}

#[test]
fn what_cannot_be_validated_is_refused_with_what_to_do() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("empty")).unwrap();
    let ran = desk.run("validate empty").ended(1);
    assert!(ran.err.contains("truth.json"), "{}", ran.err);
    desk.run("validate --hospitals 0 --quiet 0").ended(1);
    desk.run("validate --hours nan").ended(2);
    desk.file("t.csv", "a,b\n1,2\n");
    let ran = desk.run("validate --table t.csv --label nowhere").ended(1);
    assert!(ran.err.contains("nowhere"), "{}", ran.err);
}

#[test]
fn the_shelf_is_empty_at_first_and_what_is_no_package_does_not_come_onto_it() {
    let desk = Desk::new();
    let ran = desk.run("model list --data d").ended(0);
    assert!(ran.out.contains("in use"), "{}", ran.out);
    let ran = desk.run("model show --data d").ended(0);
    assert!(ran.out.contains("trees"), "{}", ran.out);
    desk.run("model promote 7 --data d").ended(1);
    desk.run("model rollback --data d").ended(1);
    desk.file("bad.model", "no package");
    desk.run("model import bad.model --data d").ended(1);
    let ran = desk.run("model list --data d").ended(0);
    assert!(!ran.out.contains("promoted"), "{}", ran.out);
}
