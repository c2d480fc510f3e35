//! `wardwatch halt` from every state: how long until nothing of ours is in the kernel.

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ::respond::ledger::LEDGER;
use anyhow::{Context, Result};

use super::{HALT_BOUND, Lab, Trial, approved, host, in_force, is_waiting, proposed, wait};
use crate::instance::STORE;
use crate::lab::network::SWITCH;
use crate::lab::run::knock;
use crate::lab::shield::ANALYST;

/// The states, in the order in which they are tried.
const STATES: [(State, &str); 7] = [
    (State::Waiting, "waiting for signatures"),
    (State::Approved, "approved, not pushed"),
    (State::Pushing, "being pushed"),
    (State::InForce, "in force"),
    (State::Leaving, "being taken back"),
    (State::Damaged, "in force, ledger damaged"),
    (State::NoStore, "in force, store removed"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Approved,
    Pushing,
    InForce,
    Leaving,
    Damaged,
    NoStore,
    Killed,
}

pub(super) fn all(lab: &mut Lab) -> Result<Vec<Trial>> {
    STATES.iter().map(|(state, name)| halt(lab, *state, name)).collect()
}

/// The same with nothing of ours running.
pub(super) fn killed(lab: &mut Lab) -> Result<Trial> {
    halt(lab, State::Killed, "in force, daemons killed")
}

fn halt(lab: &mut Lab, state: State, words: &str) -> Result<Trial> {
    let name = format!("halt: {words}");
    // Each begins without anything of the one before.
    let attack = host(10);
    let ip = IpAddr::V4(attack.ip);
    let slow = lab.folder.join("slow");
    let ledger = lab.shield.response().join(LEDGER);
    let store = lab.shield.data.join(STORE);
    let aside = lab.folder.join("aside.db");
    let mut whole = Vec::new();
    let reached = match state {
        State::Waiting => is_waiting(&proposed(lab, &attack)?),
        State::Approved => {
            lab.shield.signal_hand("-STOP")?;
            approved(lab, &attack)?;
            true
        }
        State::Pushing => {
            fs::write(&slow, "")?;
            let from = approved(lab, &attack)?.decided.nanos();
            let begun = wait(lab, ip, from, Duration::from_secs(3), |t| t.pushing.is_some());
            begun.is_some_and(|t| t.pushed.is_none())
        }
        State::Leaving => {
            let traced = in_force(lab, &attack)?;
            fs::write(&slow, "")?;
            lab.shield.good(Some(ANALYST), &["respond", "release", traced.action.id()])?;
            let from = traced.decided.nanos();
            let leaving = wait(lab, ip, from, Duration::from_secs(3), |t| t.leaving.is_some());
            leaving.is_some_and(|t| t.ended.is_none())
        }
        State::InForce | State::Damaged | State::NoStore | State::Killed => {
            in_force(lab, &attack)?;
            stands(lab)?
        }
    };
    match state {
        State::Damaged => {
            whole = fs::read(&ledger)?;
            let mut damaged = whole.clone();
            let end = damaged.len() - 10;
            damaged[end] ^= 1;
            damaged.extend(b"not a line of a ledger\n");
            fs::write(&ledger, damaged)?;
        }
        State::NoStore => fs::rename(&store, &aside)?,
        State::Killed => lab.shield.kill(),
        _ => {}
    }
    let begun = Instant::now();
    let said = lab.shield.asks(None, &["halt", "--why", words])?;
    let mut gone = begun.elapsed();
    if state == State::Approved {
        lab.shield.signal_hand("-CONT")?;
    }
    // Whoever was in the middle of something may still come with it: it has to go, too.
    let settles = match state {
        State::Pushing | State::Leaving | State::Approved => 6,
        _ => 1,
    };
    while begun.elapsed() < Duration::from_secs(settles) {
        if stands(lab)? {
            gone = begun.elapsed();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let free = !stands(lab)?
        && knock(&lab.network, &lab.exe, &attack.host, &attack.target(&lab.network)?)?;
    match state {
        State::Damaged => fs::write(&ledger, &whole)?,
        State::NoStore => fs::rename(&aside, &store)?,
        State::Killed => {
            lab.shield.start_daemon(&lab.network)?;
            lab.shield.start_hand(&lab.network)?;
        }
        _ => {}
    }
    // With a damaged ledger it cannot be written down, and says so; everything is undone all the same.
    let noted = said.good || state == State::Damaged;
    let _ = fs::remove_file(&slow);
    let written = written_down(lab)?;
    lab.shield.resume().context(name.clone())?;
    lab.ledger.look();
    let text = match (reached, free, noted && written) {
        (false, ..) => "the state was not reached".to_owned(),
        (_, false, _) => format!("something is still cut: {}", said.text.trim()),
        (.., false) => format!("it is not in the ledger: {}", said.text.trim()),
        _ => "everything is taken back, and stays so".to_owned(),
    };
    let good = reached && free && noted && written;
    Ok(Trial::timed(&name, good, gone.as_secs_f64(), HALT_BOUND, text))
}

/// Whether the ledger comes to know of the halt.
fn written_down(lab: &mut Lab) -> Result<bool> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        lab.ledger.look();
        if lab.ledger.halted {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(false)
}

/// Whether anything of ours is in the kernel.
fn stands(lab: &Lab) -> Result<bool> {
    let tables = lab.network.says(SWITCH, &["nft", "list", "tables"])?;
    Ok(tables.lines().any(|line| line.ends_with(" wardwatch")))
}
