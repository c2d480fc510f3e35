//! What was found and what was really there: the rows that all measures are made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One unit that was scored: a device in a stretch of time, or a row of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// How strange it was: the larger the stranger. Comparable between examples of one run.
    pub score: f64,
    /// The calibrated p-value, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The probability that it is an attack, where a model gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What it really was.
    pub truth: Label,
    /// The group within which it was calibrated; empty where that is not done.
    #[serde(default)]
    pub group: String,
    /// What kind of example it is: name of a stratum (`class`, `vendor`, `shift`, ...) to its value.
    #[serde(default)]
    pub strata: BTreeMap<String, String>,
}

/// What an example really was.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// Normal life.
    #[default]
    Normal,
    /// Harmless, and made to look like an attack: which.
    LookAlike(String),
    /// Part of an attack: which kind.
    Attack(String),
    /// Neither: the victim of an attack, or too near to one in time to be called normal. Not scored.
    Neutral,
}

/// One attack or look-alike as a whole, and whether the product said so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// What it was: the name of a scenario, or the technique.
    pub kind: String,
    /// Whether it was harmful.
    pub malicious: bool,
    /// Where it was seen: the name of a hospital, a capture or a table.
    pub site: String,
    /// Seconds from its start to the first alert about it; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Which detector said so first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Every detector that said so, in the order in which they did.
    #[serde(default)]
    pub detectors: Vec<String>,
    /// Name of a stratum (`actor`: known or stranger, `class`, `protocol`, ...) to its value.
    #[serde(default)]
    pub strata: BTreeMap<String, String>,
}

/// An alert about nobody who took part in an attack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FalseAlert {
    /// Where.
    pub site: String,
    /// Which detector.
    pub detector: String,
    /// What it said.
    pub title: String,
    /// Name of a stratum to its value.
    #[serde(default)]
    pub strata: BTreeMap<String, String>,
}

/// How much was watched, so that counts become rates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// Where.
    pub site: String,
    /// Seconds watched after learning.
    pub seconds: f64,
    /// Devices there.
    pub devices: u64,
    /// Devices by the value of each stratum that a device has (`class`, `vendor`, ...).
    #[serde(default)]
    pub strata: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Everything that one run of a validation saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What was scored, in order.
    pub examples: Vec<Example>,
    /// Attacks and look-alikes.
    pub incidents: Vec<Incident>,
    /// False alerts.
    pub false_alerts: Vec<FalseAlert>,
    /// What was watched.
    pub exposure: Vec<Exposure>,
}
