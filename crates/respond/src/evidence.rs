//! What a response stands on, and how far that carries.

use model::case::CaseId;
use model::device::Tier;
use model::finding::{FindingId, FindingKind, Severity};
use serde::{Deserialize, Serialize};

use crate::level::Level;

/// Where the facts behind a claim come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Packets.
    Network,
    /// Log records of devices and servers.
    Logs,
}

/// A finding, as far as a decision needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Which.
    pub finding: FindingId,
    /// By which detector.
    pub detector: String,
    /// What sort of evidence.
    pub kind: FindingKind,
    /// Where its facts come from.
    pub source: Source,
    /// In plain words.
    pub title: String,
}

/// Why something should be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The case.
    pub case: CaseId,
    /// Its severity.
    pub severity: Severity,
    /// What was found about the device that is to be restricted.
    pub claims: Vec<Claim>,
    /// Why the device that is blamed may not be the one that acts: addresses are being claimed by
    /// somebody else, for instance. Nothing happens by itself then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

impl Evidence {
    /// How far it carries for a device of this tier, and why no further.
    ///
    /// What was learned never restricts a clinical device by itself; elsewhere it may block a flow.
    /// More needs a fixed rule or published intelligence, or, where care does not depend on it, two
    /// detectors that look at different sources.
    pub fn carries(&self, tier: Tier) -> (Level, &'static str) {
        if self.doubt.is_some() {
            return (Level::L1, "who it was is in doubt");
        }
        if self.claims.iter().any(|claim| is_deterministic(claim.kind)) {
            return (Level::L4, "a fixed rule or published intelligence says so");
        }
        if tier.is_clinical() {
            return (Level::L1, "learning alone never restricts a clinical device");
        }
        let independent = self.claims.iter().any(|one| {
            self.claims
                .iter()
                .any(|other| one.detector != other.detector && one.source != other.source)
        });
        if independent {
            (Level::L4, "two detectors agree, from different sources")
        } else {
            (Level::L2, "learning alone blocks one flow at most")
        }
    }
}

const fn is_deterministic(kind: FindingKind) -> bool {
    matches!(kind, FindingKind::Rule | FindingKind::Intel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(claims: &[(&str, FindingKind, Source)]) -> Evidence {
        let claims = claims.iter().map(|(detector, kind, source)| Claim {
            finding: FindingId("F-1".to_owned()),
            detector: (*detector).to_owned(),
            kind: *kind,
            source: *source,
            title: String::new(),
        });
        Evidence {
            case: CaseId("C-0001".to_owned()),
            severity: Severity::Critical,
            claims: claims.collect(),
            doubt: None,
        }
    }

    #[test]
    fn any_number_of_models_never_restricts_a_clinical_device() {
        let many = evidence(&[
            ("unusual_behaviour", FindingKind::Model, Source::Network),
            ("night_access", FindingKind::Anomaly, Source::Logs),
        ]);
        for tier in [Tier::T0, Tier::T0i, Tier::T1, Tier::T2] {
            assert_eq!(many.carries(tier).0, Level::L1, "{tier}");
        }
        assert_eq!(many.carries(Tier::T3).0, Level::L4);
    }

    #[test]
    fn one_source_is_not_two_however_many_detectors_read_it() {
        let same = evidence(&[
            ("unusual_behaviour", FindingKind::Model, Source::Network),
            ("beacon", FindingKind::Anomaly, Source::Network),
        ]);
        assert_eq!(same.carries(Tier::T4).0, Level::L2);
    }

    #[test]
    fn a_rule_carries_and_doubt_about_who_it_was_takes_it_all_back() {
        let mut rule = evidence(&[("worm", FindingKind::Rule, Source::Network)]);
        assert_eq!(rule.carries(Tier::T2).0, Level::L4);
        rule.doubt = Some("its address is claimed by two stations".to_owned());
        assert_eq!(rule.carries(Tier::T4).0, Level::L1);
    }
}
