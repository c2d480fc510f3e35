//! From "this host says that to that one" to frames in time order.
//!
//! The sensor sees each frame once, as it enters the switch: the source address on the wire is
//! the sender's own, the destination is the receiver's or the router's.

pub(crate) mod checksum;
pub(crate) mod frame;
pub(crate) mod packets;
pub(crate) mod queue;
pub(crate) mod tcp;
