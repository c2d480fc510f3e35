//! Where detectors put what they claim.

use assets::{DeviceIx, Entity, Inventory};
use learn::Bounded;
use model::device::{DeviceClass, DeviceId, Tier};
use model::finding::{
    DeviceRef, EvidenceId, Finding, FindingId, FindingKind, PeerRef, Reason, Severity,
};
use model::observation::{Observation, ObservationId, Party};
use model::time::Timestamp;

use crate::seam::{Context, DetectorSpec};

/// The same claim about the same device is made again when it grows worse, or once there was no
/// cause for it for so long: a second scan is news, the next packet of the first is not.
const PAUSE_SECONDS: f64 = 60.0;
/// Each time it was made again the pause has to be twice as long, up to so many doublings (about
/// two hours): what comes back for ever is told of ever more rarely.
const DOUBLINGS: u64 = 7;

/// What the id of a sensor begins with, where a finding is about the sensor itself. Devices have
/// other letters.
pub(crate) const SENSOR: &str = "S-";

/// Most observations named as evidence of one finding.
const MAX_EVIDENCE: usize = 16;

/// Findings of one observation, and which claims were made lately.
#[derive(Debug)]
pub struct Findings {
    fresh: Vec<(Finding, Entity)>,
    made: Bounded<(&'static str, Entity, String), Made>,
    muted: bool,
    rules_only: bool,
    spec: Option<&'static DetectorSpec>,
    serial: u64,
    repeated: u64,
}

/// When there was last cause for a claim, how bad it was, and how often it was made.
#[derive(Debug)]
struct Made {
    cause: Timestamp,
    severity: Severity,
    times: u64,
}

impl Made {
    /// Whether it says already what would be claimed now.
    fn covers(&self, now: Timestamp, severity: Severity) -> bool {
        let pause = PAUSE_SECONDS * (1_u64 << (self.times - 1).min(DOUBLINGS)) as f64;
        severity <= self.severity && now.seconds_since(self.cause) < pause
    }
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            fresh: Vec::new(),
            made: Bounded::new(50_000),
            muted: false,
            rules_only: false,
            spec: None,
            serial: 0,
            repeated: 0,
        }
    }
}

impl Findings {
    /// Begins a claim about the subject of an observation; it is made when the draft is dropped
    /// into [`Claim::make`].
    pub fn claim<'f, 'c>(
        &'f mut self,
        cx: &'c Context<'c>,
        o: &'c Observation,
        severity: Severity,
        title: String,
    ) -> Claim<'f, 'c> {
        let spec = self.spec;
        let attack = spec.map_or(&[][..], |spec| spec.attack);
        let finding = Finding {
            at: cx.now,
            detector: spec.map_or("unnamed", |spec| spec.name).to_owned(),
            kind: spec.map_or(FindingKind::Rule, |spec| spec.kind),
            severity,
            title,
            device: device_ref(cx.inventory, cx.who.subject, &o.subject),
            peers: o.peer.iter().map(|peer| peer_ref(cx.inventory, cx.who.peer, peer)).collect(),
            attack: attack.iter().map(|id| (*id).to_owned()).collect(),
            score: 0.9,
            evidence: vec![o.id.into()],
            community_id: o.flow.iter().map(|flow| flow.tuple.community_id().to_string()).collect(),
            ..Finding::default()
        };
        let key = String::new();
        Claim { findings: self, cx, finding, about: cx.who.subject, key, again: false }
    }

    /// Begins a claim about what a device did in a window of time, with whom, as some observations
    /// show it.
    pub fn claim_about<'f, 'c>(
        &'f mut self,
        cx: &'c Context<'c>,
        device: DeviceIx,
        with: Option<&Party>,
        shown: &[ObservationId],
        severity: Severity,
        title: String,
    ) -> Claim<'f, 'c> {
        let spec = self.spec;
        let peer = with.map(|party| peer_ref(cx.inventory, cx.inventory.entity(party), party));
        let finding = Finding {
            at: cx.now,
            detector: spec.map_or("unnamed", |spec| spec.name).to_owned(),
            kind: spec.map_or(FindingKind::Rule, |spec| spec.kind),
            severity,
            title,
            device: cx.inventory.reference(device, cx.inventory.ip(device)),
            peers: peer.into_iter().collect(),
            score: 0.5,
            evidence: shown.iter().map(|id| (*id).into()).collect(),
            ..Finding::default()
        };
        let about = Entity::Device(device);
        Claim { findings: self, cx, finding, about, key: String::new(), again: false }
    }

    /// Whether a claim about the subject would not be made, since it was made lately and is no
    /// worse, or nothing may be said now. Worth asking before a claim that comes with every packet of
    /// a flood is put into words.
    pub fn repeats(&mut self, cx: &Context<'_>, severity: Severity, key: &str) -> bool {
        if self.muted {
            return true;
        }
        let name = self.spec.map_or("unnamed", |spec| spec.name);
        let Some(made) = self.made.get_mut(&(name, cx.who.subject, key.to_owned())) else {
            return false;
        };
        let repeats = made.covers(cx.now, severity);
        if repeats {
            made.cause = made.cause.max(cx.now);
            self.repeated += 1;
        }
        repeats
    }

    /// What was claimed since the last time, with whom it is about.
    pub fn take(&mut self) -> Vec<(Finding, Entity)> {
        std::mem::take(&mut self.fresh)
    }

    /// How many claims were not made again because they had just been made.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    pub(crate) fn set_serial(&mut self, serial: u64) {
        self.serial = serial;
    }

    pub(crate) fn speaking(&mut self, spec: &'static DetectorSpec, muted: bool, rules_only: bool) {
        self.spec = Some(spec);
        self.muted = muted;
        self.rules_only = rules_only;
    }

    /// Whether the claim is new, or worse than when it was last made.
    fn is_news(&mut self, finding: &Finding, about: Entity, key: &str) -> bool {
        let name = self.spec.map_or("unnamed", |spec| spec.name);
        let mut first = false;
        let made = self.made.entry((name, about, key.to_owned()), || {
            first = true;
            Made { cause: finding.at, severity: finding.severity, times: 1 }
        });
        if first {
            return true;
        }
        let covered = made.covers(finding.at, finding.severity);
        made.cause = made.cause.max(finding.at);
        if covered {
            self.repeated += 1;
            return false;
        }
        made.severity = made.severity.max(finding.severity);
        made.times += 1;
        true
    }
}

/// A claim that is being worded. Nothing happens until [`Claim::make`].
#[must_use = "a claim counts once it is made"]
pub struct Claim<'f, 'c> {
    findings: &'f mut Findings,
    cx: &'c Context<'c>,
    finding: Finding,
    about: Entity,
    key: String,
    again: bool,
}

impl Claim<'_, '_> {
    /// It is about the observation's peer, and the subject takes part.
    pub fn about_peer(mut self, o: &Observation) -> Self {
        if let Some(peer) = &o.peer {
            self.about = self.cx.who.peer;
            self.finding.device = device_ref(self.cx.inventory, self.cx.who.peer, peer);
            self.finding.peers = vec![peer_ref(self.cx.inventory, self.cx.who.subject, &o.subject)];
        }
        self
    }

    /// It is about another device.
    pub fn about(mut self, entity: Entity, party: &Party) -> Self {
        self.about = entity;
        self.finding.device = device_ref(self.cx.inventory, entity, party);
        self
    }

    /// It is about the sensor's own sight on an interface, and about no device.
    pub fn about_sensor(mut self, interface: &str) -> Self {
        self.about = Entity::Nobody;
        self.finding.device = DeviceRef {
            id: DeviceId(format!("{SENSOR}{interface}")),
            name: Some(interface.to_owned()),
            tier: Tier::T4,
            ..DeviceRef::default()
        };
        self.alone()
    }

    /// It says anew what an earlier finding said of something that still goes on, and takes its
    /// place in the store and in its case.
    pub fn again(mut self, earlier: FindingId) -> Self {
        self.finding.id = earlier;
        self.again = true;
        self
    }

    /// Somebody else takes part.
    pub fn with(mut self, entity: Entity, party: &Party) -> Self {
        let peer = peer_ref(self.cx.inventory, entity, party);
        if self.finding.peers.len() < 16 && !self.finding.peers.contains(&peer) {
            self.finding.peers.push(peer);
        }
        self
    }

    /// Nobody takes part but the device itself.
    pub fn alone(mut self) -> Self {
        self.finding.peers.clear();
        self
    }

    /// Why. At least one is needed.
    pub fn because(mut self, reason: Reason) -> Self {
        self.finding.because.push(reason);
        self
    }

    /// Claims with the same key about the same device are one.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// How sure, 0 to 1.
    pub fn score(mut self, score: f64) -> Self {
        self.finding.score = score.clamp(0.0, 1.0);
        self
    }

    /// A p-value, and with it the claim is of a departure from normal.
    pub fn p_value(mut self, p: f64) -> Self {
        self.finding.p_value = Some(p.clamp(0.0, 1.0));
        self.finding.kind = FindingKind::Anomaly;
        self
    }

    /// Stands on another sort of evidence than the detector's other findings.
    pub fn kind(mut self, kind: FindingKind) -> Self {
        self.finding.kind = kind;
        self
    }

    /// Other techniques than those of the detector.
    pub fn attack(mut self, ids: &[&str]) -> Self {
        self.finding.attack = ids.iter().map(|id| (*id).to_owned()).collect();
        self
    }

    /// The account that takes part.
    pub fn user(mut self, user: Option<&str>) -> Self {
        self.finding.user = user.map(str::to_owned);
        self
    }

    /// More evidence.
    pub fn evidence(mut self, more: impl IntoIterator<Item = EvidenceId>) -> Self {
        for id in more {
            if self.finding.evidence.len() < MAX_EVIDENCE && !self.finding.evidence.contains(&id) {
                self.finding.evidence.push(id);
            }
        }
        self
    }

    /// Makes it, unless it was made lately or this is no time for it. Says whether it was.
    pub fn make(self) -> bool {
        self.make_named().is_some()
    }

    /// The same, and gives its name.
    pub fn make_named(mut self) -> Option<FindingId> {
        debug_assert!(!self.finding.because.is_empty(), "{} gives no reason", self.finding.title);
        let anomaly = self.finding.kind == FindingKind::Anomaly;
        if self.findings.muted || (anomaly && self.findings.rules_only) {
            return None;
        }
        if anomaly && self.finding.p_value.is_none() {
            self.finding.p_value = Some((1.0 - self.finding.score).clamp(0.0, 1.0));
        }
        if !self.again {
            if !self.findings.is_news(&self.finding, self.about, &self.key) {
                return None;
            }
            self.findings.serial += 1;
            self.finding.id = FindingId(format!("F-{:06}", self.findings.serial));
        }
        let id = self.finding.id.clone();
        self.findings.fresh.push((self.finding, self.about));
        Some(id)
    }
}

/// How a finding names one who takes part.
pub fn device_ref(inventory: &Inventory, entity: Entity, party: &Party) -> DeviceRef {
    match entity {
        Entity::Device(ix) => inventory.reference(ix, party.ip),
        _ => DeviceRef {
            id: DeviceId(match (party.ip, party.mac) {
                (Some(ip), _) => format!("X-{ip}"),
                (None, Some(mac)) => format!("X-{mac}"),
                (None, None) => "X-unknown".to_owned(),
            }),
            ip: party.ip,
            mac: party.mac.filter(|_| matches!(entity, Entity::Nobody)),
            name: party.name.as_deref().map(str::to_owned),
            class: DeviceClass::Unknown,
            tier: if matches!(entity, Entity::External(_)) { Tier::T4 } else { Tier::T0 },
        },
    }
}

/// How a finding names another party.
pub fn peer_ref(inventory: &Inventory, entity: Entity, party: &Party) -> PeerRef {
    let known = device_ref(inventory, entity, party);
    PeerRef { ip: known.ip, mac: known.mac, name: known.name, port: party.port }
}
