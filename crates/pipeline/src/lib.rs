//! Runs it: packets and log records in, observations, findings and cases out.
//!
//! A [`worker::Worker`] does everything from a packet up to its observations on one thread. In
//! [`analyze`] several of them walk the same blocks of a capture, each following its share of the
//! flows; what they saw is put back into the order of the packets, so that the answers do not depend
//! on how many there are. In [`live`] each takes one member of a fanout group.
//!
//! Knows traits, not implementations: what is done with the results is the caller's
//! ([`outputs::Outputs`]).
#![forbid(unsafe_code)]

pub mod analyze;
pub mod evidence;
pub mod flows;
pub mod listen;
pub mod live;
pub mod loss;
pub mod merge;
pub mod outputs;
pub mod probing;
pub mod records;
pub mod stats;
pub mod told;
pub mod worker;
