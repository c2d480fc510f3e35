//! The headers that Kitsune looks at: Ethernet with 802.1Q tags, ARP, IPv4, IPv6, TCP, UDP, ICMP.
//!
//! Deliberately absent: everything above, tunnels, and IPv6 extension headers, behind which the
//! published program finds ports only with the help of a dissector.

use std::net::{IpAddr, Ipv4Addr};

/// An address, of whatever layer there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// IPv4.
    V4(u32),
    /// IPv6.
    V6(u128),
    /// Ethernet, where there is no network layer.
    Mac(u64),
}

impl Address {
    /// As an address of the network layer, where it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::V4(bits) => Some(IpAddr::V4(Ipv4Addr::from_bits(*bits))),
            Self::V6(bits) => Some(IpAddr::V6((*bits).into())),
            Self::Mac(_) => None,
        }
    }
}

/// What the published program puts behind an address to name a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// A TCP or UDP port. The program does not tell these two apart.
    Number(u16),
    /// ICMP, of any type.
    Icmp,
    /// ARP: then sockets are the Ethernet addresses.
    Arp,
    /// Nothing known.
    Nothing,
}

/// Who sent a frame to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Ethernet addresses, of the sender and of the receiver.
    pub macs: [u64; 2],
    /// Addresses, of the sender and of the receiver.
    pub addresses: [Address; 2],
    /// Ports, of the sender and of the receiver.
    pub ports: [Port; 2],
}

fn number(frame: &[u8], at: usize, length: usize) -> Option<u128> {
    let bytes = frame.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |number, &byte| number << 8 | u128::from(byte)))
}

fn short(frame: &[u8], at: usize) -> Option<u16> {
    number(frame, at, 2).map(|number| number as u16)
}

/// Reads the headers of a frame; none where there is not even an Ethernet header. What is cut short
/// counts as not there.
pub fn read(frame: &[u8]) -> Option<Headers> {
    let macs = [number(frame, 6, 6)? as u64, number(frame, 0, 6)? as u64];
    let (mut kind, mut at) = (short(frame, 12)?, 14);
    while matches!(kind, 0x8100 | 0x88a8) {
        kind = short(frame, at + 2)?;
        at += 4;
    }
    let found = match kind {
        0x0800 => ipv4(frame, at),
        0x86dd => ipv6(frame, at),
        0x0806 => arp(frame, at),
        _ => None,
    };
    let (addresses, ports) = found.unwrap_or((macs.map(Address::Mac), [Port::Nothing; 2]));
    Some(Headers { macs, addresses, ports })
}

type Ends = ([Address; 2], [Port; 2]);

fn ipv4(frame: &[u8], at: usize) -> Option<Ends> {
    let address = |at| number(frame, at, 4).map(|number| Address::V4(number as u32));
    let addresses = [address(at + 12)?, address(at + 16)?];
    let first = short(frame, at + 6)? & 0x1fff == 0;
    let protocol = *frame.get(at + 9)?;
    let behind = at + usize::from(*frame.get(at)? & 15) * 4;
    Some((addresses, if first { ports(frame, behind, protocol) } else { [Port::Nothing; 2] }))
}

fn ipv6(frame: &[u8], at: usize) -> Option<Ends> {
    let address = |at| number(frame, at, 16).map(Address::V6);
    let addresses = [address(at + 8)?, address(at + 24)?];
    Some((addresses, ports(frame, at + 40, *frame.get(at + 6)?)))
}

fn arp(frame: &[u8], at: usize) -> Option<Ends> {
    let address = |at| number(frame, at, 4).map(|number| Address::V4(number as u32));
    Some(([address(at + 14)?, address(at + 24)?], [Port::Arp; 2]))
}

fn ports(frame: &[u8], at: usize, protocol: u8) -> [Port; 2] {
    let port = |at| short(frame, at).map_or(Port::Nothing, Port::Number);
    match protocol {
        6 | 17 => [port(at), port(at + 2)],
        1 => [Port::Icmp; 2],
        _ => [Port::Nothing; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 frame with so many bytes of tags, this protocol, and these bytes behind.
    fn frame(tags: &[u8], protocol: u8, fragment: u16, behind: &[u8]) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        frame.extend(tags);
        frame.extend([8, 0, 0x46, 0, 0, 0, 0, 0]);
        frame.extend(fragment.to_be_bytes());
        frame.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 1]);
        frame.extend(behind);
        frame
    }

    #[test]
    fn ports_are_found_behind_tags_and_options_but_not_in_a_later_fragment() {
        let (ten, two) = (Address::V4(0x0a00_0001), Address::V4(0x0a00_0002));
        let ports = |frame: &[u8]| {
            let headers = read(frame).unwrap();
            assert_eq!(
                (headers.addresses, headers.macs),
                ([ten, two], [0x0200_0000_0002, 0x0200_0000_0001])
            );
            headers.ports
        };
        let both = [Port::Number(104), Port::Number(4_000)];
        let tcp = [0, 104, 0x0f, 0xa0];
        assert_eq!(ports(&frame(&[], 6, 0, &tcp)), both);
        assert_eq!(ports(&frame(&[0x81, 0, 0, 7, 0x81, 0, 0, 9], 17, 0x4000, &tcp)), both);
        assert_eq!(ports(&frame(&[], 17, 5, &tcp)), [Port::Nothing; 2]);
        assert_eq!(ports(&frame(&[], 1, 0, &tcp)), [Port::Icmp; 2]);
        assert_eq!(ports(&frame(&[], 6, 0, &[0, 104])), [Port::Number(104), Port::Nothing]);
    }

    #[test]
    fn a_frame_cut_anywhere_is_read_as_far_as_it_goes() {
        let whole = frame(&[0x81, 0, 0, 7], 6, 0, &[0, 104, 0x0f, 0xa0]);
        for length in 0..whole.len() {
            assert_eq!(
                read(&whole[..length]).is_some(),
                length >= 14 && !(14..18).contains(&length)
            );
        }
    }
}
