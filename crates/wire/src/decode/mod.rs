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

use crate::notes::Notes;

/// How many tunnels may lie in each other.
const MAX_TUNNELS: u8 = 4;

/// How many VLAN tags and shims a frame may have.
const MAX_TAGS: usize = 8;

/// What is known on the way down.
struct Walk {
    link: Link,
    /// Whether the capture cut the frame short, so that lengths may point past its end.
    cut: bool,
    depth: u8,
    notes: Notes,
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
    Payload(IpHead, &'a [u8], u32),
    /// At the end.
    End(Decoded<'a>),
}

impl<'a> At<'a> {
    const fn bad(layer: Layer, what: &'static str) -> Self {
        Self::End(Decoded::Malformed(Malformed::new(layer, what)))
    }
}

/// Decodes a frame. `link_type` is libpcap's number, `wire_len` how long the frame was on the wire
/// and `bytes` what was captured of it.
pub fn decode(link_type: u32, wire_len: usize, bytes: &[u8]) -> Decoded<'_> {
    let mut walk =
        Walk { link: Link::default(), cut: wire_len > bytes.len(), depth: 0, notes: Notes::none() };
    let at = link::enter(&mut walk, link_type, bytes);
    walk.run(at)
}

/// Goes on with a datagram put together from fragments.
pub(crate) fn resume(head: IpHead, payload: &[u8]) -> Decoded<'_> {
    let mut walk = Walk { link: head.link, cut: false, depth: head.depth, notes: head.notes };
    walk.run(At::Payload(head, payload, 0))
}

impl Walk {
    fn run<'a>(&mut self, mut at: At<'a>) -> Decoded<'a> {
        // Every turn goes at least one header further into the frame.
        loop {
            at = match at {
                At::Ethernet(bytes) => link::ethernet(self, bytes),
                At::Type(number, bytes) => link::by_type(self, number, bytes),
                At::Ppp(bytes) => link::ppp(bytes),
                At::Ip(bytes) => ip::enter(self, bytes),
                At::Payload(head, bytes, missing) => transport::enter(self, head, bytes, missing),
                At::End(decoded) => return decoded,
            };
        }
    }
}
