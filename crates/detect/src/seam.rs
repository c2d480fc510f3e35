//! What a detector has to offer, and what it may look at.

use std::net::IpAddr;

use assets::{Entity, Inventory, Who};
use learn::behaviour::Behaved;
use learn::{Act, Familiarity, NormalLife};
use model::device::{DeviceClass, Tier};
use model::finding::FindingKind;
use model::observation::{Observation, Party};
use model::time::Timestamp;

use crate::findings::Findings;

/// What there is to know of a detector.
#[derive(Debug)]
pub struct DetectorSpec {
    /// Lower-case name with underscores.
    pub name: &'static str,
    /// One line that says what it finds.
    pub doc: &'static str,
    /// What sort of evidence its findings stand on, where it does not say otherwise.
    pub kind: FindingKind,
    /// Kinds of observation that it looks at; it is given no others.
    pub reads: &'static [&'static str],
    /// Technique ids of ATT&CK Enterprise or ICS that its findings carry, where it says no others.
    pub attack: &'static [&'static str],
    /// What a person should do next about its findings.
    pub next_step: &'static str,
    /// Papers, advisories and standards it was written from.
    pub sources: &'static [&'static str],
}

/// How far learning has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Somebody said that this is normal life: it only teaches.
    Teaching,
    /// Nobody said so, and not enough was seen yet: rules speak, departures from normal do not.
    Settling,
    /// Normal life is known.
    Watching,
}

/// Looks for one sort of attack.
pub trait Detector: Send {
    /// What there is to know of it.
    fn spec(&self) -> &'static DetectorSpec;

    /// Takes the next observation of the kinds that it reads. It is called in every phase, since it
    /// keeps its own sense of what is normal; what it reports while teaching is not passed on.
    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings);

    /// Called about once a second of capture time, for what did not happen.
    fn tick(&mut self, _cx: &Context<'_>, _out: &mut Findings) {}

    /// What it has learned, to be kept over a restart.
    fn save(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Takes back what it saved; what does not fit is forgotten.
    fn load(&mut self, _saved: &serde_json::Value) {}
}

/// What a detector may look at beside the observation.
pub struct Context<'a> {
    /// The devices.
    pub inventory: &'a Inventory,
    /// What is normal.
    pub normal: &'a NormalLife,
    /// How far learning has come.
    pub phase: Phase,
    /// Who takes part in the observation.
    pub who: Who,
    /// The observation as an act, and how familiar it is; the act itself is not counted yet.
    pub act: Option<(Act<'a>, Familiarity)>,
    /// What devices did in the window that is just over; empty but in the tick that follows it.
    pub behaved: &'a [Behaved],
    /// Time of the observation, or of the tick.
    pub now: Timestamp,
}

impl Context<'_> {
    /// Whether what is seen now becomes normal.
    pub fn learning(&self) -> bool {
        self.phase != Phase::Watching
    }

    /// Class of one who takes part; unknown for all but devices.
    pub fn class(&self, entity: Entity) -> DeviceClass {
        match entity {
            Entity::Device(ix) => self.inventory.class(ix),
            _ => DeviceClass::Unknown,
        }
    }

    /// How care depends on one who takes part, where that is known; nothing for the outside, and
    /// nothing for a device that nobody has classed.
    pub fn known_tier(&self, entity: Entity) -> Option<Tier> {
        match self.class(entity) {
            DeviceClass::Unknown => None,
            class => Some(class.tier()),
        }
    }

    /// Whether care is known to depend on it.
    pub fn is_clinical(&self, entity: Entity) -> bool {
        self.known_tier(entity).is_some_and(Tier::is_clinical)
    }

    /// Whether it is a device that does one job at a patient or in a department: no server, and
    /// nothing at which people sit and browse.
    pub fn is_appliance(&self, entity: Entity) -> bool {
        let class = self.class(entity);
        class != DeviceClass::Unknown
            && class != DeviceClass::ImagingWorkstation
            && class.tier() != Tier::T4
            && class.tier() != Tier::T0i
            && !is_server(class)
    }

    /// Whether it is on the outside.
    pub fn is_external(&self, entity: Entity) -> bool {
        matches!(entity, Entity::External(_))
    }

    /// Whether a device was there while learning.
    pub fn is_stranger(&self, entity: Entity) -> bool {
        !self.normal.knows(entity) && !self.normal.is_target(entity)
    }

    /// What to call it in a sentence.
    pub fn name(&self, entity: Entity, party: &Party) -> String {
        match entity {
            Entity::Device(ix) => {
                let label = self.inventory.label(ix);
                if self.is_stranger(entity) && self.phase == Phase::Watching {
                    match label.strip_suffix(')') {
                        Some(open) => format!("{open}, new here)"),
                        None => format!("{label} (new here)"),
                    }
                } else {
                    label
                }
            }
            Entity::External(ip) => format!("{ip} on the internet"),
            Entity::Group => "everybody".to_owned(),
            Entity::Nobody => match (party.ip, party.mac, &party.name) {
                (Some(ip), ..) => ip.to_string(),
                (_, Some(mac), _) => mac.to_string(),
                (_, _, Some(name)) => name.to_string(),
                _ => "somebody".to_owned(),
            },
        }
    }

    /// The subject's name in a sentence.
    pub fn subject(&self, o: &Observation) -> String {
        self.name(self.who.subject, &o.subject)
    }

    /// The peer's name in a sentence.
    pub fn peer(&self, o: &Observation) -> String {
        match &o.peer {
            Some(peer) => self.name(self.who.peer, peer),
            None => "nobody".to_owned(),
        }
    }

    /// How familiar the observation's act is; unfamiliar in every way where it is no act.
    pub fn familiarity(&self) -> Familiarity {
        self.act.as_ref().map(|(_, familiarity)| *familiarity).unwrap_or_default()
    }
}

/// Classes that serve many others.
pub fn is_server(class: DeviceClass) -> bool {
    use DeviceClass::{
        AlarmServer, CentralStation, Ehr, InterfaceEngine, Lis, NurseCall, Pacs, PumpGateway,
        PumpServer, Telemetry, WorklistServer,
    };
    matches!(
        class,
        AlarmServer
            | CentralStation
            | Ehr
            | InterfaceEngine
            | Lis
            | NurseCall
            | Pacs
            | PumpGateway
            | PumpServer
            | Telemetry
            | WorklistServer
    )
}

/// The port of the called side, where there is one.
pub fn responder_port(o: &Observation) -> Option<u16> {
    o.flow.as_ref().map(|flow| flow.tuple.responder.port)
}

/// The address of a party that has one.
pub fn address(party: Option<&Party>) -> Option<IpAddr> {
    party.and_then(|party| party.ip)
}

/// The parts of [`Detector`] that are alike for all who keep what they learned: `spec`, `save`, `load`.
macro_rules! remembers {
    ($spec:expr) => {
        fn spec(&self) -> &'static DetectorSpec {
            &$spec
        }

        fn save(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap_or_default()
        }

        fn load(&mut self, saved: &serde_json::Value) {
            if let Ok(saved) = serde::Deserialize::deserialize(saved) {
                *self = saved;
            }
        }
    };
}
pub(crate) use remembers;
