//! Whole Ethernet frames: ARP, IPv4, IPv6, UDP, TCP and ICMP with right lengths and checksums.
//!
//! Pure functions from addresses and payload to bytes. Who sends what, and when, is not known here.

use std::net::{Ipv4Addr, Ipv6Addr};

use model::Mac;

use super::checksum::{finish, sum};

/// Link-layer addresses of one frame, and the 802.1Q tag that the sensor sees on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) from: Mac,
    pub(crate) to: Mac,
    pub(crate) vlan: Option<u16>,
}

/// What an IPv4 header needs beyond the payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ip {
    pub(crate) from: Ipv4Addr,
    pub(crate) to: Ipv4Addr,
    pub(crate) ttl: u8,
    pub(crate) id: u16,
    /// "Don't fragment", which most stacks set.
    pub(crate) whole: bool,
}

/// What a TCP header needs beyond the payload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment<'a> {
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    /// Options, a multiple of four bytes.
    pub(crate) options: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// TCP flags.
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// Shortest frame without its check sequence; stacks pad with zeros.
const SHORTEST: usize = 60;

fn ethernet(link: Link, kind: u16, room: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity((room + 18).max(SHORTEST));
    frame.extend_from_slice(&link.to.0);
    frame.extend_from_slice(&link.from.0);
    if let Some(vlan) = link.vlan {
        frame.extend_from_slice(&[0x81, 0x00]);
        frame.extend_from_slice(&vlan.to_be_bytes());
    }
    frame.extend_from_slice(&kind.to_be_bytes());
    frame
}

fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    if frame.len() < SHORTEST {
        frame.resize(SHORTEST, 0);
    }
    frame
}

/// An ARP request (`operation` 1) or reply (2) as RFC 826 lays it out.
pub(crate) fn arp(
    link: Link,
    operation: u8,
    sender: (Mac, Ipv4Addr),
    target: (Mac, Ipv4Addr),
) -> Vec<u8> {
    let mut frame = ethernet(link, ETHERTYPE_ARP, 28);
    frame.extend_from_slice(&[0, 1, 8, 0, 6, 4, 0, operation]);
    for (mac, ip) in [sender, target] {
        frame.extend_from_slice(&mac.0);
        frame.extend_from_slice(&ip.octets());
    }
    padded(frame)
}

fn ipv4(link: Link, ip: Ip, protocol: u8, length: usize) -> Vec<u8> {
    let mut frame = ethernet(link, ETHERTYPE_IPV4, length + 20);
    let start = frame.len();
    frame.extend_from_slice(&[0x45, 0]);
    frame.extend_from_slice(&((length + 20) as u16).to_be_bytes());
    frame.extend_from_slice(&ip.id.to_be_bytes());
    frame.extend_from_slice(&[if ip.whole { 0x40 } else { 0 }, 0, ip.ttl, protocol, 0, 0]);
    frame.extend_from_slice(&ip.from.octets());
    frame.extend_from_slice(&ip.to.octets());
    let check = finish(sum(&frame[start..], 0));
    frame[start + 10..start + 12].copy_from_slice(&check.to_be_bytes());
    frame
}

/// The pseudo header that TCP and UDP sum over with IPv4 (RFC 793, RFC 768).
fn pseudo(ip: Ip, protocol: u8, length: usize) -> u32 {
    let total = sum(&ip.from.octets(), sum(&ip.to.octets(), 0));
    total + u32::from(protocol) + length as u32
}

/// A TCP segment in IPv4.
pub(crate) fn tcp(link: Link, ip: Ip, segment: &Segment<'_>) -> Vec<u8> {
    let header = 20 + segment.options.len();
    let length = header + segment.payload.len();
    let mut frame = ipv4(link, ip, 6, length);
    let start = frame.len();
    frame.extend_from_slice(&segment.from.to_be_bytes());
    frame.extend_from_slice(&segment.to.to_be_bytes());
    frame.extend_from_slice(&segment.seq.to_be_bytes());
    frame.extend_from_slice(&segment.ack.to_be_bytes());
    frame.extend_from_slice(&[(header as u8 / 4) << 4, segment.flags]);
    frame.extend_from_slice(&segment.window.to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(segment.options);
    frame.extend_from_slice(segment.payload);
    let check = finish(sum(&frame[start..], pseudo(ip, 6, length)));
    frame[start + 16..start + 18].copy_from_slice(&check.to_be_bytes());
    padded(frame)
}

/// Largest piece of an IPv4 payload in one frame of 1500 bytes, a multiple of eight.
const FRAGMENT: usize = 1480;

/// A UDP datagram in IPv4, in several fragments where it does not fit in one frame.
pub(crate) fn udp(link: Link, ip: Ip, ports: (u16, u16), payload: &[u8]) -> Vec<Vec<u8>> {
    let length = 8 + payload.len();
    let mut datagram = Vec::with_capacity(length);
    datagram.extend_from_slice(&ports.0.to_be_bytes());
    datagram.extend_from_slice(&ports.1.to_be_bytes());
    datagram.extend_from_slice(&(length as u16).to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(payload);
    let check = match finish(sum(&datagram, pseudo(ip, 17, length))) {
        0 => 0xffff,
        check => check,
    };
    datagram[6..8].copy_from_slice(&check.to_be_bytes());
    if length <= FRAGMENT {
        let mut frame = ipv4(link, ip, 17, length);
        frame.extend_from_slice(&datagram);
        return vec![padded(frame)];
    }
    let count = length.div_ceil(FRAGMENT);
    datagram
        .chunks(FRAGMENT)
        .enumerate()
        .map(|(i, piece)| fragment(link, ip, 17, (i * FRAGMENT / 8) as u16, i + 1 < count, piece))
        .collect()
}

/// One fragment of an IPv4 packet; `offset` in units of eight bytes.
fn fragment(link: Link, ip: Ip, protocol: u8, offset: u16, more: bool, piece: &[u8]) -> Vec<u8> {
    let mut frame = ipv4(link, Ip { whole: false, ..ip }, protocol, piece.len());
    let start = frame.len() - 20;
    let word = offset | if more { 0x2000 } else { 0 };
    frame[start + 6..start + 8].copy_from_slice(&word.to_be_bytes());
    frame[start + 10..start + 12].fill(0);
    let check = finish(sum(&frame[start..], 0));
    frame[start + 10..start + 12].copy_from_slice(&check.to_be_bytes());
    frame.extend_from_slice(piece);
    padded(frame)
}

/// An ICMP message in IPv4: `kind` 8 asks for an echo, 0 answers, 3 says unreachable. `rest` is the
/// second word of the header.
pub(crate) fn icmp(link: Link, ip: Ip, kind: u8, code: u8, rest: u32, body: &[u8]) -> Vec<u8> {
    let mut frame = ipv4(link, ip, 1, 8 + body.len());
    let start = frame.len();
    frame.extend_from_slice(&[kind, code, 0, 0]);
    frame.extend_from_slice(&rest.to_be_bytes());
    frame.extend_from_slice(body);
    let check = finish(sum(&frame[start..], 0));
    frame[start + 2..start + 4].copy_from_slice(&check.to_be_bytes());
    padded(frame)
}

/// IPv4 in IPv4 (RFC 2003); the inner packet carries `body` under a protocol number for experiments.
pub(crate) fn ip_in_ip(link: Link, ip: Ip, inner: Ip, body: &[u8]) -> Vec<u8> {
    const EXPERIMENT: u8 = 253;
    let carried = ipv4(link, inner, EXPERIMENT, body.len());
    let mut frame = ipv4(link, ip, 4, 20 + body.len());
    frame.extend_from_slice(&carried[carried.len() - 20..]);
    frame.extend_from_slice(body);
    padded(frame)
}

/// A packet of IPv6 with a checksum at `check_at` of its payload (UDP: 6, ICMPv6: 2).
pub(crate) fn ipv6(
    link: Link,
    ends: (Ipv6Addr, Ipv6Addr),
    hop_limit: u8,
    protocol: u8,
    check_at: usize,
    mut payload: Vec<u8>,
) -> Vec<u8> {
    let addresses = sum(&ends.0.octets(), sum(&ends.1.octets(), 0));
    let total = addresses + u32::from(protocol) + payload.len() as u32;
    let check = finish(sum(&payload, total));
    payload[check_at..check_at + 2].copy_from_slice(&check.to_be_bytes());
    let mut frame = ethernet(link, ETHERTYPE_IPV6, payload.len() + 40);
    frame.extend_from_slice(&[0x60, 0, 0, 0]);
    frame.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    frame.extend_from_slice(&[protocol, hop_limit]);
    frame.extend_from_slice(&ends.0.octets());
    frame.extend_from_slice(&ends.1.octets());
    frame.extend_from_slice(&payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link { from: Mac([2, 0, 0, 0, 0, 1]), to: Mac([2, 0, 0, 0, 0, 2]), vlan: None }
    }

    fn ip() -> Ip {
        let (from, to) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        Ip { from, to, ttl: 64, id: 9, whole: true }
    }

    #[test]
    fn headers_and_segments_sum_to_nothing_as_a_receiver_checks() {
        for length in [0, 1, 2, 7, 1460] {
            let payload = vec![0xa5; length];
            let segment = Segment { from: 1, to: 2, seq: 3, payload: &payload, ..<_>::default() };
            let frame = tcp(link(), ip(), &segment);
            assert_eq!(finish(sum(&frame[14..34], 0)), 0, "IP header");
            let total = pseudo(ip(), 6, 20 + length);
            assert_eq!(finish(sum(&frame[34..54 + length], total)), 0, "segment of {length}");
        }
    }

    #[test]
    fn short_frames_are_padded_to_what_ethernet_asks() {
        assert_eq!(tcp(link(), ip(), &Segment::default()).len(), SHORTEST);
        let ends = ((link().from, ip().from), (link().to, ip().to));
        assert_eq!(arp(link(), 1, ends.0, ends.1).len(), SHORTEST);
    }

    #[test]
    fn a_long_datagram_is_cut_into_fragments_that_add_up() {
        let frames = udp(link(), ip(), (9, 9), &vec![1; 4_000]);
        let carried: usize = frames.iter().map(|f| f.len() - 34).sum();
        assert_eq!((frames.len(), carried), (3, 4_008));
        assert!(frames.iter().all(|f| finish(sum(&f[14..34], 0)) == 0));
    }
}
