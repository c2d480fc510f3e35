//! What a store has to offer.

use model::case::{Case, CaseId};
use model::device::{Device, DeviceId};
use model::finding::{Finding, FindingId};
use model::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::error::StoreError;
use crate::query::{Page, Query};
use crate::row::{Appended, FlowRow, ObservationRow};
use crate::word::{About, CaseRecord, Feedback, StatusChange};

/// Rows that were dropped to stay within the bound or past their age, since the store was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Observations.
    pub observations: u64,
    /// Flows.
    pub flows: u64,
    /// Findings of closed cases.
    pub findings: u64,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Observations.
    pub observations: u64,
    /// Flows.
    pub flows: u64,
    /// Findings.
    pub findings: u64,
    /// Cases.
    pub cases: u64,
    /// Devices.
    pub devices: u64,
    /// What was dropped.
    pub dropped: Dropped,
    /// Bytes on disk.
    pub bytes: u64,
    /// Most bytes it may take.
    pub max_bytes: u64,
}

/// Keeps what was seen, found and said. Calls block; they may come from many threads.
///
/// What a writing call has acknowledged by returning `Ok` is on disk: it survives the end of the
/// process by any signal, and a power cut. A batch that fails is stored in part at most, in whole
/// pieces from its start; giving it again completes it.
///
/// Where space runs out, the oldest observations are dropped first, then the oldest flows, then
/// findings of closed cases, each counted in [`Dropped`]. Devices, cases and what people said are
/// never dropped by the store.
///
/// Every call fails with a [`StoreError`] that names the place and what to do.
#[allow(clippy::missing_errors_doc)]
pub trait Store: Send + Sync {
    /// Adds observations; those whose id is known are left as they were.
    fn append(&self, rows: &[ObservationRow]) -> Result<Appended, StoreError>;

    /// Adds flows, or replaces those of the same id.
    fn put_flows(&self, rows: &[FlowRow]) -> Result<(), StoreError>;

    /// Adds findings, or replaces those of the same id.
    fn put_findings(&self, findings: &[Finding]) -> Result<(), StoreError>;

    /// Adds cases, or replaces those of the same id; their status stays.
    fn put_cases(&self, cases: &[Case]) -> Result<(), StoreError>;

    /// Adds devices, or replaces those of the same id.
    fn put_devices(&self, devices: &[Device]) -> Result<(), StoreError>;

    /// Observations, the latest first, as they were written to files.
    fn observations(&self, query: &Query) -> Result<Page<Value>, StoreError>;

    /// Flows, the latest start first, as they were written to files.
    fn flows(&self, query: &Query) -> Result<Page<Value>, StoreError>;

    /// Findings, the latest first.
    fn findings(&self, query: &Query) -> Result<Page<Finding>, StoreError>;

    /// Cases, the latest opened first.
    fn cases(&self, query: &Query) -> Result<Page<CaseRecord>, StoreError>;

    /// Devices, in the order in which they were first stored.
    fn devices(&self, query: &Query) -> Result<Page<Device>, StoreError>;

    /// The observation of an id such as `o0123456789abcdef`.
    fn observation(&self, id: &str) -> Result<Option<Value>, StoreError>;

    /// The finding of an id.
    fn finding(&self, id: &FindingId) -> Result<Option<Finding>, StoreError>;

    /// The case of an id.
    fn case(&self, id: &CaseId) -> Result<Option<CaseRecord>, StoreError>;

    /// The device of an id.
    fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError>;

    /// Moves a case. False where there is no such case.
    fn set_case_status(&self, id: &CaseId, change: &StatusChange) -> Result<bool, StoreError>;

    /// Keeps what somebody thinks. False where there is no such finding or case.
    fn add_feedback(&self, about: About, id: &str, word: &Feedback) -> Result<bool, StoreError>;

    /// What people thought of a finding or a case, in order.
    fn feedback(&self, about: About, id: &str) -> Result<Vec<Feedback>, StoreError>;

    /// Saved bytes of a name, such as a learned baseline.
    fn state(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Saves bytes under a name, all or nothing.
    fn set_state(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Forgets a name. False where there was none.
    fn remove_state(&self, name: &str) -> Result<bool, StoreError>;

    /// Names that begin so, sorted.
    fn state_names(&self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// How much there is. Also says whether the store answers.
    fn counts(&self) -> Result<Counts, StoreError>;

    /// Drops observations and flows from before a time, and whatever is past the bound; gives room
    /// back to the disk. Says what was dropped by this call.
    fn expire(&self, before: Option<Timestamp>) -> Result<Dropped, StoreError>;
}
