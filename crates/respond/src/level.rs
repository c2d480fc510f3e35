//! How far a response goes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A level of response, mildest first. L5, physical disconnection, is an instruction for people
/// and never software, so it has no value here.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Level {
    /// Observe.
    #[default]
    L0,
    /// Tell people, and keep evidence.
    L1,
    /// Surgical block: one flow, or one indicator at the perimeter.
    L2,
    /// Clinical essentials only; everything else of the device is denied.
    L3,
    /// Quarantine: management only.
    L4,
}

impl Level {
    /// All, mildest first.
    pub const ALL: [Self; 5] = [Self::L0, Self::L1, Self::L2, Self::L3, Self::L4];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L0 => "L0",
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
            Self::L4 => "L4",
        }
    }

    /// What it does, in plain words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::L0 => "observe",
            Self::L1 => "tell people and keep evidence",
            Self::L2 => "block one flow",
            Self::L3 => "allow essential flows only",
            Self::L4 => "quarantine to management",
        }
    }

    /// Whether anything on the network changes.
    pub const fn restricts(self) -> bool {
        matches!(self, Self::L2 | Self::L3 | Self::L4)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
