//! A word on a finding while a hospital is watched, and the same hospital once more.

use std::path::PathBuf;
use std::thread::JoinHandle;

use drill::{Event, Plan, Speed, Who};
use learn::behaviour::{Behaved, Tolerance};
use model::privacy::SiteKey;
use model::{Case, Finding};
use pipeline::outputs::{Fact, OutputError, Outputs};
use store::Options;

use super::*;
use crate::feedback::enter_all;
use crate::keep::Keeper;

/// Seconds of normal life before the attacks.
const NORMAL_SECONDS: f64 = 720.0;

fn hospital(folder: &Path) -> PathBuf {
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
    drill::generate(&plan, folder).unwrap();
    folder.join("capture.pcap")
}

/// An instance without its API: a store, a desk, and somebody who speaks as soon as the models do.
struct Watch {
    keeper: Keeper,
    desk: Desk,
    slot: Slot,
    judged: Option<Timestamp>,
    /// What is said of the first finding of the models.
    verdict: Option<Verdict>,
    spoken: Option<JoinHandle<Taught>>,
    findings: Vec<Finding>,
}

impl Outputs for Watch {
    fn observation(&mut self, fact: Fact<'_>) -> Result<(), OutputError> {
        self.keeper.observation(fact)
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError> {
        self.findings.push(finding.clone());
        self.keeper.finding(finding)
    }

    fn case(&mut self, case: &Case) -> Result<(), OutputError> {
        self.keeper.case(case)
    }

    fn behaved(&mut self, behaved: &Behaved, _: &assets::Inventory) {
        self.judged = self.judged.max(Some(behaved.end));
    }

    fn chores(&mut self, engine: &mut Engine) -> Result<(), OutputError> {
        self.keeper.flush()?;
        let of_models =
            self.findings.iter().find(|one| one.kind == model::finding::FindingKind::Model);
        if let Some((finding, verdict)) =
            of_models.zip(self.verdict.take_if(|_| of_models.is_some()))
        {
            let said = Said {
                about: finding.id.0.clone(),
                verdict,
                who: "ada".to_owned(),
                at: Timestamp::from_parts(1_800_000_000, 0),
                note: "seen".to_owned(),
                preview: false,
            };
            let slot = self.slot.clone();
            self.spoken = Some(std::thread::spawn(move || slot.teach(said)));
            while self.desk.asked.is_empty() {
                std::thread::yield_now();
            }
        }
        self.desk.serve(engine, self.judged);
        Ok(())
    }
}

fn plan(capture: &Path) -> pipeline::analyze::Plan {
    pipeline::analyze::Plan {
        baselines: Vec::new(),
        captures: vec![capture.to_owned()],
        logs: Vec::new(),
        threads: 1,
        wire: wire::Config::default(),
        key: SiteKey::new(b"a test"),
        speed: None,
    }
}

/// Watches the hospital with the labels of a folder; what was found, and what the models answered.
fn watched(
    capture: &Path,
    data: &Path,
    verdict: Option<Verdict>,
) -> (Vec<Finding>, Option<Taught>) {
    let store = Arc::new(SqliteStore::open(&data.join("s.db"), Options::default()).unwrap());
    let (slot, desk) = desk(data, Arc::clone(&store));
    let settings = detect::Settings {
        learning_seconds: NORMAL_SECONDS - 30.0,
        tolerance: Tolerance { false_alerts: 5_000.0, ..Tolerance::default() },
        ..detect::Settings::default()
    };
    let mut engine = Engine::new(settings, assets::Settings::default());
    engine.behaviour_mut().inform(crate::models::built_in()).unwrap();
    enter_all(data, &mut engine).unwrap();
    let keeper = Keeper::new(store);
    let (judged, spoken) = (None, None);
    let mut watch = Watch { keeper, desk, slot, judged, verdict, spoken, findings: Vec::new() };
    pipeline::analyze::run(&plan(capture), &mut engine, &mut watch, &mut |_| {}).unwrap();
    let taught = watch.spoken.map(|spoken| spoken.join().unwrap());
    (watch.findings, taught)
}

#[test]
fn a_word_counts_at_once_and_the_same_traffic_with_it_gives_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let capture = hospital(&folder.path().join("hospital"));
    let data = |name: &str| {
        let data = folder.path().join(name);
        std::fs::create_dir(&data).unwrap();
        data
    };
    let (unsaid, _) = watched(&capture, &data("unsaid"), None);
    let spoken = data("spoken");
    let (live, taught) = watched(&capture, &spoken, Some(Verdict::Harmless));
    let taught = taught.expect("the models told of nothing");
    assert!(taught.entered && taught.windows == 1, "{taught:?}");
    let from = taught.from.expect("a time");
    let after = |all: &[Finding]| -> Vec<Finding> {
        all.iter().filter(|one| one.at > from).cloned().collect()
    };
    assert_eq!(live.len() - after(&live).len(), unsaid.len() - after(&unsaid).len());
    assert!(!after(&live).is_empty(), "nothing was left to be watched");

    let again = data("again");
    std::fs::copy(spoken.join("feedback.jsonl"), again.join("feedback.jsonl")).unwrap();
    let (replayed, _) = watched(&capture, &again, None);
    let text = |all: &[Finding]| serde_json::to_string(all).unwrap();
    assert_eq!(text(&replayed), text(&live));

    let (fault, answer) = watched(&capture, &data("fault"), Some(Verdict::Fault));
    assert!(!answer.unwrap().entered && !folder.path().join("fault/feedback.jsonl").exists());
    assert_eq!(text(&fault), text(&unsaid), "a word that is no label changed something");
}

#[test]
fn lines_that_others_add_are_taken_up_once_they_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("s.db"), Options::default()).unwrap();
    let (_, mut desk) = desk(folder.path(), Arc::new(store));
    let mut engine = Engine::new(detect::Settings::default(), assets::Settings::default());
    let label = serde_json::json!({
        "device": 3, "end": "2026-03-02T09:00:00Z", "class": "infusion_pump",
        "row": vec![0.0; learn::features::WIDTH], "attack": null, "normal": true, "by": "bob",
        "at": "2026-03-02T10:00:00Z", "about": "F-1",
    });
    let line = serde_json::json!({
        "at": "2026-03-02T10:00:00Z", "by": "bob", "why": "", "verdict": "normal", "about": "F-1",
        "features": version(), "labels": [label],
        "effect": {"looked_at": 0, "would_be_quiet": 0, "would_alert": 0, "lost_attacks": 0},
    });
    let file = file_of(folder.path());
    let judged = Some(Timestamp::from_parts(1_800_000_000, 0));
    let text = line.to_string();
    std::fs::write(&file, &text[..40]).unwrap();
    desk.follow(&mut engine, judged).unwrap();
    assert_eq!(engine.behaviour().labels().count(), 0);
    std::fs::write(&file, text + "\n").unwrap();
    desk.follow(&mut engine, judged).unwrap();
    desk.follow(&mut engine, judged).unwrap();
    let from: Vec<_> = engine.behaviour().labels().map(|label| label.from).collect();
    assert_eq!(from, [judged]);
    // From when on it counts stands in the file, for whoever watches the same traffic again.
    let mut fresh = Engine::new(detect::Settings::default(), assets::Settings::default());
    enter_all(folder.path(), &mut fresh).unwrap();
    let again: Vec<_> = fresh.behaviour().labels().map(|label| label.from).collect();
    assert_eq!(again, from);
}

#[test]
fn who_acts_in_a_case_teaches_nothing_until_it_is_closed_and_a_restart_knows() {
    let folder = tempfile::tempdir().unwrap();
    let capture = hospital(&folder.path().join("hospital"));
    let store =
        Arc::new(SqliteStore::open(&folder.path().join("s.db"), Options::default()).unwrap());
    let (slot, mut desk) = desk(folder.path(), Arc::clone(&store));
    let fresh = || {
        let settings = detect::Settings {
            learning_seconds: NORMAL_SECONDS - 30.0,
            models: false,
            ..detect::Settings::default()
        };
        Engine::new(settings, assets::Settings::default())
    };
    let mut engine = fresh();
    let mut keeper = Keeper::new(Arc::clone(&store));
    pipeline::analyze::run(&plan(&capture), &mut engine, &mut keeper, &mut |_| {}).unwrap();
    let cases = store.cases(&Query { severity: Some(Severity::Medium), ..Query::default() });
    let case = cases.unwrap().items.remove(0).case.id;
    let actor = acted(&store, &case).unwrap().remove(0);
    assert!(engine.is_held(&actor.id));

    // Going on after a restart, the store says who is held.
    let restarted = || {
        let mut again = fresh();
        again.load(&engine.save().unwrap()).unwrap();
        assert!(!again.is_held(&actor.id));
        hold(&store, &mut again).unwrap();
        again
    };
    assert!(restarted().is_held(&actor.id));
    let closed = store::StatusChange {
        status: CaseStatus::Closed,
        who: "ada".to_owned(),
        at: Timestamp::from_parts(1_800_000_000, 0),
        note: String::new(),
    };
    assert!(store.set_case_status(&case, &closed).unwrap());
    assert!(!restarted().is_held(&actor.id));

    let mut engine = restarted();
    engine.hold(&actor.id, &case);
    slot.moved(case.clone(), CaseStatus::Closed);
    desk.serve(&mut engine, None);
    assert!(!engine.is_held(&actor.id) && desk.take_freed().is_empty());
    slot.moved(case.clone(), CaseStatus::Open);
    desk.serve(&mut engine, None);
    assert!(engine.is_held(&actor.id));
    // A false alarm frees as well, and what was done is normal life again.
    desk.hold_or_free(&case, true, &mut engine).unwrap();
    assert!(!engine.is_held(&actor.id));
    assert_eq!(desk.take_freed().first().copied(), actor.ip);
    desk.hold_or_free(&case, false, &mut engine).unwrap();
    assert!(engine.is_held(&actor.id));
}
