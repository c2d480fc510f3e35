//! `wardwatch ledger`: check, show, export. Needs nothing but the files.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use ::respond::ledger::{Body, HEAD, LEDGER, PUBLIC, Record, verify};
use anyhow::{Context, Result};

use super::{FOLDER, decide};
use crate::cli::{LedgerArgs, LedgerCommand};
use crate::exit;
use crate::tables::say;

pub(crate) fn command(args: &LedgerArgs) -> Result<ExitCode> {
    // An exported folder is as good as an instance's.
    let below = args.data.join(FOLDER);
    let folder = if below.join(LEDGER).exists() { below } else { args.data.clone() };
    match &args.command {
        LedgerCommand::Verify { key } => check(&folder, key.as_deref()),
        LedgerCommand::Show { action } => show(&folder, action.as_deref()),
        LedgerCommand::Export { to } => export(&folder, to),
    }
}

fn check(folder: &Path, key: Option<&str>) -> Result<ExitCode> {
    let report = verify(folder, key)?;
    say(&format!(
        "{} lines, {} checkpoints signed, {} lines behind the last one, {} decisions made again",
        report.records, report.checkpoints, report.unsigned, report.decisions
    ));
    for (line, why) in &report.faults {
        say(&format!("line {line}: {why}"));
    }
    if report.faults.is_empty() {
        say("Nothing was changed, removed or added.");
        Ok(ExitCode::SUCCESS)
    } else {
        say(
            "The ledger is NOT as it was written. Keep it as it is, and tell whoever investigates.",
        );
        Ok(ExitCode::from(exit::UNREADABLE))
    }
}

fn show(folder: &Path, action: Option<&str>) -> Result<ExitCode> {
    let path = folder.join(LEDGER);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for (number, line) in text.lines().enumerate() {
        let json = line.get(65..).unwrap_or_default();
        let record: Record = serde_json::from_str(json).with_context(|| {
            format!("{}: line {}: 'wardwatch ledger verify' says more", path.display(), number + 1)
        })?;
        if action.is_none_or(|action| json.contains(&format!("\"{action}\""))) {
            tell(&record);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(record: &Record) {
    let at = record.at.wall;
    match &record.body {
        Body::Begins { .. } => say(&format!("{at}  the ledger begins")),
        Body::Decided { events, refused, .. } => {
            events.iter().for_each(|event| say(&format!("{at}  {}", decide::words(event))));
            if let Some(refused) = refused {
                say(&format!("{at}  refused: {refused}"));
            }
        }
        Body::Checkpoint(checkpoint) => {
            say(&format!("{at}  everything up to line {} is signed", checkpoint.seq + 1));
        }
        Body::Note { text } => say(&format!("{at}  note: {text}")),
    }
}

fn export(folder: &Path, to: &Path) -> Result<ExitCode> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for name in [LEDGER, HEAD, PUBLIC] {
        let (from, to) = (folder.join(name), to.join(name));
        fs::copy(&from, &to).with_context(|| format!("{} to {}", from.display(), to.display()))?;
    }
    say(&format!(
        "Written. Whoever has it checks it with 'wardwatch ledger verify --data {}'.",
        to.display()
    ));
    Ok(ExitCode::SUCCESS)
}
