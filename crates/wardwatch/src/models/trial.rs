//! `wardwatch model validate`: a version of the shelf, tried again.
//!
//! The engine is that of `wardwatch validate`. Beside the version itself the one in use is tried on
//! the same hospitals, as for an update. What comes of it takes the place of the version's evidence:
//! gates, cards and report are signed anew by this instance; head, model and change plan stay.

use std::process::ExitCode;

use anyhow::{Result, bail};
use validate::card::DataCard;
use validate::gates::{self, Bounds, holds};
use validate::package::Package;
use validate::shelf::Note;

use super::{now, open, signing_key, train, verdicts, version};
use crate::cli::{ModelArgs, ModelValidateArgs};
use crate::tables::say;
use crate::{exit, trials};

pub(super) fn validate(
    args: &ModelArgs,
    asked: &ModelValidateArgs,
    note: Note<'_>,
) -> Result<ExitCode> {
    let shelf = open(&args.data)?;
    let state = shelf.state()?;
    let number = asked.version.or(state.challenger).or(state.champion).unwrap_or(0);
    if number == 0 {
        bail!(exit::Usage::from_error(
            "the built-in model is on no shelf: 'wardwatch validate --model 0' judges it"
        ));
    }
    let package = shelf.read(number)?;
    let (mut report, evaluation) =
        trials::tried(&asked.on, &asked.folders, version(&shelf, Some(number))?)?;
    report.made_at = now().to_string();
    if state.champion != Some(number) {
        let (before, _) =
            trials::tried(&asked.on, &asked.folders, version(&shelf, state.champion)?)?;
        let bounds = Bounds::default();
        report.verdicts.extend(gates::update(&before.measures, &report.measures, &bounds));
    }
    // Who taught it is known from its training alone.
    report.verdicts.extend(verdicts(&package).into_iter().filter(|one| one.gate == "poisoning"));
    report.data.extend(learned_from(&package));
    let renewed = package.with_evidence(train::evidence(number, &report, note)?)?;
    let signed = renewed.sign(&signing_key(&args.data)?)?;
    // Opened anew: the key may have been made just now.
    open(&args.data)?.revalidated(&signed, note)?;
    trials::told(asked.out.as_deref(), asked.json, &report, &evaluation)?;
    say(&format!("Version {number} carries these gates from now on."));
    let failed = !holds(&report.verdicts);
    Ok(if failed && asked.fail_on_gate {
        ExitCode::from(exit::FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}

/// What a package says it was taught with.
fn learned_from(package: &Package) -> Vec<DataCard> {
    let cards: Vec<DataCard> = package
        .file("data-card.json")
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_default();
    cards.into_iter().filter(|card| card.used_for == "Training").collect()
}
