//! What hospital to make, and what befalls it.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalogue;
use crate::rng::Rng;
use crate::role::Role;
use crate::scenario::Kind;

/// How the network is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One network for all, numbered by habit.
    #[default]
    Flat,
    /// A network for each kind of device, with a router between them.
    Routed,
    /// As `Routed`, and the sensor sees 802.1Q tags.
    Tagged,
}

/// Who does it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A host that was never seen before.
    Stranger,
    /// A device that belongs to the hospital. The harder case.
    #[default]
    Known,
}

/// How fast it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speed {
    /// Careful not to stand out.
    Slow,
    /// As common tools do it.
    #[default]
    Usual,
    /// As fast as it goes.
    Fast,
}

/// Something that befalls the hospital.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Name of the scenario in the [`catalogue`](crate::catalogue).
    pub scenario: String,
    /// Who does it, where the scenario leaves a choice.
    #[serde(default)]
    pub who: Who,
    /// How fast.
    #[serde(default)]
    pub speed: Speed,
}

/// What hospital to make, and what befalls it. The same plan gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Seed of all chance.
    pub seed: u64,
    /// When it begins.
    pub start: Timestamp,
    /// Minutes of normal life before the first event.
    pub baseline_minutes: f64,
    /// Minutes after that, at least; it goes on until the last event is over.
    pub attack_minutes: f64,
    /// Seconds from the end of one event to the start of the next. Above 60, the times in which
    /// findings count for an event do not overlap.
    pub gap_seconds: f64,
    /// How the network is divided.
    pub layout: Layout,
    /// How many hosts of each role. Roles that are absent do not exist; a hospital without a name
    /// server, say, lets another server do that.
    pub devices: BTreeMap<Role, u16>,
    /// Probability that a service which could speak TLS does, from 0 to 1.
    pub encrypted_share: f64,
    /// How much goes on: 1 is usual, 2 twice as much.
    pub pace: f64,
    /// Share of data segments that are sent twice, from 0 to 1.
    pub retransmit: f64,
    /// Share of data segments that the sensor misses, or sees out of order, from 0 to 1.
    pub loss: f64,
    /// Mean size of an image's pixels, in KiB.
    pub image_kib: u32,
    /// Devices of one kind come from several makers.
    pub mixed_makers: bool,
    /// Also what newer hospitals have: desks that log on to a directory, images over DICOMweb,
    /// bedside devices that are read over SDC.
    pub newer: bool,
    /// How often an event that does not come about, since chance chose badly, is tried again with
    /// other choices before it is left out.
    pub retries: u32,
    /// What befalls it, in this order.
    pub events: Vec<Event>,
    /// When normal life changes for good, in minutes from the beginning: more goes on than before,
    /// devices get a new version of their software, a server takes over from another, devices of
    /// known kinds are bought. Never, where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes_after_minutes: Option<f64>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            start: Timestamp::from_parts(1_788_249_600, 0),
            baseline_minutes: 8.0,
            attack_minutes: 6.0,
            gap_seconds: 65.0,
            layout: Layout::Flat,
            devices: Role::ALL.iter().filter_map(|&r| Some((r, usual(r)?))).collect(),
            encrypted_share: 0.0,
            pace: 1.0,
            retransmit: 0.0004,
            loss: 0.0,
            image_kib: 96,
            mixed_makers: true,
            newer: false,
            retries: 0,
            events: vec![],
            changes_after_minutes: None,
        }
    }
}

/// How many hosts of a role a hospital of the usual size has; none where their number is not a
/// choice.
pub(crate) fn usual(role: Role) -> Option<u16> {
    match role {
        Role::Gateway | Role::Internet | Role::Stranger => None,
        Role::Monitor => Some(8),
        Role::Pump => Some(8),
        Role::Reading | Role::Nurse => Some(4),
        Role::Analyser | Role::Controller => Some(3),
        Role::Ct | Role::Ultrasound | Role::Xray | Role::Ventilator => Some(2),
        Role::PointOfCare | Role::Printer | Role::Camera => Some(2),
        _ => Some(1),
    }
}

impl Plan {
    /// A hospital and its fate by chance: other sizes, numbering, makers and habits, up to a dozen
    /// attacks, most of them from devices that belong there, and a few harmless look-alikes.
    pub fn sample(seed: u64) -> Self {
        let mut rng = Rng::new(seed).fork("plan");
        let mut devices = BTreeMap::new();
        for &role in Role::ALL {
            let Some(usual) = usual(role) else { continue };
            let share = if role.is_server() { 0.85 } else { 0.8 };
            let must = matches!(role, Role::Pacs | Role::Engine | Role::Reading | Role::Monitor);
            if must || rng.chance(share) {
                let most = i64::from(usual) * 2;
                let count = if role.is_server() { 1 } else { rng.between(1, most) };
                devices.insert(role, count as u16);
            }
        }
        let day = rng.between(0, 700);
        let start = 1_767_225_600 + day * 86_400 + rng.between(0, 86_399);
        Self {
            seed,
            start: Timestamp::from_parts(start, rng.between(0, 999_999) * 1_000),
            baseline_minutes: decimal(&mut rng, 8.0, 12.0),
            attack_minutes: 6.0,
            gap_seconds: decimal(&mut rng, 62.0, 80.0),
            layout: *rng.pick(&[Layout::Flat, Layout::Routed, Layout::Tagged]),
            devices,
            encrypted_share: *rng.pick(&[0.0, 0.0, 0.2, 0.5]),
            pace: decimal(&mut rng, 0.6, 1.3),
            retransmit: f64::from(rng.between(0, 10) as u8) / 10_000.0,
            loss: if rng.chance(0.2) { 0.000_2 } else { 0.0 },
            image_kib: rng.between(12, 48) as u32,
            mixed_makers: rng.chance(0.6),
            newer: false,
            retries: 0,
            events: sample_events(&mut rng, 12, 4),
            changes_after_minutes: None,
        }
    }
}

/// Evenly between two numbers, with three decimals: what a plan's JSON holds exactly.
pub(crate) fn decimal(rng: &mut Rng, low: f64, high: f64) -> f64 {
    (rng.uniform(low, high) * 1_000.0).round() / 1_000.0
}

/// Different attacks and look-alikes in random order, two attacks in three from known devices.
fn sample_events(rng: &mut Rng, attacks: usize, look_alikes: usize) -> Vec<Event> {
    let mut events = vec![];
    for (kind, count) in [(Kind::Attack, attacks), (Kind::LookAlike, look_alikes)] {
        let mut names: Vec<&str> =
            catalogue::ALL.iter().filter(|s| s.kind == kind).map(|s| s.name).collect();
        rng.shuffle(&mut names);
        for name in names.into_iter().take(count) {
            let who = if rng.chance(0.67) { Who::Known } else { Who::Stranger };
            let speed = *rng.pick(&[Speed::Slow, Speed::Usual, Speed::Fast]);
            events.push(Event { scenario: name.to_owned(), who, speed });
        }
    }
    rng.shuffle(&mut events);
    events
}

/// The usual hospital with fewer beds.
fn demo_devices() -> BTreeMap<Role, u16> {
    let mut devices = Plan::default().devices;
    devices.extend([(Role::Monitor, 6), (Role::Pump, 6), (Role::Controller, 2), (Role::Nurse, 3)]);
    devices
}

/// The plan of the demonstration: some fifty devices, eight minutes of normal life, then ten
/// attacks and four harmless look-alikes close together.
pub fn demo_plan() -> Plan {
    let event = |scenario: &str, who, speed| Event { scenario: scenario.to_owned(), who, speed };
    let (known, stranger) = (Who::Known, Who::Stranger);
    let (usual, fast) = (Speed::Usual, Speed::Fast);
    Plan {
        seed: 20_260_901,
        gap_seconds: 15.0,
        image_kib: 24,
        devices: demo_devices(),
        layout: Layout::Routed,
        pace: 0.8,
        events: vec![
            event("new_modality", known, usual),
            event("port_scan", stranger, fast),
            event("dicom_wildcard_query", known, usual),
            event("ward_move", known, usual),
            event("password_guessing_http", stranger, fast),
            event("vitals_to_internet", known, fast),
            event("mqtt_command", known, fast),
            event("firmware_rollout", known, usual),
            event("arp_spoofing", stranger, fast),
            event("hl7_injection", stranger, fast),
            event("syn_flood", known, fast),
            event("smb_worm", known, fast),
            event("interface_replay", known, usual),
            event("record_snooping", known, fast),
        ],
        ..Plan::default()
    }
}
