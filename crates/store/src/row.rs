//! What is stored of an observation or a flow: its JSON, and the columns it is found by.

use model::device::DeviceId;
use model::observation::{Observation, ObservationId};
use model::time::Timestamp;
use serde::Serialize;

/// An observation, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservationRow {
    /// Its number; storing it twice stores it once.
    pub id: ObservationId,
    /// When it happened.
    pub at: Timestamp,
    /// Name of its kind.
    pub kind: &'static str,
    /// The device that it is about, where the inventory knew.
    pub device: Option<DeviceId>,
    /// The observation as it is written to files.
    pub json: String,
}

impl ObservationRow {
    /// From an observation and the device of its subject.
    pub fn new(observation: &Observation, device: Option<DeviceId>) -> Self {
        Self {
            id: observation.id,
            at: observation.at,
            kind: observation.kind.name,
            device,
            json: json(observation),
        }
    }
}

/// A flow, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRow {
    /// Its number as text; storing it again replaces it.
    pub id: String,
    /// When it began.
    pub at: Timestamp,
    /// Application protocol, or what carries it.
    pub protocol: String,
    /// The device that opened it, where the inventory knew.
    pub device: Option<DeviceId>,
    /// The device that was called, where the inventory knew.
    pub peer: Option<DeviceId>,
    /// The flow as it is written to files.
    pub json: String,
}

/// What became of appended rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Stored now.
    pub new: u64,
    /// Stored before, left as they were.
    pub known: u64,
}

/// JSON of a value of ours. None of them can fail: keys are texts and numbers are finite.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
