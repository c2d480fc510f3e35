//! Bytes to flows: link layers, IP, tunnels, defragmentation, TCP reassembly, flow table,
//! statistics.
#![forbid(unsafe_code)]

pub mod chunk;
pub mod cursor;
pub mod kinds;

pub use chunk::{Chunk, Next};
pub use cursor::{Cursor, Short};
