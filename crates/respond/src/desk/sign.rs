//! Signatures: of plans, of arming, of policies.

use model::device::Tier;

use super::action::{Action, Ending, Status};
use super::event::{Ask, Event, Refused};
use super::{Desk, HalfSigned};
use crate::level::Level;
use crate::moment::Moment;
use crate::people::{Person, Role, missing};
use crate::plan::PlanHash;
use crate::policy::{Policy, minutes};

impl Desk {
    pub(super) fn approve(
        &self,
        id: &str,
        plan: &PlanHash,
        by: &Person,
        patient_safe: bool,
        now: Moment,
    ) -> Result<Vec<Event>, Refused> {
        if let Some(why) = &self.halted {
            return Err(Refused::Halted { why: why.clone() });
        }
        let action = self.waiting(id)?;
        if now.since(action.proposed) >= minutes(self.policy.approval.proposal_minutes) {
            return Err(Refused::NotWaiting {
                action: id.to_owned(),
                why: "nobody answered in time".to_owned(),
            });
        }
        if action.hash != *plan {
            return Err(Refused::OtherPlan { action: id.to_owned(), hash: action.hash.clone() });
        }
        let refuse =
            |why: &str| Err(Refused::NotYours { who: by.to_string(), why: why.to_owned() });
        if !by.role.approves() {
            return refuse("who runs Wardwatch approves no plan");
        }
        if action.proposal.by.as_ref().is_some_and(|proposer| proposer.name == by.name) {
            return refuse("nobody approves what they proposed");
        }
        let mut given = self.valid_signatures(action, now);
        if given.iter().any(|other| other.name == by.name) {
            return refuse("they have signed already; somebody else has to");
        }
        let before = missing(&action.needs, &given).len();
        given.push(by.clone());
        let open = missing(&action.needs, &given);
        if open.len() >= before {
            return refuse("another role is needed, or it has signed already");
        }
        // What makes it complete has to hold now, and not only when it was proposed.
        let attests = by.role == Role::Clinical && patient_safe;
        let complete = open.is_empty();
        if complete && action.attest && !attests && !self.is_attested(action, now) {
            return Err(Refused::NotAttested);
        }
        if complete && let Some(which) = self.breaker(&action.proposal, now) {
            return Err(Refused::Breaker { which });
        }
        let tier = action.proposal.intent.subject.tier();
        let rehearsal = complete && !self.is_armed(tier.name(), action.level(), now);
        Ok(vec![Event::Signed {
            action: id.to_owned(),
            by: by.clone(),
            patient_safe: attests,
            complete,
            rehearsal,
        }])
    }

    pub(super) fn deny(&self, id: &str, by: &Person, why: &str) -> Result<Vec<Event>, Refused> {
        self.waiting(id)?;
        let ending = Ending::Denied { by: by.name.clone(), why: why.to_owned() };
        Ok(vec![Event::Ended { action: id.to_owned(), ending }])
    }

    fn waiting(&self, id: &str) -> Result<&Action, Refused> {
        let not = |why: &str| Refused::NotWaiting { action: id.to_owned(), why: why.to_owned() };
        let action = self.action(id).ok_or_else(|| not("there is no such action"))?;
        match &action.status {
            Status::Waiting => Ok(action),
            Status::Rehearsed => Err(not("it was decided, and its tier is not armed")),
            Status::Ended { .. } => Err(not("it is over")),
            _ => Err(not("it is decided")),
        }
    }

    /// Whose signatures still count.
    fn valid_signatures(&self, action: &Action, now: Moment) -> Vec<Person> {
        let valid = minutes(self.policy.approval.valid_minutes);
        let young = action.signatures.iter().filter(|(_, at)| now.since(*at) < valid);
        young.map(|(person, _)| person.clone()).collect()
    }

    /// Whether somebody clinical, whose signature still counts, said that the patient is safe.
    fn is_attested(&self, action: &Action, now: Moment) -> bool {
        action.patient_safe
            && self.valid_signatures(action, now).iter().any(|p| p.role == Role::Clinical)
    }

    /// The second of two signatures makes it count; the first is kept.
    pub(super) fn second(
        &self,
        ask: &Ask,
        by: &Person,
        now: Moment,
        done: impl Fn(Vec<Person>) -> Vec<Event>,
    ) -> Result<Vec<Event>, Refused> {
        let valid = minutes(self.policy.approval.valid_minutes);
        let first = self
            .half_signed
            .iter()
            .find(|half: &&HalfSigned| half.ask.is_same_request(ask) && now.since(half.at) < valid);
        let Some(first) = first.and_then(|half| half.ask.person()) else {
            return Ok(vec![Event::HalfSigned { ask: Box::new(ask.clone()) }]);
        };
        if !by.is_second_to(first) {
            return Err(Refused::NotYours {
                who: by.to_string(),
                why: format!("{first} signed first; somebody else in another role has to"),
            });
        }
        Ok(done(vec![first.clone(), by.clone()]))
    }

    pub(super) fn arm(
        &self,
        ask: &Ask,
        tier: Tier,
        level: Level,
        hours: u64,
        by: &Person,
        now: Moment,
    ) -> Result<Vec<Event>, Refused> {
        if let Some(why) = &self.halted {
            return Err(Refused::Halted { why: why.clone() });
        }
        let most = self.policy.approval.armed_hours;
        if hours == 0 || hours > most || !level.restricts() {
            return Err(Refused::Policy {
                why: format!("a tier is armed for 1 to {most} hours, up to L2, L3 or L4"),
            });
        }
        self.second(ask, by, now, |by| vec![Event::Armed { tier, level, hours, by }])
    }

    pub(super) fn adopt(
        &self,
        ask: &Ask,
        text: &str,
        by: &Person,
        now: Moment,
    ) -> Result<Vec<Event>, Refused> {
        let policy =
            Policy::read(text).map_err(|error| Refused::Policy { why: error.to_string() })?;
        let looser = policy.looser_than(&self.policy);
        let adopted = |by, looser: &[String]| {
            vec![Event::Adopted { policy: text.to_owned(), by, looser: looser.to_vec() }]
        };
        if looser.is_empty() {
            return Ok(adopted(vec![by.clone()], &looser));
        }
        self.second(ask, by, now, |people| adopted(people, &looser))
    }
}
