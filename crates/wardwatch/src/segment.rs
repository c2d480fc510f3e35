//! `wardwatch segment` and `wardwatch blast`: the network as it is used, from what was recorded.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use ::respond::blast::{self, Blast, Graph, Limits};
use ::respond::essentials::{Ground, Judge};
use ::respond::segment::asked::{self, Language};
use ::respond::segment::{self, Settings, policy};
use ::respond::{Office, Subject};
use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::cli::{BlastArgs, GroundArgs, OfficeArgs, SegmentArgs, SegmentCommand};
use crate::exit;
use crate::respond::{Place, device};
use crate::tables::{say, table};

/// Lines of a list that are shown; the others are counted.
const SHOWN: usize = 40;

/// What is known, and where from.
struct Known {
    office: Office,
    json: bool,
}

impl Known {
    fn open(args: &GroundArgs) -> Result<Self> {
        let office = OfficeArgs {
            data: args.data.clone(),
            config: args.config.clone(),
            user: None,
            json: args.json,
        };
        let place = Place::of(&office)?;
        let office = match &args.results {
            // Looking at a network begins no ledger.
            None => place.informed(place.scratch()?, &args.data)?,
            Some(folder) => from_results(&place, folder)?,
        };
        if office.ground().history.is_empty() {
            bail!(
                "no conversation was recorded: 'wardwatch run' records them, or give --results with \
                 a folder that 'analyze --out' wrote"
            );
        }
        Ok(Self { office, json: args.json })
    }

    /// Does something with what is known.
    fn with<T>(&self, what: impl FnOnce(&Judge<'_>) -> Result<T>) -> Result<T> {
        let ground = self.office.ground();
        let judge = self.office.setting().essentials.judge(Ground {
            history: &ground.history,
            devices: &ground.devices,
            names: &ground.names,
        });
        what(&judge)
    }

    fn subject(&self, judge: &Judge<'_>, asked: &str) -> Result<Subject> {
        let id = device(&self.office, asked)?;
        let found = judge.ground().devices.get(&id).cloned();
        found.with_context(|| format!("no device '{id}' is known; 'wardwatch devices' lists them"))
    }
}

/// Devices and flows that `analyze --out` wrote. Nothing of an instance is touched.
fn from_results(place: &Place, folder: &Path) -> Result<Office> {
    let scratch = place.scratch()?;
    let open = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).with_context(|| {
            format!("{}: is this a folder that 'analyze --out' wrote?", path.display())
        })
    };
    let text = String::from_utf8(open("devices.jsonl")?).context("devices.jsonl is no text")?;
    let mut devices = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let device = serde_json::from_str(line)
            .with_context(|| format!("devices.jsonl: line {} is no device", number + 1))?;
        devices.push(device);
    }
    let mut ground = scratch.learn();
    ground.devices = place.devices(&devices);
    let flows = open("flows.jsonl")?;
    let read = ground.history.read_flows(BufReader::new(flows.as_slice()))?;
    for bad in &read.bad {
        tracing::warn!(line = bad.line, why = bad.why, "flows.jsonl: a line is no flow");
    }
    drop(ground);
    Ok(scratch)
}

/// `wardwatch segment`.
pub(crate) fn segment(args: &SegmentArgs) -> Result<ExitCode> {
    let known = Known::open(&args.ground)?;
    let settings = Settings::default();
    known.with(|judge| match &args.command {
        SegmentCommand::Zones => {
            zones(&known, &segment::propose(judge, &settings));
            Ok(())
        }
        SegmentCommand::Policy { device, until } => {
            let subject = known.subject(judge, device)?;
            let made = asked::policy(&subject, judge, &settings, *until);
            if known.json {
                say(&json!(made).to_string());
            } else {
                show_policy(&made.policy, &made.would_have_blocked);
            }
            Ok(())
        }
        SegmentCommand::Paste { device, language } => {
            paste(&known, judge, &known.subject(judge, device)?, language)
        }
        SegmentCommand::Diff { device, since } => {
            let subject = known.subject(judge, device)?;
            show_diff(&known, &asked::diff(&subject, judge, &settings, *since));
            Ok(())
        }
        SegmentCommand::Mud { device, url } => {
            let subject = known.subject(judge, device)?;
            say(asked::mud(&subject, judge, &settings, url)?.trim_end());
            Ok(())
        }
        SegmentCommand::Check { file, device } => {
            check(&known, judge, file, &known.subject(judge, device)?)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn zones(known: &Known, proposal: &segment::Proposal) {
    if known.json {
        return say(&json!(proposal).to_string());
    }
    let mut rows = table(&["zone", "tier", "devices", "nobody knows"]);
    for zone in &proposal.zones {
        rows.add_row(vec![
            zone.name.clone(),
            zone.tier.to_string(),
            zone.devices.len().to_string(),
            zone.strangers.len().to_string(),
        ]);
    }
    say(&rows.to_string());
    let mut rows = table(&["from", "to", "service", "port", "conversations", "needed by care"]);
    for conduit in &proposal.conduits {
        rows.add_row(vec![
            conduit.from.to_string(),
            conduit.to.to_string(),
            conduit.service.clone(),
            format!("{} {}", conduit.proto, conduit.port),
            conduit.conversations.to_string(),
            conduit.essential.clone().unwrap_or_default(),
        ]);
    }
    say(&rows.to_string());
    say(&format!(
        "{} conversations were too rare for a conduit; {} began in the middle of a case.",
        proposal.rare, proposal.suspect
    ));
}

fn show_policy(made: &policy::Policy, told: &policy::Evaluation) {
    for allowed in &made.allow {
        say(&format!("allow {}: {}", allowed.pattern, allowed.reason));
    }
    say(&format!(
        "Of {} recorded conversations, {} would have been blocked, {} of them needed by care.",
        told.conversations, told.blocked_conversations, told.blocked_essential
    ));
    for blocked in told.blocked.iter().take(SHOWN) {
        let c = &blocked.conversation;
        say(&format!(
            "  {} -> {} {} port {} {}{}{}",
            c.client,
            c.server,
            c.proto,
            c.port,
            blocked.service,
            if blocked.suspect { ", began in the middle of a case" } else { "" },
            blocked.essential.as_ref().map_or_else(String::new, |why| format!(", NEEDED: {why}")),
        ));
    }
}

fn paste(known: &Known, judge: &Judge<'_>, subject: &Subject, language: &str) -> Result<()> {
    let Some(wanted) = Language::from_name(language) else {
        bail!(exit::Usage::from_error(format!(
            "'{language}' is no language: give {}",
            Language::NAMES
        )));
    };
    let texts = asked::paste(&known.office, subject, judge, &Settings::default(), wanted)?;
    if known.json {
        say(&json!(texts).to_string());
        return Ok(());
    }
    for text in texts {
        say(&format!("# {}", text.name));
        text.change.iter().for_each(|line| say(line));
        say("# and to undo it");
        text.undo.iter().for_each(|line| say(line));
    }
    Ok(())
}

fn show_diff(known: &Known, diff: &policy::PolicyDiff) {
    if known.json {
        return say(&json!(diff).to_string());
    }
    diff.removed.iter().for_each(|one| say(&format!("- allow {}: {}", one.pattern, one.reason)));
    diff.added.iter().for_each(|one| say(&format!("+ allow {}: {}", one.pattern, one.reason)));
    say(&format!("{} are the same.", diff.same));
}

fn check(known: &Known, judge: &Judge<'_>, file: &Path, subject: &Subject) -> Result<()> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let told = asked::check(&bytes, subject, judge).with_context(|| file.display().to_string())?;
    if known.json {
        say(&json!(told).to_string());
        return Ok(());
    }
    for note in &told.notes {
        say(&format!("note: {note}"));
    }
    show_policy(&told.policy, &told.would_have_blocked);
    Ok(())
}

/// `wardwatch blast`.
pub(crate) fn blast(args: &BlastArgs) -> Result<ExitCode> {
    let known = Known::open(&args.ground)?;
    let of = match args.of.strip_prefix("C-") {
        Some(_) => cause(&args.ground, &args.of)?,
        None => args.of.clone(),
    };
    known.with(|judge| {
        let subject = known.subject(judge, &of)?;
        let graph = Graph::new(judge, &Settings::default());
        let found = blast::of_device(&graph, &subject, &Limits::default());
        let found = found.with_context(|| format!("nothing was recorded of {}", subject.id))?;
        if known.json {
            say(&json!(found).to_string());
        } else {
            show_blast(&found);
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The device that a case is about.
fn cause(args: &GroundArgs, case: &str) -> Result<String> {
    use store::Store;
    let device = match &args.results {
        Some(folder) => {
            let path = folder.join("cases.jsonl");
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let cases =
                text.lines().filter_map(|line| serde_json::from_str::<model::Case>(line).ok());
            cases
                .into_iter()
                .find(|known| known.id.0 == case)
                .and_then(|c| c.devices.first().cloned())
        }
        None => {
            let file = args.data.join(crate::instance::STORE);
            let store = store::SqliteStore::open_read_only(&file, store::Options::default())
                .with_context(|| file.display().to_string())?;
            let found = store.case(&model::CaseId(case.to_owned()))?;
            found.and_then(|record| record.case.devices.first().cloned())
        }
    };
    let device = device.with_context(|| format!("there is no case '{case}' with a device"))?;
    Ok(device.0)
}

/// The blast radius of the first device of a case in a store, where its instance recorded any
/// conversations.
pub(crate) fn of_stored_case(store: &Path, case: &serde_json::Value) -> Option<Blast> {
    let ground =
        GroundArgs { data: store.parent()?.to_owned(), config: None, results: None, json: false };
    let known = Known::open(&ground).ok()?;
    let found = known.with(|judge| {
        let subject = known.subject(judge, case["devices"][0].as_str().unwrap_or_default())?;
        let graph = Graph::new(judge, &Settings::default());
        Ok(blast::of_device(&graph, &subject, &Limits::default()))
    });
    found.ok().flatten()
}

/// In a few lines: who is within reach, which care, what to cut first.
pub(crate) fn brief_blast(found: &Blast) {
    say(&format!("Blast radius: can reach {}", counted(&found.reaches)));
    say(&format!("  can be reached by {}", counted(&found.reached_by)));
    if !found.care.is_empty() {
        say(&format!("  care within reach: {}", found.care.join("; ")));
    }
    if let Some(cut) = found.cuts.first() {
        say(&format!("  cut first: {}", cut_in_words(cut)));
    }
}

fn counted(reach: &blast::Reach) -> String {
    let count = |counts: &BTreeMap<String, u64>| {
        let parts: Vec<_> = counts.iter().map(|(tier, n)| format!("{n} {tier}")).collect();
        if parts.is_empty() { "nobody".to_owned() } else { parts.join(", ") }
    };
    format!(
        "{} as recorded; through shared segments also {}",
        count(&reach.observed),
        count(&reach.could)
    )
}

fn cut_in_words(cut: &blast::Cut) -> String {
    format!(
        "{} -> {}, {} port {}: {} conversations that care does not need; protects {} \
         life-sustaining or time-critical devices; {} that care needs go on",
        cut.from, cut.to, cut.proto, cut.port, cut.conversations, cut.protects, cut.kept
    )
}

fn show_blast(found: &Blast) {
    say(&format!("From {}:", found.of));
    for (text, reach) in [("can reach", &found.reaches), ("can be reached by", &found.reached_by)] {
        say(&format!("{text} {}", counted(reach)));
        for one in reach.devices.iter().take(SHOWN) {
            say(&format!(
                "  {} hop{} {} ({}, {}) via {}",
                one.hops,
                if one.hops == 1 { " " } else { "s" },
                one.name,
                one.class.title(),
                one.tier,
                one.via
            ));
        }
    }
    if !found.care.is_empty() {
        say(&format!("Care within reach: {}", found.care.join("; ")));
    }
    for (place, cut) in found.cuts.iter().enumerate() {
        say(&format!("Cut {}: {}", place + 1, cut_in_words(cut)));
    }
}
