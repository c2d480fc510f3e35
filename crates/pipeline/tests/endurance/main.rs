//! Hostile traffic at the whole pipeline, packets in and findings out: nothing panics, memory stays
//! bounded, and the attack that comes afterwards is still found.
//!
//! A program of its own whose tests run one after the other, so that its memory is that of one test.
#![allow(missing_docs)]

mod bombs;
mod endless;
mod grammars;
mod lengths;
mod network;
mod numbers;
mod sensor;
