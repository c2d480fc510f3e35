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

/// What is known on the way down. The packet is filled in where it lies, and copied once at the
/// end.
struct Walk<'a> {
    packet: Packet<'a>,
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

/// Decodes a frame. `link_type` is libpcap's number, `wire_len` how long the frame was on the wire
/// and `bytes` what was captured of it.
#[inline]
pub fn decode(link_type: u32, wire_len: usize, bytes: &[u8]) -> Decoded<'_> {
    let mut walk = Walk::new(Link::default(), wire_len > bytes.len());
    let at = link::enter(&mut walk, link_type, bytes);
    walk.run(at)
}

/// Goes on with a datagram put together from fragments.
pub(crate) fn resume(head: IpHead, payload: &[u8]) -> Decoded<'_> {
    let mut walk = Walk::new(head.link, false);
    walk.depth = head.depth;
    walk.protocol = head.protocol;
    walk.packet.src = head.src;
    walk.packet.dst = head.dst;
    walk.packet.ip_len = head.ip_len;
    walk.packet.notes = head.notes;
    walk.run(At::Payload(payload, 0))
}

impl<'a> Walk<'a> {
    #[inline]
    fn new(link: Link, cut: bool) -> Self {
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let packet = Packet {
            link,
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
        Self { packet, protocol: 0, cut, depth: 0 }
    }

    #[inline]
    fn run(mut self, mut at: At<'a>) -> Decoded<'a> {
        // Every turn goes at least one header further into the frame.
        loop {
            at = match at {
                At::Ethernet(bytes) => link::ethernet(&mut self, bytes),
                At::Type(number, bytes) => link::by_type(&mut self, number, bytes),
                At::Ppp(bytes) => link::ppp(bytes),
                At::Ip(bytes) => ip::enter(&mut self, bytes),
                At::Payload(bytes, missing) => transport::enter(&mut self, bytes, missing),
                At::Carried(payload, missing) => {
                    self.packet.transport = Transport::from_ip_protocol(self.protocol);
                    self.packet.payload = payload;
                    self.packet.missing = missing;
                    return Decoded::Packet(self.packet);
                }
                At::Piece(piece) => return Decoded::Fragment(self.fragment(&piece)),
                At::Arp(payload) => {
                    return Decoded::Arp(LinkFrame { link: self.packet.link, payload });
                }
                At::NonIp(number) => return Decoded::NonIp(number),
                At::UnknownLink(number) => return Decoded::UnknownLink(number),
                At::Bad(layer, what) => return Decoded::Malformed(Malformed::new(layer, what)),
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
