//! The devices that a response reckons with, by address.
//!
//! A snapshot of the inventory: who made it says what is where, nothing here learns. An address
//! inside that no device has belongs to a stranger, which counts as life-sustaining.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::device::{DeviceClass, DeviceId, Tier};
use model::net::{is_internal, is_unicast};

use crate::range::Range;
use crate::subject::Subject;

/// Devices by name and by address.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    all: BTreeMap<DeviceId, Subject>,
    at: BTreeMap<IpAddr, DeviceId>,
    inside: Vec<Range>,
}

/// Who is at an address.
#[derive(Clone, Copy, Debug)]
pub enum Side<'a> {
    /// A device of the inventory.
    Device(&'a Subject),
    /// Somebody inside whom nobody knows.
    Stranger,
    /// Somebody outside.
    Outside,
    /// Everybody, or a group.
    Group,
}

impl Devices {
    /// These devices. Where two have one address, it counts for the one on which care depends more.
    /// `inside` are the site's own public ranges, if any; private ones are inside anyway.
    pub fn new(devices: impl IntoIterator<Item = Subject>, inside: Vec<Range>) -> Self {
        let all: BTreeMap<_, _> = devices.into_iter().map(|one| (one.id.clone(), one)).collect();
        let mut at: BTreeMap<IpAddr, DeviceId> = BTreeMap::new();
        for device in all.values() {
            for address in &device.addresses {
                let holder = at.entry(*address).or_insert_with(|| device.id.clone());
                if all.get(holder).is_none_or(|other| device.tier() < other.tier()) {
                    *holder = device.id.clone();
                }
            }
        }
        Self { all, at, inside }
    }

    /// All, by name.
    pub fn all(&self) -> impl Iterator<Item = &Subject> {
        self.all.values()
    }

    /// A device by its name in the inventory.
    pub fn get(&self, id: &DeviceId) -> Option<&Subject> {
        self.all.get(id)
    }

    /// Who is at an address.
    pub fn at(&self, address: IpAddr) -> Side<'_> {
        if let Some(device) = self.at.get(&address).and_then(|id| self.all.get(id)) {
            return Side::Device(device);
        }
        if !is_unicast(address) {
            return Side::Group;
        }
        let own = self.inside.iter().any(|range| range.contains(address));
        if own || is_internal(address) { Side::Stranger } else { Side::Outside }
    }
}

impl<'a> Side<'a> {
    /// The device, where it is known.
    pub const fn device(self) -> Option<&'a Subject> {
        match self {
            Self::Device(device) => Some(device),
            _ => None,
        }
    }

    /// How care depends on it; T0 where nobody knows, T4 outside.
    pub fn tier(self) -> Tier {
        match self {
            Self::Device(device) => device.tier(),
            Self::Stranger => Tier::T0,
            Self::Outside | Self::Group => Tier::T4,
        }
    }

    /// What it is.
    pub fn class(self) -> DeviceClass {
        self.device().map_or(DeviceClass::Unknown, |device| device.class)
    }

    /// Its name, for people; an address where it has none.
    pub fn name(self, address: IpAddr) -> String {
        match self {
            Self::Device(device) if !device.name.is_empty() => device.name.clone(),
            Self::Device(_) | Self::Stranger => address.to_string(),
            Self::Outside => format!("{address} (outside)"),
            Self::Group => format!("{address} (a group)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_two_devices_counts_for_the_one_care_depends_on() {
        let address: IpAddr = "10.0.0.1".parse().unwrap();
        let device = |id: &str, class: DeviceClass| Subject {
            id: DeviceId(id.to_owned()),
            addresses: vec![address],
            class,
            tier: class.tier(),
            ..Subject::default()
        };
        let two = [device("D-1", DeviceClass::Printer), device("D-2", DeviceClass::Ventilator)];
        assert_eq!(Devices::new(two, Vec::new()).at(address).tier(), Tier::T0);
    }

    #[test]
    fn who_is_inside_and_unknown_counts_as_life_sustaining() {
        let own = vec!["192.0.2.0/24".parse().unwrap()];
        let devices = Devices::new([], own);
        let tier = |address: &str| devices.at(address.parse().unwrap()).tier();
        assert_eq!(
            (tier("10.9.9.9"), tier("192.0.2.3"), tier("203.0.113.1")),
            (Tier::T0, Tier::T0, Tier::T4)
        );
        assert_eq!(tier("239.1.1.1"), Tier::T4);
    }
}
