//! Hostile traffic at the whole pipeline, packets in and findings out: nothing panics, memory stays
//! bounded, and the attack that comes afterwards is still found.
//!
//! A program of its own, so that the peak of its memory is that of these tests.
#![allow(missing_docs)]

mod bombs;
mod endless;
mod lengths;
mod network;
mod numbers;
mod sensor;
