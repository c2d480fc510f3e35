//! The change plan: what may change by itself, what a person has to look at, what never changes.
//!
//! After FDA, Health Canada and MHRA, "Predetermined Change Control Plans for Machine
//! Learning-Enabled Medical Devices: Guiding Principles", 2023: changes are foreseen, bounded, and
//! the same for everybody. What a plan does not name needs a review.

use serde::{Deserialize, Serialize};

use super::PackageError;

/// A change that may happen by itself, within bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Automatic {
    /// What: `thresholds`, `baseline`, ...
    pub what: String,
    /// By how much it may change at once, as a share of what it was: 0.25 is a quarter.
    pub most_change: f64,
    /// In words, for people.
    #[serde(default)]
    pub why: String,
}

/// A change plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePlan {
    /// Days that a challenger runs beside the champion before it may take its place.
    pub shadow_days: u32,
    /// What may change by itself.
    #[serde(default)]
    pub automatic: Vec<Automatic>,
    /// What a person has to look at.
    #[serde(default)]
    pub review: Vec<String>,
    /// What a package never changes.
    #[serde(default)]
    pub never: Vec<String>,
}

/// What a plan says of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// It may happen by itself.
    Automatic,
    /// A person has to look at it.
    Review,
    /// It must not come with a package.
    Never,
}

impl Default for ChangePlan {
    fn default() -> Self {
        let automatic = |what: &str, most_change, why: &str| Automatic {
            what: what.to_owned(),
            most_change,
            why: why.to_owned(),
        };
        let list = |all: &[&str]| all.iter().map(|what| (*what).to_owned()).collect();
        Self {
            shadow_days: 7,
            automatic: vec![
                automatic("thresholds", 0.25, "follows slow change of normal life"),
                automatic("baseline", 0.5, "of a device without an open case"),
            ],
            review: list(&["features", "model_family", "groups", "gates"]),
            never: list(&["enforcement_caps", "device_tiers", "trusted_keys"]),
        }
    }
}

impl ChangePlan {
    /// Reads a plan from TOML.
    pub fn read(text: &str) -> Result<Self, PackageError> {
        let plan: Self = toml::from_str(text).map_err(|e| PackageError::Plan(e.to_string()))?;
        match plan.automatic.iter().find(|a| !(0.0..=1.0).contains(&a.most_change)) {
            Some(wrong) => Err(PackageError::Plan(format!(
                "{}: most_change is {}, and has to be between 0 and 1",
                wrong.what, wrong.most_change
            ))),
            None => Ok(plan),
        }
    }

    /// The plan as TOML.
    pub fn text(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// What the plan says of changing something by a share of what it was. What must never change
    /// comes first, what is not named needs a review.
    pub fn allows(&self, what: &str, change: f64) -> Allowed {
        if self.never.iter().any(|never| never == what) {
            return Allowed::Never;
        }
        let within = |a: &&Automatic| a.what == what && change.abs() <= a.most_change;
        if self.review.iter().any(|review| review == what) {
            return Allowed::Review;
        }
        if self.automatic.iter().any(|a| within(&a)) { Allowed::Automatic } else { Allowed::Review }
    }
}
