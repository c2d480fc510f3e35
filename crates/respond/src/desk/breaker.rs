//! Circuit breakers: how much may happen at a time, whoever wants it.
//!
//! Counts come from what is recorded, so a restart forgets none; and where clocks disagree,
//! something counts as having happened lately.

use std::collections::VecDeque;
use std::time::Duration;

use super::event::Proposal;
use super::{Action, Desk};
use crate::level::Level;
use crate::moment::Moment;
use crate::restriction::Restriction;

const TEN_MINUTES: Duration = Duration::from_secs(600);
const HOUR: Duration = Duration::from_secs(3_600);

impl Desk {
    /// Which breaker holds, in words, where one does.
    pub(super) fn breaker(&self, proposal: &Proposal, now: Moment) -> Option<String> {
        let limits = &self.policy.breakers;
        if self.observes_only(now) {
            return Some(format!(
                "{} roll-backs within an hour; Wardwatch only observes until that is over, or two people resume",
                limits.rollbacks_per_hour
            ));
        }
        let lately = |window| count(&self.decided, window, now);
        if lately(TEN_MINUTES) >= limits.actions_per_ten_minutes {
            return Some(format!(
                "{} restrictions within ten minutes",
                limits.actions_per_ten_minutes
            ));
        }
        if lately(HOUR) >= limits.actions_per_hour {
            return Some(format!("{} restrictions within an hour", limits.actions_per_hour));
        }
        // A rule at the perimeter restricts nobody in particular.
        if matches!(proposal.intent.restriction, Restriction::Perimeter { .. }) {
            return None;
        }
        let subject = &proposal.intent.subject;
        let same_class = || {
            self.actions().filter(|other| {
                other.may_be_in_force()
                    && !matches!(other.proposal.intent.restriction, Restriction::Perimeter { .. })
                    && other.proposal.intent.subject.class == subject.class
                    && other.proposal.intent.subject.id != subject.id
            })
        };
        if proposal.intent.restriction.level() >= Level::L3 {
            let in_ward = devices(same_class().filter(|other| {
                other.level() >= Level::L3 && other.proposal.intent.subject.ward == subject.ward
            }));
            if in_ward >= limits.class_per_ward {
                return Some(format!(
                    "{in_ward} of this class in the same ward are at L3 or above"
                ));
            }
        }
        let restricted = devices(same_class());
        let most = (proposal.of_class.saturating_mul(limits.class_per_mille) / 1_000).max(1);
        if restricted >= most {
            return Some(format!(
                "{restricted} of {} of this class are restricted",
                proposal.of_class
            ));
        }
        None
    }

    /// Whether roll-backs have put an end to it.
    pub fn observes_only(&self, now: Moment) -> bool {
        let limit = self.policy.breakers.rollbacks_per_hour;
        limit > 0 && count(&self.rolled_back, HOUR, now) >= limit
    }
}

fn count(times: &VecDeque<Moment>, window: Duration, now: Moment) -> u64 {
    times.iter().filter(|at| now.is_within(window, **at)).count() as u64
}

fn devices<'a>(actions: impl Iterator<Item = &'a Action>) -> u64 {
    let mut ids: Vec<_> = actions.map(|action| &action.proposal.intent.subject.id).collect();
    ids.sort();
    ids.dedup();
    ids.len() as u64
}
