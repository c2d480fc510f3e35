//! Weighing a proposal: whether it may be done at all, and whether policy may decide it.

use model::device::{InUse, Tier};

use super::Desk;
use super::action::{Action, Status, hash_of};
use super::event::{Event, Proposal, Refused};
use crate::level::Level;
use crate::moment::Moment;
use crate::policy::hours;
use crate::preflight::{Outcome, Preflight};
use crate::restriction::Restriction;

impl Desk {
    pub(super) fn propose(&self, proposal: &Proposal, now: Moment) -> Result<Vec<Event>, Refused> {
        if let Some(why) = &self.halted {
            return Err(Refused::Halted { why: why.clone() });
        }
        self.sound(proposal)?;
        harmless(&proposal.preflight)?;
        let level = proposal.intent.restriction.level();
        if let Some(other) = self.covering(proposal) {
            return Err(Refused::Duplicate { action: other.id().to_owned() });
        }
        let tier = proposal.intent.subject.tier();
        let rules = self.policy.rules(tier);
        let because = self.why_not_automatic(proposal, tier, now);
        let automatic = because.is_empty();
        let waiting = self.actions().filter(|a| matches!(a.status, Status::Waiting)).count() as u64;
        if !automatic && waiting >= self.policy.breakers.waiting {
            return Err(Refused::TooManyWaiting { count: waiting });
        }
        let status = match automatic {
            false => Status::Waiting,
            true if self.is_armed(tier.name(), level, now) => Status::Approved,
            true => Status::Rehearsed,
        };
        let action = Action {
            hash: hash_of(proposal),
            needs: if automatic { Vec::new() } else { rules.signatures(level).to_vec() },
            because,
            attest: rules.attest && level >= Level::L3,
            status,
            proposed: now,
            signatures: Vec::new(),
            patient_safe: false,
            decided: automatic.then_some(now),
            pushed: None,
            receipts: Vec::new(),
            failed: Vec::new(),
            observed: None,
            stuck: None,
            ended: None,
            proposal: proposal.clone(),
        };
        Ok(vec![Event::Proposed { action: Box::new(action) }])
    }

    /// Whether all parts belong together.
    fn sound(&self, proposal: &Proposal) -> Result<(), Refused> {
        let unsound = |why: &str| Err(Refused::Unsound { why: why.to_owned() });
        let intent = &proposal.intent;
        if intent.id != self.next_id() {
            return unsound(&format!(
                "its name is {}, and the next is {}",
                intent.id,
                self.next_id()
            ));
        }
        let most = self.policy.rules(intent.subject.tier()).ttl();
        if intent.ttl > most || intent.ttl.is_zero() {
            return unsound(&format!(
                "it would last {} s; the policy allows 1 to {}",
                intent.ttl.as_secs(),
                most.as_secs()
            ));
        }
        if proposal.plans.is_empty() {
            return unsound("no enforcer can do it");
        }
        if proposal.plans.iter().any(|plan| plan.intent != *intent) {
            return unsound("a plan is for something else");
        }
        match &intent.restriction {
            Restriction::Block { flows } if flows.is_empty() => unsound("it blocks nothing"),
            Restriction::Perimeter { .. } => Ok(()),
            _ if intent.subject.addresses.is_empty() => {
                unsound("no address of the device is known")
            }
            _ => Ok(()),
        }
    }

    /// Something that stands and does the same or more to the same device.
    fn covering(&self, proposal: &Proposal) -> Option<&Action> {
        let intent = &proposal.intent;
        self.actions().find(|other| {
            let theirs = &other.proposal.intent;
            let stands = other.may_be_in_force() || matches!(other.status, Status::Waiting);
            let same = match (&theirs.restriction, &intent.restriction) {
                (
                    Restriction::Perimeter { indicator: one },
                    Restriction::Perimeter { indicator: two },
                ) => one == two,
                (Restriction::Perimeter { .. }, _) | (_, Restriction::Perimeter { .. }) => false,
                (Restriction::Block { flows: old }, Restriction::Block { flows: new }) => {
                    theirs.subject.id == intent.subject.id
                        && new.iter().all(|flow| old.contains(flow))
                }
                (old, new) => theirs.subject.id == intent.subject.id && old.level() >= new.level(),
            };
            // What waits covers only what waits too, or is asked for by policy again.
            stands && same && (other.may_be_in_force() || proposal.by.is_none())
        })
    }

    /// Why policy may not decide this by itself; empty where it may.
    fn why_not_automatic(&self, proposal: &Proposal, tier: Tier, now: Moment) -> Vec<String> {
        let mut because = Vec::new();
        let intent = &proposal.intent;
        let (level, subject) = (intent.restriction.level(), &intent.subject);
        let rules = self.policy.rules(tier);
        let perimeter = matches!(intent.restriction, Restriction::Perimeter { .. });
        if let Some(person) = &proposal.by {
            because.push(format!("{person} proposes it, so somebody else has to approve"));
        }
        if !proposal.watched {
            because.push(
                "nobody would see in traffic whether it works and whether care goes on: \
                 response.toml names no interface under [[verify]]"
                    .to_owned(),
            );
        }
        if perimeter {
            if !rules.perimeter {
                because.push(format!(
                    "nothing happens by itself for {tier}, not even at the perimeter"
                ));
            }
        } else if level > rules.automatic {
            because.push(format!("{level} on a {tier} device needs people"));
        }
        let (carries, why) = proposal.evidence.carries(tier);
        // A block at the perimeter restricts no device, but it still needs more than learning.
        if level > carries {
            because.push(why.to_owned());
        }
        if proposal.evidence.severity < self.policy.automatic.severity {
            because.push(format!(
                "the case is {}, and policy acts from {} on",
                proposal.evidence.severity, self.policy.automatic.severity
            ));
        }
        // Traffic that shows a patient weighs more than what somebody said before.
        let idle = subject.in_use == InUse::Idle
            && proposal.preflight.in_use == InUse::Idle
            && self
                .idle(&subject.id, now)
                .and_then(|idle| idle.left(now))
                .is_some_and(|left| intent.ttl <= left);
        if tier == Tier::T1 && !perimeter && !idle {
            because.push(format!(
                "the device is not proven idle: {}",
                proposal.preflight.in_use_because
            ));
        }
        self.recorded_enough(&proposal.preflight, &mut because);
        if !perimeter && cuts_life_sustaining(&proposal.preflight) {
            because.push("it would cut conversations with life-sustaining devices".to_owned());
        }
        if self.is_left_alone(&subject.id, now) {
            because.push("somebody released this device lately".to_owned());
        }
        if let Some(which) = self.breaker(proposal, now) {
            because.push(format!("a circuit breaker holds: {which}"));
        }
        because
    }

    fn recorded_enough(&self, preflight: &Preflight, because: &mut Vec<String>) {
        let needed = hours(self.policy.automatic.recorded_hours);
        let span = preflight.recorded.map(|(first, last)| last.since(first));
        if !preflight.allows_automatic() || span.is_none_or(|span| span < needed) {
            because.push(if preflight.allows_automatic() {
                format!(
                    "too little of its traffic was recorded to be sure ({} of {} hours)",
                    span.map_or(0, |span| span.as_secs() / 3_600),
                    self.policy.automatic.recorded_hours
                )
            } else {
                format!("too little of its traffic was recorded to be sure: {}", preflight.because)
            });
        }
    }
}

/// No rule cuts what care needs, whoever signs.
fn harmless(preflight: &Preflight) -> Result<(), Refused> {
    let what = match (preflight.essential.first(), preflight.declared.first()) {
        (Some(cut), _) => format!(
            "{} with {}",
            if cut.service.is_empty() { cut.conversation.proto.name() } else { &cut.service },
            if cut.peer_name.is_empty() {
                cut.conversation.server.to_string()
            } else {
                cut.peer_name.clone()
            }
        ),
        (None, Some(declared)) => declared.clone(),
        (None, None) if preflight.outcome == Outcome::CutsEssential => {
            "see the pre-flight".to_owned()
        }
        (None, None) => return Ok(()),
    };
    Err(Refused::CutsEssential { what })
}

/// Whether normal life with life-sustaining devices would be cut. What began with the attack is the
/// attack: that it was aimed at such a device is no reason to let it go on.
fn cuts_life_sustaining(preflight: &Preflight) -> bool {
    // Suspect ones come last: where the list ends with one, so are all that it has no place for.
    let more = preflight.more > 0 && preflight.other.last().is_none_or(|cut| !cut.suspect);
    more || preflight.other.iter().any(|cut| !cut.suspect && cut.peer_tier <= Tier::T0i)
}
