//! What enforcers have to do now.

use std::time::Duration;

use super::Desk;
use super::action::{Action, Status};
use crate::enforce::Receipt;
use crate::moment::Moment;
use crate::plan::Approved;

/// What enforcers have to do now. Doing it twice does no harm.
#[derive(Debug, Default)]
pub struct Work {
    /// To apply, after `Ask::Pushing` of the action. The only place where approved plans are made.
    pub apply: Vec<(String, Vec<Approved>)>,
    /// To take back.
    pub revert: Vec<(String, Vec<Receipt>)>,
    /// To take back everything, known or not.
    pub revert_all: bool,
}

impl Desk {
    /// What enforcers have to do now.
    pub fn work(&self, now: Moment) -> Work {
        let mut work = Work { revert_all: self.halted.is_some(), ..Work::default() };
        for action in self.actions() {
            if self.may_push(action, now) {
                work.apply.push((action.id().to_owned(), approved(action, now)));
            } else if matches!(action.status, Status::Leaving { .. }) {
                work.revert.push((action.id().to_owned(), action.receipts.clone()));
            }
        }
        work
    }
}

fn approved(action: &Action, now: Moment) -> Vec<Approved> {
    let left = action
        .decided
        .map_or(Duration::ZERO, |at| action.proposal.intent.ttl.saturating_sub(now.since(at)));
    action.proposal.plans.iter().map(|plan| Approved::new(plan.clone(), left)).collect()
}
