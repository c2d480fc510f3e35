//! Whom a response is about.

use std::net::IpAddr;

use model::device::{DeviceClass, DeviceId, InUse, Tier};
use model::net::Mac;
use serde::{Deserialize, Serialize};

/// A device, as known when the response was planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name in the inventory.
    pub id: DeviceId,
    /// Its best name, for people.
    pub name: String,
    /// The addresses it uses now.
    pub addresses: Vec<IpAddr>,
    /// Its Ethernet address, where it is known to be its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// What it is.
    pub class: DeviceClass,
    /// How care depends on it. May be stricter than the class says, and is never milder: see
    /// [`Subject::tier`].
    pub tier: Tier,
    /// Ward or network segment, for breakers that count by ward. Empty where unknown.
    pub ward: String,
    /// Whether it serves a patient just now.
    pub in_use: InUse,
    /// Why we think so, in plain words.
    pub in_use_because: String,
    /// Whether it is in a clinical network, or nobody can tell.
    pub clinical_network: bool,
}

impl Subject {
    /// The tier that counts: what nobody knows, in a clinical network, counts as life-sustaining,
    /// whatever else was said.
    pub fn tier(&self) -> Tier {
        if self.class == DeviceClass::Unknown {
            return if self.clinical_network { Tier::T0 } else { self.tier };
        }
        self.tier.min(self.class.tier())
    }

    /// What people call it: its name, or its number in the inventory.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { &self.id.0 } else { &self.name }
    }

    /// Whether an address is one of its own.
    pub fn has(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address)
    }
}
