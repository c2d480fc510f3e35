//! Places that enforce, one folder or file each, and what stands around all of them.
//!
//! Whatever an enforcer does outside of this process goes through its [`Outlet`], which counts: that
//! a plan and a dry run do nothing is tested by that count, enforcer by enforcer.
//!
//! Deliberately absent: any decision. What may be restricted is decided before; what may never be
//! touched is refused here once more ([`Guarded`]), for whatever reason it was asked.

pub mod acl;
#[cfg(test)]
mod around;
pub mod blocklist;
pub mod config;
mod dry_run;
mod guarded;
mod halves;
pub mod nftables;
pub mod openvswitch;
mod outlet;
pub mod radius;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod space;
pub mod webhook;

pub use acl::Acl;
pub use blocklist::Blocklist;
pub use config::{Config, ConfigError, build};
pub use dry_run::DryRun;
pub use guarded::{Guarded, Never};
pub use nftables::Nftables;
pub use openvswitch::Openvswitch;
pub use outlet::Outlet;
pub use radius::Radius;
pub use webhook::Webhook;

use std::time::Duration;

use crate::enforce::EnforceError;
use crate::plan::Approved;

/// Every enforcer, in the order in which they are asked, and what it is.
pub const ALL: &[(&str, &str)] = &[
    (nftables::NAME, "the firewall of a Linux bridge, router or interface"),
    (radius::NAME, "another filter or VLAN for the device's session on a switch or controller"),
    (openvswitch::NAME, "flows of an Open vSwitch bridge"),
    (blocklist::NAME, "lists of addresses and domains for firewalls to fetch"),
    (acl::NAME, "text for the network team to paste, which never happens by itself"),
    (webhook::NAME, "a signed request to something else that enforces"),
];

/// Longest name of an action that is written into rules.
const LONGEST_NAME: usize = 40;

/// How much longer what lets something through lives than what denies everything else.
///
/// Elements expire one by one. Were both to expire at the same time, the deny could for a moment
/// stand alone and cut an essential flow; so the deny goes first, always, by this much.
const GRACE: Duration = Duration::from_secs(60);

/// Whether the name of an action can be written into rules as it is.
fn is_plain(id: &str) -> bool {
    (1..=LONGEST_NAME).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The expiry to set: what is left of the approval.
///
/// Never zero, which means "for ever" to more than one enforcer.
fn expiry(enforcer: &'static str, approved: &Approved) -> Result<Duration, EnforceError> {
    let left = approved.remaining();
    if left < Duration::from_secs(1) {
        let why = "the approval is over, or ends within a second".to_owned();
        return Err(EnforceError::Refused { enforcer, why });
    }
    Ok(left)
}
