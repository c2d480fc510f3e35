//! The address book: which device an address stands for, and how that was proved.
//!
//! Past a router every packet carries the router's Ethernet address, and on the wire anybody can
//! claim any address, so an Ethernet address is taken for a device's own only when the pair was
//! proved: by ARP or neighbour discovery, by a DHCP lease, by a link-local address (which no router
//! passes on), or by a card that for two minutes showed one address and nothing else. Who decides
//! is `identity.rs`; this file only remembers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use model::net::Mac;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hash::Seeded;

/// An address in use for so long keeps its card against another that claims it.
pub(crate) const FRESH: Duration = Duration::from_secs(300);
/// The same once its device is seen under a newer address.
pub(crate) const FRESH_AFTER_MOVE: Duration = Duration::from_secs(60);
/// A card that showed one address only for so long is its own.
pub(crate) const SOLE: Duration = Duration::from_secs(120);
/// ... with so many answered flows.
pub(crate) const SOLE_FLOWS: u32 = 5;
/// Most addresses that one card may prove to have.
pub(crate) const MAX_PROVEN: usize = 16;
/// So many addresses behind one card, inside or outside, make it a router's.
pub(crate) const BEHIND_ROUTER: usize = 3;

/// An address as one number, the same for IPv4 and IPv4 mapped into IPv6.
pub(crate) type Key = u128;

pub(crate) fn key(ip: IpAddr) -> Key {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

pub(crate) fn address(key: Key) -> IpAddr {
    IpAddr::V6(key.into()).to_canonical()
}

/// The network that an address probably belongs to: /24 or /64.
pub(crate) fn network(key: Key) -> Key {
    match address(key) {
        IpAddr::V4(_) => key >> 8,
        IpAddr::V6(_) => key >> 64,
    }
}

/// Whether no router passes an address on.
pub(crate) fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// How a card proved to have an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Proof {
    /// It showed that address alone for long.
    Sole,
    /// ARP, neighbour discovery or a link-local address.
    Link,
    /// A lease.
    Lease,
}

/// An address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IpState {
    /// Device that it stands for.
    pub(crate) device: u32,
    /// The card that proved to have it, and how.
    pub(crate) card: Option<(Mac, Proof)>,
    /// When that card last used or claimed it.
    pub(crate) used: Timestamp,
    /// Ethernet address with which its packets last came.
    pub(crate) via: Option<Mac>,
}

/// An Ethernet address.
#[derive(Clone, Debug, Default)]
pub(crate) struct MacState {
    /// Device whose card it is.
    pub(crate) device: Option<u32>,
    /// Addresses that it proved to have.
    pub(crate) proven: Vec<Key>,
    /// Inside addresses whose packets came with it without proof; at most a few.
    pub(crate) behind: Vec<Key>,
    /// Outside addresses whose packets came with it; at most a few.
    pub(crate) outside: Vec<Key>,
    /// Addresses taken for its device's on evidence that a router would give as well.
    pub(crate) lent: Vec<Key>,
    /// Whether it carries others' packets: a router.
    pub(crate) shared: bool,
    /// Since when it showed one address only, and in how many answered flows.
    pub(crate) sole_since: Option<Timestamp>,
    pub(crate) sole_flows: u32,
}

impl MacState {
    /// Notes an inside address behind this card. Says whether that proves it a router's.
    pub(crate) fn carries(&mut self, key: Key) -> bool {
        if self.shared || self.behind.contains(&key) || self.proven.contains(&key) {
            return false;
        }
        self.behind.push(key);
        let apart = self.behind.iter().any(|other| {
            address(*other).is_ipv4() && address(key).is_ipv4() && network(*other) != network(key)
        });
        apart || self.behind.len() >= BEHIND_ROUTER
    }

    /// The same with an outside address.
    pub(crate) fn carries_outside(&mut self, key: Key) -> bool {
        if self.shared || self.outside.contains(&key) {
            return false;
        }
        self.outside.push(key);
        self.outside.len() >= BEHIND_ROUTER
    }

    /// Marks an address as proved.
    pub(crate) fn prove(&mut self, key: Key) {
        self.behind.retain(|other| *other != key);
        if !self.proven.contains(&key) && self.proven.len() < MAX_PROVEN {
            self.proven.push(key);
        }
    }
}

/// All addresses.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) ips: HashMap<Key, IpState, Seeded>,
    pub(crate) macs: HashMap<Mac, MacState, Seeded>,
    /// Names in lower case, with the device that first had them.
    pub(crate) names: HashMap<String, u32>,
}

impl Book {
    /// What is known of a card; nothing more is learned of new ones beyond `cap`.
    pub(crate) fn card(&mut self, mac: Mac, cap: usize) -> Option<&mut MacState> {
        if !mac.is_station() || (self.macs.len() >= cap && !self.macs.contains_key(&mac)) {
            return None;
        }
        Some(self.macs.entry(mac).or_default())
    }

    /// Whether a card is known to be a router's.
    pub(crate) fn is_shared(&self, mac: Mac) -> bool {
        self.macs.get(&mac).is_some_and(|card| card.shared)
    }
}
