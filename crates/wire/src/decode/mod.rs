//! One captured frame to one packet.
//!
//! [`decode`] walks from the link layer to the innermost IP packet without a copy: VLAN tags, MPLS,
//! PPPoE and tunnels are gone through one after the other, in a loop and not by recursion, and at
//! most four tunnels deep. Mirrored traffic (ERSPAN, VXLAN, GRE) thus looks as if it had been seen
//! on its own wire.
//!
//! Deliberately absent: checksums. Network cards fill them in after the capture sees a packet, so
//! that on a good half of captures they would call honest packets broken.

mod ip;
mod link;
mod malformed;
mod packet;
mod transport;
mod tunnel;

pub use malformed::{Layer, Malformed};
pub use packet::{Decoded, Fragment, IpHead, Link, LinkFrame, Packet, Tcp};

pub(crate) use transport::{icmp_asks, icmp_is_answer, icmp_one_way, icmp_subject};

use std::net::{IpAddr, Ipv4Addr};

use model::net::Transport;

use crate::notes::Notes;

/// How many tunnels may lie in each other.
const MAX_TUNNELS: u8 = 4;

/// How many VLAN tags and shims a frame may have.
const MAX_TAGS: usize = 8;

/// What is known on the way down. The packet is filled in where it lies and never moved: reading
/// fields right after they were written, in other sizes, is what costs most in decoding.
pub(crate) struct Walk<'a> {
    pub(crate) packet: Packet<'a>,
    /// Number of the protocol that the IP header names.
    protocol: u8,
    /// Whether the capture cut the frame short, so that lengths may point past its end.
    cut: bool,
    depth: u8,
}

/// Where the walk stands.
enum At<'a> {
    /// At an Ethernet header.
    Ethernet(&'a [u8]),
    /// Past a header that named an EtherType.
    Type(u16, &'a [u8]),
    /// At a PPP protocol number.
    Ppp(&'a [u8]),
    /// At an IP header, of either version.
    Ip(&'a [u8]),
    /// Past the IP headers; so many bytes of the payload were cut off.
    Payload(&'a [u8], u32),
    /// At the end of a packet: what its transport carries.
    Carried(&'a [u8], u32),
    /// At a piece of a packet.
    Piece(Piece<'a>),
    /// Nothing that flows are made of.
    Arp(&'a [u8]),
    NonIp(u16),
    UnknownLink(u32),
    Bad(Layer, &'static str),
}

/// What tells a fragment from a packet.
struct Piece<'a> {
    id: u32,
    offset: u32,
    more: bool,
    payload: &'a [u8],
    cut: bool,
}

/// What is at the end of the way.
pub(crate) enum End<'a> {
    /// A packet: [`Walk::packet`].
    Packet,
    Fragment(Fragment<'a>),
    Arp(LinkFrame<'a>),
    NonIp(u16),
    UnknownLink(u32),
    Malformed(Malformed),
}

/// Decodes a frame. `link_type` is libpcap's number, `wire_len` how long the frame was on the wire
/// and `bytes` what was captured of it.
pub fn decode(link_type: u32, wire_len: usize, bytes: &[u8]) -> Decoded<'_> {
    let mut walk = Walk::new();
    match walk.frame(link_type, wire_len, bytes) {
        End::Packet => Decoded::Packet(walk.packet),
        End::Fragment(fragment) => Decoded::Fragment(fragment),
        End::Arp(frame) => Decoded::Arp(frame),
        End::NonIp(number) => Decoded::NonIp(number),
        End::UnknownLink(number) => Decoded::UnknownLink(number),
        End::Malformed(what) => Decoded::Malformed(what),
    }
}

impl<'a> Walk<'a> {
    #[inline]
    pub(crate) fn new() -> Self {
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let packet = Packet {
            link: Link::default(),
            src: nobody,
            dst: nobody,
            ip_len: 0,
            transport: Transport::Other(0),
            src_port: 0,
            dst_port: 0,
            tcp: Tcp::default(),
            payload: &[],
            missing: 0,
            notes: Notes::none(),
        };
        Self { packet, protocol: 0, cut: false, depth: 0 }
    }

    /// Walks through a frame.
    #[inline]
    pub(crate) fn frame(&mut self, link_type: u32, wire_len: usize, bytes: &'a [u8]) -> End<'a> {
        self.cut = wire_len > bytes.len();
        let at = link::enter(self, link_type, bytes);
        self.run(at)
    }

    /// Goes on with a datagram put together from fragments.
    pub(crate) fn datagram(&mut self, head: IpHead, payload: &'a [u8]) -> End<'a> {
        self.depth = head.depth;
        self.protocol = head.protocol;
        self.packet.link = head.link;
        self.packet.src = head.src;
        self.packet.dst = head.dst;
        self.packet.ip_len = head.ip_len;
        self.packet.notes = head.notes;
        self.run(At::Payload(payload, 0))
    }

    #[inline]
    fn run(&mut self, mut at: At<'a>) -> End<'a> {
        // Every turn goes at least one header further into the frame.
        loop {
            at = match at {
                At::Ethernet(bytes) => link::ethernet(self, bytes),
                At::Type(number, bytes) => link::by_type(self, number, bytes),
                At::Ppp(bytes) => link::ppp(bytes),
                At::Ip(bytes) => ip::enter(self, bytes),
                At::Payload(bytes, missing) => transport::enter(self, bytes, missing),
                At::Carried(payload, missing) => {
                    self.packet.transport = Transport::from_ip_protocol(self.protocol);
                    self.packet.payload = payload;
                    self.packet.missing = missing;
                    return End::Packet;
                }
                At::Piece(piece) => return End::Fragment(self.fragment(&piece)),
                At::Arp(payload) => {
                    return End::Arp(LinkFrame { link: self.packet.link, payload });
                }
                At::NonIp(number) => return End::NonIp(number),
                At::UnknownLink(number) => return End::UnknownLink(number),
                At::Bad(layer, what) => return End::Malformed(Malformed::new(layer, what)),
            };
        }
    }

    fn fragment(&self, piece: &Piece<'a>) -> Fragment<'a> {
        let head = IpHead {
            link: self.packet.link,
            src: self.packet.src,
            dst: self.packet.dst,
            protocol: self.protocol,
            ip_len: self.packet.ip_len,
            notes: self.packet.notes,
            depth: self.depth,
        };
        let &Piece { id, offset, more, payload, cut } = piece;
        Fragment { head, id, offset, more, payload, cut }
    }
}
