//! From decided to over: pushed, seen, expired, released, rolled back, halted.

use model::device::DeviceId;

use super::action::{Action, Ending, Status};
use super::event::{Event, Refused, Releaser, Seen, Whom};
use super::{Desk, is_past};
use crate::enforce::Receipt;
use crate::moment::Moment;
use crate::policy::minutes;

impl Desk {
    pub(super) fn pushing(&self, id: &str, now: Moment) -> Result<Vec<Event>, Refused> {
        let not = |why: &str| Refused::NotWaiting { action: id.to_owned(), why: why.to_owned() };
        let action = self.action(id).ok_or_else(|| not("there is no such action"))?;
        if !self.may_push(action, now) {
            return Err(not("it may not be pushed: it is over, halted, released or too old"));
        }
        Ok(vec![Event::Pushing { action: id.to_owned() }])
    }

    pub(super) fn pushed(
        &self,
        id: &str,
        receipts: &[Receipt],
        failed: &[String],
    ) -> Result<Vec<Event>, Refused> {
        let action = self.standing(id)?;
        let pushed = Event::Pushed {
            action: id.to_owned(),
            receipts: receipts.to_vec(),
            failed: failed.to_vec(),
        };
        if receipts.is_empty() && matches!(action.status, Status::Pushing) {
            let ending = Ending::Failed(failed.join("; "));
            return Ok(vec![pushed, Event::Ended { action: id.to_owned(), ending }]);
        }
        Ok(vec![pushed])
    }

    pub(super) fn observed(&self, id: &str, seen: &Seen) -> Result<Vec<Event>, Refused> {
        self.standing(id)?;
        Ok(vec![Event::Observed { action: id.to_owned(), seen: seen.clone() }])
    }

    pub(super) fn missed(&self, id: &str, what: &str) -> Result<Vec<Event>, Refused> {
        let action = self.standing(id)?;
        Ok(leave(action, &Ending::RolledBack(what.to_owned())).into_iter().collect())
    }

    pub(super) fn reverted(&self, id: &str) -> Result<Vec<Event>, Refused> {
        let action = self.standing(id)?;
        let ending = match &action.status {
            Status::Leaving { ending } => ending.clone(),
            _ => Ending::Expired,
        };
        Ok(vec![Event::Ended { action: id.to_owned(), ending }])
    }

    pub(super) fn stuck(&self, id: &str, why: &str) -> Result<Vec<Event>, Refused> {
        self.standing(id)?;
        Ok(vec![Event::Stuck { action: id.to_owned(), why: why.to_owned() }])
    }

    /// An action that may be in force.
    fn standing(&self, id: &str) -> Result<&Action, Refused> {
        self.action(id).filter(|action| action.may_be_in_force()).ok_or_else(|| {
            Refused::NotWaiting { action: id.to_owned(), why: "it is not in force".to_owned() }
        })
    }

    /// Letting go is never refused, whatever the state, and needs one person.
    pub(super) fn release(&self, whom: &Whom, by: &Releaser, _now: Moment) -> Vec<Event> {
        let (name, bedside) = match by {
            Releaser::Person(person) => (person.name.clone(), false),
            Releaser::Bedside => ("the bedside".to_owned(), true),
        };
        let concerned = |action: &Action| match whom {
            Whom::Action(id) => action.id() == id,
            Whom::Device(device) => action.proposal.intent.subject.id == *device,
        };
        let device: Option<DeviceId> = match whom {
            Whom::Device(device) => Some(device.clone()),
            Whom::Action(id) => {
                self.action(id).map(|action| action.proposal.intent.subject.id.clone())
            }
        };
        let mut events = vec![Event::Released { device, by: name.clone() }];
        let ending = Ending::Released { by: name, bedside };
        events.extend(self.actions().filter(|a| concerned(a)).filter_map(|a| leave(a, &ending)));
        events
    }

    pub(super) fn halt(&self, by: &str, why: &str) -> Vec<Event> {
        let mut events = vec![Event::Halted { by: by.to_owned(), why: why.to_owned() }];
        events.extend(self.actions().filter_map(|action| leave(action, &Ending::Halted)));
        events
    }

    /// What the time alone changes.
    pub(super) fn tick(&self, now: Moment) -> Vec<Event> {
        let approval = &self.policy.approval;
        let mut events: Vec<Event> = Vec::new();
        for action in self.actions() {
            let ended = |ending| Some(Event::Ended { action: action.id().to_owned(), ending });
            events.extend(match &action.status {
                Status::Waiting
                    if now.since(action.proposed) >= minutes(approval.proposal_minutes) =>
                {
                    ended(Ending::Lapsed)
                }
                // Nothing was told to anybody, and now it is too late.
                Status::Approved if !self.may_push(action, now) => ended(Ending::Lapsed),
                // What enforcers kept of it, if anything, ends with its time at the latest.
                Status::Pushing if action.decided.is_some_and(|at| at.boot != now.boot) => {
                    let why = "the machine was restarted before enforcers had answered";
                    leave(action, &Ending::Failed(why.to_owned()))
                }
                Status::Pushing | Status::InForce if action.is_expired(now) => {
                    leave(action, &Ending::Expired)
                }
                _ => None,
            });
        }
        let valid = minutes(approval.valid_minutes);
        let mut counted = self.decided.iter().chain(&self.rolled_back);
        if self.half_signed.iter().any(|half| now.since(half.at) >= valid)
            || counted.any(|at| is_past(*at, now))
        {
            events.push(Event::Forgotten);
        }
        events
    }

    /// Whether enforcers may be told of it now.
    pub(super) fn may_push(&self, action: &Action, now: Moment) -> bool {
        self.halted.is_none()
            && matches!(action.status, Status::Approved | Status::Pushing)
            && !action.is_expired(now)
            && self.is_still_idle(action, now)
            // Across a restart of the machine only the wall clock tells how old it is, and that can be
            // set: nothing is taken up again.
            && action.decided.is_some_and(|at| {
                at.boot == now.boot && now.since(at) < minutes(self.policy.approval.valid_minutes)
            })
    }
}

/// Letting go of an action in whatever state it is; nothing where it is over or leaving already.
pub(super) fn leave(action: &Action, ending: &Ending) -> Option<Event> {
    let (action_id, ending) = (action.id().to_owned(), ending.clone());
    match action.status {
        Status::Waiting | Status::Approved => Some(Event::Ended { action: action_id, ending }),
        Status::Pushing | Status::InForce => Some(Event::Leaving { action: action_id, ending }),
        Status::Leaving { .. } | Status::Ended { .. } | Status::Rehearsed => None,
    }
}
