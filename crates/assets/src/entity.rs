//! Who takes part in an observation.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A device's place in the inventory: dense, from zero, never given to another. Two places can
/// come to stand for one device (when two addresses prove to be one network card); both then
/// answer alike.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize, Deserialize)]
pub struct DeviceIx(pub u32);

impl DeviceIx {
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// What a party is.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A device of the site.
    Device(DeviceIx),
    /// An address outside the site.
    External(IpAddr),
    /// A group of stations: broadcast, multicast.
    Group,
    /// Nobody that is known to be there: no address, a dead address, an unknown name, or a sender
    /// that has not yet shown that it lives while too many new ones appear.
    Nobody,
}

impl Entity {
    /// The device, where it is one.
    pub fn device(self) -> Option<DeviceIx> {
        match self {
            Self::Device(ix) => Some(ix),
            _ => None,
        }
    }
}

/// Who took part in an observation.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Who {
    /// Who did it.
    pub subject: Entity,
    /// Whom it was done to.
    pub peer: Entity,
    /// Whether the subject was first seen with this observation.
    pub subject_is_new: bool,
    /// Whether the peer was first seen with this observation.
    pub peer_is_new: bool,
}
