//! Pre-flight: what a restriction would have cut, had it been in force before.

use model::Timestamp;
use model::device::{DeviceId, InUse, Tier};
use serde::{Deserialize, Serialize};

use crate::restriction::Conversation;

/// A conversation that would have been cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Who with whom.
    pub conversation: Conversation,
    /// The other side's device, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<DeviceId>,
    /// Name of the other side, for people.
    pub peer_name: String,
    /// How care depends on the other side; T0 where nobody knows.
    pub peer_tier: Tier,
    /// What is spoken, such as `dicom` or `hl7`; empty where nobody knows.
    pub service: String,
    /// When it was last seen.
    pub last: Timestamp,
    /// How often.
    pub times: u64,
    /// Why care needs it, where it does: which declaration, or what was learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub essential: Option<String>,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing that was recorded, and nothing that is declared, would be cut.
    CutsNothing,
    /// Something would be cut, none of it essential.
    CutsOther,
    /// Something essential would be cut: this may not be done.
    CutsEssential,
    /// Nothing was recorded of the device: nobody can tell, so nothing may happen by itself.
    NoData,
}

/// The answer of a pre-flight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// What comes of it.
    pub outcome: Outcome,
    /// From when to when flows were recorded; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<(Timestamp, Timestamp)>,
    /// Essential conversations that would be cut. Empty, or the restriction is refused.
    pub essential: Vec<Cut>,
    /// Declared needs that would be cut though they were never seen, in plain words.
    pub declared: Vec<String>,
    /// Others that would be cut, most recent first, at most [`Preflight::MAX`].
    pub other: Vec<Cut>,
    /// How many more of the others there are.
    pub more: u64,
    /// Whether the device serves a patient now.
    pub in_use: InUse,
    /// Why we think so.
    pub in_use_because: String,
}

impl Preflight {
    /// Conversations that are listed.
    pub const MAX: usize = 200;

    /// Whether a policy may act on it without a person.
    pub const fn allows_automatic(&self) -> bool {
        matches!(self.outcome, Outcome::CutsNothing | Outcome::CutsOther)
    }
}
