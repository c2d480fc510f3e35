//! What policy proposed by itself and was refused: for people to see. It decides nothing.
//!
//! Bounded, since whoever forges alerts makes policy propose as often as they like: of one case,
//! device, level and reason the first is written down, and after that how many there were, at most
//! every ten minutes; of all together no more than [`PER_HOUR`]. What has no place is counted and
//! told later. Limits are counted in what is written, so a restart forgets none of them; what was
//! only counted dies with the process.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use model::case::CaseId;
use model::device::DeviceId;
use serde::{Deserialize, Serialize};

use crate::desk::{Proposal, Refused};
use crate::level::Level;
use crate::moment::Moment;
use crate::restriction::Restriction;

/// Lines in any hour.
pub const PER_HOUR: usize = 60;
/// The reason of a line that counts what had no place for itself.
pub const OTHERS: &str = "others";
/// How long the same is only counted.
const AGAIN: Duration = Duration::from_secs(600);
const HOUR: Duration = Duration::from_secs(3_600);
/// Refusals that are remembered.
const RECENT: usize = 200;
/// Refusals that are counted apart.
const PENDING: usize = 1_000;
/// Characters of a text that are kept.
const LONGEST: usize = 400;

/// Something that policy proposed, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The case it was about.
    pub case: CaseId,
    /// Of which device.
    pub device: DeviceId,
    /// How far it would have gone.
    pub level: Level,
    /// What, in plain words.
    pub what: String,
    /// Why not, for programs: the name of the desk's refusal, `no_enforcer`, or `others`.
    pub reason: String,
    /// Why not, in plain words.
    pub why: String,
    /// How often since it was last written down.
    pub times: u64,
}

type Key = (CaseId, DeviceId, Level, String);

impl Refusal {
    /// Of a proposal that the desk refused. What something in force or waiting covers already is
    /// seen there.
    pub fn of(proposal: &Proposal, refused: &Refused) -> Option<Self> {
        if matches!(refused, Refused::Duplicate { .. }) {
            return None;
        }
        let name = serde_json::to_value(refused).unwrap_or_default();
        let intent = &proposal.intent;
        Some(Self {
            case: proposal.evidence.case.clone(),
            device: intent.subject.id.clone(),
            level: intent.restriction.level(),
            what: short(&intent.restriction.title()),
            reason: name["refused"].as_str().unwrap_or("refused").to_owned(),
            why: short(&refused.to_string()),
            times: 1,
        })
    }

    /// Of a wish of which no enforcer can make a plan.
    pub(crate) fn without_enforcer(
        case: &CaseId,
        device: &DeviceId,
        restriction: &Restriction,
        why: &str,
    ) -> Self {
        Self {
            case: case.clone(),
            device: device.clone(),
            level: restriction.level(),
            what: short(&restriction.title()),
            reason: "no_enforcer".to_owned(),
            why: short(why),
            times: 1,
        }
    }

    fn key(&self) -> Key {
        (self.case.clone(), self.device.clone(), self.level, self.reason.clone())
    }

    fn is_same(&self, other: &Self) -> bool {
        self.reason == other.reason
            && self.level == other.level
            && self.device == other.device
            && self.case == other.case
    }
}

/// A line is a line, however much a restriction names.
fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// What was written down lately, oldest first: the same for whoever reads the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals(VecDeque<(u64, Moment, Refusal)>);

impl Refusals {
    /// Takes in a line.
    pub(super) fn take(&mut self, seq: u64, at: Moment, refusal: &Refusal) {
        self.0.push_back((seq, at, refusal.clone()));
        if self.0.len() > RECENT {
            self.0.pop_front();
        }
    }

    /// Number of the line, time and refusal, the latest last; at most 200.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, Moment, &Refusal)> {
        self.0.iter().map(|(seq, at, refusal)| (*seq, *at, refusal))
    }

    fn is_full(&self, now: Moment) -> bool {
        self.iter().filter(|(_, at, _)| now.is_within(HOUR, *at)).count() >= PER_HOUR
    }

    fn was_said_lately(&self, refusal: &Refusal, now: Moment) -> bool {
        let last = self.iter().rev().find(|(.., other)| other.is_same(refusal));
        last.is_some_and(|(_, at, _)| now.is_within(AGAIN, at))
    }
}

/// What is only counted as yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pending: BTreeMap<Key, Refusal>,
    others: u64,
}

impl Counted {
    /// Counts a refusal, or gives what is to be written down of it.
    pub(super) fn refused(
        &mut self,
        mut refusal: Refusal,
        written: &Refusals,
        now: Moment,
    ) -> Option<Refusal> {
        let key = refusal.key();
        if !written.is_full(now) && !written.was_said_lately(&refusal, now) {
            let before = self.pending.remove(&key).map_or(0, |before| before.times);
            refusal.times = refusal.times.saturating_add(before);
            return Some(refusal);
        }
        if let Some(before) = self.pending.get_mut(&key) {
            before.times = before.times.saturating_add(refusal.times);
        } else if self.pending.len() < PENDING {
            self.pending.insert(key, refusal);
        } else {
            self.others = self.others.saturating_add(refusal.times);
        }
        None
    }

    /// What was counted and may be written down by now.
    pub(super) fn due(&mut self, written: &Refusals, now: Moment) -> Option<Refusal> {
        if (self.pending.is_empty() && self.others == 0) || written.is_full(now) {
            return None;
        }
        let mut waiting = self.pending.iter();
        let key = waiting.find(|(_, refusal)| !written.was_said_lately(refusal, now));
        if let Some(key) = key.map(|(key, _)| key.clone()) {
            return self.pending.remove(&key);
        }
        if self.others == 0 {
            return None;
        }
        let others = Refusal {
            case: CaseId(String::new()),
            device: DeviceId(String::new()),
            level: Level::L1,
            what: "other proposals of policy".to_owned(),
            reason: OTHERS.to_owned(),
            why: "there were too many to write each down".to_owned(),
            times: self.others,
        };
        if written.was_said_lately(&others, now) {
            return None;
        }
        self.others = 0;
        Some(others)
    }
}
