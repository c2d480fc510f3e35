//! What analysts say of the models' findings: previewed, entered, listed, and followed.

use std::path::PathBuf;
use std::sync::LazyLock;

use drill::{Event, Plan, Speed, Who};
use serde_json::Value;

use crate::rig::{Desk, Ran, recorded};

/// Seconds of normal life before the attacks.
const NORMAL_SECONDS: f64 = 720.0;

/// A hospital with enough normal life for the models to speak.
static CAPTURE: LazyLock<PathBuf> = LazyLock::new(|| {
    let event = |scenario: &str| Event {
        scenario: scenario.to_owned(),
        who: Who::Known,
        speed: Speed::Fast,
    };
    let plan = Plan {
        seed: 11,
        baseline_minutes: NORMAL_SECONDS / 60.0,
        attack_minutes: 1.5,
        gap_seconds: 5.0,
        image_kib: 12,
        pace: 0.5,
        events: vec![event("port_scan"), event("dicom_wildcard_query"), event("ransomware")],
        ..Plan::default()
    };
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("feedback-{run}"));
    if !folder.exists() {
        let mine = folder.with_extension(std::process::id().to_string());
        drill::generate(&plan, &mine).unwrap();
        if std::fs::rename(&mine, &folder).is_err() {
            std::fs::remove_dir_all(&mine).unwrap();
        }
    }
    folder.join("capture.pcap")
});

const BASELINE: &str = "--learned l.json --store s.db";

/// The hospital watched by somebody who bears many false alerts: findings, and what was learned.
fn watched() -> (Desk, Vec<Value>) {
    let desk = Desk::new();
    let seconds = NORMAL_SECONDS - 30.0;
    desk.file("w.toml", format!("[learning]\nseconds = {seconds}\nfalse_alerts = 5000\n"));
    desk.run_on(&format!("analyze --config w.toml --out out {BASELINE}"), &[&CAPTURE]).ended(0);
    let findings = desk.lines("out/findings.jsonl");
    (desk, findings)
}

fn say(desk: &Desk, about: &Value, words: &str) -> Ran {
    desk.run(&format!("model feedback {} {words} {BASELINE}", about.as_str().unwrap()))
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

fn windows(preview: &Value, list: &str) -> Vec<String> {
    let all = preview[list].as_array().unwrap().iter();
    all.map(|one| format!("{} {}", one["device"], one["end"])).collect()
}

#[test]
fn a_word_on_a_finding_of_the_models_is_previewed_entered_kept_and_listed() {
    let (desk, findings) = watched();
    let scan = findings.iter().find(|one| one["detector"] == "scan").unwrap();
    let scanner = &scan["device"]["id"];
    let by_models = |one: &&Value| one["kind"] == "model" && &one["device"]["id"] == scanner;
    let found = findings.iter().find(by_models).expect("the models told of no scan");
    let before = std::fs::read(desk.path("l.json")).unwrap();

    // Called normal, it would be a loss: a rule found the scan too.
    let ran = say(&desk, &found["id"], "--normal --preview --json").ended(0);
    let preview = json(&ran);
    assert_eq!(preview["entered"], false);
    let spoken = windows(&preview, "windows");
    assert_eq!(spoken.len(), 1);
    assert!(windows(&preview, "would_be_quiet").contains(&spoken[0]), "{preview}");
    assert!(windows(&preview, "lost_attacks").contains(&spoken[0]), "{preview}");
    assert!(preview["lost_attacks"].to_string().contains("(scan)"), "{preview}");
    let shown = say(&desk, &found["id"], "--normal --preview").ended(0);
    assert!(shown.out.contains("LOST") && shown.out.contains("quiet"), "{}", shown.out);
    // So would the case that it is in.
    let case = json(&say(&desk, &found["case"], "--normal --preview --json").ended(0));
    assert!(windows(&case, "windows").contains(&spoken[0]), "{case}");
    assert_eq!(std::fs::read(desk.path("l.json")).unwrap(), before, "a preview changed it");
    assert!(!desk.path("feedback.jsonl").exists());

    // An attack it was, says Ada; no, says Bob.
    let words = "--attack --by Ada --why training";
    let ran = say(&desk, &found["id"], words).ended(0);
    assert!(ran.out.contains("Entered as said by Ada"), "{}", ran.out);
    let listed = desk.run("model feedback list --learned l.json --json").ended(0);
    let label = json(&listed);
    assert_eq!((&label["by"], &label["verdict"]), (&"Ada".into(), &"attack".into()));
    assert!(label["about"].as_str().unwrap().ends_with(": training"), "{label}");
    say(&desk, &found["id"], "--normal --by Bob").ended(0);
    let listed = desk.run("model feedback list --learned l.json").ended(0);
    assert!(listed.out.contains("Bob") && !listed.out.contains("Ada"), "{}", listed.out);
    let lines = desk.lines("feedback.jsonl");
    let said: Vec<_> = lines.iter().map(|line| (&line["by"], &line["verdict"])).collect();
    assert_eq!(said, [(&"Ada".into(), &"attack".into()), (&"Bob".into(), &"normal".into())]);
    assert!(lines[1]["effect"]["lost_attacks"].as_u64().unwrap() >= 1, "{}", lines[1]["effect"]);

    // Nothing is left to change, and the baseline is still one.
    let again = json(&say(&desk, &found["id"], "--normal --preview --json").ended(0));
    assert!(windows(&again, "would_be_quiet").is_empty(), "{again}");
    let saved: Value =
        serde_json::from_slice(&std::fs::read(desk.path("l.json")).unwrap()).unwrap();
    let first: Value = serde_json::from_slice(&before).unwrap();
    for (name, value) in first.as_object().unwrap() {
        assert_eq!(name != "behaviour", &saved[name] == value, "{name}");
    }
    desk.run_on("analyze --config w.toml --learned l.json", &[&recorded("dns/dns.pcap")]).ended(0);
    let listed = desk.run("model feedback list --learned l.json").ended(0);
    assert!(listed.out.contains("Bob"), "it was forgotten: {}", listed.out);

    // What cannot be said.
    let id = found["id"].as_str().unwrap();
    say(&desk, &found["id"], "--normal").ended(2).says(&["--by"]);
    desk.run(&format!("model feedback {id} {BASELINE} --by Ada")).ended(2).says(&["--normal"]);
    desk.run(&format!("model feedback {id} --normal --by Ada --learned l.json"))
        .ended(2)
        .says(&["--store"]);
    say(&desk, &"F-999999".into(), "--normal --by Ada").ended(1).says(&["F-999999"]);
    say(&desk, &"C-9999".into(), "--normal --by Ada").ended(1).says(&["no case 'C-9999'"]);
    say(&desk, &scan["id"], "--normal --by Ada").ended(1).says(&["'scan'", "no label"]);
    desk.run_on("analyze --learned other.json", &[&recorded("dns/dns.pcap")]).ended(0);
    desk.run(&format!("model feedback {id} --normal --by Ada --learned other.json --store s.db"))
        .ended(1)
        .says(&[id, "not in this baseline"]);
    assert_eq!(desk.lines("feedback.jsonl").len(), 2, "what was refused was kept");
}
