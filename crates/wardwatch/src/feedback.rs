//! What analysts say of what the models told.
//!
//! A case or finding of the models leads to the window that it stands on; a label on that window is
//! held against past windows first, with the findings of rules beside, and then enters the baseline.
//! It comes from `wardwatch model feedback` ([`fn@command`]) or through the API of a running instance
//! (`live`). Every label is also a line in [`FILE`], which nothing ever rewrites: who, when, what,
//! about which windows, and what it would have changed. An instance has the lines of its folder as
//! its labels; those that others add while it runs it takes up within seconds.

mod command;
mod covers;
mod live;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use detect::Engine;
use learn::behaviour::{PastWindow, Preview, Verdict};
use learn::features;
use model::finding::FindingKind;
use model::{CaseId, Finding, FindingId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{SqliteStore, Store};

use crate::analyze::tell;

pub(crate) use command::command;
pub(crate) use live::{Desk, desk, hold};

/// Name of the file of labels, beside the baseline or in the folder of an instance.
const FILE: &str = "feedback.jsonl";
/// Most bytes of that file.
const MOST: u64 = 64 << 20;
/// Windows that one word is about at most, the latest.
const WINDOWS: usize = 64;

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    at: Timestamp,
    by: String,
    why: String,
    verdict: String,
    about: String,
    /// Table of features that the rows are of.
    features: String,
    effect: Effect,
    labels: Vec<Verdict>,
}

/// What labels would have changed in the past windows, in numbers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Effect {
    looked_at: usize,
    would_be_quiet: usize,
    would_alert: usize,
    lost_attacks: usize,
}

impl Effect {
    const fn of(preview: &Preview<'_>) -> Self {
        Self {
            looked_at: preview.looked_at,
            would_be_quiet: preview.would_be_quiet.len(),
            would_alert: preview.would_alert.len(),
            lost_attacks: preview.lost_attacks.len(),
        }
    }
}

/// What somebody says.
struct Word<'a> {
    /// Of which case or finding.
    about: &'a str,
    /// Normal for us, or else an attack.
    normal: bool,
    by: &'a str,
    at: Timestamp,
    why: &'a str,
}

impl Word<'_> {
    /// The labels that it comes to: one for each window.
    fn labels(&self, store: &SqliteStore, engine: &Engine) -> Result<Vec<Verdict>> {
        let why = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
        let mut labels: Vec<Verdict> = Vec::new();
        let mut none = None;
        for finding in findings(store, self.about)? {
            let window = match window(engine, &finding) {
                Ok(window) => window,
                // Of a long case the first windows may be forgotten.
                Err(error) => {
                    none = Some(error);
                    continue;
                }
            };
            let told = format!("{}{why}", finding.id);
            let label = window.verdict(self.normal, self.by, self.at, &told);
            if labels.iter().all(|one| (one.device, one.end) != (label.device, label.end)) {
                labels.push(label);
            }
        }
        if let (true, Some(error)) = (labels.is_empty(), none) {
            return Err(error);
        }
        let over = labels.len().saturating_sub(WINDOWS);
        labels.drain(..over);
        Ok(labels)
    }

    fn line(&self, effect: Effect, labels: Vec<Verdict>) -> Line {
        Line {
            at: self.at,
            by: self.by.to_owned(),
            why: self.why.to_owned(),
            verdict: said(self.normal).to_owned(),
            about: self.about.to_owned(),
            features: version(),
            effect,
            labels,
        }
    }
}

fn version() -> String {
    format!("{:016x}", features::version())
}

const fn said(normal: bool) -> &'static str {
    if normal { "normal" } else { "attack" }
}

/// The file of labels of an instance.
fn file_of(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// Makes the file of labels of an instance, so that whoever goes on may write it.
pub(crate) fn make_file(data: &Path) -> Result<()> {
    let file = file_of(data);
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .map(drop)
        .with_context(|| format!("{}: cannot be made", file.display()))
}

/// Enters the labels of a folder, as far as they were made with these features. Says how many bytes
/// of the file that were.
pub(crate) fn enter_all(data: &Path, engine: &mut Engine) -> Result<u64> {
    let file = file_of(data);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => {
            return Err(error).with_context(|| format!("{}: cannot be read", file.display()));
        }
    };
    let mut old = 0;
    for (number, text) in text.lines().enumerate() {
        match serde_json::from_str::<Line>(text) {
            Ok(line) if line.features == version() => {
                line.labels.into_iter().for_each(|label| engine.behaviour_mut().enter(label));
            }
            Ok(_) => old += 1,
            Err(error) => tell(&format!(
                "wardwatch: {}, line {}: is no label and is passed over: {error}",
                file.display(),
                number + 1
            )),
        }
    }
    if old > 0 {
        tell(&format!(
            "wardwatch: {}: {old} labels were made with other features and are passed over: give them again",
            file.display()
        ));
    }
    Ok(text.len() as u64)
}

fn append(file: &Path, line: &Line) -> Result<()> {
    let mut text = serde_json::to_string(line).context("the label cannot be written as JSON")?;
    text.push('\n');
    if file.metadata().is_ok_and(|about| about.len() + text.len() as u64 > MOST) {
        bail!("{}: it has {} MiB: put it aside to go on", file.display(), MOST >> 20);
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .with_context(|| format!("{}: the label cannot be kept there", file.display()))
}

/// The findings of the models that are meant.
fn findings(store: &SqliteStore, about: &str) -> Result<Vec<Finding>> {
    if !about.starts_with("C-") {
        let finding = store.finding(&FindingId(about.to_owned()))?.with_context(|| {
            format!("there is no case or finding '{about}': 'wardwatch cases' and 'wardwatch findings' list them")
        })?;
        if finding.kind != FindingKind::Model {
            bail!(
                "{about} is no finding of the models: '{}' made it, and no label changes what that tells",
                finding.detector
            );
        }
        return Ok(vec![finding]);
    }
    let case = store
        .case(&CaseId(about.to_owned()))?
        .with_context(|| format!("there is no case '{about}': 'wardwatch cases' lists them"))?;
    let mut found = Vec::new();
    for id in &case.case.findings {
        found.extend(store.finding(id)?.filter(|finding| finding.kind == FindingKind::Model));
    }
    if found.is_empty() {
        bail!(
            "{about} has no finding of the models: rules made it, and no label changes what they tell"
        );
    }
    Ok(found)
}

/// The window that a finding of the models stands on: the last of its device that was over then.
fn window<'e>(engine: &'e Engine, finding: &Finding) -> Result<&'e PastWindow> {
    let inventory = engine.inventory();
    let device = inventory.by_id(&finding.device.id).map(|ix| inventory.device_id(ix));
    let same = |past: &&PastWindow| {
        past.end <= finding.at && Some(inventory.device_id(past.device)) == device
    };
    let last = engine.behaviour().past().rev().find(same);
    // Were it forgotten, or of another baseline, the last one would be another: its p-value tells.
    let fits = |past: &&PastWindow| {
        finding.p_value.is_some_and(|p| (p - past.p).abs() <= 1e-9 * past.p.abs())
    };
    last.filter(fits).with_context(|| {
        format!(
            "the window of {} is not in this baseline: it is of another run, or too many strange windows came after it (the last 2 000 are kept)",
            finding.id
        )
    })
}
