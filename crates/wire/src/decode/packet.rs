//! What decoding a packet gives: small, copyable views into the captured bytes.

use std::net::IpAddr;

use model::net::{Mac, Transport};

use super::malformed::Malformed;
use crate::notes::Notes;

/// Addresses of the link layer, as far as the link has any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Who sent the frame.
    pub src: Option<Mac>,
    /// Whom it was sent to.
    pub dst: Option<Mac>,
    /// Outermost VLAN id, where tagged.
    pub vlan: Option<u16>,
}

/// A frame that carries something other than IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFrame<'a> {
    /// Link addresses.
    pub link: Link,
    /// What follows the link header.
    pub payload: &'a [u8],
}

/// What is read of a TCP header; all zero for other transports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// Sequence number of the first payload byte (of the SYN, where there is one).
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
    pub flags: u8,
    /// Window as written, not scaled.
    pub window: u16,
    /// Window scale option; read from packets with SYN only, held at 14 (RFC 7323).
    pub scale: Option<u8>,
}

impl Tcp {
    /// No more data from the sender.
    pub const FIN: u8 = 1;
    /// Synchronises sequence numbers.
    pub const SYN: u8 = 2;
    /// Resets the connection.
    pub const RST: u8 = 4;
    /// Push.
    pub const PSH: u8 = 8;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 16;
    /// The urgent pointer counts.
    pub const URG: u8 = 32;

    /// Whether any of the flags is set.
    pub const fn has(self, flags: u8) -> bool {
        self.flags & flags != 0
    }
}

/// One whole innermost IP packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Packet<'a> {
    /// Link addresses: of the innermost frame, where the packet was mirrored in a tunnel.
    pub link: Link,
    /// Sender.
    pub src: IpAddr,
    /// Receiver.
    pub dst: IpAddr,
    /// Length of the IP packet on the wire, header included, in bytes.
    pub ip_len: u32,
    /// What carries the payload.
    pub transport: Transport,
    /// Sender's port. ICMP: type.
    pub src_port: u16,
    /// Receiver's port. ICMP: the type of the answer where a type has one, otherwise the code.
    pub dst_port: u16,
    /// TCP header.
    pub tcp: Tcp,
    /// What the transport carries, without Ethernet padding. ICMP and unknown protocols: the whole
    /// message; SCTP: its chunks.
    pub payload: &'a [u8],
    /// Payload bytes that were on the wire and that the capture cut off.
    pub missing: u32,
    /// Oddities of the headers.
    pub notes: Notes,
}

/// A piece of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fragment<'a> {
    /// The IP header.
    pub head: IpHead,
    /// Which packet it is a piece of.
    pub id: u32,
    /// Where its bytes belong.
    pub offset: u32,
    /// Whether more follow.
    pub more: bool,
    /// The piece.
    pub payload: &'a [u8],
    /// Whether the capture cut the piece short.
    pub cut: bool,
}

/// What is read of an IP header, and of the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpHead {
    /// Link addresses.
    pub link: Link,
    /// Sender.
    pub src: IpAddr,
    /// Receiver.
    pub dst: IpAddr,
    /// Number of the protocol that is carried.
    pub protocol: u8,
    /// Length of the packet on the wire, header included, in bytes.
    pub ip_len: u32,
    /// Oddities.
    pub notes: Notes,
    /// How many tunnels it lay in.
    pub(crate) depth: u8,
}

/// What a captured frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decoded<'a> {
    /// An IP packet.
    Packet(Packet<'a>),
    /// A piece of one.
    Fragment(Fragment<'a>),
    /// ARP; the payload begins with the hardware type.
    Arp(LinkFrame<'a>),
    /// Another EtherType; 0 for 802.2 frames without one.
    NonIp(u16),
    /// A link type that is not understood.
    UnknownLink(u32),
    /// It breaks the rules.
    Malformed(Malformed),
}
