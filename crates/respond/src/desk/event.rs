//! What is asked of the desk, and what comes of it.

use model::device::{DeviceId, Tier};
use serde::{Deserialize, Serialize};

use super::action::{Action, Ending};
use crate::card::Card;
use crate::enforce::Receipt;
use crate::evidence::Evidence;
use crate::level::Level;
use crate::people::{Person, Signature};
use crate::plan::{Intent, Plan, PlanHash};
use crate::preflight::Preflight;
use crate::watch::Beat;

/// Something that could be done, with all that a decision needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What.
    pub intent: Intent,
    /// The exact changes, one of each enforcer that takes part.
    pub plans: Vec<Plan>,
    /// Why.
    pub evidence: Evidence,
    /// What it would have cut.
    pub preflight: Preflight,
    /// The consequence card, for whoever stands at the bedside.
    pub card: Card,
    /// What care needs regularly of everybody whom it touches: when it misses, it is taken back.
    pub beats: Vec<Beat>,
    /// Whether traffic is looked at to see that it works and that care goes on.
    #[serde(default)]
    pub watched: bool,
    /// How many devices of this class the site has.
    pub of_class: u64,
    /// Who proposes; policy where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// Versions of what took part: program, detectors, models.
    pub versions: Vec<String>,
}

/// What traffic showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whether what was to be cut is cut.
    pub stopped: bool,
    /// Nanoseconds from the push until that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// In plain words.
    pub text: String,
}

/// Who releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Releaser {
    /// Somebody who is signed in.
    Person(Person),
    /// Whoever had the code at the bedside. It was checked.
    Bedside,
}

/// What is released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// One action.
    Action(String),
    /// Everything that restricts a device.
    Device(DeviceId),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask")]
pub enum Ask {
    /// Something could be done.
    Propose(Box<Proposal>),
    /// Somebody says yes to exactly this plan.
    Approve {
        /// Which action.
        action: String,
        /// Hash of what they saw.
        plan: PlanHash,
        /// Who.
        by: Person,
        /// They say that the patient is safe.
        patient_safe: bool,
    },
    /// Somebody says no.
    Deny {
        /// Which action.
        action: String,
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
    /// Somebody lets go.
    Release {
        /// What.
        whom: Whom,
        /// Who.
        by: Releaser,
    },
    /// Everything ends, and nothing begins.
    Halt {
        /// Who, or what.
        by: String,
        /// Why.
        why: String,
    },
    /// Things may begin again; needs a second signature.
    Resume {
        /// Who.
        by: Person,
    },
    /// A tier may be acted on; needs a second signature.
    Arm {
        /// Which tier.
        tier: Tier,
        /// Up to which level.
        level: Level,
        /// For how many hours.
        hours: u64,
        /// Who.
        by: Person,
    },
    /// A tier may not be acted on any more. One person is enough.
    Disarm {
        /// Which.
        tier: Tier,
        /// Who.
        by: Person,
    },
    /// Somebody clinical looked, and the device serves nobody.
    SayIdle {
        /// Which device.
        device: DeviceId,
        /// For how long that counts.
        minutes: u64,
        /// How they know.
        why: String,
        /// Who.
        by: Person,
    },
    /// Somebody says that it may serve a patient after all. Never refused.
    SayInUse {
        /// Which device.
        device: DeviceId,
        /// Who.
        by: Person,
    },
    /// Another policy; needs a second signature where it is looser anywhere.
    Adopt {
        /// As TOML.
        policy: String,
        /// Who.
        by: Person,
    },
    /// Enforcers are about to be told.
    Pushing {
        /// Which action.
        action: String,
    },
    /// Enforcers were told.
    Pushed {
        /// Which action.
        action: String,
        /// What they answered.
        receipts: Vec<Receipt>,
        /// Which failed, and why.
        failed: Vec<String>,
    },
    /// Traffic was looked at.
    Observed {
        /// Which action.
        action: String,
        /// What was seen.
        seen: Seen,
    },
    /// Care misses something since.
    Missed {
        /// Which action.
        action: String,
        /// What.
        what: String,
    },
    /// Enforcers took it back.
    Reverted {
        /// Which action.
        action: String,
    },
    /// Enforcers could not take it back.
    Stuck {
        /// Which action.
        action: String,
        /// Why.
        why: String,
    },
    /// Time passes.
    Tick,
}

impl Ask {
    /// Whether somebody else asks for exactly the same.
    pub(super) fn is_same_request(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Resume { .. }, Self::Resume { .. }) => true,
            (
                Self::Arm { tier, level, hours, .. },
                Self::Arm { tier: t, level: l, hours: h, .. },
            ) => tier == t && level == l && hours == h,
            (Self::Adopt { policy, .. }, Self::Adopt { policy: p, .. }) => policy == p,
            _ => false,
        }
    }

    /// Who asks, where it is somebody.
    pub(super) const fn person(&self) -> Option<&Person> {
        match self {
            Self::Resume { by } | Self::Arm { by, .. } | Self::Adopt { by, .. } => Some(by),
            _ => None,
        }
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// An action stands, waiting or already decided.
    Proposed {
        /// It.
        action: Box<Action>,
    },
    /// Somebody signed.
    Signed {
        /// Which action.
        action: String,
        /// Who.
        by: Person,
        /// They say that the patient is safe.
        patient_safe: bool,
        /// That was the last signature.
        complete: bool,
        /// The tier is not armed: nothing is done.
        rehearsal: bool,
    },
    /// Enforcers are about to be told.
    Pushing {
        /// Which action.
        action: String,
    },
    /// Enforcers were told.
    Pushed {
        /// Which action.
        action: String,
        /// What they answered.
        receipts: Vec<Receipt>,
        /// Which failed, and why.
        failed: Vec<String>,
    },
    /// Traffic was looked at.
    Observed {
        /// Which action.
        action: String,
        /// What was seen.
        seen: Seen,
    },
    /// It has to be taken back.
    Leaving {
        /// Which action.
        action: String,
        /// Why.
        ending: Ending,
    },
    /// It is over.
    Ended {
        /// Which action.
        action: String,
        /// How.
        ending: Ending,
    },
    /// It could not be taken back.
    Stuck {
        /// Which action.
        action: String,
        /// Why.
        why: String,
    },
    /// A device, or an action, was let go.
    Released {
        /// The device, which is left alone for a while.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<DeviceId>,
        /// Who, or that it was at the bedside.
        by: String,
    },
    /// Everything ends.
    Halted {
        /// Who, or what.
        by: String,
        /// Why.
        why: String,
    },
    /// Things may begin again.
    Resumed,
    /// One of two signed.
    HalfSigned {
        /// What.
        ask: Box<Ask>,
    },
    /// A tier may be acted on.
    Armed {
        /// Which.
        tier: Tier,
        /// Up to which level.
        level: Level,
        /// For how many hours.
        hours: u64,
        /// Who signed.
        by: Vec<Person>,
    },
    /// A tier may not be acted on any more.
    Disarmed {
        /// Which.
        tier: Tier,
        /// Who.
        by: String,
    },
    /// A device serves nobody, says a person.
    SaidIdle {
        /// Which device.
        device: DeviceId,
        /// For how long that counts.
        minutes: u64,
        /// How they know.
        why: String,
        /// Who.
        by: Person,
    },
    /// It may serve a patient after all.
    SaidInUse {
        /// Which device.
        device: DeviceId,
        /// Who.
        by: Person,
    },
    /// Another policy counts.
    Adopted {
        /// As TOML.
        policy: String,
        /// Who signed.
        by: Vec<Person>,
        /// Where it is looser than the one before.
        looser: Vec<String>,
    },
    /// What waited too long for a second signature is gone, and what breakers no longer count.
    Forgotten,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "refused")]
pub enum Refused {
    /// Everything is halted.
    #[error("everything is halted ({why}); two people have to 'respond resume' first")]
    Halted {
        /// Why.
        why: String,
    },
    /// It would harm care.
    #[error(
        "care needs what would be cut: {what}. No signature can allow that; choose a narrower restriction"
    )]
    CutsEssential {
        /// What.
        what: String,
    },
    /// The proposal is not whole.
    #[error("the proposal cannot be weighed: {why}")]
    Unsound {
        /// What is wrong.
        why: String,
    },
    /// Something like it stands already.
    #[error("{action} already covers this")]
    Duplicate {
        /// Which action.
        action: String,
    },
    /// Too many wait.
    #[error("{count} proposals wait for people already; answer or deny some first")]
    TooManyWaiting {
        /// How many.
        count: u64,
    },
    /// No such action, or it is over.
    #[error("{action} is not waiting: {why}")]
    NotWaiting {
        /// Which.
        action: String,
        /// What it is instead.
        why: String,
    },
    /// They saw another plan.
    #[error("the plan is another one by now: look at {action} again, its hash is {hash}")]
    OtherPlan {
        /// Which action.
        action: String,
        /// Its hash.
        hash: PlanHash,
    },
    /// They may not sign this.
    #[error("{who} cannot sign this: {why}")]
    NotYours {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// Nobody clinical said that the patient is safe.
    #[error("somebody clinical has to look at the patient and say so ('--patient-safe')")]
    NotAttested,
    /// A circuit breaker holds.
    #[error("a circuit breaker holds: {which}")]
    Breaker {
        /// Which, in words.
        which: String,
    },
    /// The policy is none.
    #[error("{why}")]
    Policy {
        /// What is wrong.
        why: String,
    },
    /// Signatures that are missing.
    #[error("still missing: {}", .missing.iter().map(|one| one.title()).collect::<Vec<_>>().join(", "))]
    Missing {
        /// Which.
        missing: Vec<Signature>,
    },
}
