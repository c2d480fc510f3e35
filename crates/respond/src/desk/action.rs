//! An action, from proposal to end.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::event::{Proposal, Seen};
use crate::enforce::Receipt;
use crate::level::Level;
use crate::moment::Moment;
use crate::people::{Person, Signature};
use crate::plan::PlanHash;

/// How an action ended, or is ending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Its time was over.
    Expired,
    /// Somebody released it.
    Released {
        /// Who, or that it was at the bedside.
        by: String,
        /// By the code at the bedside.
        bedside: bool,
    },
    /// Care missed something: which.
    RolledBack(String),
    /// Everything was halted.
    Halted,
    /// Somebody said no.
    Denied {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// Nobody answered in time.
    Lapsed,
    /// No enforcer could do it: why.
    Failed(String),
}

/// How far an action has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Status {
    /// It waits for signatures.
    Waiting,
    /// Everybody who has to has signed; it was not pushed as yet.
    Approved,
    /// Everybody has signed, and as the tier is not armed, nothing was done: what would have been.
    Rehearsed,
    /// It is being pushed; it may be in force already.
    Pushing,
    /// Enforcers said that it is in force, or were told.
    InForce,
    /// It is being taken back; it may still be in force.
    Leaving {
        /// Why.
        ending: Ending,
    },
    /// It is over.
    Ended {
        /// How.
        ending: Ending,
    },
}

/// What is wished, told, answered and seen: never shown as more than is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing is wished.
    None,
    /// It is wished.
    Desired,
    /// Enforcers were told.
    Pushed,
    /// They said yes.
    Acknowledged,
    /// Traffic shows it.
    Observed,
}

/// An action: a proposal, who signed it, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What was proposed.
    pub proposal: Proposal,
    /// Hash of its plans: what approvals are bound to.
    pub hash: PlanHash,
    /// Signatures that it needs; none where policy decides.
    pub needs: Vec<Signature>,
    /// Why policy did not decide by itself, in plain words.
    pub because: Vec<String>,
    /// Whether somebody clinical has to say that the patient is safe.
    pub attest: bool,
    /// How far it has come.
    pub status: Status,
    /// When it was proposed.
    pub proposed: Moment,
    /// Who signed, and when.
    pub signatures: Vec<(Person, Moment)>,
    /// Somebody clinical said that the patient is safe.
    pub patient_safe: bool,
    /// When it was decided: its time runs from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Moment>,
    /// When enforcers were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<Moment>,
    /// What they answered.
    pub receipts: Vec<Receipt>,
    /// Which failed, and why.
    pub failed: Vec<String>,
    /// What traffic showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<(Seen, Moment)>,
    /// Why it cannot be taken back, where that is so; it runs out by itself all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Moment>,
}

impl Action {
    /// Its name.
    pub fn id(&self) -> &str {
        &self.proposal.intent.id
    }

    /// How far it goes.
    pub const fn level(&self) -> Level {
        self.proposal.intent.restriction.level()
    }

    /// Whether it is over, or was never more than a rehearsal.
    pub const fn is_over(&self) -> bool {
        matches!(self.status, Status::Ended { .. } | Status::Rehearsed)
    }

    /// Whether it may be in force.
    pub const fn may_be_in_force(&self) -> bool {
        matches!(
            self.status,
            Status::Approved | Status::Pushing | Status::InForce | Status::Leaving { .. }
        )
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.decided.is_some_and(|at| now.since(at) >= self.proposal.intent.ttl)
    }

    /// What is known of it.
    pub fn standing(&self) -> Standing {
        match self.status {
            Status::Approved | Status::Pushing => Standing::Desired,
            Status::InForce if matches!(&self.observed, Some((seen, _)) if seen.stopped) => {
                Standing::Observed
            }
            Status::InForce
                if !self.receipts.is_empty() && self.receipts.iter().all(|r| r.acknowledged) =>
            {
                Standing::Acknowledged
            }
            Status::InForce => Standing::Pushed,
            _ => Standing::None,
        }
    }
}

/// Hash of all plans of a proposal together.
pub(super) fn hash_of(proposal: &Proposal) -> PlanHash {
    if let [only] = proposal.plans.as_slice() {
        return only.hash();
    }
    let mut digest = Sha256::new();
    proposal.plans.iter().for_each(|plan| digest.update(plan.hash().0));
    PlanHash(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
