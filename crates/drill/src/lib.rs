//! Makes hospitals: seeded captures with ground truth, for demonstration, drills and validation.
//!
//! A [`Plan`] says how large the hospital is, how its network is cut, how long normal life goes on
//! and what befalls it then; [`generate`] writes what a sensor and a log collector would have
//! recorded, with the truth beside it, and [`Hospital`] hands the same out one by one.
//!
//! Where things are:
//!
//! ```text
//! plan -> hospital (hosts, addresses, servers) -> World
//! normal/<role>     what a host does every day       -+
//! attacks/<name>    what somebody does to it          +-> app/<protocol> -> net/ -> packets
//! lookalikes/<name> what only looks like that        -+
//! ```
//!
//! Independence is the point: messages are built by encoders of this crate, no parser and no
//! constant is shared with what is tested with them. Deliberately absent: any real person, any
//! real address outside, and chance that does not come from the seed.
#![forbid(unsafe_code)]

mod activity;
mod address;
mod app;
mod attacks;
mod catalogue;
mod change;
mod coverage;
mod generate;
mod hospital;
pub mod labels;
mod lookalikes;
mod net;
mod normal;
mod pcap;
mod people;
mod plan;
mod rng;
mod role;
mod scenario;
mod time;
mod truth;
mod world;

pub use catalogue::{Entry, catalogue};
pub use generate::{DrillError, Happening, Hospital, Summary, generate};
pub use plan::{Event, Layout, Plan, Speed, Who, demo_plan};
pub use role::Role;

pub use truth::{HostEntry, Phases, Truth};
