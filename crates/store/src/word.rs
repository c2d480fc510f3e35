//! What people say of cases and findings. Kept beside the machine's facts, never mixed with them.

use model::case::Case;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a person left a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStatus {
    /// Nobody has taken it.
    #[default]
    Open,
    /// Somebody works on it.
    Acknowledged,
    /// Done with.
    Closed,
}

impl CaseStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Closed];

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }

    /// From its lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Somebody moved a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// To where.
    pub status: CaseStatus,
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A case with where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// What the machine found.
    #[serde(flatten)]
    pub case: Case,
    /// Where it stands.
    pub status: CaseStatus,
    /// Who moved it when, in order; empty while nobody did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<StatusChange>,
}

/// What a word is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A finding.
    Finding,
    /// A case.
    Case,
}

impl About {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Case => "case",
        }
    }
}

/// What somebody thinks of a finding or a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It happened, and it is an attack.
    Attack,
    /// It happened, and it is meant to.
    Harmless,
    /// A device is broken or set up wrongly.
    Fault,
    /// It did not happen.
    Wrong,
    /// Nobody can tell.
    Unsure,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Attack, Self::Harmless, Self::Fault, Self::Wrong, Self::Unsure];

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attack => "attack",
            Self::Harmless => "harmless",
            Self::Fault => "fault",
            Self::Wrong => "wrong",
            Self::Unsure => "unsure",
        }
    }

    /// From its lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// One person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// What they think.
    pub verdict: Verdict,
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
