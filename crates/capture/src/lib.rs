//! Where packets come from: capture files and live AF_PACKET rings.
#![deny(unsafe_code)]

mod block;
mod compress;
mod cut;
mod error;
mod file;
mod files;
mod packet;
mod pcap;
mod pcapng;
mod resolution;
mod source;

pub use block::{Block, Packets};
pub use compress::Progress;
pub use error::{CaptureError, Fault};
pub use file::FileReader;
pub use files::Files;
pub use packet::{LinkType, Packet};
pub use source::{Batch, PacketSource};
