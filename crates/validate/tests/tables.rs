//! A made-up table from file to figures, and what the linter says of bad ones.

use std::fmt::Write as _;
use std::io::Write as _;

use ml::Chance;
use ml::trees::TreeSettings;
use validate::tables::ensemble::EnsembleSettings;
use validate::tables::{Sign, Split, TableError, TableOptions, TableOutcome, TableRun, run};

/// Flows of two services, with two kinds of attack; `extra` adds a column.
fn flows(rows: usize, seed: u64, extra: impl Fn(usize, &str, &mut Chance) -> String) -> String {
    let mut chance = Chance::new(seed);
    let mut out = "protocol,service,bytes,count,rate,device,label,graded\n".to_owned();
    for at in 0..rows {
        let kind = match chance.below(10) {
            0 => "scan",
            1 => "flood",
            _ => "normal",
        };
        let (mut bytes, mut count, mut rate) =
            (200.0 + 50.0 * chance.normal(), 3.0 + chance.unit() * 4.0, chance.unit());
        match kind {
            "scan" => (bytes, count) = (10.0 * chance.unit(), 40.0 + 20.0 * chance.unit()),
            "flood" => (bytes, rate) = (bytes + 2_000.0 * chance.unit(), 9.0 + chance.unit()),
            _ => {}
        }
        let service = ["dicom", "hl7"][chance.below(2)];
        let device = extra(at, kind, &mut chance);
        let graded = chance.below(21);
        let _ =
            writeln!(out, "tcp,{service},{bytes:.3},{count:.3},{rate:.3},{device},{kind},{graded}");
    }
    out
}

fn plain(_: usize, _: &str, chance: &mut Chance) -> String {
    format!("d{}", chance.below(8))
}

fn task(file: &tempfile::NamedTempFile, split: Split) -> TableRun {
    let few = TreeSettings { rounds: 20, leaves: 8, ..TreeSettings::default() };
    let settings = EnsembleSettings {
        known: few.clone(),
        mixed: few,
        seeds: 1,
        ..EnsembleSettings::default()
    };
    let (file, options) = (file.path().to_path_buf(), TableOptions::new("label"));
    TableRun { file, test: None, options, split, allow_leaks: false, settings, seed: 1 }
}

fn written(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn ran(task: &TableRun) -> TableOutcome {
    run(task, &mut |_| ()).unwrap()
}

/// The signs for which a run is refused.
fn refused(task: &TableRun) -> Vec<Sign> {
    match run(task, &mut |_| ()) {
        Err(TableError::Leaks(findings)) => findings.iter().map(|finding| finding.sign).collect(),
        Err(error) => panic!("{error}"),
        Ok(_) => Vec::new(),
    }
}

#[test]
fn attacks_are_found_also_those_that_training_never_saw() {
    let (train, test) = (written(&flows(1_500, 1, plain)), written(&flows(600, 2, plain)));
    let official =
        TableRun { test: Some(test.path().to_path_buf()), ..task(&train, Split::Official) };
    let outcome = ran(&official);
    let again = ran(&official);
    assert!(outcome.evaluation == again.evaluation, "two runs differ");
    assert_eq!(outcome.summary, again.summary);
    assert!(outcome.summary.roc_auc > Some(0.98), "{:?}", outcome.summary);
    assert_eq!((outcome.summary.judged, outcome.evaluation.examples.len()), (600, 600));
    assert!(outcome.findings.iter().any(|finding| finding.sign == Sign::BehindLabel));
    assert!(!outcome.summary.columns.contains(&"graded".to_owned()));
    let example = &outcome.evaluation.examples[0];
    assert_eq!(example.strata["protocol"], "tcp");
    assert!(example.p.is_some_and(|p| p > 0.0 && p <= 1.0));

    let unseen = ran(&task(&train, Split::LeaveOneAttackOut)).summary;
    assert!(unseen.recall.keys().eq(["absent", "all"]), "{unseen:?}");
    assert!(unseen.roc_auc > Some(0.9) && unseen.kinds.len() == 2, "{unseen:?}");
    assert!(unseen.recall["absent"].at_test_fpr > 0.5, "{unseen:?}");
}

#[test]
fn alarms_on_normal_rows_come_as_often_as_the_p_value_says() {
    let train = written(&flows(4_000, 3, plain));
    let outcome = ran(&task(&train, Split::Random));
    let (nominal, realised) = outcome.summary.realised[0];
    assert!(realised < 2.0 * nominal, "{realised} at {nominal}");
}

#[test]
fn groups_and_times_are_kept_apart() {
    let train = written(&flows(800, 4, plain));
    let mut by_group = task(&train, Split::LeaveOneGroupOut);
    by_group.options.group = Some("device".into());
    let outcome = ran(&by_group);
    assert_eq!(outcome.summary.judged, 800);
    assert!(outcome.evaluation.examples.iter().all(|example| example.strata.contains_key("group")));
    for (split, needs) in
        [(Split::Group, "--group"), (Split::Time, "--time"), (Split::Official, "--test")]
    {
        let error = run(&task(&train, split), &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains(needs), "{error}");
    }
    let mut by_time = task(&written(&flows(800, 4, |at, _, _| at.to_string())), Split::Time);
    let kept = written(&flows(800, 4, |at, _, _| at.to_string()));
    by_time.file = kept.path().to_path_buf();
    by_time.options.time = Some("device".into());
    assert_eq!(ran(&by_time).summary.judged, 200);
}

#[test]
fn columns_that_give_the_label_or_the_laboratory_away_are_refused() {
    type Extra = fn(usize, &str, &mut Chance) -> String;
    let cases: [(Sign, Extra); 8] = [
        (Sign::Address, |_, _, chance| format!("10.0.{}.7", chance.below(40))),
        (Sign::Address, |_, _, chance| format!("00:1b:21:00:00:{:02x}", chance.below(40))),
        (Sign::Time, |at, _, chance| format!("{}", 1_700_000_000 + at * 100 + chance.below(900))),
        (Sign::Time, |_, _, chance| format!("2026-03-{:02} 08:00:00", 1 + chance.below(28))),
        (Sign::Counter, |at, _, _| format!("{}", at * 3)),
        (Sign::Identifier, |_, _, chance| format!("flow-{:x}", chance.bits())),
        (Sign::Ttl, |_, _, chance| {
            format!("{}", [64, 128, 255][chance.below(3)] - chance.below(9))
        }),
        (Sign::GivesAway, |_, kind, _| u8::from(kind != "normal").to_string()),
    ];
    for (sign, extra) in cases {
        let train = written(&flows(600, 5, extra));
        let mut task = task(&train, Split::Random);
        assert_eq!(refused(&task), [sign]);
        task.options.ignore = vec!["DEVICE".into()];
        assert!(refused(&task).is_empty(), "{sign:?} stays although it is ignored");
    }
    let named = flows(600, 5, plain).replacen("rate", "Src IP", 1);
    assert_eq!(refused(&task(&written(&named), Split::Random)), [Sign::Address]);
    let port = |_: usize, _: &str, chance: &mut Chance| match chance.below(3) {
        0 => (40_000 + chance.below(9_000)).to_string(),
        _ => ["80", "443", "104", "53"][chance.below(4)].to_owned(),
    };
    let train = written(&flows(600, 5, port));
    let mut with_ports = task(&train, Split::Random);
    assert_eq!(refused(&with_ports), [Sign::Port]);
    with_ports.allow_leaks = true;
    let outcome = ran(&with_ports);
    assert!(outcome.findings[0].refused, "a leak that was allowed still stands in the report");
}

#[test]
fn rows_that_stand_on_both_sides_are_refused_and_conflicts_counted() {
    let once = flows(400, 6, plain);
    let (_, rows) = once.split_once('\n').unwrap();
    let twice = written(&format!("{once}{rows}"));
    assert_eq!(refused(&task(&twice, Split::Random)), [Sign::Repeated]);
    let mut allowed = task(&twice, Split::Random);
    allowed.allow_leaks = true;
    let outcome = ran(&allowed);
    assert!(outcome.summary.duplicates > 100 && outcome.summary.learned < 400);
    let again = outcome.evaluation.examples.iter().filter(|e| e.strata["row"] != "new").count();
    assert!(again > 100, "{again}");
    let turned = rows.replace(",normal,", ",scan,");
    let both = written(&format!("{once}{turned}"));
    assert!(refused(&task(&both, Split::Random)).contains(&Sign::Conflict));
}

#[test]
fn groups_that_hold_only_one_label_are_refused() {
    let one = |_: usize, kind: &str, chance: &mut Chance| {
        format!("{}{}", if kind == "normal" { "ward" } else { "lab" }, chance.below(4))
    };
    let train = written(&flows(600, 7, one));
    let mut task = task(&train, Split::Random);
    task.options.group = Some("device".into());
    assert_eq!(refused(&task), [Sign::OneLabelGroups]);
}

#[test]
fn a_table_of_one_class_is_refused() {
    let text = flows(300, 8, plain).replace(",scan,", ",normal,").replace(",flood,", ",normal,");
    let error = run(&task(&written(&text), Split::Random), &mut |_| ()).unwrap_err();
    assert!(matches!(error, TableError::OneClass { .. }), "{error}");
}
