//! Observations to a device inventory: claims with provenance and confidence.
//!
//! Passive throughout: nothing is ever asked of a device. The [`Inventory`] is shown every
//! observation, says who took part in it, and remembers what that tells of them.
//!
//! ```text
//! Observation -> who (identity, link, book) -> what they did and said (fingerprints -> tallies,
//!                hints, claims) -> what they are (fingerprints -> judge) -> Device (view)
//! ```
//!
//! Three rules hold everywhere. An unknown device is unknown: a wrong class is worse than none, and
//! unknown counts as life-sustaining. Everything has a bound, and what is refused is counted. Time
//! and order are those of the observations, so the same capture gives the same inventory.
#![forbid(unsafe_code)]

mod book;
mod budget;
mod entity;
pub mod facts;
pub mod fingerprints;
mod hash;
mod identity;
mod in_use;
mod inventory;
mod judge;
mod link;
pub mod oui;
mod proof;
mod record;
mod settings;
mod snapshot;
pub mod tally;
mod view;
pub mod words;

pub use entity::{DeviceIx, Entity, Who};
pub use inventory::Inventory;
pub use judge::{Evidence, Piece};
pub use record::NameRank;
pub use settings::{Prefix, Settings};
pub use snapshot::LoadError;
