//! `wardwatch model`: the shelf of models, and the one that is built in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use detect::Engine;
use learn::behaviour::Knowledge;
use learn::features;
use model::Timestamp;
use validate::card::{self, DataCard, Facts};
use validate::gates::{self, Bounds, Outcome, Verdict};
use validate::hospitals::{watch_all, watch_folder};
use validate::lesson::Lesson;
use validate::package::{ChangePlan, Features, Head, Package, PublicKey, SecretKey};
use validate::shelf::{Action, Note, Shelf};
use validate::trial::Trial;
use validate::{train, watch};

use crate::analyze::tell;
use crate::cli::{ModelArgs, ModelCommand, TrainArgs};
use crate::feedback;
use crate::tables::{or_none, say, table};

/// The model that comes with the program: trained by `wardwatch model train --bare` on made-up
/// hospitals of seeds 501 to 516.
static BUILT_IN: &[u8] = include_bytes!("../models/built-in.model");

/// The model that comes with the program; none where it was made for other features.
pub(crate) fn built_in() -> Option<Arc<Knowledge>> {
    let knowledge = read(BUILT_IN).ok()?;
    Some(Arc::new(knowledge))
}

fn read(bytes: &[u8]) -> Result<Knowledge> {
    let knowledge: Knowledge =
        postcard::from_bytes(bytes).map_err(|_| anyhow::anyhow!("the model is not whole"))?;
    knowledge.check()?;
    Ok(knowledge)
}

/// The model that is asked for: a version of the shelf, 0 for the built-in one, else the one in use.
pub(crate) fn chosen(data: &Path, version: Option<u64>) -> Result<Option<Arc<Knowledge>>> {
    if version == Some(0) || (version.is_none() && !data.join(SHELF).is_dir()) {
        return Ok(built_in());
    }
    let shelf = open(data)?;
    match version.or(shelf.state()?.champion) {
        Some(version) => Ok(Some(Arc::new(read(shelf.read(version)?.model())?))),
        None => Ok(built_in()),
    }
}

/// Gives an engine the model in use: the champion of the shelf in a folder, or the built-in one. The
/// challenger, where there is one, goes with it in shadow.
pub(crate) fn inform(engine: &mut Engine, data: Option<&Path>) -> Result<()> {
    let (mut champion, mut challenger) = (None, None);
    if let Some(data) = data.filter(|data| data.join(SHELF).is_dir()) {
        let shelf = open(data)?;
        let state = shelf.state()?;
        let of = |version: u64| -> Result<Arc<Knowledge>> {
            let package = shelf.read(version)?;
            let read = read(package.model());
            Ok(Arc::new(read.with_context(|| format!("version {version} of the shelf"))?))
        };
        // A model that cannot be used must not keep anybody from watching.
        let usable = |version: Option<u64>| match version.map(of) {
            Some(Ok(knowledge)) => Some(knowledge),
            Some(Err(error)) => {
                tell(&format!("wardwatch: a model of the shelf is left out: {error:#}"));
                None
            }
            None => None,
        };
        champion = usable(state.champion);
        challenger = usable(state.challenger);
    }
    let champion = champion.or_else(built_in);
    if champion.is_none() {
        tell(
            "wardwatch: the built-in model was made for other features: only what is learned here judges behaviour",
        );
    }
    engine.behaviour_mut().inform(champion)?;
    engine.behaviour_mut().shadow(challenger)?;
    Ok(())
}

/// Places in the folder of an instance.
const SHELF: &str = "models";
const SECRET: &str = "signing.key";
const TRUSTED: &str = "trusted";

/// The time, for histories and reports.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_seconds_f64(since.as_secs_f64())
}

fn open(data: &Path) -> Result<Shelf> {
    let folder = data.join(SHELF);
    let mut keys = Vec::new();
    let trusted = folder.join(TRUSTED);
    if trusted.is_dir() {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&trusted)
            .with_context(|| format!("{}: cannot be read", trusted.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        files.sort();
        for file in files {
            keys.push(PublicKey::load(&file)?);
        }
    }
    Ok(Shelf::open(&folder, &keys, &now().to_string())?)
}

/// The key that this instance signs with; made where there is none, and trusted here.
fn signing_key(data: &Path) -> Result<SecretKey> {
    let folder = data.join(SHELF);
    let trusted = folder.join(TRUSTED);
    std::fs::create_dir_all(&trusted)
        .with_context(|| format!("{}: cannot be made", trusted.display()))?;
    let file = folder.join(SECRET);
    if file.is_file() {
        return Ok(SecretKey::load(&file)?);
    }
    let key = SecretKey::generate()?;
    key.save(&file)?;
    key.public().save(&trusted.join("own.pub"))?;
    Ok(key)
}

/// Runs it.
pub(crate) fn command(args: &ModelArgs) -> Result<ExitCode> {
    let at = now().to_string();
    let by = if args.by.is_empty() { "command line" } else { &args.by };
    let note = Note { at: &at, by, why: &args.why };
    match &args.command {
        ModelCommand::List => list(args),
        ModelCommand::Show { version, card } => show(args, *version, *card),
        ModelCommand::Train(train) => learn(args, train, note),
        ModelCommand::Promote { version, anyway } => promote(args, *version, *anyway, note),
        ModelCommand::Rollback => {
            let version = open(&args.data)?.rollback(note)?;
            say(&format!("Version {version} is in use again, from the next start on."));
            Ok(ExitCode::SUCCESS)
        }
        ModelCommand::Export { version, file } => {
            let bytes = open(&args.data)?.bytes(*version)?;
            std::fs::write(file, &bytes)
                .with_context(|| format!("{}: cannot be written", file.display()))?;
            let key = args.data.join(SHELF).join(TRUSTED).join("own.pub");
            say(&format!("{}: version {version}, {} bytes.", file.display(), bytes.len()));
            say(&format!("Who imports it has to trust the key that signed it: {}", key.display()));
            Ok(ExitCode::SUCCESS)
        }
        ModelCommand::Import { file, trust } => import(args, file, trust.as_deref(), note),
        ModelCommand::Feedback(given) => feedback::command(args, given),
    }
}

fn list(args: &ModelArgs) -> Result<ExitCode> {
    let shelf = open(&args.data)?;
    let state = shelf.state()?;
    let mut rows = table(&["version", "made", "from", "use", "gates"]);
    let used = |version: Option<u64>| match version {
        v if v == state.champion || (v == Some(0) && state.champion.is_none()) => "in use",
        v if v.is_some() && v == state.challenger => "in shadow",
        _ => "",
    };
    rows.add_row(["0", "with the program", "", used(Some(0)), ""]);
    for entry in shelf.list()? {
        let gates = shelf.read(entry.version).map(|package| failed(&package));
        let gates = match gates {
            Ok(failed) if failed.is_empty() => "passed".to_owned(),
            Ok(failed) => format!("failed: {}", failed.len()),
            Err(error) => error.to_string(),
        };
        match &entry.manifest {
            Ok(manifest) => rows.add_row([
                entry.version.to_string(),
                manifest.head.created_at.clone(),
                manifest.head.parent.map(|parent| parent.to_string()).unwrap_or_default(),
                used(Some(entry.version)).to_owned(),
                gates,
            ]),
            Err(why) => {
                let version = entry.version.to_string();
                rows.add_row([version, why.clone(), String::new(), String::new(), gates])
            }
        };
    }
    say(&rows.to_string());
    for line in shelf.history()?.iter().rev().take(10) {
        let version = line.version.map(|version| format!(" {version}")).unwrap_or_default();
        let why = if line.why.is_empty() { String::new() } else { format!(": {}", line.why) };
        say(&format!("{}  {} {}{version}{why}", line.at, line.by, verb(line.action)));
    }
    Ok(ExitCode::SUCCESS)
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Added => "added",
        Action::Challenged => "let run in shadow",
        Action::Promoted => "promoted",
        Action::RolledBack => "rolled back to",
        Action::Found => "found an interrupted change to",
    }
}

/// Gates of a package that failed.
fn failed(package: &Package) -> Vec<Verdict> {
    let verdicts: Vec<Verdict> = package
        .file("gates.json")
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_default();
    verdicts.into_iter().filter(|verdict| verdict.outcome == Outcome::Failed).collect()
}

fn show(args: &ModelArgs, version: Option<u64>, card: bool) -> Result<ExitCode> {
    let shelf = open(&args.data)?;
    let version = version.or(shelf.state()?.champion).unwrap_or(0);
    if version == 0 {
        let knowledge = read(BUILT_IN)?;
        say("Version 0, built in: trained on made-up hospitals of seeds 501 to 516.");
        describe(&knowledge);
        say("Its error rates: wardwatch validate --model 0");
        return Ok(ExitCode::SUCCESS);
    }
    let package = shelf.read(version)?;
    if card {
        say(String::from_utf8_lossy(package.file("card.json").unwrap_or_default()).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let head = &package.manifest().head;
    say(&format!("Version {version}, {}, made {}", head.name, head.created_at));
    describe(&read(package.model())?);
    let failed = failed(&package);
    let names: Vec<String> =
        failed.iter().map(|one| format!("{} ({})", one.gate, one.of)).collect();
    say(&format!("gates that failed: {}", or_none(&names)));
    for verdict in failed {
        say(&format!("  {}", verdict.why));
    }
    let plan = package.change_plan()?;
    say(&format!("runs in shadow for {} days before it may be promoted", plan.shadow_days));
    say(&format!("never changed by a package: {}", or_none(&plan.never)));
    Ok(ExitCode::SUCCESS)
}

fn describe(knowledge: &Knowledge) {
    say(&format!(
        "features {:016x}; {} trees that know attacks of the families {}",
        knowledge.features,
        knowledge.attack.len(),
        or_none(&knowledge.families)
    ));
}

/// Days since a version began to run in shadow.
fn days_in_shadow(shelf: &Shelf, version: u64) -> Result<Option<f64>> {
    let began = shelf
        .history()?
        .into_iter()
        .rfind(|line| line.action == Action::Challenged && line.version == Some(version));
    let at = began.and_then(|line| line.at.parse::<Timestamp>().ok());
    Ok(at.map(|at| now().seconds_since(at) / 86_400.0))
}

fn promote(args: &ModelArgs, version: u64, anyway: bool, note: Note<'_>) -> Result<ExitCode> {
    let shelf = open(&args.data)?;
    let package = shelf.read(version)?;
    let failed = failed(&package);
    let needed = f64::from(package.change_plan()?.shadow_days);
    let days = days_in_shadow(&shelf, version)?;
    let mut against: Vec<String> = failed.into_iter().map(|verdict| verdict.why).collect();
    match days {
        Some(days) if days >= needed => {}
        Some(days) => against.push(format!("it ran in shadow for {days:.1} of {needed} days")),
        None => against.push("it never ran in shadow".to_owned()),
    }
    if !against.is_empty() && !anyway {
        bail!("version {version} cannot be promoted: {}", against.join("; "));
    }
    if !against.is_empty() && note.why.is_empty() {
        bail!("--anyway needs --why: it goes into the history");
    }
    shelf.promote(version, note)?;
    say(&format!("Version {version} is in use from the next start on."));
    Ok(ExitCode::SUCCESS)
}

fn import(args: &ModelArgs, file: &Path, trust: Option<&Path>, note: Note<'_>) -> Result<ExitCode> {
    if let Some(key) = trust {
        let public = PublicKey::load(key)?;
        let folder = args.data.join(SHELF).join(TRUSTED);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{}: cannot be made", folder.display()))?;
        public.save(&folder.join(format!("{}.pub", public.fingerprint())))?;
    }
    let bytes =
        std::fs::read(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let shelf = open(&args.data)?;
    let version = shelf.add(&bytes, note)?;
    read(shelf.read(version)?.model())?;
    shelf.challenge(Some(version), note)?;
    say(&format!("Version {version} is on the shelf and runs in shadow from the next start on."));
    Ok(ExitCode::SUCCESS)
}

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

fn learn(args: &ModelArgs, train: &TrainArgs, note: Note<'_>) -> Result<ExitCode> {
    if train.hospitals == 0 && train.folders.is_empty() {
        bail!("there is nothing to learn from: give --hospitals or folders");
    }
    let (knowledge, shares) = trained(train)?;
    let bytes = postcard::to_stdvec(&knowledge).context("the model cannot be written")?;
    if let Some(file) = &train.bare {
        std::fs::write(file, &bytes)
            .with_context(|| format!("{}: cannot be written", file.display()))?;
        say(&format!("{}: {} bytes", file.display(), bytes.len()));
        return Ok(ExitCode::SUCCESS);
    }
    let key = signing_key(&args.data)?;
    let shelf = open(&args.data)?;
    let in_use = shelf.state()?.champion;
    let champion = in_use.and_then(|version| read(shelf.read(version).ok()?.model()).ok());
    let champion = champion.map(Arc::new).or_else(built_in);
    let trial = |knowledge: Option<Arc<Knowledge>>| Trial {
        seeds: (0..u64::from(train.test)).map(|set| 2_000 + set).collect(),
        parts: 8,
        quiet_seeds: vec![2_500],
        quiet_hours: 1.0,
        threads: train.threads.into(),
        knowledge,
        ..Trial::default()
    };
    let bounds = Bounds::default();
    let (mut report, _) = trial(Some(Arc::new(knowledge.clone())))
        .run(&bounds, &|name| tell(&format!("validated on {name}")))?;
    let (before, _) = trial(champion).run(&bounds, &|name| tell(&format!("champion on {name}")))?;
    report.verdicts.extend(gates::update(&before.measures, &report.measures, &bounds));
    report.verdicts.push(gates::poisoning(&shares, &bounds.poisoning));
    let version = shelf.list()?.last().map_or(1, |entry| entry.version + 1);
    let head = Head {
        name: "behaviour".to_owned(),
        version,
        parent: shelf.state()?.champion,
        features: Features { version: 1, digest: format!("{:016x}", features::version()) },
        created_at: note.at.to_owned(),
    };
    let learned_from = DataCard {
        name: "What was learned from".to_owned(),
        origin: format!(
            "{} sets of made-up hospitals from seed {} on, and {} folders with truth",
            train.hospitals,
            train.seed,
            train.folders.len()
        ),
        used_for: "Training".to_owned(),
        size: format!("{} sites", shares.len()),
        ..DataCard::default()
    };
    report.data.push(learned_from);
    let facts = Facts { version: version.to_string(), ..facts() };
    let json = |value: serde_json::Result<Vec<u8>>| value.context("cannot be written as JSON");
    let files = BTreeMap::from([
        ("model.bin".to_owned(), bytes),
        ("card.json".to_owned(), card::ml_bom(&facts, &report, note.at).into_bytes()),
        ("data-card.json".to_owned(), json(serde_json::to_vec_pretty(&report.data))?),
        ("gates.json".to_owned(), json(serde_json::to_vec_pretty(&report.verdicts))?),
        ("change-plan.toml".to_owned(), ChangePlan::default().text().into_bytes()),
        ("report.html".to_owned(), report.html().into_bytes()),
    ]);
    let package = Package::build(head, files)?;
    let shelf = open(&args.data)?;
    shelf.add(&package.sign(&key)?, note)?;
    let failed = failed(&package);
    shelf.challenge(Some(version), note)?;
    say(&format!("Version {version} is on the shelf and runs in shadow from the next start on."));
    for verdict in failed {
        say(&format!("gate failed: {}", verdict.why));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the models are: the part of their card that no measurement gives.
pub(crate) fn facts() -> Facts {
    let list = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    Facts {
        name: "Wardwatch behaviour models".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: "Say how strange ten seconds of a device on a hospital's network are, and whether they resemble known attacks.".to_owned(),
        licence: "Apache-2.0".to_owned(),
        approach: card::Approach::SemiSupervised,
        task: "anomaly detection".to_owned(),
        architecture_family: "nearest neighbours, autoencoders, gradient-boosted trees".to_owned(),
        architecture: "Per class of device: a bounded memory of normal rows and an ensemble of small autoencoders, learned at the site; over their scores and the row itself, boosted trees trained elsewhere; conformal p-values by class and volume; an e-detector for each device".to_owned(),
        inputs: list(&["a row of features of one device in ten seconds (docs/reference/features.md)"]),
        outputs: list(&["a calibrated p-value with its reasons"]),
        users: list(&["SOC analysts", "biomedical engineers", "data scientists", "auditors"]),
        use_cases: list(&["to notice what no rule covers, as evidence for people"]),
        limitations: list(&["Trained on made-up hospitals only", "Alone it never restricts a device", "Needs some minutes of normal life of a site"]),
        tradeoffs: list(&["A window of ten seconds: what is slower than that shows only by what is new about it"]),
        ..Facts::default()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_model_fits_the_features_of_this_program() {
        super::read(super::BUILT_IN).expect(
            "train it again: cargo run --release -p wardwatch -- model train --hospitals 16 --bare \
             crates/wardwatch/models/built-in.model",
        );
    }
}
