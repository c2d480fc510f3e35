//! `wardwatch model feedback`: what analysts say of what the models told.
//!
//! A case or finding of the models leads to the window that it stands on; a label on that window is
//! held against past windows first, with the findings of rules beside, and then enters the baseline.
//! Every label is also a line in [`FILE`], which nothing ever rewrites: who, when, what, about which
//! windows, and what it would have changed. An instance has the lines of its folder as its labels,
//! and reads them when it starts: while it runs, its baseline is its own to write.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use detect::Engine;
use learn::behaviour::{COVERS_SECONDS, PastWindow, Preview, Verdict};
use learn::features;
use model::finding::FindingKind;
use model::{CaseId, DeviceId, Finding, FindingId, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Options, Query, SqliteStore, Store};

use crate::analyze::{load_learned, save_learned, tell};
use crate::cli::{FeedbackArgs, FeedbackCommand, ModelArgs};
use crate::exit;
use crate::instance::{LEARNED, STORE};
use crate::models::now;
use crate::tables::{say, table};

/// Name of the file of labels, beside the baseline or in the folder of an instance.
const FILE: &str = "feedback.jsonl";
/// Windows of a preview that are shown to people; JSON has all.
const SHOWN: usize = 40;

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
#[derive(Debug, Serialize, Deserialize)]
struct Effect {
    looked_at: usize,
    would_be_quiet: usize,
    would_alert: usize,
    lost_attacks: usize,
}

/// Where a baseline is kept.
enum Place<'a> {
    File(&'a Path),
    Instance(&'a Path),
}

impl<'a> Place<'a> {
    fn of(args: &'a ModelArgs, given: &'a FeedbackArgs) -> Self {
        given.learned.as_deref().map_or(Self::Instance(&args.data), Self::File)
    }

    fn engine(&self) -> Result<Engine> {
        let mut engine = Engine::new(detect::Settings::default(), assets::Settings::default());
        match self {
            Self::File(file) => load_learned(&mut engine, file)?,
            Self::Instance(data) => {
                let bytes = open(&data.join(STORE))?.state(LEARNED)?;
                let bytes = bytes.with_context(|| {
                    format!("{}: nothing was learned there yet", data.display())
                })?;
                engine.load(&serde_json::from_slice(&bytes)?)?;
                enter_all(data, &mut engine)?;
            }
        }
        Ok(engine)
    }

    fn labels(&self) -> PathBuf {
        match self {
            Self::File(file) => file.with_file_name(FILE),
            Self::Instance(data) => data.join(FILE),
        }
    }
}

fn open(file: &Path) -> Result<SqliteStore> {
    SqliteStore::open_read_only(file, Options::default())
        .with_context(|| format!("{}: cannot be asked", file.display()))
}

fn version() -> String {
    format!("{:016x}", features::version())
}

/// Enters the labels of a folder, as far as they were made with these features.
pub(crate) fn enter_all(data: &Path, engine: &mut Engine) -> Result<()> {
    let file = data.join(FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
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
    Ok(())
}

/// Runs it.
pub(crate) fn command(args: &ModelArgs, given: &FeedbackArgs) -> Result<ExitCode> {
    let place = Place::of(args, given);
    if let Some(FeedbackCommand::List) = given.command {
        return list(&place, given.json);
    }
    let about = given.about.as_deref().unwrap_or_default();
    if args.by.is_empty() && !given.preview {
        bail!(exit::Usage::from_error("say who says so: give --by NAME"));
    }
    let of_instance = args.data.join(STORE);
    let store = match (&given.store, &given.learned) {
        (Some(file), _) => file,
        (None, None) => &of_instance,
        (None, Some(_)) => bail!(exit::Usage::from_error(
            "where the case or finding is kept: give --store FILE beside --learned"
        )),
    };
    let store = open(store)?;
    let engine = place.engine()?;
    let at = now();
    let why = if args.why.is_empty() { String::new() } else { format!(": {}", args.why) };
    let mut labels: Vec<Verdict> = Vec::new();
    for finding in findings(&store, about)? {
        let window = window(&engine, &finding)?;
        let told = format!("{}{why}", finding.id);
        let label = window.verdict(given.normal, &args.by, at, &told);
        if labels.iter().all(|one| (one.device, one.end) != (label.device, label.end)) {
            labels.push(label);
        }
    }
    let covers = Covers::of(&store, &engine)?;
    let preview = engine
        .behaviour()
        .preview(&labels, |device, end| covers.about(&engine.inventory().device_id(device), end));
    let entered = !given.preview;
    if given.json {
        say(&json(about, given.normal, entered, &labels, &preview, &engine).to_string());
    } else {
        show(about, given.normal, &labels, &preview, &engine);
    }
    if !entered {
        return Ok(ExitCode::SUCCESS);
    }
    let line = Line {
        at,
        by: args.by.clone(),
        why: args.why.clone(),
        verdict: said(given.normal).to_owned(),
        about: about.to_owned(),
        features: version(),
        effect: Effect {
            looked_at: preview.looked_at,
            would_be_quiet: preview.would_be_quiet.len(),
            would_alert: preview.would_alert.len(),
            lost_attacks: preview.lost_attacks.len(),
        },
        labels,
    };
    // First the record: a label that nobody can account for is worse than a line too many.
    append(&place.labels(), &line)?;
    let from = enter(&place, engine, line.labels)?;
    if !given.json {
        say(&format!("Entered as said by {}; it counts from {from} on.", args.by));
    }
    Ok(ExitCode::SUCCESS)
}

const fn said(normal: bool) -> &'static str {
    if normal { "normal" } else { "attack" }
}

/// Enters labels into a baseline, and says from when on they count.
fn enter(place: &Place<'_>, mut engine: Engine, labels: Vec<Verdict>) -> Result<&'static str> {
    let Place::File(file) = place else { return Ok("the next start of the instance") };
    labels.into_iter().for_each(|label| engine.behaviour_mut().enter(label));
    save_learned(&engine, file)?;
    Ok("the next run with this baseline")
}

fn append(file: &Path, line: &Line) -> Result<()> {
    let mut text = serde_json::to_string(line).context("the label cannot be written as JSON")?;
    text.push('\n');
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

/// What rules found, by device: from when to when, and what.
struct Covers(BTreeMap<DeviceId, Vec<(Timestamp, Timestamp, String)>>);

impl Covers {
    /// For the devices of past windows.
    fn of(store: &SqliteStore, engine: &Engine) -> Result<Self> {
        let mut all = BTreeMap::new();
        for past in engine.behaviour().past() {
            let id = engine.inventory().device_id(past.device);
            if let Entry::Vacant(place) = all.entry(id) {
                let found = Self::on(store, place.key())?;
                place.insert(found);
            }
        }
        Ok(Self(all))
    }

    /// Findings of rules in which a device takes part; those of one case are one.
    fn on(store: &SqliteStore, id: &DeviceId) -> Result<Vec<(Timestamp, Timestamp, String)>> {
        let mut query = Query {
            device: Some(id.0.clone()),
            severity: Some(Severity::Low),
            limit: Some(store::MAX_LIMIT),
            ..Query::default()
        };
        let room = Duration::from_secs_f64(COVERS_SECONDS);
        let mut found = BTreeMap::new();
        loop {
            let page = store.findings(&query)?;
            for finding in page.items.iter().filter(|one| one.kind != FindingKind::Model) {
                let of = finding.case.as_ref().map_or(&finding.id.0, |case| &case.0).clone();
                let (from, to) = (finding.at.minus(room), finding.at.plus(room));
                let what = format!("{} ({}): {}", finding.id, finding.detector, finding.title);
                let one = found.entry(of).or_insert_with(|| (from, to, what.clone()));
                if from < one.0 {
                    (one.0, one.2) = (from, what);
                }
                one.1 = one.1.max(to);
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(found.into_values().collect()),
            }
        }
    }

    fn about(&self, device: &DeviceId, end: Timestamp) -> Option<String> {
        let found = self.0.get(device)?;
        let covers = found.iter().find(|(from, to, _)| (*from..=*to).contains(&end));
        covers.map(|(.., what)| what.clone())
    }
}

/// A time to the second, as people read it.
fn short(at: Timestamp) -> String {
    at.to_string().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn show(about: &str, normal: bool, labels: &[Verdict], preview: &Preview<'_>, engine: &Engine) {
    let what = if normal { "normal for us" } else { "an attack" };
    let count = detect::words::count(labels.len() as u64, "window", "windows");
    say(&format!("{about} called {what}: {count}."));
    say(&format!(
        "Of the last {} strange windows, {} told ones would have been quiet, {} others would have been told.",
        preview.looked_at,
        preview.would_be_quiet.len(),
        preview.would_alert.len()
    ));
    let mut rows = table(&["window", "device", "class", "p", "change"]);
    let mut row = |past: &PastWindow, change: String| {
        let device = engine.inventory().label(past.device);
        let class = past.class.name().to_owned();
        rows.add_row([short(past.end), device, class, format!("{:.1e}", past.p), change]);
    };
    let changes = preview.would_be_quiet.len() + preview.would_alert.len();
    for past in preview.would_be_quiet.iter().take(SHOWN) {
        let lost = preview.lost_attacks.iter().find(|lost| std::ptr::eq(lost.window, *past));
        row(past, lost.map_or("quiet".to_owned(), |lost| format!("lost; {}", lost.because)));
    }
    let left = SHOWN.saturating_sub(preview.would_be_quiet.len());
    for past in preview.would_alert.iter().take(left) {
        row(past, "told".to_owned());
    }
    if changes > 0 {
        say(&rows.to_string());
    }
    if changes > SHOWN {
        say(&format!("and {} more; --json has all", changes - SHOWN));
    }
    match preview.lost_attacks.len() {
        0 => say("No detection would have been lost that anything else holds for an attack."),
        lost => say(&format!(
            "It would have LOST {lost} detections of the models on windows that something else holds for an attack. What rules told of them stays."
        )),
    }
}

fn json(
    about: &str,
    normal: bool,
    entered: bool,
    labels: &[Verdict],
    preview: &Preview<'_>,
    engine: &Engine,
) -> Value {
    let id = |ix| engine.inventory().device_id(ix);
    let window = |past: &PastWindow| {
        json!({
            "device": id(past.device), "class": past.class, "end": past.end, "p": past.p,
            "score": past.score, "attack_log_odds": past.attack,
        })
    };
    let windows = |all: &[&PastWindow]| all.iter().map(|past| window(past)).collect::<Vec<_>>();
    let lost = preview.lost_attacks.iter().map(|lost| {
        let mut value = window(lost.window);
        value["because"] = lost.because.clone().into();
        value
    });
    json!({
        "about": about,
        "verdict": said(normal),
        "entered": entered,
        "windows": labels
            .iter()
            .map(|label| json!({"device": id(label.device), "end": label.end}))
            .collect::<Vec<_>>(),
        "looked_at": preview.looked_at,
        "would_be_quiet": windows(&preview.would_be_quiet),
        "would_alert": windows(&preview.would_alert),
        "lost_attacks": lost.collect::<Vec<_>>(),
    })
}

fn list(place: &Place<'_>, json: bool) -> Result<ExitCode> {
    let engine = place.engine()?;
    let mut rows = table(&["said", "by", "verdict", "device", "window", "about"]);
    for label in engine.behaviour().labels() {
        let device = engine.inventory().device_id(label.device);
        if json {
            let line = json!({
                "at": label.at, "by": label.by, "verdict": said(label.normal), "device": device,
                "class": label.class, "end": label.end, "about": label.about,
            });
            say(&line.to_string());
            continue;
        }
        rows.add_row([
            short(label.at),
            label.by.clone(),
            said(label.normal).to_owned(),
            device.0,
            short(label.end),
            label.about.clone(),
        ]);
    }
    if !json {
        say(&rows.to_string());
    }
    Ok(ExitCode::SUCCESS)
}
