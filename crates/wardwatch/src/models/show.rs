//! What is on the shelf, and what is in use.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::Result;
use learn::behaviour::Knowledge;
use pipeline::stats::Models;
use validate::shelf::Action;

use super::change::words;
use super::{BUILT_IN, failed, open, read};
use crate::cli::ModelArgs;
use crate::status::{self, Status};
use crate::tables::{or_none, say, table};

pub(super) fn list(args: &ModelArgs) -> Result<ExitCode> {
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
    if let Some(status) = status::of(&args.data) {
        in_shadow(&status);
    }
    for line in shelf.history()?.iter().rev().take(10) {
        let version = line.version.map(|version| format!(" {version}")).unwrap_or_default();
        let why = if line.why.is_empty() { String::new() } else { format!(": {}", line.why) };
        say(&format!("{}  {} {}{version}{why}", line.at, line.by, verb(line.action)));
    }
    Ok(ExitCode::SUCCESS)
}

/// How the version in shadow compares with the one in use, as the instance last kept it.
fn in_shadow(status: &Status) {
    let (Some(challenger), Some(compared)) = (status.challenger, status.models.shadow) else {
        return;
    };
    let champion = status.champion;
    say(&format!(
        "Version {challenger} in shadow beside {champion}, as of {}: {}.",
        status.at,
        words(&compared)
    ));
}

/// What came of the promises of the models in use, and how far life has moved.
fn kept(status: &Status) {
    if status.models == Models::default() {
        return;
    }
    say(&format!("in this instance, as of {}:", status.at));
    let Models { realised_over_nominal, drift, labels, .. } = &status.models;
    let groups: BTreeSet<&String> =
        realised_over_nominal.values().flat_map(BTreeMap::keys).chain(drift.keys()).collect();
    let levels: Vec<&String> = realised_over_nominal.keys().rev().collect();
    let mut head = vec!["group".to_owned()];
    head.extend(levels.iter().map(|level| format!("real/nom {level}")));
    head.extend(["psi", "moved most", "changed"].map(str::to_owned));
    let mut rows = table(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for group in groups {
        let mut row = vec![group.clone()];
        for level in &levels {
            let ratio = realised_over_nominal.get(*level).and_then(|groups| groups.get(group));
            row.push(ratio.map_or_else(|| "too few".to_owned(), |ratio| format!("{ratio:.2}")));
        }
        match drift.get(group) {
            Some(one) => {
                let most = one.most.as_ref();
                row.push(format!("{:.2}", one.psi));
                row.push(most.map(|(name, psi)| format!("{name} {psi:.2}")).unwrap_or_default());
                row.push(one.changes.to_string());
            }
            None => row.extend(["too few".to_owned(), String::new(), String::new()]),
        }
        rows.add_row(row);
    }
    if !realised_over_nominal.is_empty() || !drift.is_empty() {
        say(&rows.to_string());
    }
    say(&format!("labels of analysts in force: {labels}"));
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Added => "added",
        Action::Challenged => "let run in shadow",
        Action::Validated => "validated",
        Action::Promoted => "promoted",
        Action::RolledBack => "rolled back to",
        Action::Found => "found an interrupted change to",
    }
}

pub(super) fn show(args: &ModelArgs, version: Option<u64>, card: bool) -> Result<ExitCode> {
    let shelf = open(&args.data)?;
    let version = version.or(shelf.state()?.champion).unwrap_or(0);
    let status = status::of(&args.data);
    if version == 0 {
        let knowledge = read(BUILT_IN)?;
        say("Version 0, built in: trained on made-up hospitals of seeds 501 to 516.");
        describe(&knowledge);
        say("Its error rates: wardwatch validate --model 0");
        status.iter().filter(|status| status.champion == 0).for_each(kept);
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
    match &status {
        Some(status) if status.challenger == Some(version) => in_shadow(status),
        Some(status) if status.champion == version => kept(status),
        _ => {}
    }
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
