//! What is normal: what each device does, with whom, how often and how regularly; and the small
//! statistics that detectors decide with.
//!
//! Pure: no I/O, no clock, no randomness. Every table has a bound. What was learned can be saved
//! and loaded ([`normal::NormalLife::save`]), so that a restart forgets nothing.
#![forbid(unsafe_code)]

pub mod behaviour;
pub mod bounded;
pub mod counts;
pub mod features;
pub mod normal;
pub mod periodic;
pub mod sequential;
pub mod text;

pub use bounded::Bounded;
pub use counts::{Bucket, Rate};
pub use normal::{Act, Familiarity, NormalLife, Relation};
pub use periodic::Intervals;
pub use sequential::{RandomWalk, Verdict};
