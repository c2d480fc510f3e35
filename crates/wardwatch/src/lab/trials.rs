//! What comes after the attacks: forged alerts, floods, roll-back, bedside, halts from every state,
//! and the death of everything of ours while restrictions stand.

mod halts;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ::respond::desk::{Ending, Status};
use ::respond::watch::Beat;
use anyhow::{Context, Result};
use serde::Serialize;

use super::attack::{Attack, How, Who, attacker};
use super::clinic::{ARCHIVE, CT, MONITORS, WEB};
use super::ledger::Traced;
use super::network::SWITCH;
use super::run::{self, knock};
use super::shield::{ANALYST, CLINICAL, POLICY};
use super::{Lab, clock};

/// Hosts of the trials.
const HOSTS: u16 = 12;
/// Their numbers begin here, behind those of attacks.
const FIRST: u16 = 500;
/// Everything has to be gone so long after the start of a halt.
pub(super) const HALT_BOUND: f64 = 10.0;
/// How much later than its time a restriction may be gone, as seen by polling once a second.
const EXPIRY_SLACK: f64 = 5.0;

/// How much later than a heartbeat misses its restriction may be taken back.
const ROLL_BACK_SLACK: Duration = Duration::from_secs(8);

/// What came of one trial.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trial {
    pub(super) name: String,
    pub(super) good: bool,
    /// What was measured, in seconds, and what it has to stay below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bound: Option<f64>,
    /// In words.
    pub(super) text: String,
}

impl Trial {
    fn new(name: &str, good: bool, text: String) -> Self {
        Self { name: name.to_owned(), good, seconds: None, bound: None, text }
    }

    fn timed(name: &str, good: bool, seconds: f64, bound: f64, text: String) -> Self {
        let good = good && seconds <= bound;
        Self { name: name.to_owned(), good, seconds: Some(seconds), bound: Some(bound), text }
    }
}

/// The hosts that the trials need.
pub(super) fn attackers() -> Vec<Attack> {
    let how = |place: u16| if place.is_multiple_of(2) { How::Guess } else { How::Scrape };
    (0..HOSTS).map(|place| attacker(Who::Office, how(place), FIRST + place)).collect()
}

/// All of them.
pub(super) fn all(lab: &mut Lab, say: &dyn Fn(&str)) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    let mut note = |trial: Trial| {
        say(&super::report::line(&trial));
        trials.push(trial);
    };
    note(forged(lab)?);
    note(rolled_back(lab)?);
    note(bedside(lab)?);
    for trial in halts::all(lab)? {
        note(trial);
    }
    note(flood(lab)?);
    // What was recorded in the last minutes dies with the daemon: what policy does by itself is
    // tried before.
    note(killed(lab)?);
    lab.shield.start_daemon(&lab.network)?;
    lab.shield.start_hand(&lab.network)?;
    note(halts::killed(lab)?);
    note(ledger(lab)?);
    Ok(trials)
}

fn host(place: u16) -> Attack {
    attackers().swap_remove(usize::from(place))
}

/// Waits until the ledger says something of an attacker's action.
fn wait(
    lab: &mut Lab,
    ip: IpAddr,
    from: i64,
    patience: Duration,
    is_it: impl Fn(&Traced) -> bool,
) -> Option<Traced> {
    let begun = Instant::now();
    loop {
        let mut own =
            lab.ledger.look().values().filter(|t| t.is_of(ip) && t.decided.nanos() >= from);
        if let Some(found) = own.find(|t| is_it(t)) {
            return Some(found.clone());
        }
        if begun.elapsed() >= patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Somebody proposes to cut a host from the web server; the name of the action.
fn proposed(lab: &mut Lab, attack: &Attack) -> Result<Traced> {
    let (from, ip) = (clock::nanos(), IpAddr::V4(attack.ip));
    let flow = format!("to {} tcp 80", lab.network.ip(WEB)?);
    let words = [
        "respond",
        "plan",
        &ip.to_string(),
        "--block",
        &flow,
        "--why",
        "a trial of the lab",
        "--propose",
    ];
    lab.shield.good(Some(ANALYST), &words)?;
    wait(lab, ip, from, Duration::from_secs(2), |_| true).context("nothing was proposed")
}

/// The same, and somebody else approves.
fn approved(lab: &mut Lab, attack: &Attack) -> Result<Traced> {
    let traced = proposed(lab, attack)?;
    let (id, hash) = (traced.action.id().to_owned(), traced.action.hash.0.clone());
    lab.shield.good(Some(CLINICAL), &["respond", "approve", &id, "--plan", &hash])?;
    Ok(traced)
}

/// The same, and it is in force.
fn in_force(lab: &mut Lab, attack: &Attack) -> Result<Traced> {
    let traced = approved(lab, attack)?;
    let from = traced.decided.nanos();
    wait(lab, IpAddr::V4(attack.ip), from, Duration::from_secs(30), |t| t.pushed.is_some())
        .context("it was approved, and is not in force")
}

/// An attacker who sends with the archive's address must not have the archive restricted.
fn forged(lab: &mut Lab) -> Result<Trial> {
    let (archive, from) = (lab.network.ip(ARCHIVE)?, clock::nanos());
    let [one, two, ..] = MONITORS.map(|(name, _)| name);
    let targets = format!("{} {}", lab.network.ip(one)?, lab.network.ip(two)?);
    let command = format!(
        "timeout 6 nmap -sS -n -Pn --send-ip -T4 --max-retries 1 -e eth0 -S {archive} -p 1-2000 {targets}"
    );
    let words: Vec<&str> = command.split_whitespace().collect();
    lab.network.does(&host(0).host, &words)?;
    std::thread::sleep(Duration::from_secs(3));
    let of_archive: Vec<Traced> = lab
        .ledger
        .look()
        .values()
        .filter(|t| t.is_of(IpAddr::V4(archive)) && t.decided.nanos() >= from)
        .cloned()
        .collect();
    let restricted = of_archive.iter().any(Traced::was_pushed);
    let count = lab.clinic.count(from, clock::nanos() - 1_000_000_000)?;
    let text = format!(
        "a scan with the archive's address as its source: {} proposals about the archive, {}; {} of {} essential messages lost",
        of_archive.len(),
        if restricted { "RESTRICTED" } else { "none done" },
        count.lost,
        count.sent
    );
    Ok(Trial::new("forged alerts", !restricted && count.lost == 0, text))
}

/// Care misses something after a restriction: it is taken back by itself.
fn rolled_back(lab: &mut Lab) -> Result<Trial> {
    let name = "heartbeat roll-back";
    let attack = host(1);
    let (from, ip) = (clock::nanos(), IpAddr::V4(attack.ip));
    let going = run::begin(lab, &attack)?;
    let Some(traced) = wait(lab, ip, from, Duration::from_secs(15), |t| t.pushed.is_some()) else {
        return Ok(Trial::new(name, false, "nothing was restricted".to_owned()));
    };
    let beats = &traced.action.proposal.beats;
    // How long its silence goes unnoticed follows from its own pauses, which a busy machine stretches.
    let of_scanner = beats.iter().filter(|beat| beat.what.contains("CT1"));
    let Some(patience) = of_scanner.map(Beat::patience).min() else {
        let text = format!("none of {} heartbeats is the scanner's", beats.len());
        return Ok(Trial::new(name, false, text));
    };
    let bound = patience + ROLL_BACK_SLACK;
    lab.clinic.stop(CT);
    let begun = Instant::now();
    let back = wait(lab, ip, from, bound, |t| matches!(t.ended, Some((_, Ending::RolledBack(_)))));
    let seconds = begun.elapsed().as_secs_f64();
    drop(going);
    let text = match back.and_then(|t| t.ended) {
        Some((_, Ending::RolledBack(what))) => format!("taken back by itself: {what}"),
        _ => format!("not taken back; a pause of {} s is missed", patience.as_secs()),
    };
    // Missed by the one that stopped, and not by another that is slow.
    let good = text.starts_with("taken") && text.contains("CT1");
    Ok(Trial::timed(name, good, seconds, bound.as_secs_f64(), text))
}

/// One person with the code on the label lets go.
fn bedside(lab: &mut Lab) -> Result<Trial> {
    let attack = host(2);
    let (from, ip) = (clock::nanos(), IpAddr::V4(attack.ip));
    let traced = in_force(lab, &attack)?;
    let device = traced.action.proposal.intent.subject.id.to_string();
    let table = lab.shield.good(None, &["respond", "code", &device])?;
    let code = table
        .split(|c: char| c.is_whitespace() || c == '│' || c == '|' || c == '┆')
        .find(|word| word.len() == 9 && word.chars().nth(4) == Some('-'))
        .context("no code was shown")?
        .to_owned();
    let wrong = lab.shield.asks(None, &["respond", "release", &device, "--code", "0000-0000"])?;
    let begun = Instant::now();
    lab.shield.good(None, &["respond", "release", &device, "--code", &code])?;
    let gone = wait(lab, ip, from, Duration::from_secs(10), |t| t.ended.is_some()).is_some();
    let seconds = begun.elapsed().as_secs_f64();
    let free = knock(&lab.network, &lab.exe, &attack.host, &attack.target(&lab.network)?)?;
    let text = "a wrong code is refused; the code on the label ends it".to_owned();
    Ok(Trial::timed("bedside release", gone && free && !wrong.good, seconds, HALT_BOUND, text))
}

/// Many attackers at once: no more is done by itself than the breakers allow.
fn flood(lab: &mut Lab) -> Result<Trial> {
    let lately = |lab: &mut Lab| {
        let since = clock::nanos() - 600 * 1_000_000_000;
        let pushed = |t: &&Traced| t.was_pushed() && t.decided.nanos() >= since;
        lab.ledger.look().values().filter(pushed).count() as u64
    };
    let limit = lately(lab) + 2;
    let stricter = POLICY
        .replace("actions_per_ten_minutes = 1000", &format!("actions_per_ten_minutes = {limit}"));
    lab.shield.adopt(&stricter)?;
    let from = clock::nanos();
    let crowd = 5u16;
    let mut going = Vec::new();
    for place in 0..crowd {
        going.push(run::begin(lab, &host(3 + place))?);
    }
    let begun = Instant::now();
    let is_held = |t: &&Traced| t.action.because.iter().any(|why| why.contains("circuit breaker"));
    let (done, held) = loop {
        std::thread::sleep(Duration::from_millis(500));
        let all = lab.ledger.look();
        let new = || all.values().filter(|t| t.decided.nanos() >= from);
        let (done, held) =
            (new().filter(|t| t.was_pushed()).count(), new().filter(is_held).count());
        let least = if held > 0 { 6 } else { 20 };
        if begun.elapsed() >= Duration::from_secs(least) {
            break (done, held);
        }
    };
    drop(going);
    lab.shield.adopt(POLICY)?;
    let text = format!(
        "{crowd} attackers at once, 2 more restrictions allowed: {done} done by itself, {held} left to people"
    );
    Ok(Trial::new("flood of alerts", done <= 2 && held > 0, text))
}

/// Everything of ours dies while restrictions stand: the kernel lets go.
fn killed(lab: &mut Lab) -> Result<Trial> {
    let name = "everything killed (kill -9)";
    let from = clock::nanos();
    let (one, two) = (host(8), host(9));
    let going = [run::begin(lab, &one)?, run::begin(lab, &two)?];
    for attack in [&one, &two] {
        wait(lab, IpAddr::V4(attack.ip), from, Duration::from_secs(15), |t| t.pushed.is_some());
    }
    lab.shield.kill();
    drop(going);
    let stood = holding(lab)?;
    let latest = lab.ledger.look().values().filter(|t| t.pushed.is_some() && t.ended.is_none());
    let ends: Vec<i64> = latest
        .map(|t| {
            let ttl = t.action.proposal.intent.ttl.as_nanos();
            t.decided.nanos().saturating_add(i64::try_from(ttl).unwrap_or(i64::MAX))
        })
        .collect();
    let Some(end) = ends.iter().copied().max() else {
        return Ok(Trial::new(name, false, "no restriction stood".to_owned()));
    };
    let late = loop {
        let left = holding(lab)?;
        let late = (clock::nanos() - end) as f64 / 1e9;
        if left == 0 || late > EXPIRY_SLACK {
            break late;
        }
        std::thread::sleep(Duration::from_millis(500));
    };
    let mut free = true;
    for attack in [&one, &two] {
        free &= knock(&lab.network, &lab.exe, &attack.host, &attack.target(&lab.network)?)?;
    }
    let good = stood > 0 && free && late <= EXPIRY_SLACK && holding(lab)? == 0;
    let text = format!(
        "{} restrictions stood; the kernel let go of the last {:.1} s {} its time, and everybody passes again",
        ends.len(),
        late.abs(),
        if late < 0.0 { "before" } else { "after" }
    );
    Ok(Trial::timed(name, good, late.max(0.0), EXPIRY_SLACK, text))
}

/// Elements in the kernel that cut something.
fn holding(lab: &Lab) -> Result<usize> {
    let listed = lab.network.says(SWITCH, &["nft", "-j", "list", "ruleset", "bridge"])?;
    let all: serde_json::Value = serde_json::from_str(&listed).unwrap_or_default();
    let parts = all["nftables"].as_array().cloned().unwrap_or_default();
    let holds = parts
        .iter()
        .filter_map(|part| part.get("set"))
        .filter(|set| set["name"].as_str().is_some_and(|name| name.contains("hold")));
    Ok(holds.map(|set| set["elem"].as_array().map_or(0, Vec::len)).sum())
}

/// The record of all this checks out, and one flipped byte in it does not.
fn ledger(lab: &mut Lab) -> Result<Trial> {
    let good = lab.shield.asks(None, &["ledger", "verify"])?;
    let file = lab.shield.response().join(::respond::ledger::LEDGER);
    let bytes = std::fs::read(&file)?;
    let mut flipped = bytes.clone();
    let middle = bytes.len() / 2;
    if let Some(byte) = flipped.get_mut(middle) {
        *byte ^= 1;
    }
    std::fs::write(&file, &flipped)?;
    let bad = lab.shield.asks(None, &["ledger", "verify"])?;
    std::fs::write(&file, &bytes)?;
    let text = format!("{} bytes check out; with one bit flipped they do not", bytes.len());
    Ok(Trial::new("ledger", good.good && !bad.good, if good.good { text } else { good.text }))
}

/// Whether an action waits for people.
fn is_waiting(traced: &Traced) -> bool {
    matches!(traced.action.status, Status::Waiting) && traced.ended.is_none()
}
