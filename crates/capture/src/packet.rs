//! A packet as its source saw it: bytes, time, length on the wire and where it was seen.
//!
//! A packet borrows the ring or the block of a file that holds it, and never leaves its thread.
//! Nothing here looks into the bytes; that begins in crate `wire`.

use std::fmt;

use model::Timestamp;

/// One captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was seen, by the clock of the machine that captured it. A simple packet block of
    /// pcapng has no time of its own and takes that of the packet before it.
    pub at: Timestamp,
    /// What the first byte of `data` is the first byte of.
    pub link: LinkType,
    /// Bytes it had on the wire, at least `data.len()`. More where the capture kept only the
    /// start. A hostile file may claim any number here.
    pub wire_len: u32,
    /// Where it was seen. In a file: the number of the interface description, counted through
    /// all sections (0 in a pcap file). Live: the number given in the configuration.
    pub interface: u16,
    /// The bytes that were captured, from the link layer on.
    pub data: &'a [u8],
}

/// The kind of link layer, by its number in the registry of link types of pcap and pcapng
/// (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: four bytes of address family in the byte order of the machine, then IP.
    pub const NULL: Self = Self(0);
    /// Ethernet II and IEEE 802.3.
    pub const ETHERNET: Self = Self(1);
    /// An IPv4 or IPv6 header comes first.
    pub const RAW_IP: Self = Self(101);
    /// Linux cooked capture, 16 bytes of header.
    pub const LINUX_SLL: Self = Self(113);
    /// Linux cooked capture version 2, 20 bytes of header.
    pub const LINUX_SLL2: Self = Self(276);
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NULL => f.write_str("BSD loopback"),
            Self::ETHERNET => f.write_str("Ethernet"),
            Self::RAW_IP => f.write_str("raw IP"),
            Self::LINUX_SLL => f.write_str("Linux cooked"),
            Self::LINUX_SLL2 => f.write_str("Linux cooked v2"),
            Self(number) => write!(f, "link type {number}"),
        }
    }
}
