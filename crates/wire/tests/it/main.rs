//! The crate from outside: frames in, flow events out.

mod decode;
mod frames;
mod lifecycle;
mod limits;
mod recorder;
mod shards;
mod streams;
mod tunnels;
