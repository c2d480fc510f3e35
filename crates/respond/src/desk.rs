//! The desk: where proposals are weighed, signed, pushed, watched and ended.
//!
//! [`Desk::decide`] is a pure function of what was recorded before, a question and the time: it
//! gives events or a refusal and changes nothing. [`Desk::apply`] takes events in. So the ledger is
//! the whole state: a restart reads it again, and any past decision can be made again from it.
//!
//! Deliberately absent: clocks, files, networks. Who asks says what time it is; the ledger keeps;
//! enforcers act on [`Desk::work`].

mod action;
mod breaker;
mod event;
mod idle;
mod kept;
mod life;
mod propose;
mod sign;
mod work;

use std::collections::{BTreeMap, VecDeque};

use model::device::DeviceId;
use serde::{Deserialize, Serialize};

pub use action::{Action, Ending, Standing, Status};
pub use event::{Ask, Event, Proposal, Refused, Releaser, Seen, Whom};
pub use idle::{Idle, MOST_MINUTES};
pub use work::Work;

use crate::level::Level;
use crate::moment::Moment;
use crate::policy::{Policy, hours};

/// Ended actions that are kept in memory; the ledger has all.
const ENDED: usize = 1_000;
/// Times of restrictions and of roll-backs that are kept for breakers.
const LATELY: usize = 1_000;

/// A tier that may be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arming {
    /// Up to this level.
    pub level: Level,
    /// Since when.
    pub since: Moment,
    /// For so many hours.
    pub hours: u64,
}

/// Something that one person signed and a second has to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfSigned {
    /// What, as the first asked it.
    pub ask: Ask,
    /// When.
    pub at: Moment,
}

/// All that was decided and is not over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "kept::Kept", try_from = "kept::Kept")]
pub struct Desk {
    policy: Policy,
    actions: BTreeMap<u64, Action>,
    next: u64,
    armed: BTreeMap<&'static str, Arming>,
    half_signed: Vec<HalfSigned>,
    /// When restrictions were decided, oldest first.
    decided: VecDeque<Moment>,
    /// When restrictions were rolled back or released at the bedside, oldest first.
    rolled_back: VecDeque<Moment>,
    /// Devices that were released, and when.
    left_alone: BTreeMap<DeviceId, Moment>,
    /// Devices of which somebody said that they serve nobody.
    idle: BTreeMap<DeviceId, Idle>,
    /// Why nothing is done any more, until two people say otherwise.
    halted: Option<String>,
}

impl Desk {
    /// What is to happen, or why not. Changes nothing.
    ///
    /// # Errors
    /// Why not.
    pub fn decide(&self, ask: &Ask, now: Moment) -> Result<Vec<Event>, Refused> {
        match ask {
            Ask::Propose(proposal) => self.propose(proposal, now),
            Ask::Approve { action, plan, by, patient_safe } => {
                self.approve(action, plan, by, *patient_safe, now)
            }
            Ask::Deny { action, by, why } => self.deny(action, by, why),
            Ask::Release { whom, by } => Ok(self.release(whom, by, now)),
            Ask::Halt { by, why } => Ok(self.halt(by, why)),
            Ask::Resume { by } => self.second(ask, by, now, |_| vec![Event::Resumed]),
            Ask::Arm { tier, level, hours, by } => self.arm(ask, *tier, *level, *hours, by, now),
            Ask::Disarm { tier, by } => {
                Ok(vec![Event::Disarmed { tier: *tier, by: by.name.clone() }])
            }
            Ask::SayIdle { device, minutes, why, by } => {
                self.say_idle(device, *minutes, why, by, now)
            }
            Ask::SayInUse { device, by } => Ok(self.say_in_use(device, by)),
            Ask::Adopt { policy, by } => self.adopt(ask, policy, by, now),
            Ask::Pushing { action } => self.pushing(action, now),
            Ask::Pushed { action, receipts, failed } => self.pushed(action, receipts, failed),
            Ask::Observed { action, seen } => self.observed(action, seen),
            Ask::Missed { action, what } => self.missed(action, what),
            Ask::Reverted { action } => self.reverted(action),
            Ask::Stuck { action, why } => self.stuck(action, why),
            Ask::Tick => Ok(self.tick(now)),
        }
    }

    /// The policy in force.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Actions, oldest first.
    pub fn actions(&self) -> impl DoubleEndedIterator<Item = &Action> {
        self.actions.values()
    }

    /// One action.
    pub fn action(&self, id: &str) -> Option<&Action> {
        self.actions.get(&number(id)?).filter(|action| action.id() == id)
    }

    /// The name of the next action.
    pub fn next_id(&self) -> String {
        format!("A-{:04}", self.next + 1)
    }

    /// Why nothing is done any more, where that is so.
    pub fn halted(&self) -> Option<&str> {
        self.halted.as_deref()
    }

    /// Tiers that are armed now.
    pub fn armed(&self, now: Moment) -> impl Iterator<Item = (&'static str, Arming)> {
        self.armed
            .iter()
            .filter(move |(_, arming)| now.since(arming.since) < hours(arming.hours))
            .map(|(tier, arming)| (*tier, *arming))
    }

    /// What waits for a second signature.
    pub fn half_signed(&self) -> &[HalfSigned] {
        &self.half_signed
    }

    /// Whether a device was released so lately that nothing happens to it by itself.
    pub fn is_left_alone(&self, device: &DeviceId, now: Moment) -> bool {
        let window = hours(self.policy.automatic.leave_alone_hours);
        self.left_alone.get(device).is_some_and(|at| now.is_within(window, *at))
    }

    fn is_armed(&self, tier: &'static str, level: Level, now: Moment) -> bool {
        self.armed(now).any(|(name, arming)| name == tier && arming.level >= level)
    }

    /// Takes in what was decided at `now`.
    pub fn apply(&mut self, event: &Event, now: Moment) {
        match event {
            Event::Proposed { action } => {
                let place = number(action.id()).unwrap_or(self.next + 1);
                self.next = self.next.max(place);
                if matches!(action.status, Status::Approved) {
                    remember(&mut self.decided, now);
                }
                self.actions.insert(place, (**action).clone());
                self.forget_ended();
            }
            Event::Signed { action, by, patient_safe, complete, rehearsal } => {
                let Some(action) = self.open(action) else { return };
                action.signatures.push((by.clone(), now));
                action.patient_safe |= *patient_safe;
                if *complete {
                    action.decided = Some(now);
                    action.status = if *rehearsal { Status::Rehearsed } else { Status::Approved };
                    if !*rehearsal {
                        remember(&mut self.decided, now);
                    }
                }
            }
            Event::Pushing { action } => {
                let open = self.open(action);
                let decided = open.filter(|a| a.status == Status::Approved).and_then(|a| a.decided);
                // It counts from when it reaches the network: decisions that wait for an enforcer
                // must not come down all at once beside later ones.
                if let Some(place) = self.decided.iter().position(|at| Some(*at) == decided) {
                    self.decided.remove(place);
                    remember(&mut self.decided, now);
                }
                self.set(action, Status::Pushing);
            }
            Event::Pushed { action, receipts, failed } => {
                if let Some(action) = self.open(action) {
                    action.receipts.clone_from(receipts);
                    action.failed.clone_from(failed);
                    action.pushed = Some(now);
                    if !matches!(action.status, Status::Leaving { .. }) {
                        action.status = Status::InForce;
                    }
                }
            }
            Event::Observed { action, seen } => {
                if let Some(action) = self.open(action) {
                    action.observed = Some((seen.clone(), now));
                }
            }
            Event::Leaving { action, ending } => {
                if matches!(ending, Ending::RolledBack(_) | Ending::Released { bedside: true, .. })
                {
                    remember(&mut self.rolled_back, now);
                }
                self.set(action, Status::Leaving { ending: ending.clone() });
            }
            Event::Ended { action, ending } => {
                if let Some(action) = self.open(action) {
                    action.status = Status::Ended { ending: ending.clone() };
                    action.ended = Some(now);
                }
            }
            Event::Stuck { action, why } => {
                if let Some(action) = self.open(action) {
                    action.stuck = Some(why.clone());
                }
            }
            Event::Released { device, .. } => {
                if let Some(device) = device {
                    self.left_alone.insert(device.clone(), now);
                    // Who lets go has somebody who needs it.
                    self.idle.remove(device);
                }
            }
            Event::Halted { why, .. } => self.halted = Some(why.clone()),
            Event::Resumed => {
                self.halted = None;
                self.rolled_back.clear();
                self.half_signed.clear();
            }
            Event::HalfSigned { ask } => {
                self.half_signed.retain(|other| !other.ask.is_same_request(ask));
                self.half_signed.push(HalfSigned { ask: (**ask).clone(), at: now });
            }
            Event::Armed { tier, level, hours, .. } => {
                self.half_signed
                    .retain(|half| !matches!(&half.ask, Ask::Arm { tier: t, .. } if t == tier));
                self.armed.insert(tier.name(), Arming { level: *level, since: now, hours: *hours });
            }
            Event::Disarmed { tier, .. } => {
                self.armed.remove(tier.name());
            }
            Event::SaidIdle { device, minutes, why, by } => {
                let (by, why) = (by.clone(), why.clone());
                self.note_idle(device, Idle { by, since: now, minutes: *minutes, why });
            }
            Event::SaidInUse { device, .. } => {
                self.idle.remove(device);
            }
            Event::Adopted { policy, .. } => {
                self.half_signed.retain(|half| !matches!(half.ask, Ask::Adopt { .. }));
                if let Ok(policy) = Policy::read(policy) {
                    self.policy = policy;
                }
            }
            Event::Forgotten => {
                let valid = crate::policy::minutes(self.policy.approval.valid_minutes);
                self.half_signed.retain(|half| now.since(half.at) < valid);
                self.decided.retain(|at| !is_past(*at, now));
                self.rolled_back.retain(|at| !is_past(*at, now));
            }
        }
    }

    fn set(&mut self, action: &str, status: Status) {
        if let Some(action) = self.open(action) {
            action.status = status;
        }
    }

    /// An action that is not over.
    fn open(&mut self, id: &str) -> Option<&mut Action> {
        self.actions.get_mut(&number(id)?).filter(|action| !action.is_over())
    }

    fn forget_ended(&mut self) {
        self.forget_but(ENDED);
    }

    fn forget_but(&mut self, ended: usize) {
        let over: Vec<u64> =
            self.actions.iter().filter(|(_, action)| action.is_over()).map(|(n, _)| *n).collect();
        for place in over.iter().take(over.len().saturating_sub(ended)) {
            self.actions.remove(place);
        }
        while self.left_alone.len() > 10 * ENDED {
            self.left_alone.pop_first();
        }
    }
}

fn remember(list: &mut VecDeque<Moment>, at: Moment) {
    list.push_back(at);
    if list.len() > LATELY {
        list.pop_front();
    }
}

/// Whether no breaker looks at it any more. Only within one boot is that certain.
fn is_past(at: Moment, now: Moment) -> bool {
    at.boot == now.boot && !now.is_within(hours(1), at)
}

/// The number in `A-0001`.
fn number(id: &str) -> Option<u64> {
    id.strip_prefix("A-")?.parse().ok()
}
