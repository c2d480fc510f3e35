//! Showing: what is armed, what waits, what is in force.

use std::process::ExitCode;

use ::respond::desk::{Action, Ending, Status};
use ::respond::{Moment, Standing};
use anyhow::{Context, Result};

use super::place::Place;
use crate::cli::OfficeArgs;
use crate::tables::{say, table};

pub(super) fn status(args: &OfficeArgs) -> Result<ExitCode> {
    let place = Place::of(args)?;
    let office = place.office()?;
    office.look(|desk, now| {
        if args.json {
            let armed: Vec<_> = desk.armed(now).collect();
            say(&serde_json::json!({
                "halted": desk.halted(),
                "observes_only": desk.observes_only(now),
                "armed": armed,
                "idle": desk.all_idle(now).collect::<Vec<_>>(),
                "half_signed": desk.half_signed(),
                "policy": desk.policy(),
            })
            .to_string());
            return;
        }
        match desk.halted() {
            Some("") => say("HALTED. 'respond resume' needs two people."),
            Some(why) => say(&format!("HALTED: {why}. 'respond resume' needs two people.")),
            None => say("Not halted."),
        }
        if desk.observes_only(now) {
            say("Only observes: too many roll-backs within an hour.");
        }
        let armed: Vec<String> = desk
            .armed(now)
            .map(|(tier, arming)| {
                let left = arming.hours.saturating_sub(now.since(arming.since).as_secs() / 3_600);
                format!("{tier} up to {} for {left} h", arming.level)
            })
            .collect();
        if armed.is_empty() {
            say("Nothing is armed: every action is a rehearsal.");
        } else {
            say(&format!("Armed: {}.", armed.join(", ")));
        }
        for (device, idle) in desk.all_idle(now) {
            let left = idle.left(now).unwrap_or_default().as_secs().div_ceil(60);
            say(&format!("{device} counts as idle for {left} more minutes: {}.", idle.title()));
        }
        if !desk.half_signed().is_empty() {
            say(&format!("{} requests wait for a second signature.", desk.half_signed().len()));
        }
        let count = |wanted: fn(&Action) -> bool| desk.actions().filter(|a| wanted(a)).count();
        say(&format!(
            "{} actions wait for signatures, {} may be in force.",
            count(|action| matches!(action.status, Status::Waiting)),
            count(Action::may_be_in_force),
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn list(args: &OfficeArgs, all: bool) -> Result<ExitCode> {
    let office = Place::of(args)?.office()?;
    let (actions, now) = office.look(|desk, now| {
        let shown = desk.actions().filter(|action| all || !action.is_over());
        (shown.cloned().collect::<Vec<_>>(), now)
    })?;
    if args.json {
        for action in &actions {
            say(&serde_json::to_string(action)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(&["action", "device", "tier", "what", "stands", "left"]);
    for action in &actions {
        let subject = &action.proposal.intent.subject;
        rows.add_row(vec![
            action.id().to_owned(),
            format!("{} {}", subject.id, subject.name),
            subject.tier().to_string(),
            format!("{} {}", action.level(), action.proposal.intent.restriction.title()),
            standing(action),
            left(action, now),
        ]);
    }
    say(&rows.to_string());
    Ok(ExitCode::SUCCESS)
}

/// What policy proposed by itself and was refused, the latest first.
pub(super) fn refused(args: &OfficeArgs) -> Result<ExitCode> {
    let refusals = Place::of(args)?.office()?.refusals()?;
    if args.json {
        for (seq, at, refusal) in refusals.iter().rev() {
            let mut line = serde_json::to_value(refusal)?;
            line["seq"] = seq.into();
            line["at"] = serde_json::to_value(at)?;
            say(&line.to_string());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(&["at", "case", "device", "what", "times", "why not"]);
    for (_, at, refusal) in refusals.iter().rev() {
        rows.add_row(vec![
            at.wall.to_string(),
            refusal.case.to_string(),
            refusal.device.to_string(),
            format!("{} {}", refusal.level, refusal.what),
            refusal.times.to_string(),
            refusal.why.clone(),
        ]);
    }
    say(&rows.to_string());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn action(args: &OfficeArgs, id: &str, card: bool) -> Result<ExitCode> {
    let office = Place::of(args)?.office()?;
    let (action, now) = office.look(|desk, now| (desk.action(id).cloned(), now))?;
    let action = action.with_context(|| format!("there is no action '{id}'"))?;
    match (args.json, card) {
        (true, true) => say(&serde_json::to_string(&action.proposal.card)?),
        (true, false) => say(&serde_json::to_string(&action)?),
        (false, true) => say(action.proposal.card.to_string().trim_end()),
        (false, false) => whole(&action, now),
    }
    Ok(ExitCode::SUCCESS)
}

fn whole(action: &Action, now: Moment) {
    let proposal = &action.proposal;
    say(&format!("{}  {}", action.id(), standing(action)));
    say(&format!("Plan {}", action.hash));
    say("");
    proposed(proposal);
    say("");
    if !action.needs.is_empty() {
        let needed: Vec<_> = action.needs.iter().map(|one| one.title()).collect();
        say(&format!("Has to be signed by: {}", needed.join("; ")));
        if action.attest {
            say("Somebody clinical has to look at the patient first ('--patient-safe').");
        }
    }
    for why in &action.because {
        say(&format!("Not by itself: {why}"));
    }
    for (person, _) in &action.signatures {
        say(&format!("Signed by {person}"));
    }
    for failed in &action.failed {
        say(&format!("Failed: {failed}"));
    }
    if let Some((seen, _)) = &action.observed {
        say(&format!("Seen in traffic: {}", seen.text));
    }
    if let Some(why) = &action.stuck {
        say(&format!("CANNOT BE TAKEN BACK: {why}. It runs out by itself."));
    }
    let left = left(action, now);
    if !left.is_empty() {
        say(&format!("Gone by itself in {left} at the latest"));
    }
}

/// What a proposal is about: evidence, card, pre-flight and exact change.
pub(super) fn proposed(proposal: &::respond::Proposal) {
    for claim in &proposal.evidence.claims {
        say(&format!("Because: {} ({})", claim.title, claim.detector));
    }
    if let Some(doubt) = &proposal.evidence.doubt {
        say(&format!("In doubt: {doubt}"));
    }
    say(proposal.card.to_string().trim_end());
    say("");
    let preflight = &proposal.preflight;
    say(&format!("Pre-flight: {}", preflight.because));
    for cut in preflight.essential.iter().chain(&preflight.other).take(20) {
        say(&format!(
            "  would cut {} {} port {}: {} -> {}, last {}, {} times{}",
            cut.service,
            cut.conversation.proto,
            cut.conversation.port,
            cut.conversation.client,
            cut.conversation.server,
            cut.last,
            cut.times,
            cut.essential.as_ref().map_or_else(String::new, |why| format!(" NEEDED: {why}")),
        ));
    }
    for need in &preflight.declared {
        say(&format!("  would cut a declared need: {need}"));
    }
    for plan in &proposal.plans {
        say(&format!("{} would be told:", plan.enforcer));
        plan.change.iter().for_each(|line| say(&format!("  {line}")));
        say(&format!("  ({})", plan.dead_man));
    }
}

pub(super) fn policy(args: &OfficeArgs) -> Result<ExitCode> {
    let office = Place::of(args)?.office()?;
    let text = office.look(|desk, _| desk.policy().to_toml())?;
    say(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn codes(args: &OfficeArgs, device: Option<&str>) -> Result<ExitCode> {
    let place = Place::of(args)?;
    let office = place.informed_office(&args.data)?;
    let ids = match device {
        Some(device) => vec![super::place::device(&office, device)?],
        None => office.ground().devices.all().map(|device| device.id.clone()).collect(),
    };
    let mut rows = table(&["device", "name", "code"]);
    for id in ids {
        let name = office.ground().devices.get(&id).map(|d| d.name.clone()).unwrap_or_default();
        rows.add_row(vec![id.to_string(), name, office.codes().of(&id)]);
    }
    say(&rows.to_string());
    Ok(ExitCode::SUCCESS)
}

/// What is left of it.
fn left(action: &Action, now: Moment) -> String {
    match action.decided {
        Some(at) if action.may_be_in_force() => {
            let left = action.proposal.intent.ttl.saturating_sub(now.since(at));
            format!("{} min {} s", left.as_secs() / 60, left.as_secs() % 60)
        }
        _ => String::new(),
    }
}

/// Where it stands, never more than is known.
pub(super) fn standing(action: &Action) -> String {
    match &action.status {
        Status::Waiting => "waits for signatures".to_owned(),
        Status::Approved => "approved, not told to anybody yet".to_owned(),
        Status::Rehearsed => "rehearsed: its tier is not armed, nothing was done".to_owned(),
        Status::Pushing => "being told".to_owned(),
        Status::InForce => match action.standing() {
            Standing::Observed => "in force, seen in traffic".to_owned(),
            Standing::Acknowledged => "told and acknowledged, not seen in traffic yet".to_owned(),
            _ => "told, not acknowledged".to_owned(),
        },
        Status::Leaving { ending: why } => format!("being taken back: {}", ending(why)),
        Status::Ended { ending: why } => format!("over: {}", ending(why)),
    }
}

/// How it ended.
pub(super) fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Expired => "its time was over".to_owned(),
        Ending::Released { by, .. } => format!("let go by {by}"),
        Ending::RolledBack(what) => format!("rolled back: {what}"),
        Ending::Halted => "everything was halted".to_owned(),
        Ending::Denied { by, why } => format!("{by} said no: {why}"),
        Ending::Lapsed => "nobody answered in time".to_owned(),
        Ending::Failed(why) => format!("no enforcer could: {why}"),
    }
}
