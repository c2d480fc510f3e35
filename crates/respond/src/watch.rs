//! Whether traffic shows it: what was to be cut is cut, and what care needs goes on.
//!
//! An enforcer that says yes proves nothing. This looks at packets, on an interface behind the
//! enforcer or on a mirror port before it, and says what was seen. Time comes with the packets and
//! with whoever asks.

mod answers;
mod beat;
mod packet;

use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;
use serde::{Deserialize, Serialize};

pub use beat::Beat;
pub use packet::{Packet, Tcp};

use self::answers::{Answers, Shows};
use crate::desk::Seen;
use crate::restriction::Restriction;
use crate::subject::Subject;

/// What was on its way when the enforcer said yes may still arrive.
const GRACE: Duration = Duration::from_millis(100);
/// Without a packet of what is cut for so long, while it is tried: it is cut.
const SETTLED: Duration = Duration::from_millis(400);
/// Without a try for so long: it is silent, which is all that can be said.
const SILENT: Duration = Duration::from_millis(1_200);

/// Without any packet for so long, whoever looks may be blind, and silence says nothing.
const AWAKE: Duration = Duration::from_secs(3);

/// Where packets are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Behind the enforcer: what is cut is not seen there at all.
    Protected,
    /// Before it, as on a mirror port: tries are seen, and answers are not.
    Mirror,
}

/// What was found out about an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What was to be cut.
    Cut(Seen),
    /// Something that care needs is missing since: what, in plain words.
    Missing(String),
}

/// An action that is watched.
#[derive(Debug)]
struct Watched {
    subject: Subject,
    restriction: Restriction,
    beats: Vec<Beat>,
    pushed: Timestamp,
    /// Tries that were seen since, before the enforcer.
    tries: u64,
    answers: Answers,
    last_try: Option<Timestamp>,
    /// Packets that should not have been seen.
    leaks: u64,
    last_leak: Option<Timestamp>,
    told: Option<bool>,
}

/// Watches actions that were pushed.
#[derive(Debug, Default)]
pub struct Watch {
    actions: BTreeMap<String, Watched>,
    /// The last packet of anybody.
    last: Option<Timestamp>,
}

impl Watch {
    /// Watches an action from now on.
    pub fn begin(
        &mut self,
        action: &str,
        subject: &Subject,
        restriction: &Restriction,
        beats: &[Beat],
        pushed: Timestamp,
    ) {
        let watched = Watched {
            subject: subject.clone(),
            restriction: restriction.clone(),
            beats: beats.to_vec(),
            pushed,
            tries: 0,
            answers: Answers::default(),
            last_try: None,
            leaks: 0,
            last_leak: None,
            told: None,
        };
        self.actions.insert(action.to_owned(), watched);
    }

    /// Watches an action no more.
    pub fn end(&mut self, action: &str) {
        self.actions.remove(action);
    }

    /// Whether an action is watched.
    pub fn has(&self, action: &str) -> bool {
        self.actions.contains_key(action)
    }

    /// Whether nothing is watched: packets need not be read.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// A packet was seen.
    pub fn packet(&mut self, packet: &Packet, side: Side) {
        self.last = self.last.max(Some(packet.at));
        for watched in self.actions.values_mut() {
            watched.packet(packet, side);
        }
    }

    /// What can be said now that was not said before, by action.
    pub fn verdicts(&mut self, now: Timestamp) -> Vec<(String, Verdict)> {
        let mut out = Vec::new();
        let last = self.last;
        for (id, watched) in &mut self.actions {
            // Something has to have been seen since, be it of somebody else.
            let awake = last.is_some_and(|at| at > watched.pushed && now.since(at) < AWAKE);
            if let Some(what) = watched.missing(now) {
                out.push((id.clone(), Verdict::Missing(what)));
            } else if let Some(seen) = watched.cut(now, awake) {
                out.push((id.clone(), Verdict::Cut(seen)));
            }
        }
        out
    }
}

impl Watched {
    fn packet(&mut self, packet: &Packet, side: Side) {
        for beat in &mut self.beats {
            beat.packet(packet, side);
        }
        if packet.at <= self.pushed || !packet.is_cut_by(&self.restriction, &self.subject) {
            return;
        }
        // Before the enforcer, only an answer to it shows that something went through.
        let seen = match side {
            Side::Protected => Shows::Passed,
            Side::Mirror => self.answers.shows(packet, self.subject.has(packet.source)),
        };
        if seen == Shows::Try {
            self.tries += 1;
            self.last_try = Some(packet.at);
        } else if seen == Shows::Passed && packet.at > self.pushed.plus(GRACE) {
            self.leaks += 1;
            self.last_leak = Some(packet.at);
        }
    }

    fn cut(&mut self, now: Timestamp, awake: bool) -> Option<Seen> {
        let quiet_since = self.last_leak.unwrap_or(self.pushed);
        let tried = self.last_try.is_some_and(|at| at > quiet_since.plus(GRACE));
        let needed = if tried { SETTLED } else { SILENT };
        let quiet = now.since(quiet_since) >= needed;
        let stopped = match (quiet, self.leaks) {
            (true, _) if awake => true,
            // Something goes through for so long that it is no left-over.
            (false, 1..) if self.last_leak.is_some_and(|at| at.since(self.pushed) >= SILENT) => {
                false
            }
            _ => return None,
        };
        if self.told == Some(stopped) {
            return None;
        }
        self.told = Some(stopped);
        let after = u64::try_from(quiet_since.since(self.pushed).as_nanos()).ok();
        Some(Seen { stopped, after: after.filter(|_| stopped), text: self.words(stopped, tried) })
    }

    fn words(&self, stopped: bool, tried: bool) -> String {
        match (stopped, tried) {
            (true, true) => format!(
                "It is cut: {} packets tried to pass since, and nothing came of them.",
                self.tries
            ),
            (true, false) => {
                "Nothing of it was seen since; nobody was seen to try either.".to_owned()
            }
            (false, _) => format!("It is not cut: {} packets passed since.", self.leaks),
        }
    }

    fn missing(&mut self, now: Timestamp) -> Option<String> {
        let pushed = self.pushed;
        self.beats.iter_mut().find_map(|beat| beat.missing(pushed, now))
    }
}

#[cfg(test)]
mod tests;
