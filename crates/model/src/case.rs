//! Cases: what a person works on.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::device::DeviceId;
use crate::finding::{FindingId, Severity};
use crate::time::Timestamp;

/// A case's name: `C-` and a number, the same for the same input.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub String);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One sentence of a case's story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryLine {
    /// When it happened.
    pub at: Timestamp,
    /// What happened, in plain words.
    pub text: String,
}

/// Findings of one cause, told in time order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// Time of its first finding.
    pub opened: Timestamp,
    /// Time of its last finding.
    pub updated: Timestamp,
    /// From harm and confidence.
    pub severity: Severity,
    /// One plain sentence.
    pub title: String,
    /// Devices that take part, the cause first.
    pub devices: Vec<DeviceId>,
    /// Accounts that take part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Technique ids of ATT&CK Enterprise or ICS.
    pub attack: Vec<String>,
    /// Its findings.
    pub findings: Vec<FindingId>,
    /// What happened, in time order.
    pub story: Vec<StoryLine>,
    /// What a person should do next.
    pub next_step: String,
    /// The response that policy would allow, or why none.
    pub proposal: String,
}
