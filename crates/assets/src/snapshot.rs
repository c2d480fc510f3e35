//! Saving and loading the inventory.
//!
//! What is saved is what was learned, not what follows from it: classes are thought over again on
//! load, so that a newer version judges old evidence by its own rules. Places and ids stay.

use model::net::Mac;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::book::{Book, IpState, Key, MacState, Proof, address, key};
use crate::inventory::Inventory;
use crate::record::Record;

/// Version of the saved form.
const VERSION: u32 = 1;

/// Why a saved inventory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It has another shape.
    #[error("the saved inventory cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// It was written by another version.
    #[error("the saved inventory has version {0}, and this program reads version {VERSION}")]
    Version(u32),
    /// It names a device that it does not hold.
    #[error("the saved inventory is damaged: it names device {0} and holds {1}")]
    Missing(u32, usize),
}

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    now: Option<Timestamp>,
    refused: u64,
    devices: Vec<Record>,
    ips: Vec<SavedIp>,
    cards: Vec<SavedCard>,
    names: Vec<(String, u32)>,
}

#[derive(Serialize, Deserialize)]
struct SavedIp {
    ip: std::net::IpAddr,
    device: u32,
    card: Option<(Mac, Proof)>,
    used: Timestamp,
    via: Option<Mac>,
}

#[derive(Serialize, Deserialize)]
struct SavedCard {
    mac: Mac,
    device: Option<u32>,
    proven: Vec<std::net::IpAddr>,
    behind: Vec<std::net::IpAddr>,
    outside: Vec<std::net::IpAddr>,
    lent: Vec<std::net::IpAddr>,
    shared: bool,
    sole_since: Option<Timestamp>,
    sole_flows: u32,
}

impl Inventory {
    /// Everything that was learned, in a set order.
    pub fn save(&self) -> serde_json::Value {
        let mut ips: Vec<(&Key, &IpState)> = self.book.ips.iter().collect();
        ips.sort_unstable_by_key(|(key, _)| **key);
        let mut cards: Vec<(&Mac, &MacState)> = self.book.macs.iter().collect();
        cards.sort_unstable_by_key(|(mac, _)| **mac);
        let mut names: Vec<(String, u32)> =
            self.book.names.iter().map(|(name, device)| (name.clone(), *device)).collect();
        names.sort_unstable();
        let addresses = |keys: &[Key]| keys.iter().map(|key| address(*key)).collect();
        let saved = Saved {
            version: VERSION,
            // Before anything is seen there is no time, and none that could be written.
            now: (self.now > Timestamp::MIN).then_some(self.now),
            refused: self.refused(),
            devices: self.records.clone(),
            ips: ips
                .into_iter()
                .map(|(key, state)| SavedIp {
                    ip: address(*key),
                    device: state.device,
                    card: state.card,
                    used: state.used,
                    via: state.via,
                })
                .collect(),
            cards: cards
                .into_iter()
                .map(|(mac, card)| SavedCard {
                    mac: *mac,
                    device: card.device,
                    proven: addresses(&card.proven),
                    behind: addresses(&card.behind),
                    outside: addresses(&card.outside),
                    lent: addresses(&card.lent),
                    shared: card.shared,
                    sole_since: card.sole_since,
                    sole_flows: card.sole_flows,
                })
                .collect(),
            names,
        };
        // Strings, numbers and lists only: this does not fail.
        serde_json::to_value(saved).unwrap_or_default()
    }

    /// Takes the place of all that is known now.
    ///
    /// # Errors
    /// Where the saved form is damaged or of another version; nothing is changed then.
    pub fn load(&mut self, value: &serde_json::Value) -> Result<(), LoadError> {
        let saved = Saved::deserialize(value)?;
        if saved.version != VERSION {
            return Err(LoadError::Version(saved.version));
        }
        let count = saved.devices.len();
        let check = |device: u32| {
            let known = (device as usize) < count;
            if known { Ok(device) } else { Err(LoadError::Missing(device, count)) }
        };
        let mut book = Book::default();
        for ip in saved.ips {
            let state =
                IpState { device: check(ip.device)?, card: ip.card, used: ip.used, via: ip.via };
            book.ips.insert(key(ip.ip), state);
        }
        for card in saved.cards {
            let keys = |ips: &[std::net::IpAddr]| ips.iter().map(|ip| key(*ip)).collect();
            let state = MacState {
                device: card.device.map(check).transpose()?,
                proven: keys(&card.proven),
                behind: keys(&card.behind),
                outside: keys(&card.outside),
                lent: keys(&card.lent),
                shared: card.shared,
                sole_since: card.sole_since,
                sole_flows: card.sole_flows,
            };
            book.macs.insert(card.mac, state);
        }
        for (name, device) in saved.names {
            book.names.insert(name, check(device)?);
        }
        for record in &saved.devices {
            record.joined_to.map(check).transpose()?;
        }
        *self = Self::new(self.settings.clone());
        self.book = book;
        self.records = saved.devices;
        self.now = saved.now.unwrap_or(Timestamp::MIN);
        self.refused = saved.refused;
        for place in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            self.records[place as usize].tallies.restore();
            self.think_over(place);
        }
        Ok(())
    }
}
