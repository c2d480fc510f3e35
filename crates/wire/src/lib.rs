//! Bytes to flows: link layers, IP, tunnels, defragmentation, TCP reassembly, flow table,
//! statistics.
//!
//! The way of a packet: [`decode`](decode::decode) finds the innermost IP packet, the
//! [`Engine`] finds or opens its flow, puts fragments and TCP streams in order, counts, and tells a
//! [`FlowSink`]. Per packet nothing is allocated and nothing that comes in order is copied. Nothing
//! here reads a clock: time is that of the packets.
//!
//! What is deliberately absent: recognising application protocols (crate `protocols`), reading
//! captures (crate `capture`) and making observations (crate `pipeline`; [`kinds`] only declares
//! them).
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod chains;
pub mod chunk;
mod clock;
pub mod config;
pub mod cursor;
pub mod decode;
mod defrag;
pub mod engine;
pub mod flow;
mod hash;
mod index;
pub mod kinds;
pub mod notes;
pub mod reassembly;
pub mod sink;
mod slab;
pub mod stats;
mod wheel;

pub use chunk::{Chunk, Next};
pub use config::{Config, Shard, Timeouts};
pub use cursor::{Cursor, Short};
pub use decode::{Decoded, Layer, Link, LinkFrame, Malformed, Packet};
pub use engine::Engine;
pub use flow::{CloseReason, ConnState, Crafted, Flow, Outcome, Report, Traffic};
pub use hash::shard_of;
pub use notes::Notes;
pub use sink::FlowSink;
pub use stats::EngineStats;
