//! The shapes of the API's answers, for the OpenAPI document only.
//!
//! The answers themselves are written by `serde` from the types of `model` and `store`; a test
//! compares what those write with what stands here, so that the two cannot part.

#![allow(dead_code, reason = "read by the derive, never made")]

pub(crate) mod response;
pub(crate) mod segment;

use std::collections::BTreeMap;

use utoipa::ToSchema;

use crate::teach::Taught;

/// What is written so is a point in time: RFC 3339, UTC, microseconds.
type Time = String;

/// A device as the inventory knows it.
#[derive(ToSchema)]
pub(crate) struct Device {
    /// Its name in the inventory.
    id: String,
    /// Addresses that it used, the latest last.
    ip: Vec<String>,
    /// Its own Ethernet address, where known.
    mac: Option<String>,
    /// Maker of the device or of its network card.
    vendor: Option<String>,
    /// Names, the best first.
    name: Vec<String>,
    /// What it most probably is.
    class: String,
    /// How care depends on it: T0, T0i, T1, T2, T3 or T4.
    tier: String,
    /// Whether it serves a patient just now: in_use, idle or unknown.
    in_use: String,
    /// How sure the class is, 0 to 1.
    confidence: f64,
    /// What is known, with provenance.
    claims: Vec<Claim>,
    /// First packet or log line.
    #[schema(format = DateTime)]
    first_seen: Time,
    /// Last packet or log line.
    #[schema(format = DateTime)]
    last_seen: Time,
    /// What it does for others.
    roles: Vec<String>,
    /// How many others it talks with.
    peers: u64,
    /// Bytes received.
    bytes_in: u64,
    /// Bytes sent.
    bytes_out: u64,
}

/// One thing that was said or seen about a device.
#[derive(ToSchema)]
pub(crate) struct Claim {
    /// What it is about.
    what: String,
    /// What is claimed.
    value: String,
    /// Where it comes from.
    source: String,
    /// How sure, 0 to 1.
    confidence: f64,
    /// When it was last seen.
    #[schema(format = DateTime)]
    at: Time,
}

/// How much harm to expect.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// What one detector claims.
#[derive(ToSchema)]
pub(crate) struct Finding {
    /// Its name.
    id: String,
    /// When the evidence was enough.
    #[schema(format = DateTime)]
    at: Time,
    /// Which detector.
    detector: String,
    /// rule, anomaly, model or intel.
    kind: String,
    severity: Severity,
    /// One plain sentence.
    title: String,
    /// About whom.
    device: DeviceRef,
    /// The others who take part.
    peers: Option<Vec<PeerRef>>,
    /// Account, where one takes part.
    user: Option<String>,
    /// Technique ids of ATT&CK Enterprise or ICS.
    attack: Vec<String>,
    /// How sure the detector is, 0 to 1.
    score: f64,
    /// Calibrated p-value, where there is one.
    p_value: Option<f64>,
    /// Why.
    because: Vec<Reason>,
    /// Ids of the observations it stands on.
    evidence: Option<Vec<String>>,
    /// Flows it stands on, by Community ID.
    community_id: Option<Vec<String>>,
    /// The case it belongs to.
    case: Option<String>,
}

/// The device a finding is about, as known when it was found.
#[derive(ToSchema)]
pub(crate) struct DeviceRef {
    id: String,
    ip: Option<String>,
    mac: Option<String>,
    name: Option<String>,
    class: String,
    tier: String,
}

/// Another party of a finding.
#[derive(ToSchema)]
pub(crate) struct PeerRef {
    ip: Option<String>,
    mac: Option<String>,
    name: Option<String>,
    port: Option<u16>,
}

/// One reason of a finding.
#[derive(ToSchema)]
pub(crate) struct Reason {
    /// What was looked at.
    what: String,
    /// What was seen.
    observed: String,
    /// What would have been normal.
    expected: String,
    /// Unit of both, where they are numbers.
    unit: Option<String>,
    /// Share of this reason in the finding, 0 to 1.
    weight: f64,
}

/// Findings of one cause, told in time order, and where people left it.
#[derive(ToSchema)]
pub(crate) struct Case {
    /// Its name.
    id: String,
    /// Time of its first finding.
    #[schema(format = DateTime)]
    opened: Time,
    /// Time of its last finding.
    #[schema(format = DateTime)]
    updated: Time,
    severity: Severity,
    /// One plain sentence.
    title: String,
    /// Ids of devices that take part, the cause first.
    devices: Vec<String>,
    /// Accounts that take part.
    users: Option<Vec<String>>,
    /// Technique ids of ATT&CK Enterprise or ICS.
    attack: Vec<String>,
    /// Ids of its findings.
    findings: Vec<String>,
    /// What happened, in time order.
    story: Vec<StoryLine>,
    /// What a person should do next.
    next_step: String,
    /// The response that policy would allow, or why none.
    proposal: String,
    status: CaseStatus,
    /// Who moved it when.
    history: Option<Vec<StatusChange>>,
}

/// One sentence of a case's story.
#[derive(ToSchema)]
pub(crate) struct StoryLine {
    #[schema(format = DateTime)]
    at: Time,
    text: String,
}

/// Where a person left a case.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum CaseStatus {
    Open,
    Acknowledged,
    Closed,
}

/// Somebody moved a case.
#[derive(ToSchema)]
pub(crate) struct StatusChange {
    status: CaseStatus,
    who: String,
    #[schema(format = DateTime)]
    at: Time,
    note: Option<String>,
}

/// What somebody thinks: an attack; harmless and meant to be; a device broken or set up wrongly;
/// it did not happen; nobody can tell.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Attack,
    Harmless,
    Fault,
    Wrong,
    Unsure,
}

/// One person's word.
#[derive(ToSchema)]
pub(crate) struct Feedback {
    verdict: Verdict,
    who: String,
    #[schema(format = DateTime)]
    at: Time,
    note: Option<String>,
}

/// One person's word that was kept, and what the models made of it.
#[derive(ToSchema)]
pub(crate) struct WordKept {
    #[schema(inline)]
    #[serde(flatten)]
    word: Feedback,
    /// Absent where no models watch, or where who said it is no analyst.
    models: Option<Taught>,
}

/// One fact from a packet or a log line. Patients are keyed tokens in it.
#[derive(ToSchema)]
pub(crate) struct Observation {
    id: String,
    #[schema(format = DateTime)]
    at: Time,
    /// Source and fact, such as dns.query.
    kind: String,
    /// Community ID of its flow.
    flow: Option<String>,
    /// Who did it.
    subject: Option<PeerRef>,
    /// Whom it was done to.
    peer: Option<PeerRef>,
    /// What its kind's table of fields says.
    #[schema(value_type = Object)]
    fields: BTreeMap<String, String>,
}

/// A case with what people said of it.
#[derive(ToSchema)]
pub(crate) struct CaseWithWords {
    #[schema(inline)]
    #[serde(flatten)]
    case: Case,
    feedback: Vec<Feedback>,
}

/// A finding with what people said of it.
#[derive(ToSchema)]
pub(crate) struct FindingWithWords {
    #[schema(inline)]
    #[serde(flatten)]
    finding: Finding,
    feedback: Vec<Feedback>,
}

macro_rules! pages {
    ($($page:ident of $item:ty;)*) => {$(
        /// Part of a list.
        #[derive(ToSchema)]
        pub(crate) struct $page {
            /// The items.
            items: Vec<$item>,
            /// Give this as `cursor` to get the next page; not there on the last page.
            next: Option<String>,
        }
    )*};
}

pages! {
    DevicePage of Device;
    CasePage of Case;
    FindingPage of Finding;
    ObservationPage of Observation;
    FlowPage of Anything;
}

/// Any JSON object.
#[derive(ToSchema)]
#[schema(value_type = Object)]
pub(crate) struct Anything(BTreeMap<String, String>);

/// How much there is, and how it goes.
#[derive(ToSchema)]
pub(crate) struct Stats {
    store: Counts,
    stream: StreamStats,
    /// Sessions now.
    sessions: usize,
    /// What the pipeline says of itself.
    pipeline: Option<Anything>,
}

/// The store.
#[derive(ToSchema)]
pub(crate) struct Counts {
    observations: u64,
    flows: u64,
    findings: u64,
    cases: u64,
    devices: u64,
    dropped: Dropped,
    /// Bytes on disk.
    bytes: u64,
    /// Most bytes it may take.
    max_bytes: u64,
}

/// Rows that were dropped to stay within the bound or past their age.
#[derive(ToSchema)]
pub(crate) struct Dropped {
    observations: u64,
    flows: u64,
    findings: u64,
}

/// The event stream.
#[derive(ToSchema)]
pub(crate) struct StreamStats {
    /// Clients now.
    clients: u64,
    /// Clients that were too slow, since the start.
    dropped_clients: u64,
    /// Events published since the start.
    events: u64,
}
