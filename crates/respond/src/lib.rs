//! Response that is safe for patients: from cases to restrictions that somebody or some policy
//! approved, that expire where they are enforced, and that one person at the bedside can undo.
//!
//! What flows through: a case with its evidence becomes an [`Intent`] (what to restrict of whom),
//! a pre-flight replays it against recorded flows and declared needs, an enforcer turns it into a
//! [`Plan`] (the exact change), people or policy approve that plan by its hash, and only an
//! [`Approved`] plan can be applied.
//!
//! **Invariants**, each a property test (`tests/invariants.rs`): detector output alone never
//! restricts a life-sustaining device; no rule cuts an essential flow; every rule expires where it
//! is enforced; release never fails for T0 and T1; breakers survive a restart.
//!
//! Deliberately absent: physical disconnection (an instruction for people), active probing, and
//! pushing of firmware.

#![forbid(unsafe_code)]

pub mod blast;
pub mod card;
pub mod devices;
pub mod enforce;
pub mod enforcers;
pub mod essentials;
pub mod history;
pub mod level;
pub mod moment;
pub mod mud;
pub mod plan;
pub mod preflight;
pub mod range;
pub mod restriction;
pub mod segment;
pub mod subject;

pub use devices::Devices;
pub use enforce::{EnforceError, Enforcer, Receipt, State};
pub use essentials::Essentials;
pub use history::History;
pub use level::Level;
pub use moment::Moment;
pub use plan::{Approved, Intent, Plan, PlanHash};
pub use preflight::Preflight;
pub use range::Range;
pub use restriction::{Conversation, Indicator, Pattern, Proto, Restriction, Way};
pub use subject::Subject;
