//! Deciding: approve, deny, release, arm, adopt.

use std::path::Path;
use std::process::ExitCode;

use ::respond::desk::{Ask, Event, Refused, Releaser, Whom};
use ::respond::executor::HALT;
use ::respond::ledger::Done;
use ::respond::{Level, Office, PlanHash};
use anyhow::{Context, Result, bail};
use model::device::{DeviceId, Tier};

use super::place::{Place, device};
use super::who::person;
use crate::cli::OfficeArgs;
use crate::exit;
use crate::tables::say;

/// Fewest digits of a hash that name a plan.
const FEWEST: usize = 12;

pub(super) fn approve(
    args: &OfficeArgs,
    action: &str,
    plan: &str,
    patient_safe: bool,
) -> Result<ExitCode> {
    let by = person(args)?;
    let office = Place::of(args)?.office()?;
    let known = office.look(|desk, _| desk.action(action).map(|action| action.hash.clone()))?;
    // Part of a hash stands for it only where it is long enough and is its beginning.
    let plan = match known {
        Some(hash) if plan.len() >= FEWEST && hash.0.starts_with(&plan.to_lowercase()) => hash,
        _ => PlanHash(plan.to_owned()),
    };
    let ask = Ask::Approve { action: action.to_owned(), plan, by, patient_safe };
    tell(&office, &ask)
}

pub(super) fn deny(args: &OfficeArgs, action: &str, why: &str) -> Result<ExitCode> {
    let by = person(args)?;
    let office = Place::of(args)?.office()?;
    tell(&office, &Ask::Deny { action: action.to_owned(), by, why: why.to_owned() })
}

pub(super) fn release(args: &OfficeArgs, what: &str, code: Option<&str>) -> Result<ExitCode> {
    let place = Place::of(args)?;
    let office = place.office()?;
    let Some(code) = code else {
        let by = Releaser::Person(person(args)?);
        let whom = if what.starts_with("A-") {
            Whom::Action(what.to_owned())
        } else {
            Whom::Device(device(&place.informed_office(&args.data)?, what)?)
        };
        return tell(&office, &Ask::Release { whom, by });
    };
    // Whoever stands at the bedside may have the name of the action or of the device.
    let subject = office.look(|desk, _| {
        desk.action(what).map(|action| action.proposal.intent.subject.id.clone())
    })?;
    let device = match subject {
        Some(device) => device,
        None => device(&place.informed_office(&args.data)?, what)?,
    };
    match office.release_at_bedside(&device, code)? {
        Some(events) => {
            events.iter().for_each(|event| say(&words(event)));
            Ok(ExitCode::SUCCESS)
        }
        None => bail!("that is not the code of {device}; it stands on the device's label"),
    }
}

pub(super) fn resume(args: &OfficeArgs) -> Result<ExitCode> {
    let by = person(args)?;
    let office = Place::of(args)?.office()?;
    let before = office.look(|desk, _| desk.halted().is_some())?;
    let done = tell(&office, &Ask::Resume { by })?;
    if before && office.look(|desk, _| desk.halted().is_none())? {
        let file = office.folder().join(HALT);
        if file.exists() {
            std::fs::remove_file(&file).with_context(|| file.display().to_string())?;
        }
    }
    Ok(done)
}

pub(super) fn arm(args: &OfficeArgs, tier: &str, level: &str, hours: u64) -> Result<ExitCode> {
    let (tier, level) = (tier_of(tier)?, level_of(level)?);
    let by = person(args)?;
    tell(&Place::of(args)?.office()?, &Ask::Arm { tier, level, hours, by })
}

pub(super) fn disarm(args: &OfficeArgs, tier: &str) -> Result<ExitCode> {
    let tier = tier_of(tier)?;
    let by = person(args)?;
    tell(&Place::of(args)?.office()?, &Ask::Disarm { tier, by })
}

pub(super) fn idle(args: &OfficeArgs, which: &str, minutes: u64, why: &str) -> Result<ExitCode> {
    let office = Place::of(args)?.informed_office(&args.data)?;
    let (device, by) = (known(&office, which)?, person(args)?);
    tell(&office, &Ask::SayIdle { device, minutes, why: why.to_owned(), by })
}

pub(super) fn in_use(args: &OfficeArgs, which: &str) -> Result<ExitCode> {
    let office = Place::of(args)?.informed_office(&args.data)?;
    let (device, by) = (known(&office, which)?, person(args)?);
    tell(&office, &Ask::SayInUse { device, by })
}

/// A device that there is: a word about another would be a slip.
fn known(office: &Office, which: &str) -> Result<DeviceId> {
    let device = device(office, which)?;
    if office.ground().devices.get(&device).is_none() {
        bail!("no device '{which}' is known; 'wardwatch devices' lists them");
    }
    Ok(device)
}

pub(super) fn adopt(args: &OfficeArgs, file: &Path) -> Result<ExitCode> {
    let policy = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let by = person(args)?;
    tell(&Place::of(args)?.office()?, &Ask::Adopt { policy, by })
}

fn tier_of(text: &str) -> Result<Tier> {
    let tier =
        ::respond::policy::TIERS.into_iter().find(|tier| tier.name().eq_ignore_ascii_case(text));
    tier.ok_or_else(|| exit::Usage::from_error("give T0, T0i, T1, T2, T3 or T4").into())
}

fn level_of(text: &str) -> Result<Level> {
    let level = Level::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(text));
    level.ok_or_else(|| exit::Usage::from_error("give L2, L3 or L4").into())
}

/// Asks, and says what came of it.
pub(super) fn tell(office: &Office, ask: &Ask) -> Result<ExitCode> {
    answer(office.ask(ask)?)
}

/// Says what came of it. A refusal ends with status 1.
pub(super) fn answer(answer: Result<Done, Refused>) -> Result<ExitCode> {
    match answer {
        Ok(done) => {
            done.events.iter().for_each(|event| say(&words(event)));
            Ok(ExitCode::SUCCESS)
        }
        Err(refused) => bail!("{refused}"),
    }
}

/// An event in plain words.
pub(super) fn words(event: &Event) -> String {
    match event {
        Event::Proposed { action } => {
            format!("{}: {}", action.id(), super::show::standing(action))
        }
        Event::Signed { action, complete: false, .. } => {
            format!("{action}: signed; others have to sign as well")
        }
        Event::Signed { action, rehearsal: true, .. } => {
            format!("{action}: approved. Its tier is not armed, so nothing is done: a rehearsal")
        }
        Event::Signed { action, .. } => {
            format!("{action}: approved; 'wardwatch enforce' does it within ten minutes, or never")
        }
        Event::Pushing { action } => format!("{action}: enforcers are being told"),
        Event::Pushed { action, failed, .. } if failed.is_empty() => {
            format!("{action}: enforcers were told")
        }
        Event::Pushed { action, failed, .. } => format!("{action}: {}", failed.join("; ")),
        Event::Observed { action, seen } => format!("{action}: {}", seen.text),
        Event::Leaving { action, ending } => {
            format!("{action}: is being taken back: {}", super::show::ending(ending))
        }
        Event::Ended { action, ending } => {
            format!("{action}: over: {}", super::show::ending(ending))
        }
        Event::Stuck { action, why } => {
            format!("{action}: CANNOT BE TAKEN BACK: {why}. It runs out by itself")
        }
        Event::Released { device: Some(device), by } => {
            format!("{device} is let go by {by}, and left alone for some hours")
        }
        Event::Released { device: None, by } => format!("{by} lets go; there was nothing"),
        Event::Halted { why, .. } if why.is_empty() => "Everything is halted.".to_owned(),
        Event::Halted { why, .. } => format!("Everything is halted: {why}."),
        Event::Resumed => "Things may begin again.".to_owned(),
        Event::HalfSigned { .. } => {
            "Signed. Somebody else, in another role, has to ask for exactly the same within ten minutes."
                .to_owned()
        }
        Event::Armed { tier, level, hours, .. } => {
            format!("{tier} is armed up to {level} for {hours} hours.")
        }
        Event::Disarmed { tier, .. } => format!("{tier} is not armed any more."),
        Event::SaidIdle { device, minutes, .. } => {
            format!("{device} counts as idle for {minutes} minutes, or until it sends something of a patient.")
        }
        Event::SaidInUse { device, .. } => format!("{device} counts as in use."),
        Event::Adopted { looser, .. } if looser.is_empty() => "The policy counts.".to_owned(),
        Event::Adopted { looser, .. } => {
            format!("The policy counts. It is looser than before: {}.", looser.join("; "))
        }
        Event::Forgotten => "What waited for a second signature is gone.".to_owned(),
    }
}
