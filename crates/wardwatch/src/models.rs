//! `wardwatch model`: the shelf of models, and the one that is built in.

mod change;
mod show;
mod train;
mod trial;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use detect::Engine;
use learn::behaviour::Knowledge;
use model::Timestamp;
use validate::card::{self, Facts};
use validate::gates::{Outcome, Verdict};
use validate::package::{Package, PublicKey, SecretKey};
use validate::shelf::{Note, Shelf};

use crate::analyze::tell;
use crate::cli::{ModelArgs, ModelCommand};
use crate::feedback;
use crate::tables::say;

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

/// A version of a shelf; 0 and none are the built-in one.
fn version(shelf: &Shelf, version: Option<u64>) -> Result<Option<Arc<Knowledge>>> {
    let Some(version) = version.filter(|version| *version > 0) else { return Ok(built_in()) };
    let read = read(shelf.read(version)?.model());
    Ok(Some(Arc::new(read.with_context(|| format!("version {version} of the shelf"))?)))
}

/// The shelf of an instance, where it has one.
fn shelf(data: &Path) -> Result<Option<Shelf>> {
    data.join(SHELF).is_dir().then(|| open(data)).transpose()
}

/// The model that is asked for: a version of the shelf, 0 for the built-in one, else the one in use.
pub(crate) fn chosen(data: &Path, asked: Option<u64>) -> Result<Option<Arc<Knowledge>>> {
    match asked {
        Some(0) => Ok(built_in()),
        Some(number) => version(&open(data)?, Some(number)),
        None => match shelf(data)? {
            Some(shelf) => version(&shelf, shelf.state()?.champion),
            None => Ok(built_in()),
        },
    }
}

/// Gives an engine the model in use: the champion of the shelf in a folder, or the built-in one. The
/// challenger, where there is one, goes with it in shadow. Says which versions these are, 0 for the
/// built-in one.
pub(crate) fn inform(engine: &mut Engine, data: Option<&Path>) -> Result<Versions> {
    // A model that cannot be used must not keep anybody from watching.
    let usable = |found: Result<Option<Arc<Knowledge>>>| match found {
        Ok(knowledge) => knowledge,
        Err(error) => {
            tell(&format!("wardwatch: a model of the shelf is left out: {error:#}"));
            None
        }
    };
    let (mut champion, mut challenger, mut versions) = (None, None, Versions::default());
    if let Some(shelf) = data.map(shelf).transpose()?.flatten() {
        let state = shelf.state()?;
        let of = |number: Option<u64>| {
            let found = number.and_then(|number| usable(version(&shelf, Some(number))));
            (found.clone(), number.filter(|_| found.is_some()))
        };
        let (found, number) = of(state.champion);
        (champion, versions.champion) = (found, number.unwrap_or(0));
        (challenger, versions.challenger) = of(state.challenger);
    }
    let champion = champion.or_else(built_in);
    if champion.is_none() {
        tell(
            "wardwatch: the built-in model was made for other features: only what is learned here judges behaviour",
        );
    }
    engine.behaviour_mut().inform(champion)?;
    engine.behaviour_mut().shadow(challenger)?;
    Ok(versions)
}

/// Versions in use in an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    /// The one that speaks; 0 is the built-in one.
    pub(crate) champion: u64,
    /// The one in shadow.
    pub(crate) challenger: Option<u64>,
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
        ModelCommand::List => show::list(args),
        ModelCommand::Show { version, card } => show::show(args, *version, *card),
        ModelCommand::Train(train) => train::train(args, train, note),
        ModelCommand::Validate(validate) => trial::validate(args, validate, note),
        ModelCommand::Promote { version, anyway } => change::promote(args, *version, *anyway, note),
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
        ModelCommand::Import { file, trust } => change::import(args, file, trust.as_deref(), note),
        ModelCommand::Feedback(given) => feedback::command(args, given),
    }
}

/// Gates of a package as they came out.
fn verdicts(package: &Package) -> Vec<Verdict> {
    let read = |bytes| serde_json::from_slice(bytes).ok();
    package.file("gates.json").and_then(read).unwrap_or_default()
}

/// Those that failed.
fn failed(package: &Package) -> Vec<Verdict> {
    verdicts(package).into_iter().filter(|one| one.outcome == Outcome::Failed).collect()
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
