//! Where packets come from: capture files and live AF_PACKET rings.
//!
//! Two sources, one seam ([`PacketSource`]):
//!
//! * [`Files`] chains pcap and pcapng files, plain, gzip or zstd, and hands them out in [`Block`]s
//!   of about a megabyte, in which every packet is found and checked: any number of threads walk
//!   the same block.
//! * [`LiveSource`] empties the ring that the kernel fills from an interface; several members of
//!   one interface share its flows, one for each thread.
//!
//! [`Privileges`] gives away what a process no longer needs once its sources are open. The order
//! is: open, drop, start threads.
//!
//! Invariants:
//!
//! * This is the only crate with `unsafe`, all of it below `sys`, where each block is one
//!   operation and says why it is sound. Everything else here is checked by the compiler.
//! * A packet borrows the block or the ring that it lies in; nothing is copied on the way, and no
//!   packet costs an allocation.
//! * Memory does not grow with what a file claims: blocks, records and windows are bounded.
//! * Packets come in order, and all packets before an error come before the error.
//! * A live source only receives; it has no way to send.
#![deny(unsafe_code)]

mod block;
mod compress;
mod cut;
mod error;
mod file;
mod files;
mod live;
mod packet;
mod pcap;
mod pcapng;
mod privileges;
mod resolution;
mod source;
mod sys;
mod write;

pub use block::{Block, Packets};
pub use compress::Progress;
pub use error::{CaptureError, Fault};
pub use file::FileReader;
pub use files::Files;
pub use live::{LiveConfig, LiveSource, LiveStats, interfaces};
pub use packet::{LinkType, Packet};
pub use privileges::{Dropped, FileLimit, PrivilegeError, Privileges};
pub use source::{Batch, PacketSource};
pub use write::{whole_blocks, write_interface, write_packet, write_section};
