//! That a device serves nobody just now, as a person says who went to look.
//!
//! No protocol heard today proves it (`assets::in_use`), and silence proves nothing. So somebody
//! clinical says so, for a short time, with their name and reason in the ledger. Traffic that shows
//! a patient, anybody who says otherwise, a release, and the end of that time all undo it. It lets
//! policy block single flows of T1 devices; it takes no signature away from anything stronger.

use std::time::Duration;

use model::device::{DeviceId, Tier};
use serde::{Deserialize, Serialize};

use super::Desk;
use super::action::{Action, Ending, Status};
use super::event::{Event, Refused};
use super::life::leave;
use crate::moment::Moment;
use crate::people::{Person, Role};
use crate::policy::minutes;
use crate::restriction::Restriction;

/// Longest time for which somebody can say it. Whoever comes later looks again.
pub const MOST_MINUTES: u64 = 120;
/// Devices of which it is said at once.
const MOST: usize = 1_000;
/// Longest reason, in bytes.
const WHY: usize = 500;

/// What somebody said of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// Who.
    pub by: Person,
    /// When.
    pub since: Moment,
    /// For how long.
    pub minutes: u64,
    /// How they know.
    pub why: String,
}

impl Idle {
    /// For how long it still counts; nothing once it does not.
    pub fn left(&self, now: Moment) -> Option<Duration> {
        minutes(self.minutes).checked_sub(now.since(self.since)).filter(|left| !left.is_zero())
    }

    /// In words.
    pub fn title(&self) -> String {
        let Self { by, minutes, why, .. } = self;
        format!("{by} said that it serves nobody for {minutes} minutes: {why}")
    }
}

impl Desk {
    /// What somebody said of a device, while it counts.
    pub fn idle(&self, device: &DeviceId, now: Moment) -> Option<&Idle> {
        self.idle.get(device).filter(|idle| idle.left(now).is_some())
    }

    /// All devices of which somebody said so, while it counts.
    pub fn all_idle(&self, now: Moment) -> impl Iterator<Item = (&DeviceId, &Idle)> {
        self.idle.iter().filter(move |(_, idle)| idle.left(now).is_some())
    }

    /// What policy did because a device was idle, and is not over: to be taken back once traffic
    /// shows a patient.
    pub fn resting_on_idle(&self) -> impl Iterator<Item = &Action> {
        let stands = |action: &Action| matches!(action.status, Status::Pushing | Status::InForce);
        self.actions().filter(move |action| rests_on_idle(action) && stands(action))
    }

    pub(super) fn say_idle(
        &self,
        device: &DeviceId,
        for_minutes: u64,
        why: &str,
        by: &Person,
        now: Moment,
    ) -> Result<Vec<Event>, Refused> {
        let unsound = |why: String| Err(Refused::Unsound { why });
        if by.role != Role::Clinical {
            return Err(Refused::NotYours {
                who: by.to_string(),
                why: "only the clinical side, having looked, says that a device serves nobody"
                    .to_owned(),
            });
        }
        if for_minutes == 0 || for_minutes > MOST_MINUTES {
            return unsound(format!("a device is said to be idle for 1 to {MOST_MINUTES} minutes"));
        }
        if why.trim().is_empty() || why.len() > WHY {
            return unsound(format!("say how you know, in 1 to {WHY} bytes"));
        }
        if self.all_idle(now).count() >= MOST && self.idle(device, now).is_none() {
            return unsound(format!("{MOST} devices are said to be idle already"));
        }
        Ok(vec![Event::SaidIdle {
            device: device.clone(),
            minutes: for_minutes,
            why: why.trim().to_owned(),
            by: by.clone(),
        }])
    }

    /// Never refused. What policy did because the device was idle is taken back.
    pub(super) fn say_in_use(&self, device: &DeviceId, by: &Person) -> Vec<Event> {
        let ending = Ending::RolledBack(format!("{by} says that it may serve a patient"));
        let rest = self
            .actions()
            .filter(|action| action.proposal.intent.subject.id == *device && rests_on_idle(action))
            .filter_map(|action| leave(action, &ending));
        let said = Event::SaidInUse { device: device.clone(), by: by.clone() };
        std::iter::once(said).chain(rest).collect()
    }

    /// Whether what an action rests on still holds just before it reaches the network.
    pub(super) fn is_still_idle(&self, action: &Action, now: Moment) -> bool {
        !rests_on_idle(action) || self.idle(&action.proposal.intent.subject.id, now).is_some()
    }

    pub(super) fn note_idle(&mut self, device: &DeviceId, idle: Idle) {
        let now = idle.since;
        self.idle.retain(|_, other| other.left(now).is_some());
        self.idle.insert(device.clone(), idle);
    }
}

/// Whether policy alone decided it, of a device that may be restricted so only while it is idle.
fn rests_on_idle(action: &Action) -> bool {
    let intent = &action.proposal.intent;
    action.signatures.is_empty()
        && action.decided.is_some()
        && intent.subject.tier() == Tier::T1
        && !matches!(intent.restriction, Restriction::Perimeter { .. })
}
