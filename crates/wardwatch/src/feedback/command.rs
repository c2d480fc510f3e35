//! `wardwatch model feedback`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use detect::Engine;
use learn::behaviour::{PastWindow, Preview, Verdict};
use model::Timestamp;
use serde_json::{Value, json};
use store::{Options, SqliteStore, Store};

use super::covers::Covers;
use super::{Effect, FILE, Word, append, enter_all, file_of, said};
use crate::analyze::{load_learned, save_learned};
use crate::cli::{FeedbackArgs, FeedbackCommand, ModelArgs};
use crate::exit;
use crate::instance::{LEARNED, STORE};
use crate::models::now;
use crate::tables::{say, table};

/// Windows of a preview that are shown to people; JSON has all.
const SHOWN: usize = 40;

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
            Self::Instance(data) => file_of(data),
        }
    }
}

fn open(file: &Path) -> Result<SqliteStore> {
    SqliteStore::open_read_only(file, Options::default())
        .with_context(|| format!("{}: cannot be asked", file.display()))
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
    let word = Word { about, normal: given.normal, by: &args.by, at: now(), why: &args.why };
    let labels = word.labels(&store, &engine)?;
    let covers = Covers::new(&store, &engine);
    let preview = engine.behaviour().preview(&labels, |device, end| covers.about(device, end));
    covers.whole()?;
    let entered = !given.preview;
    if given.json {
        say(&json(about, given.normal, entered, &labels, &preview, &engine).to_string());
    } else {
        show(about, given.normal, &labels, &preview, &engine);
    }
    if !entered {
        return Ok(ExitCode::SUCCESS);
    }
    let line = word.line(Effect::of(&preview), labels);
    // First the record: a label that nobody can account for is worse than a line too many.
    append(&place.labels(), &line)?;
    let from = enter(&place, engine, line.labels)?;
    if !given.json {
        say(&format!("Entered as said by {}; it counts {from}.", args.by));
    }
    Ok(ExitCode::SUCCESS)
}

/// Enters labels into a baseline, and says from when on they count.
fn enter(place: &Place<'_>, mut engine: Engine, labels: Vec<Verdict>) -> Result<&'static str> {
    let Place::File(file) = place else {
        return Ok("within seconds where the instance runs, else from its next start on");
    };
    labels.into_iter().for_each(|label| engine.behaviour_mut().enter(label));
    save_learned(&engine, file)?;
    Ok("from the next run with this baseline on")
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
