//! `wardwatch validate`: how often it is right and how often wrong, in the open.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use learn::behaviour::Knowledge;
use ml::intervals::Estimate;
use validate::card;
use validate::evaluation::Evaluation;
use validate::gates::{Bounds, Outcome, holds};
use validate::hospitals::Hospital;
use validate::measures::{Measures, Settings};
use validate::report::Report;
use validate::tables::ensemble::EnsembleSettings;
use validate::tables::{self, TableOptions, TableRun};
use validate::trial::Trial;
use validate::{sites, unseen, watch};

use crate::analyze::tell;
use crate::cli::{TrialArgs, ValidateArgs};
use crate::exit;
use crate::models;
use crate::tables::{say, table};

/// Runs it.
pub(crate) fn validate(args: &ValidateArgs) -> Result<ExitCode> {
    if args.table.is_some() {
        return of_table(args);
    }
    let knowledge = models::chosen(&args.data, args.model)?;
    let (mut report, evaluation) = tried(&args.on, &args.folders, knowledge)?;
    report.made_at = models::now().to_string();
    finish(args, &report, &evaluation)
}

/// Tries a model on what was asked for.
pub(crate) fn tried(
    on: &TrialArgs,
    folders: &[PathBuf],
    knowledge: Option<Arc<Knowledge>>,
) -> Result<(Report, Evaluation)> {
    if !(on.hours.is_finite() && (0.0..=1_000.0).contains(&on.hours)) {
        bail!(exit::Usage::from_error("--hours: give 0 to 1000"));
    }
    if on.left_out_sites && matches!(folders.len(), 1..=2) {
        bail!(exit::Usage::from_error("--left-out-sites: give at least three folders, or none"));
    }
    let set = |count: u32, from: u64| (0..u64::from(count)).map(|one| from + one).collect();
    let alone = folders.is_empty();
    let trial = Trial {
        seeds: if alone { set(on.hospitals, on.seed) } else { Vec::new() },
        parts: on.parts,
        by_known: on.by_known,
        quiet_seeds: if alone { set(on.quiet, on.seed + 500) } else { Vec::new() },
        changing_seeds: if alone { set(on.drift, on.seed + 500) } else { Vec::new() },
        quiet_hours: on.hours,
        sites: folders.to_vec(),
        threads: on.threads.into(),
        knowledge,
        ablation: on.ablation,
        kitsune: on.kitsune,
        ..Trial::default()
    };
    let (mut report, evaluation) =
        trial.run(&Bounds::default(), &|name| tell(&format!("watched {name}")))?;
    let threads = on.threads.into();
    if on.unseen {
        let sets = |from: u64, count: u64| Hospital::coverage(from..from + count, 8);
        let (learned, judged) = (sets(on.seed + 700, 4), sets(on.seed + 800, 2));
        let all = unseen::leave_out(&learned, &judged, threads, &watch::engine, &|name| {
            tell(&format!("left out: {name}"));
        })?;
        report.comparisons.extend(unseen::compared(&all));
    }
    if on.left_out_sites {
        let sets = |from: u64| Hospital::coverage(from..from + 1, SITES);
        let hospitals = if alone { sets(on.seed + 900) } else { Vec::new() };
        let all = sites::leave_out(&hospitals, folders, threads, &watch::engine, &|name| {
            tell(&format!("left-out sites: {name}"));
        })?;
        report.comparisons.extend(sites::compared(&all));
    }
    Ok((report, evaluation))
}

/// Made-up hospitals of which each is left out in turn.
const SITES: u32 = 8;

fn of_table(args: &ValidateArgs) -> Result<ExitCode> {
    let (Some(file), Some(label)) = (&args.table, &args.label) else {
        bail!("--table needs --label");
    };
    let mut options = TableOptions::new(label);
    options.ignore = args.ignore.iter().map(|name| name.as_str().into()).collect();
    options.group = args.group.as_deref().map(Into::into);
    options.time = args.time.as_deref().map(Into::into);
    options.normal.clone_from(&args.normal);
    let task = TableRun {
        file: file.clone(),
        test: args.test.clone(),
        options,
        split: args.split.unwrap_or(match args.test {
            Some(_) => tables::Split::Official,
            None => tables::Split::Random,
        }),
        allow_leaks: args.allow_leaks,
        settings: EnsembleSettings::default(),
        seed: 1,
    };
    let outcome = tables::run(&task, &mut |doing| tell(doing))?;
    for finding in &outcome.findings {
        tell(&format!("{}: {}", if finding.refused { "leak" } else { "note" }, finding.says));
    }
    let measures = Measures::of(&outcome.evaluation, &Settings::default());
    let report = Report {
        title: format!("Wardwatch: validation on {}", file.display()),
        made_at: models::now().to_string(),
        data: vec![card::DataCard {
            name: file.display().to_string(),
            used_for: format!("{:?} split", outcome.summary.split),
            size: format!("{} rows judged", outcome.summary.judged),
            ..Default::default()
        }],
        measures,
        verdicts: Vec::new(),
        ablation: Vec::new(),
        comparisons: Vec::new(),
        beside: Vec::new(),
        drift: Vec::new(),
        notes: outcome.findings.iter().map(|finding| finding.says.clone()).collect(),
        limits: Vec::new(),
    };
    if args.json {
        say(&serde_json::to_string_pretty(&outcome.summary)?);
        return written(args.out.as_deref(), &report, &outcome.evaluation)
            .map(|()| ExitCode::SUCCESS);
    }
    for (name, recall) in &outcome.summary.recall {
        say(&format!(
            "{name}: {} attacks, {:.3} of them found at a false positive rate of 3 % ({:.3} at the \
             calibrated threshold)",
            recall.rows, recall.at_test_fpr, recall.calibrated
        ));
    }
    finish(args, &report, &outcome.evaluation)
}

fn written(out: Option<&Path>, report: &Report, evaluation: &Evaluation) -> Result<()> {
    let Some(folder) = out else { return Ok(()) };
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("{}: cannot be written", path.display()))
    };
    fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    put("report.html", report.html().as_bytes())?;
    put("card.json", card::ml_bom(&models::facts(), report, &report.made_at).as_bytes())?;
    put("measures.json", &serde_json::to_vec_pretty(&report.measures)?)?;
    put("beside.json", &serde_json::to_vec_pretty(&report.beside)?)?;
    put("gates.json", &serde_json::to_vec_pretty(&report.verdicts)?)?;
    put("incidents.json", &serde_json::to_vec_pretty(&evaluation.incidents)?)?;
    put("false-alerts.json", &serde_json::to_vec_pretty(&evaluation.false_alerts)?)?;
    tell(&format!("{}: report.html, card.json, measures.json, gates.json", shown(folder)));
    Ok(())
}

fn shown(folder: &Path) -> String {
    folder.display().to_string()
}

fn finish(args: &ValidateArgs, report: &Report, evaluation: &Evaluation) -> Result<ExitCode> {
    told(args.out.as_deref(), args.json, report, evaluation)?;
    let failed = !holds(&report.verdicts);
    Ok(if failed && args.fail_on_gate { ExitCode::from(exit::FINDINGS) } else { ExitCode::SUCCESS })
}

/// Writes a report where it is wanted, and tells its summary.
pub(crate) fn told(
    out: Option<&Path>,
    json: bool,
    report: &Report,
    evaluation: &Evaluation,
) -> Result<()> {
    written(out, report, evaluation)?;
    if json {
        say(&serde_json::to_string_pretty(&report.measures.overall)?);
    } else {
        summary(report);
    }
    Ok(())
}

fn summary(report: &Report) {
    let of = |estimate: &Estimate| match estimate.value() {
        Some(value) => format!("{value:.4}"),
        None => "too few to say".to_owned(),
    };
    let overall = &report.measures.overall;
    let mut rows = table(&["measure", "value"]);
    rows.add_row(["share of attacks found", &of(&overall.recall)]);
    rows.add_row(["seconds to the first alert, median", &of(&overall.seconds_p50)]);
    rows.add_row(["false alerts a shift", &of(&overall.false_alerts_per_shift)]);
    rows.add_row(["area under the ROC curve", &of(&overall.roc_auc)]);
    rows.add_row(["true positives at 1 % false ones", &of(&overall.tpr_at_1_percent)]);
    rows.add_row(["true positives at 0.1 % false ones", &of(&overall.tpr_at_01_percent)]);
    say(&rows.to_string());
    for line in &report.ablation {
        let change =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:+.4}"));
        say(&format!(
            "without {}: AUC {}, true positives at 0.1 % {}",
            line.without,
            change(line.roc_auc),
            change(line.tpr_at_01_percent)
        ));
    }
    for one in &report.comparisons {
        let figures: Vec<String> =
            one.figures.iter().map(|(name, value)| format!("{name} {value:.3}")).collect();
        say(&format!("{}: {}", one.name, figures.join(", ")));
    }
    let count = |outcome| report.verdicts.iter().filter(|one| one.outcome == outcome).count();
    if !report.verdicts.is_empty() {
        say(&format!(
            "gates: {} passed, {} failed, {} with too little data",
            count(Outcome::Passed),
            count(Outcome::Failed),
            count(Outcome::TooFew)
        ));
    }
    for verdict in report.verdicts.iter().filter(|one| one.outcome == Outcome::Failed) {
        say(&format!("  failed: {}", verdict.why));
    }
}
