//! Findings: what one detector claims about one device or user, with its reasons.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::device::{DeviceClass, DeviceId, Tier};
use crate::net::Mac;
use crate::observation::ObservationId;
use crate::time::Timestamp;

/// A finding's name: `F` and sixteen hexadecimal digits, the same for the same input.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingId(pub String);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much harm to expect. From `Medium` on it is an alert.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record.
    #[default]
    Info,
    /// Worth a look when there is time.
    Low,
    /// An alert: look today.
    Medium,
    /// An alert: look now.
    High,
    /// An alert: care may be affected.
    Critical,
}

impl Severity {
    /// All, mildest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// From its lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }

    /// One step more severe.
    #[must_use]
    pub fn raised(self) -> Self {
        Self::ALL[(self as usize + 1).min(4)]
    }

    /// One step milder.
    #[must_use]
    pub fn lowered(self) -> Self {
        Self::ALL[(self as usize).saturating_sub(1)]
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What sort of evidence a finding stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A fixed rule on what was seen.
    #[default]
    Rule,
    /// A departure from what the device does normally.
    Anomaly,
    /// The score of a trained model.
    Model,
    /// A match with published intelligence.
    Intel,
}

/// One reason of a finding, in words and numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What was looked at.
    pub what: String,
    /// What was seen.
    pub observed: String,
    /// What would have been normal.
    pub expected: String,
    /// Unit of both, where they are numbers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Share of this reason in the finding, 0 to 1.
    pub weight: f64,
}

impl Reason {
    /// A reason with full weight and no unit.
    pub fn new(what: &str, observed: impl fmt::Display, expected: impl fmt::Display) -> Self {
        Self {
            what: what.to_owned(),
            observed: observed.to_string(),
            expected: expected.to_string(),
            unit: String::new(),
            weight: 1.0,
        }
    }

    /// With the unit of both numbers.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.unit);
        self
    }

    /// With its share in the finding, 0 to 1.
    #[must_use]
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }
}

/// The device a finding is about, as known when it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRef {
    /// Its name in the inventory.
    pub id: DeviceId,
    /// The address that it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Its Ethernet address, where it is known to be its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Its best name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    pub class: DeviceClass,
    /// How care depends on it.
    pub tier: Tier,
}

/// Another party of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRef {
    /// The address that it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Its Ethernet address, where it is known to be its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Its best name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// What one detector claims.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name.
    pub id: FindingId,
    /// When the evidence was enough.
    pub at: Timestamp,
    /// Which detector.
    pub detector: String,
    /// What sort of evidence.
    pub kind: FindingKind,
    /// How much harm to expect.
    pub severity: Severity,
    /// One plain sentence.
    pub title: String,
    /// About whom.
    pub device: DeviceRef,
    /// The others who take part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<PeerRef>,
    /// Account, where one takes part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Technique ids of ATT&CK Enterprise or ICS.
    pub attack: Vec<String>,
    /// How sure the detector is, 0 to 1.
    pub score: f64,
    /// Calibrated p-value, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Why.
    pub because: Vec<Reason>,
    /// Observations it stands on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceId>,
    /// Flows it stands on, by Community ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub community_id: Vec<String>,
    /// The case it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<crate::case::CaseId>,
}

/// An observation's id in text form, as findings and stores write it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EvidenceId(pub String);

impl From<ObservationId> for EvidenceId {
    fn from(id: ObservationId) -> Self {
        Self(id.to_string())
    }
}
