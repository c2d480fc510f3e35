//! The exact change, and the proof that it was approved.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::level::Level;
use crate::restriction::Restriction;
use crate::subject::Subject;

/// What somebody wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Name of the action, such as `A-0001`.
    pub id: String,
    /// Of whom.
    pub subject: Subject,
    /// What.
    pub restriction: Restriction,
    /// For how long, at most.
    pub ttl: Duration,
}

/// SHA-256 of a plan, in hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanHash(pub String);

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The exact change that one enforcer would make: what people see and approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is for.
    pub intent: Intent,
    /// Name of the enforcer that made it.
    pub enforcer: String,
    /// The change in the enforcer's own language, line by line, as it will be sent.
    pub change: Vec<String>,
    /// How it is undone, in the same language.
    pub undo: Vec<String>,
    /// What makes it go away by itself where it is enforced, in plain words.
    pub dead_man: String,
}

impl Plan {
    /// Its hash: any other device, flow, time or text gives another.
    pub fn hash(&self) -> PlanHash {
        let json = serde_json::to_vec(self).unwrap_or_default();
        let digest = Sha256::digest(&json);
        PlanHash(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// How far it goes.
    pub const fn level(&self) -> Level {
        self.intent.restriction.level()
    }
}

/// A plan that may be applied. It has no public constructor: only the workflow of approvals makes
/// one, so code that restricts a device without approval does not compile.
///
/// ```compile_fail
/// # fn no(plan: respond::Plan) -> respond::Approved {
/// respond::Approved { plan, remaining: std::time::Duration::ZERO }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    plan: Plan,
    remaining: Duration,
}

impl Approved {
    /// Only for the workflow of approvals.
    pub(crate) const fn new(plan: Plan, remaining: Duration) -> Self {
        Self { plan, remaining }
    }

    /// What was approved.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How long it may still be in force from now: the expiry to set where it is enforced. At most
    /// the plan's own.
    pub fn remaining(&self) -> Duration {
        self.remaining.min(self.plan.intent.ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::Range;

    fn plan(ttl: u64) -> Plan {
        Plan {
            intent: Intent {
                id: "A-0001".to_owned(),
                subject: Subject::default(),
                restriction: Restriction::Quarantine { management: vec![Range::ALL_V6] },
                ttl: Duration::from_secs(ttl),
            },
            enforcer: "nftables".to_owned(),
            change: vec!["add".to_owned()],
            undo: vec!["delete".to_owned()],
            dead_man: "timeout".to_owned(),
        }
    }

    #[test]
    fn another_time_or_text_is_another_plan() {
        let mut other = plan(60);
        other.change.push(String::new());
        assert_ne!(plan(60).hash(), plan(61).hash());
        assert_ne!(plan(60).hash(), other.hash());
        assert_eq!(plan(60).hash().0.len(), 64);
    }

    #[test]
    fn nothing_is_approved_for_longer_than_planned() {
        let approved = Approved::new(plan(60), Duration::from_secs(3_600));
        assert_eq!(approved.remaining(), Duration::from_secs(60));
    }
}
