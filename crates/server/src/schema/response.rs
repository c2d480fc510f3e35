//! The shapes of responses.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::{Anything, Severity, Time};

/// A length of time.
#[derive(ToSchema)]
pub(crate) struct Span {
    /// Whole seconds.
    secs: u64,
    /// Nanoseconds beside them.
    nanos: u32,
}

/// A point in time by two clocks.
#[derive(ToSchema)]
pub(crate) struct Moment {
    /// Wall clock.
    #[schema(format = DateTime)]
    wall: Time,
    /// Nanoseconds since the machine started.
    up: u64,
    /// Which start.
    boot: u64,
}

/// Somebody who decides.
#[derive(ToSchema)]
pub(crate) struct Person {
    /// Account.
    name: String,
    /// soc, clinical, commander or admin.
    role: String,
}

/// Conversations of a device.
#[derive(ToSchema)]
pub(crate) struct Pattern {
    /// Who opens them: out (the device) or in.
    way: String,
    /// Addresses of the other side, such as 10.0.0.5/32.
    peer: String,
    /// tcp, udp or icmp; any where absent.
    proto: Option<String>,
    /// Port of whoever is called; any where absent.
    port: Option<u16>,
}

/// What is restricted.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Restriction {
    /// L2: these conversations of the device.
    Block { flows: Vec<Pattern> },
    /// L2 at the perimeter, for everybody.
    Perimeter { indicator: Indicator },
    /// L3: everything of the device but these conversations.
    Essentials { allow: Vec<Pattern> },
    /// L4: everything of the device but management.
    Quarantine { management: Vec<String> },
}

/// Something outside.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Indicator {
    /// Addresses.
    Address(String),
    /// A domain and everything below it.
    Domain(String),
}

/// What one finding says, as far as a decision needs it.
#[derive(ToSchema)]
pub(crate) struct EvidenceClaim {
    /// Id of the finding; empty where a person claims it.
    finding: String,
    detector: String,
    /// rule, anomaly, model or intel.
    kind: String,
    /// network or logs.
    source: String,
    title: String,
}

/// Why something should be done.
#[derive(ToSchema)]
pub(crate) struct Evidence {
    /// Id of the case; may be empty.
    case: String,
    severity: Severity,
    claims: Vec<EvidenceClaim>,
    /// Why the device that is blamed may not be the one that acts.
    doubt: Option<String>,
}

/// How far an action has come.
#[derive(ToSchema)]
pub(crate) struct ActionStatus {
    /// waiting, approved, rehearsed, pushing, in_force, leaving or ended.
    is: String,
    /// How it ends, where it does: expired, halted, lapsed, or an object with released,
    /// rolled_back, denied or failed.
    #[schema(value_type = Option<Object>)]
    ending: Option<String>,
}

/// An action, in a line. Also the data of the event `action`.
#[derive(ToSchema)]
pub(crate) struct ActionLine {
    id: String,
    /// Id of the device.
    device: String,
    name: String,
    class: String,
    tier: String,
    level: String,
    restriction: Restriction,
    /// Id of the case.
    case: Option<String>,
    status: ActionStatus,
    /// What is known of it: none, desired, pushed, acknowledged or observed in traffic.
    standing: String,
    /// Seconds until it is gone by itself, where it may be in force.
    left_seconds: Option<u64>,
    /// Signatures that are missing: soc, clinical, commander, anybody.
    missing: Vec<String>,
    /// Whether somebody clinical has to say that the patient is safe.
    attest: bool,
    /// Hash of its plans: what an approval names.
    hash: String,
    proposed: Moment,
    /// Who proposed it; policy where absent.
    by: Option<Person>,
    /// Why policy did not decide by itself.
    because: Vec<String>,
    /// Why it cannot be taken back, where that is so.
    stuck: Option<String>,
}

/// Part of the actions.
#[derive(ToSchema)]
pub(crate) struct ActionPage {
    items: Vec<ActionLine>,
    /// How many there are in all, with this filter.
    total: usize,
    /// Give this as `cursor` to get the next page; not there on the last page.
    next: Option<String>,
}

/// A device, as known when the response was planned.
#[derive(ToSchema)]
pub(crate) struct Subject {
    id: String,
    name: String,
    addresses: Vec<String>,
    mac: Option<String>,
    class: String,
    tier: String,
    ward: String,
    in_use: String,
    in_use_because: String,
    clinical_network: bool,
}

/// What somebody wants done.
#[derive(ToSchema)]
pub(crate) struct Intent {
    /// Name of the action.
    id: String,
    subject: Subject,
    restriction: Restriction,
    ttl: Span,
}

/// The exact change of one enforcer.
#[derive(ToSchema)]
pub(crate) struct Plan {
    intent: Intent,
    enforcer: String,
    /// In the enforcer's own language, line by line.
    change: Vec<String>,
    undo: Vec<String>,
    /// What makes it go away by itself.
    dead_man: String,
}

/// A conversation: who called whom for what.
#[derive(ToSchema)]
pub(crate) struct Conversation {
    client: String,
    server: String,
    proto: String,
    port: u16,
}

/// A conversation that would have been cut.
#[derive(ToSchema)]
pub(crate) struct CutOff {
    conversation: Conversation,
    /// Id of the other side's device.
    peer: Option<String>,
    peer_name: String,
    peer_tier: String,
    service: String,
    #[schema(format = DateTime)]
    last: Time,
    times: u64,
    /// Why care needs it, where it does.
    essential: Option<String>,
    suspect: Option<bool>,
}

/// What a restriction would have cut.
#[derive(ToSchema)]
pub(crate) struct Preflight {
    /// cuts_nothing, cuts_other, cuts_essential or no_data.
    outcome: String,
    because: String,
    /// From when to when flows were recorded.
    recorded: Option<Vec<String>>,
    essential: Vec<CutOff>,
    declared: Vec<String>,
    other: Vec<CutOff>,
    more: u64,
    in_use: String,
    in_use_because: String,
}

/// What a restriction means at the bedside.
#[derive(ToSchema)]
pub(crate) struct Card {
    headline: String,
    in_use: String,
    stops: Vec<String>,
    goes_on: Vec<String>,
    #[schema(format = DateTime)]
    until: Time,
    until_words: String,
    by_hand: String,
    /// How to end it at once; empty for viewers.
    release: String,
    call: Vec<String>,
    report: String,
    caution: Vec<String>,
}

/// Something that could be done, with all that a decision needs.
#[derive(ToSchema)]
pub(crate) struct Proposal {
    intent: Intent,
    plans: Vec<Plan>,
    evidence: Evidence,
    preflight: Preflight,
    card: Card,
    /// Regular conversations of care that are watched.
    beats: Vec<Anything>,
    of_class: u64,
    by: Option<Person>,
    /// Whether traffic is looked at to see that it works and that care goes on.
    watched: bool,
    versions: Vec<String>,
}

/// One action, whole.
#[derive(ToSchema)]
pub(crate) struct WholeAction {
    proposal: Proposal,
    /// Hash of its plans: what an approval names.
    hash: String,
    needs: Vec<String>,
    because: Vec<String>,
    attest: bool,
    status: ActionStatus,
    proposed: Moment,
    /// Who signed, and when: pairs of a person and a moment.
    #[schema(value_type = Vec<Vec<Object>>)]
    signatures: Vec<Vec<String>>,
    patient_safe: bool,
    decided: Option<Moment>,
    pushed: Option<Moment>,
    /// What enforcers answered.
    receipts: Vec<Anything>,
    failed: Vec<String>,
    /// What traffic showed, and when.
    #[schema(value_type = Option<Vec<Object>>)]
    observed: Option<Vec<String>>,
    stuck: Option<String>,
    ended: Option<Moment>,
    standing: String,
    left_seconds: Option<u64>,
    missing: Vec<String>,
}

/// What was decided.
#[derive(ToSchema)]
pub(crate) struct Decided {
    /// Number of the ledger's line.
    seq: Option<u64>,
    /// Each with its name in `event`.
    events: Vec<Anything>,
}

/// A tier that may be acted on.
#[derive(ToSchema)]
pub(crate) struct Armed {
    tier: String,
    level: String,
    hours: u64,
    since: Moment,
    /// By the wall clock, where nobody sets it meanwhile.
    #[schema(format = DateTime)]
    until: Time,
    left_seconds: u64,
}

/// A device that serves nobody, as somebody says who looked.
#[derive(ToSchema)]
pub(crate) struct IdleNow {
    device: String,
    by: Person,
    since: Moment,
    minutes: u64,
    why: String,
    left_seconds: u64,
}

/// Something that one person signed and a second has to.
#[derive(ToSchema)]
pub(crate) struct HalfSigned {
    ask: Anything,
    at: Moment,
}

/// How the site stands. Also the data of the event `response`.
#[derive(ToSchema)]
pub(crate) struct ResponseStatus {
    now: Moment,
    /// Why everything is halted, where it is.
    halted: Option<String>,
    /// Too many roll-backs within an hour.
    observes_only: bool,
    armed: Vec<Armed>,
    /// Devices that serve nobody, as people say who looked.
    idle: Vec<IdleNow>,
    half_signed: Vec<HalfSigned>,
    /// Actions by status.
    counts: BTreeMap<String, u64>,
}

/// The policy in force.
#[derive(ToSchema)]
pub(crate) struct PolicyInForce {
    /// As TOML, with every key.
    toml: String,
    policy: Anything,
}

/// The bedside code of a device.
#[derive(ToSchema)]
pub(crate) struct DeviceCode {
    /// Id of the device.
    device: String,
    name: String,
    code: String,
}

/// Bedside codes.
#[derive(ToSchema)]
pub(crate) struct DeviceCodes {
    /// By device.
    items: Vec<DeviceCode>,
}

/// Part of the ledger.
#[derive(ToSchema)]
pub(crate) struct LedgerPage {
    /// Number of the first line, from 0: later than asked where older segments were moved away.
    from: u64,
    /// The lines, each a digest, a space and a JSON object.
    items: Vec<String>,
    /// Number of the line after these; absent at the end.
    next: Option<u64>,
}

/// A signature over everything before it.
#[derive(ToSchema)]
pub(crate) struct Checkpoint {
    seq: u64,
    digest: String,
    /// ed25519, in hexadecimal.
    signature: String,
}

/// Where the ledger stands.
#[derive(ToSchema)]
pub(crate) struct LedgerHead {
    checkpoint: Checkpoint,
    /// The public key, in hexadecimal.
    key: String,
}

/// Something that policy proposed by itself, and why not.
#[derive(ToSchema)]
pub(crate) struct RefusedProposal {
    /// Number of the ledger's line.
    seq: u64,
    at: Moment,
    /// Id of the case; empty for `others`.
    case: String,
    /// Id of the device.
    device: String,
    level: String,
    what: String,
    /// For programs: as `refused` of problems, or `others` for what had no place for itself.
    reason: String,
    why: String,
    /// How often since it was last written down.
    times: u64,
}

/// What policy was refused lately.
#[derive(ToSchema)]
pub(crate) struct RefusedPage {
    /// The latest first.
    items: Vec<RefusedProposal>,
    /// How many are remembered; the ledger has all.
    total: usize,
    /// Give this as `cursor` to get the next page; not there on the last page.
    next: Option<String>,
}
