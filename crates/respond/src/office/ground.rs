//! What is known of the network: devices, recorded conversations, names.

use std::net::IpAddr;

use model::Device;
use model::device::{DeviceClass, DeviceId, InUse, Tier};

use crate::devices::Devices;
use crate::history::{History, Names};
use crate::range::Range;
use crate::subject::Subject;

/// What is known of the network.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// The devices.
    pub devices: Devices,
    /// What they said to each other in the last 14 days.
    pub history: History,
    /// Which addresses names had.
    pub names: Names,
}

impl Ground {
    /// How many devices there are of a class.
    pub fn of_class(&self, class: DeviceClass) -> u64 {
        self.devices.all().filter(|device| device.class == class).count() as u64
    }

    /// A device by its id, or by an address that it has.
    pub fn named(&self, asked: &str) -> Option<&Subject> {
        match asked.parse() {
            Ok(address) => self.devices.at(address).device(),
            Err(_) => self.devices.get(&DeviceId(asked.to_owned())),
        }
    }

    /// Addresses of a device.
    pub fn addresses(&self, id: &DeviceId) -> Vec<IpAddr> {
        self.devices.get(id).map(|device| device.addresses.clone()).unwrap_or_default()
    }
}

/// A device of the inventory, as response reckons with it. `clinical` are the clinical networks;
/// where none is named, every network counts as clinical.
pub fn subject(device: &Device, clinical: &[Range]) -> Subject {
    let in_clinical = |address: &IpAddr| clinical.iter().any(|range| range.contains(*address));
    let clinical_network =
        clinical.is_empty() || device.ip.is_empty() || device.ip.iter().any(in_clinical);
    // What nobody knows and is in no clinical network is somebody's computer.
    let stranger = device.class == DeviceClass::Unknown && !clinical_network;
    Subject {
        id: device.id.clone(),
        name: device.name.first().cloned().unwrap_or_default(),
        addresses: device.ip.clone(),
        mac: device.mac,
        class: device.class,
        tier: if stranger { Tier::T4 } else { device.tier },
        ward: device.ip.last().map(|address| ward(*address)).unwrap_or_default(),
        in_use: device.in_use,
        in_use_because: match device.in_use {
            InUse::InUse => "it sent values or images of a patient just now".to_owned(),
            InUse::Idle => "it is known to be idle".to_owned(),
            InUse::Unknown => {
                "nothing that it sends tells whether a patient depends on it".to_owned()
            }
        },
        clinical_network,
    }
}

/// Where nobody says which ward an address belongs to, its segment stands for it.
fn ward(address: IpAddr) -> String {
    let bits = if address.is_ipv4() { 24 } else { 64 };
    Range::new(address, bits).to_string()
}
