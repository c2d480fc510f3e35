//! Promotion and import: what changes, and whether the change plan lets it.
//!
//! The plan of the version in use is asked. What it never lets come with a package is refused, by
//! `--anyway` too; what it wants reviewed needs the name of who did, which goes into the history.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use learn::behaviour::Knowledge;
use model::Timestamp;
use validate::changes::{self, Change, Version};
use validate::package::{Allowed, Package, PublicKey};
use validate::shelf::{Action, Note, Shelf};

use super::{SHELF, TRUSTED, built_in, failed, now, open, read};
use crate::cli::ModelArgs;
use crate::status;
use crate::tables::say;

/// What changes where a package takes the place of the version in use.
pub(super) fn asked(shelf: &Shelf, new: &Package) -> Result<Vec<Change>> {
    let in_use = shelf.state()?.champion.map(|version| shelf.read(version)).transpose()?;
    let read_one = |package: &Package| read(package.model()).ok();
    let before = match &in_use {
        Some(package) => read_one(package),
        None => built_in().map(|model: std::sync::Arc<Knowledge>| (*model).clone()),
    };
    let after = read_one(new);
    let before = Version { knowledge: before.as_ref(), package: in_use.as_ref() };
    Ok(changes::between(before, Version { knowledge: after.as_ref(), package: Some(new) })?)
}

/// Says what changes and what the plan says of it; refuses what never comes with a package.
pub(super) fn held_against_plan(changes: &[Change]) -> Result<()> {
    let of = |allowed: Allowed| changes.iter().filter(move |change| change.allowed == allowed);
    let words = |change: &Change| format!("{} ({})", change.what, change.says);
    let never: Vec<String> = of(Allowed::Never).map(words).collect();
    if !never.is_empty() {
        bail!("the change plan never lets this come with a package: {}", never.join("; "));
    }
    for (allowed, what) in [(Allowed::Review, "to be reviewed"), (Allowed::Automatic, "by itself")]
    {
        of(allowed).for_each(|change| say(&format!("changes, {what}: {}", words(change))));
    }
    Ok(())
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

pub(super) fn promote(
    args: &ModelArgs,
    version: u64,
    anyway: bool,
    note: Note<'_>,
) -> Result<ExitCode> {
    let shelf = open(&args.data)?;
    let package = shelf.read(version)?;
    let changes = asked(&shelf, &package)?;
    held_against_plan(&changes)?;
    let failed = failed(&package);
    let in_use = shelf.state()?.champion.map(|version| shelf.read(version)).transpose()?;
    // The days are those of the plan in force: a newcomer cannot shorten them.
    let mut plans = vec![package.change_plan()?];
    plans.extend(in_use.map(|package| package.change_plan()).transpose()?);
    let needed = f64::from(plans.iter().map(|plan| plan.shadow_days).max().unwrap_or(0));
    let mut against: Vec<String> = failed.into_iter().map(|verdict| verdict.why).collect();
    match days_in_shadow(&shelf, version)? {
        Some(days) if days >= needed => {}
        Some(days) => against.push(format!("it ran in shadow for {days:.1} of {needed} days")),
        None => against.push("it never ran in shadow".to_owned()),
    }
    match status::of(&args.data).and_then(|status| status.beside(version)) {
        Some(compared) if compared.windows > 0 => say(&format!("in shadow: {}", words(&compared))),
        _ => against.push("it has judged no window here".to_owned()),
    }
    if !against.is_empty() && !anyway {
        bail!("version {version} cannot be promoted: {}", against.join("; "));
    }
    if !against.is_empty() && note.why.is_empty() {
        bail!("--anyway needs --why: it goes into the history");
    }
    if args.by.is_empty() && changes.iter().any(|change| change.allowed == Allowed::Review) {
        bail!("the change plan wants a review: say who did it with --by NAME");
    }
    shelf.promote(version, note)?;
    say(&format!("Version {version} is in use from the next start on."));
    Ok(ExitCode::SUCCESS)
}

/// How a version in shadow compares, in words.
pub(super) fn words(compared: &learn::behaviour::Compared) -> String {
    format!(
        "{} windows; strange to the one in use {}, to this one {}, to both {}",
        compared.windows, compared.champion, compared.challenger, compared.both
    )
}

pub(super) fn import(
    args: &ModelArgs,
    file: &Path,
    trust: Option<&Path>,
    note: Note<'_>,
) -> Result<ExitCode> {
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
    let package = shelf.check(&bytes)?;
    read(package.model())?;
    held_against_plan(&asked(&shelf, &package)?)?;
    let version = shelf.add(&bytes, note)?;
    shelf.challenge(Some(version), note)?;
    say(&format!("Version {version} is on the shelf and runs in shadow from the next start on."));
    Ok(ExitCode::SUCCESS)
}
