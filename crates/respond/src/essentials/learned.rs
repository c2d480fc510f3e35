//! Needs that nobody declared: learned from recorded conversations.
//!
//! **The rule.** A conversation is essential by learning where it was seen in enough ten-minute
//! slots and on enough days ([`Learning`]), none of it suspect, the called side usually answered
//! (or nobody answers by nature), and one of these holds:
//!
//! * it carries care (DICOM, HL7, FHIR, ASTM, POCT1-A, MQTT, SDC, control of buildings) and a
//!   clinical device is on either side;
//! * it carries the network that care stands on (DNS, DHCP, NTP, RADIUS, Kerberos, LDAP, syslog)
//!   and its client is a clinical device;
//! * it is between a clinical device and a gateway, server or central station of its kind, whatever
//!   is spoken;
//! * it is as regular as a heartbeat and stays inside: what calls home to the outside at even
//!   intervals is as often an implant as a vendor, so that has to be declared.
//!
//! Whoever poisons learning has to keep at it for days, from inside, unnoticed; and what came of it
//! can be taken back (`not_needed`). What care needs rarely is not learned: it has to be declared.

use std::time::Duration;

use model::device::DeviceClass;
use serde::{Deserialize, Serialize};

use super::services::{Kind, service};
use crate::devices::Side;
use crate::history::{Normal, Record};
use crate::restriction::Conversation;

/// How often something must have been seen to be essential by learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Learning {
    /// Ten-minute slots.
    pub slots: u32,
    /// Days.
    pub days: u32,
    /// Ten-minute slots of a conversation that counts only for its regularity.
    pub heartbeat_slots: u32,
}

impl Default for Learning {
    fn default() -> Self {
        Self { slots: 6, days: 2, heartbeat_slots: 36 }
    }
}

/// A conversation that was learned to be essential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Learned {
    pub(super) reason: String,
    pub(super) interval: Option<Duration>,
    /// Whether it is a need of the client, of the server.
    pub(super) of: [bool; 2],
}

/// What a recorded conversation tells, where it is essential.
pub(super) fn learned(
    rule: &Learning,
    conversation: &Conversation,
    record: &Record,
    normal: Option<Normal>,
    sides: [Side<'_>; 2],
) -> Option<Learned> {
    let normal = normal?;
    let service = service(&record.service, conversation);
    let one_way = service.one_way || matches!(sides[1], Side::Group);
    if normal.slots < rule.slots || normal.days < rule.days || !(normal.answered || one_way) {
        return None;
    }
    let clinical = sides.map(|side| side.tier().is_clinical());
    let seen = format!("seen in {} ten-minute slots on {} days", normal.slots, normal.days);
    let told = |reason: String, of: [bool; 2]| {
        Some(Learned { reason: format!("{reason}, {seen}"), interval: normal.interval, of })
    };
    match service.kind {
        Kind::Clinical if clinical != [false; 2] => {
            return told(format!("carries {}", service.carries), clinical);
        }
        Kind::Infrastructure if clinical[0] => {
            return told(format!("carries {}", service.carries), [true, false]);
        }
        // Nobody's care depends on serving those who give none.
        Kind::Infrastructure => return None,
        _ => {}
    }
    let gateway = |side: Side<'_>| is_gateway(side.class());
    if (clinical[0] && gateway(sides[1])) || (clinical[1] && gateway(sides[0])) {
        let name = if gateway(sides[1]) { sides[1].class() } else { sides[0].class() };
        return told(format!("is with a {}", name.title()), clinical);
    }
    let inside = sides.iter().all(|side| !matches!(side, Side::Outside));
    if normal.regular && inside && normal.slots >= rule.heartbeat_slots {
        if clinical == [false; 2] {
            return None;
        }
        let every = normal.interval.unwrap_or_default().as_secs();
        return told(format!("is as regular as a heartbeat, every {every} s"), clinical);
    }
    None
}

/// Through whom devices of a ward do their work, whatever they speak.
const fn is_gateway(class: DeviceClass) -> bool {
    use DeviceClass as C;
    matches!(
        class,
        C::PumpGateway
            | C::PumpServer
            | C::CentralStation
            | C::Telemetry
            | C::AlarmServer
            | C::NurseCall
            | C::MqttBroker
            | C::MedicationCabinet
            | C::InterfaceEngine
            | C::Lis
            | C::Pacs
            | C::WorklistServer
    )
}
