//! One run: an attack while the hospital works, and what came of it.

use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::attack::Attack;
use super::clinic::Count;
use super::ledger::Traced;
use super::network::{MIRROR, Network, Running, SWITCH};
use super::{Lab, clock};

/// Longest that a block is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest that something that waits for people is looked at, in case more follows.
const WAITING: Duration = Duration::from_secs(5);

/// What came of one attack.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) number: usize,
    pub(super) attack: &'static str,
    pub(super) attacker: &'static str,
    pub(super) address: IpAddr,
    /// The action that was taken, or that waits for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<String>,
    /// What it does, in words.
    pub(super) what: String,
    /// Whether policy decided it.
    pub(super) automatic: bool,
    /// Why it did not, or why nothing was proposed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) because: Vec<String>,
    /// Seconds from the first packet of the attack.
    pub(super) steps: Steps,
    /// What traffic said.
    pub(super) seen: String,
    /// Whether the attacker's later connections fail.
    pub(super) stopped: bool,
    /// Whether somebody else's still succeed.
    pub(super) others_go_on: bool,
    /// Essential messages while it went on.
    pub(super) essential: Count,
}

/// Seconds from the first packet of the attack; absent where it did not come to that.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Steps {
    pub(super) found: Option<f64>,
    pub(super) decided: Option<f64>,
    pub(super) pushed: Option<f64>,
    pub(super) verified: Option<f64>,
}

/// An attack that goes on.
pub(super) struct Going {
    pub(super) attack: Attack,
    /// When its first packet was seen.
    pub(super) first: i64,
    process: Running,
}

/// Starts an attack, and waits for its first packet.
pub(super) fn begin(lab: &Lab, attack: &Attack) -> Result<Going> {
    let exe = lab.exe.display().to_string();
    let ip = attack.ip.to_string();
    let words = [exe.as_str(), "lab-host", "first", "--interface", MIRROR, "--from", &ip];
    let mut command = lab.network.on(SWITCH, &words)?;
    let mut watcher = Running::new(command.stdout(Stdio::piped()).spawn()?);
    let out = watcher.child().stdout.take().context("no output")?;
    let mut lines = BufReader::new(out).lines();
    lines.next().context("the packets of the attack cannot be watched")??;
    let words = attack.words(&lab.network, &exe, &lab.folder)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let process = lab.network.start(&attack.host, &words)?;
    let first = lines.next().context("the attack sent no packet")??;
    let first = first.trim().parse().context("no time of a first packet")?;
    Ok(Going { attack: attack.clone(), first, process })
}

/// Waits for what comes of attacks that go on, and ends them.
pub(super) fn finish(lab: &mut Lab, going: Vec<Going>, number: usize) -> Result<Vec<Outcome>> {
    let begun = Instant::now();
    let mut waits_since: Option<Instant> = None;
    loop {
        let actions = lab.ledger.look();
        let all: Vec<Option<&Traced>> =
            going.iter().map(|one| strongest(actions.values(), one)).collect();
        let verified = |t: &Traced| t.observed.is_some();
        let done = all.iter().all(|found| found.is_some_and(verified));
        let rest = all.iter().all(|found| {
            found.is_some_and(|t| verified(t) || !t.was_pushed() && !t.is_automatic())
        });
        waits_since = if rest { waits_since.or(Some(Instant::now())) } else { None };
        let late = waits_since.is_some_and(|at| at.elapsed() >= WAITING);
        if done || late || begun.elapsed() >= PATIENCE {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut outcomes = Vec::new();
    for one in &going {
        outcomes.push(outcome(lab, one, number)?);
    }
    drop(going);
    // What was under way may arrive or be given up before it is counted.
    std::thread::sleep(Duration::from_millis(300));
    for one in &mut outcomes {
        one.essential = lab.clinic.count(lab.counted, clock::nanos() - 200_000_000)?;
    }
    lab.counted = clock::nanos() - 200_000_000;
    Ok(outcomes)
}

/// What was done about an attacker: what was pushed first, else what waits.
fn strongest<'a>(all: impl Iterator<Item = &'a Traced>, going: &Going) -> Option<&'a Traced> {
    let ip = IpAddr::V4(going.attack.ip);
    let own: Vec<&Traced> =
        all.filter(|t| t.is_of(ip) && t.decided.nanos() >= going.first).collect();
    own.iter().copied().find(|t| t.observed.is_some()).or_else(|| {
        own.iter().copied().find(|t| t.was_pushed() || t.is_automatic()).or(own.first().copied())
    })
}

fn outcome(lab: &mut Lab, going: &Going, number: usize) -> Result<Outcome> {
    let Going { attack, first, process } = going;
    let traced = strongest(lab.ledger.look().values(), going).cloned();
    let since = |at: i64| (at - first) as f64 / 1e9;
    let target = attack.target(&lab.network)?;
    let _ = process.id();
    let pushed = traced.as_ref().is_some_and(Traced::was_pushed);
    let stopped = pushed && !knock(&lab.network, &lab.exe, &attack.host, &target)?;
    let others_go_on = knock(&lab.network, &lab.exe, &lab.bystander, &target)?;
    let found = lab.found(IpAddr::V4(attack.ip), *first)?;
    let automatic = traced.as_ref().is_some_and(Traced::is_automatic);
    let nothing = || {
        vec![if found.is_some() {
            "found, and nothing could be proposed that harms no care".to_owned()
        } else {
            "not found".to_owned()
        }]
    };
    Ok(Outcome {
        number,
        attack: attack.how.title(),
        attacker: attack.who.title(),
        address: IpAddr::V4(attack.ip),
        action: traced.as_ref().map(|t| t.action.id().to_owned()),
        what: traced.as_ref().map_or_else(String::new, |t| {
            let restriction = &t.action.proposal.intent.restriction;
            format!("{} {}", t.action.level(), restriction.title())
        }),
        automatic,
        because: match &traced {
            None => nothing(),
            Some(t) => t.action.because.clone(),
        },
        steps: Steps {
            found: found.map(since),
            decided: traced.as_ref().map(|t| since(t.decided.nanos())),
            pushed: traced.as_ref().and_then(|t| t.pushed).map(|at| since(at.nanos())),
            verified: traced
                .as_ref()
                .and_then(|t| t.observed.as_ref())
                .map(|(at, _)| since(at.nanos())),
        },
        seen: traced.and_then(|t| t.observed).map(|(_, text)| text).unwrap_or_default(),
        stopped,
        others_go_on,
        essential: Count::default(),
    })
}

/// Whether a host can open a connection.
pub(super) fn knock(
    network: &Network,
    exe: &std::path::Path,
    host: &str,
    at: &str,
) -> Result<bool> {
    let exe = exe.display().to_string();
    network.does(host, &[&exe, "lab-host", "knock", "--at", at, "--timeout-ms", "700"])
}
