//! What the layers above know of the flow that they are in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::net::{FiveTuple, Mac};
use crate::time::Timestamp;

/// A way through a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the originator to the responder.
    Forward,
    /// From the responder to the originator.
    Reverse,
}

impl Direction {
    /// Both, forward first.
    pub const BOTH: [Self; 2] = [Self::Forward, Self::Reverse];

    /// 0 forward, 1 reverse: for arrays that hold one of each.
    pub const fn index(self) -> usize {
        match self {
            Self::Forward => 0,
            Self::Reverse => 1,
        }
    }

    /// The other way.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Forward => Self::Reverse,
            Self::Reverse => Self::Forward,
        }
    }
}

/// A flow's number within a run: a keyed hash of its five-tuple and start, the same for the same
/// capture however many threads read it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct FlowId(pub u64);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{:016x}", self.0)
    }
}

/// What is known of a flow from its first packet on. Shared by its observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowContext {
    /// Its number.
    pub id: FlowId,
    /// Who talks to whom; the originator is the side that opened it.
    pub tuple: FiveTuple,
    /// Ethernet addresses of originator and responder as seen at the sensor. Past a router these
    /// are the router's.
    pub macs: [Option<Mac>; 2],
    /// Outermost VLAN id, where tagged.
    pub vlan: Option<u16>,
    /// When its first packet was seen.
    pub started: Timestamp,
}
