//! What enforces: rules with deadlines on a clock that nobody can set, as a kernel keeps them.

use std::collections::BTreeMap;
use std::time::Duration;

use respond::desk::Proposal;
use respond::{Approved, Receipt};

/// A rule in force.
pub(crate) struct Rule {
    pub(crate) proposal: Proposal,
    /// True time at which it is gone, in nanoseconds.
    pub(crate) until: u64,
    /// True time at which it was made.
    pub(crate) made: u64,
}

/// Rules by action.
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) rules: BTreeMap<String, Rule>,
    /// How often anything was sent to it.
    pub(crate) calls: u64,
}

impl Network {
    pub(crate) fn apply(&mut self, plan: &Approved, proposal: &Proposal, now: u64) -> Receipt {
        self.calls += 1;
        let id = plan.plan().intent.id.clone();
        let until = now + plan.remaining().as_nanos() as u64;
        let made = self.rules.get(&id).map_or(now, |rule| rule.made);
        self.rules.insert(id.clone(), Rule { proposal: proposal.clone(), until, made });
        Receipt {
            action: id,
            enforcer: plan.plan().enforcer.clone(),
            handle: String::new(),
            undo: Vec::new(),
            ttl: plan.remaining(),
            acknowledged: true,
        }
    }

    pub(crate) fn revert(&mut self, id: &str) {
        self.calls += 1;
        self.rules.remove(id);
    }

    pub(crate) fn revert_all(&mut self) {
        if !self.rules.is_empty() {
            self.calls += 1;
        }
        self.rules.clear();
    }

    /// Time passes: deadlines count whether anybody lives or not.
    pub(crate) fn pass(&mut self, now: u64) {
        self.rules.retain(|_, rule| rule.until > now);
    }

    pub(crate) fn reboot(&mut self) {
        self.rules.clear();
    }
}

pub(crate) const fn nanos(seconds: u64) -> u64 {
    Duration::from_secs(seconds).as_nanos() as u64
}
