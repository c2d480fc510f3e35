//! `wardwatch segment` and `wardwatch blast`: the network as it is used, from what was recorded.

use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use ::respond::blast::{self, Blast, Graph, Limits};
use ::respond::enforcers::acl::{self, Dialect};
use ::respond::essentials::{Ground, Judge};
use ::respond::mud::{self, About};
use ::respond::segment::{self, Settings, policy};
use ::respond::{Office, Subject};
use anyhow::{Context, Result, bail};
use model::Timestamp;
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
            let (made, told) = match until {
                None => {
                    let made = policy::of(&subject, judge, &settings);
                    let told = made.replay(&subject, judge);
                    (made, told)
                }
                Some(until) => {
                    let made = policy::of_before(&subject, judge, &settings, *until);
                    let told = made.replay_from(&subject, judge, Some(*until));
                    (made, told)
                }
            };
            show_policy(&known, &made, &told);
            Ok(())
        }
        SegmentCommand::Paste { device, language } => {
            paste(&known, judge, &known.subject(judge, device)?, language)
        }
        SegmentCommand::Diff { device, since } => {
            let subject = known.subject(judge, device)?;
            let before = policy::of_before(&subject, judge, &settings, *since);
            show_diff(&known, &before.diff(&policy::of(&subject, judge, &settings)));
            Ok(())
        }
        SegmentCommand::Mud { device, url } => {
            let subject = known.subject(judge, device)?;
            let about = about(&subject, url, judge.ground().history.recorded());
            say(mud::write(&policy::of(&subject, judge, &settings).mud(about))?.trim_end());
            Ok(())
        }
        SegmentCommand::Check { file, device } => {
            check(&known, judge, file, &known.subject(judge, device)?)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn about(subject: &Subject, url: &str, recorded: Option<(Timestamp, Timestamp)>) -> About {
    About {
        url: url.to_owned(),
        last_update: recorded.map(|(_, last)| last).unwrap_or_default(),
        is_supported: true,
        systeminfo: subject.class.title().to_owned(),
        ..About::default()
    }
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

fn show_policy(known: &Known, made: &policy::Policy, told: &policy::Evaluation) {
    if known.json {
        return say(&json!({ "policy": made, "would_have_blocked": told }).to_string());
    }
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
    let made = policy::of(subject, judge, &Settings::default());
    // What a network engineer pastes stays until they take it away; what is in force for a while
    // comes from 'respond plan'.
    let longest = std::time::Duration::from_secs(24 * 3_600);
    let intent = made.intent("A-0000", subject, longest);
    let texts = if language == "enforcers" {
        let plans = known.office.plans(&intent).map_err(|why| anyhow::anyhow!("{why}"))?;
        plans.into_iter().map(|plan| (plan.enforcer, plan.change, plan.undo)).collect()
    } else {
        let wanted = language.replace('-', "_");
        let Some(dialect) = Dialect::ALL.into_iter().find(|dialect| dialect.name() == wanted)
        else {
            bail!(exit::Usage::from_error(format!(
                "'{language}' is no language: give cisco-dacl, cisco-extended, fortigate, paloalto \
                 or enforcers"
            )));
        };
        let text = acl::text(dialect, &intent).map_err(|why| anyhow::anyhow!("{why}"))?;
        vec![(dialect.name().to_owned(), text.change, text.undo)]
    };
    if known.json {
        say(&json!(texts).to_string());
        return Ok(());
    }
    for (name, change, undo) in texts {
        say(&format!("# {name}"));
        change.iter().for_each(|line| say(line));
        say("# and to undo it");
        undo.iter().for_each(|line| say(line));
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
    let read = mud::read(&bytes).with_context(|| file.display().to_string())?;
    let (needs, missing) = read.needs(|_| Vec::new());
    let names = judge.ground().names;
    let allow = needs.into_iter().flat_map(|need| {
        use ::respond::essentials::Peer;
        let peers = match &need.peer {
            Peer::Addresses(range) => vec![*range],
            Peer::Name(name) => names.of(name).into_iter().map(::respond::Range::one).collect(),
            Peer::Class(_) => Vec::new(),
        };
        let reason = need.reason.clone();
        peers.into_iter().map(move |peer| policy::Allowed {
            pattern: ::respond::Pattern { way: need.way, peer, proto: need.proto, port: need.port },
            reason: reason.clone(),
            source: None,
        })
    });
    let made = policy::Policy { device: subject.id.clone(), allow: allow.collect() };
    for note in read.notes.iter().chain(&missing) {
        say(&format!("note: {note}"));
    }
    show_policy(known, &made, &made.replay(subject, judge));
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
        let mut addresses = subject.addresses.iter();
        let found = addresses.find_map(|one| blast::of(&graph, *one, &Limits::default()));
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

fn show_blast(found: &Blast) {
    say(&format!("From {}:", found.of));
    for (text, reach) in [("can reach", &found.reaches), ("can be reached by", &found.reached_by)] {
        let count = |counts: &std::collections::BTreeMap<String, u64>| {
            let parts: Vec<_> = counts.iter().map(|(tier, n)| format!("{n} {tier}")).collect();
            if parts.is_empty() { "nobody".to_owned() } else { parts.join(", ") }
        };
        say(&format!(
            "{text} {} as recorded; through shared segments also {}",
            count(&reach.observed),
            count(&reach.could)
        ));
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
        say(&format!(
            "Cut {}: {} -> {}, {} port {}: {} conversations that care does not need; protects {} \
             life-sustaining or time-critical devices; {} that care needs go on",
            place + 1,
            cut.from,
            cut.to,
            cut.proto,
            cut.port,
            cut.conversations,
            cut.protects,
            cut.kept
        ));
    }
}
