//! A new version: trained, validated, signed, and put on the shelf in shadow.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use learn::behaviour::Knowledge;
use learn::features;
use validate::card::{self, DataCard, Facts};
use validate::gates::{self, Bounds};
use validate::hospitals::{watch_all, watch_folder};
use validate::lesson::Lesson;
use validate::package::{ChangePlan, Features, Head, Package};
use validate::report::Report;
use validate::shelf::Note;
use validate::trial::Trial;
use validate::{train, watch};

use super::{change, facts, failed, open, signing_key, version};
use crate::analyze::tell;
use crate::cli::{ModelArgs, TrainArgs};
use crate::tables::say;

/// Trains on hospitals and folders.
fn trained(args: &TrainArgs) -> Result<(Knowledge, BTreeMap<String, f64>)> {
    let hospitals = train::hospitals(args.seed, args.hospitals.into());
    let engine = |until| watch::engine(until);
    let take = |watched: validate::hospitals::Watched| {
        tell(&format!("learned from {}", watched.site.name));
        let mut lesson = Lesson::default();
        lesson.add(&watched.site, &watched.seen, &watched.labels, 1);
        (watched.site.name.clone(), lesson, watched.engine.behaviour().usual().clone())
    };
    let mut lessons = watch_all(&hospitals, args.threads.into(), &engine, &take)?;
    for folder in &args.folders {
        lessons.push(take(watch_folder(folder, &engine)?));
    }
    let mut whole = Lesson::default();
    let mut shares = BTreeMap::new();
    let usual = lessons.first().map(|(.., usual)| usual.clone()).unwrap_or_default();
    for (name, lesson, _) in lessons {
        shares.insert(name, lesson.examples.len() as f64);
        whole.examples.extend(lesson.examples);
    }
    tell(&format!("growing trees on {} windows", whole.examples.len()));
    Ok((train::knowledge(&whole, usual)?, shares))
}

pub(super) fn train(args: &ModelArgs, plan: &TrainArgs, note: Note<'_>) -> Result<ExitCode> {
    if plan.hospitals == 0 && plan.folders.is_empty() {
        bail!("there is nothing to learn from: give --hospitals or folders");
    }
    let (knowledge, shares) = trained(plan)?;
    let bytes = postcard::to_stdvec(&knowledge).context("the model cannot be written")?;
    if let Some(file) = &plan.bare {
        std::fs::write(file, &bytes)
            .with_context(|| format!("{}: cannot be written", file.display()))?;
        say(&format!("{}: {} bytes", file.display(), bytes.len()));
        return Ok(ExitCode::SUCCESS);
    }
    let key = signing_key(&args.data)?;
    let shelf = open(&args.data)?;
    // One that cannot be used any more is nothing to be held against.
    let champion = version(&shelf, shelf.state()?.champion).or_else(|_| version(&shelf, None))?;
    let trial = |knowledge: Option<Arc<Knowledge>>| Trial {
        seeds: (0..u64::from(plan.test)).map(|set| 2_000 + set).collect(),
        parts: 8,
        quiet_seeds: vec![2_500],
        quiet_hours: 1.0,
        threads: plan.threads.into(),
        knowledge,
        ..Trial::default()
    };
    let bounds = Bounds::default();
    let (mut report, _) = trial(Some(Arc::new(knowledge.clone())))
        .run(&bounds, &|name| tell(&format!("validated on {name}")))?;
    let (before, _) = trial(champion).run(&bounds, &|name| tell(&format!("champion on {name}")))?;
    report.verdicts.extend(gates::update(&before.measures, &report.measures, &bounds));
    report.verdicts.push(gates::poisoning(&shares, &bounds.poisoning));
    let number = shelf.list()?.last().map_or(1, |entry| entry.version + 1);
    let head = Head {
        name: "behaviour".to_owned(),
        version: number,
        parent: shelf.state()?.champion,
        features: Features { version: 1, digest: format!("{:016x}", features::version()) },
        created_at: note.at.to_owned(),
    };
    let learned_from = DataCard {
        name: "What was learned from".to_owned(),
        origin: format!(
            "{} sets of made-up hospitals from seed {} on, and {} folders with truth",
            plan.hospitals,
            plan.seed,
            plan.folders.len()
        ),
        used_for: "Training".to_owned(),
        size: format!("{} sites", shares.len()),
        ..DataCard::default()
    };
    report.data.push(learned_from);
    let mut files = evidence(number, &report, note)?;
    files.insert("model.bin".to_owned(), bytes);
    files.insert("change-plan.toml".to_owned(), ChangePlan::default().text().into_bytes());
    let package = Package::build(head, files)?;
    change::held_against_plan(&change::asked(&shelf, &package)?)?;
    shelf.add(&package.sign(&key)?, note)?;
    let failed = failed(&package);
    shelf.challenge(Some(number), note)?;
    say(&format!("Version {number} is on the shelf and runs in shadow from the next start on."));
    for verdict in failed {
        say(&format!("gate failed: {}", verdict.why));
    }
    Ok(ExitCode::SUCCESS)
}

/// The files that say how good a version is.
pub(super) fn evidence(
    version: u64,
    report: &Report,
    note: Note<'_>,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let facts = Facts { version: version.to_string(), ..facts() };
    let json = |value: serde_json::Result<Vec<u8>>| value.context("cannot be written as JSON");
    Ok(BTreeMap::from([
        ("card.json".to_owned(), card::ml_bom(&facts, report, note.at).into_bytes()),
        ("data-card.json".to_owned(), json(serde_json::to_vec_pretty(&report.data))?),
        ("gates.json".to_owned(), json(serde_json::to_vec_pretty(&report.verdicts))?),
        ("report.html".to_owned(), report.html().into_bytes()),
    ]))
}
