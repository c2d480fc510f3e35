//! `wardwatch ledger`: check, show, export. Needs nothing but the files.

use std::path::Path;
use std::process::ExitCode;

use ::respond::ledger::{Body, Lines, PUBLIC, Record, Refusal, verify_with};
use anyhow::{Context, Result};

use super::{FOLDER, decide};
use crate::cli::{LedgerArgs, LedgerCommand};
use crate::exit;
use crate::tables::say;

pub(crate) fn command(args: &LedgerArgs) -> Result<ExitCode> {
    // An exported folder is as good as an instance's.
    let below = args.data.join(FOLDER);
    let folder = if below.join(PUBLIC).exists() { below } else { args.data.clone() };
    let archive = args.archive.as_deref();
    match &args.command {
        LedgerCommand::Verify { key } => check(&folder, archive, key.as_deref()),
        LedgerCommand::Show { action } => show(&folder, archive, action.as_deref()),
        LedgerCommand::Export { to } => export(&folder, archive, to),
    }
}

fn check(folder: &Path, archive: Option<&Path>, key: Option<&str>) -> Result<ExitCode> {
    let report = verify_with(folder, archive, key)?;
    if report.elsewhere > 0 {
        say(&format!(
            "From line {} on: {} closed segments before it are not here. '--archive DIR' says where.",
            report.from, report.elsewhere
        ));
    }
    if report.segments > 1 {
        say(&format!("{} segments", report.segments));
    }
    say(&format!(
        "{} lines, {} checkpoints signed, {} lines behind the last one, {} decisions made again",
        report.records, report.checkpoints, report.unsigned, report.decisions
    ));
    for (line, why) in &report.faults {
        say(&format!("line {line}: {why}"));
    }
    if report.faults.is_empty() {
        say(if report.elsewhere > 0 {
            "Nothing was changed, removed or added from there on."
        } else {
            "Nothing was changed, removed or added."
        });
        Ok(ExitCode::SUCCESS)
    } else {
        say(
            "The ledger is NOT as it was written. Keep it as it is, and tell whoever investigates.",
        );
        Ok(ExitCode::from(exit::UNREADABLE))
    }
}

fn show(folder: &Path, archive: Option<&Path>, action: Option<&str>) -> Result<ExitCode> {
    let mut lines = Lines::from(folder, archive, 0)?;
    let read = |lines: &mut Lines| {
        lines.next_record().context("'wardwatch ledger verify' says more about this")
    };
    while let Some((record, json)) = read(&mut lines)? {
        // How the desk stood names every action: that says nothing about this one.
        let is_head = matches!(record.body, Body::Continues(_));
        let is_of = |action: &str| !is_head && json.contains(&format!("\"{action}\""));
        if action.is_none_or(is_of) {
            tell(&record);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(record: &Record) {
    let at = record.at.wall;
    match &record.body {
        Body::Begins { .. } => say(&format!("{at}  the ledger begins")),
        Body::Continues(continues) => say(&format!(
            "{at}  segment {} begins, after {}",
            continues.segment, continues.after.name
        )),
        Body::Refused(refusal) => say(&format!("{at}  policy was refused: {}", refused(refusal))),
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

/// What policy was refused, in a line.
pub(super) fn refused(refusal: &Refusal) -> String {
    let times = match refusal.times {
        1 => String::new(),
        times => format!(" ({times} times)"),
    };
    if refusal.device.0.is_empty() {
        return format!("{}{times}: {}", refusal.what, refusal.why);
    }
    let Refusal { case, device, level, what, why, .. } = refusal;
    format!("{level} of {device}, {case}: {what}{times}: {why}")
}

fn export(folder: &Path, archive: Option<&Path>, to: &Path) -> Result<ExitCode> {
    ::respond::ledger::export(folder, archive, to)?;
    say(&format!(
        "Written. Whoever has it checks it with 'wardwatch ledger verify --data {}'.",
        to.display()
    ));
    Ok(ExitCode::SUCCESS)
}
