//! What of a packet is headers, and whom it is between.

use std::net::IpAddr;

use capture::Packet;
use model::finding::Finding;
use model::net::Mac;
use wire::Decoded;
use wire::decode::{Link, decode};

/// Kept of a packet that is not understood: about its link header.
const LINK_HEADER: usize = 14;
/// Bytes of an ARP message between Ethernet and IPv4.
const ARP: usize = 28;
/// Of an ICMP message: type, code, checksum, and its numbers. What it quotes may be payload.
const ICMP: usize = 8;

/// Bytes of a packet up to what TCP, UDP or anything else carries. Of what is not understood, the
/// link header alone.
pub(super) fn length_of_heads(packet: &Packet<'_>) -> usize {
    let bytes = packet.data;
    let unknown = LINK_HEADER.min(bytes.len());
    // A payload is a part of the packet; where it is not, there is none, and all is headers.
    let before = |payload: &[u8]| {
        let offset = (payload.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        if offset <= bytes.len() { offset } else { bytes.len() }
    };
    let length = match decode(packet.link.0, packet.wire_len as usize, bytes) {
        Decoded::Packet(inner) => match inner.transport {
            model::Transport::Icmp | model::Transport::Icmp6 => before(inner.payload) + ICMP,
            _ => before(inner.payload),
        },
        Decoded::Fragment(piece) => before(piece.payload),
        Decoded::Arp(frame) => before(frame.payload) + ARP,
        Decoded::NonIp(_) | Decoded::UnknownLink(_) | Decoded::Malformed(_) => unknown,
    };
    length.min(bytes.len())
}

/// The two sides of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    ips: Option<(IpAddr, IpAddr)>,
    macs: [Option<Mac>; 2],
}

impl Ends {
    fn of(packet: &Packet<'_>) -> Option<Self> {
        let macs = |link: Link| [link.src, link.dst];
        match decode(packet.link.0, packet.wire_len as usize, packet.data) {
            Decoded::Packet(inner) => {
                Some(Self { ips: Some((inner.src, inner.dst)), macs: macs(inner.link) })
            }
            Decoded::Fragment(piece) => {
                let head = piece.head;
                Some(Self { ips: Some((head.src, head.dst)), macs: macs(head.link) })
            }
            Decoded::Arp(frame) => Some(Self { ips: None, macs: macs(frame.link) }),
            _ => None,
        }
    }

    /// Whether somebody sends or receives it. Behind a router everybody has the router's Ethernet
    /// address, so that it counts only where there is no other.
    fn has(&self, who: &Party) -> bool {
        match (self.ips, who.ip) {
            (Some((a, b)), Some(ip)) => a == ip || b == ip,
            _ => who.mac.is_some() && self.macs.contains(&who.mac),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Party {
    ip: Option<IpAddr>,
    mac: Option<Mac>,
}

/// Whose packets a finding rests on: those between its device and the others who take part, or all
/// of the device where nobody else does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    device: Party,
    peers: Vec<Party>,
}

impl Filter {
    /// None where the finding is about nobody with an address.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        let device = Party { ip: finding.device.ip, mac: finding.device.mac };
        let peers = finding.peers.iter().map(|peer| Party { ip: peer.ip, mac: peer.mac });
        let known = |who: &Party| who.ip.is_some() || who.mac.is_some();
        known(&device).then(|| Self { device, peers: peers.filter(known).collect() })
    }

    pub(super) fn takes(&self, packet: &Packet<'_>) -> bool {
        Ends::of(packet).is_some_and(|ends| {
            ends.has(&self.device)
                && (self.peers.is_empty() || self.peers.iter().any(|peer| ends.has(peer)))
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use capture::LinkType;
    use model::finding::{DeviceRef, PeerRef};
    use model::time::Timestamp;

    use super::*;

    /// An Ethernet frame with IPv4 from 10.0.0.`from` to 10.0.0.`to`.
    pub(in super::super) fn frame(from: u8, to: u8, protocol: u8, rest: &[u8]) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0];
        let len = (20 + rest.len()) as u16;
        frame.extend([0x45, 0]);
        frame.extend(len.to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, from, 10, 0, 0, to]);
        frame.extend(rest);
        frame
    }

    pub(in super::super) fn udp(from: u8, to: u8, payload: &[u8]) -> Vec<u8> {
        let mut rest = vec![0x13, 0x88, 0x17, 0x70];
        rest.extend(((8 + payload.len()) as u16).to_be_bytes());
        rest.extend([0, 0]);
        rest.extend(payload);
        frame(from, to, 17, &rest)
    }

    pub(in super::super) fn packet(data: &[u8]) -> Packet<'_> {
        let at = Timestamp::from_nanos(1_800_000_000_000_000_000);
        let wire_len = data.len() as u32;
        Packet { at, link: LinkType::ETHERNET, wire_len, interface: 0, data }
    }

    #[test]
    fn nothing_that_is_carried_is_taken_for_a_header() {
        let secret = b"SECRET^PATIENT";
        let mut tcp = vec![0, 80, 0, 81, 0, 0, 0, 1, 0, 0, 0, 1, 0x60, 0x18, 1, 0, 0, 0, 0, 0];
        tcp.extend([1, 1, 1, 1]);
        tcp.extend(secret);
        let mut echo = vec![8, 0, 0, 0, 0, 1, 0, 1];
        echo.extend(secret);
        let mut fragment = frame(1, 2, 17, secret);
        fragment[21] = 9;
        let mut sap = vec![0; 12];
        sap.extend([0, 40, 0xaa, 0xaa]);
        sap.extend(secret);
        let mut broken = frame(1, 2, 6, secret);
        broken[14] = 0x4f;
        for (bytes, length) in [
            (udp(1, 2, secret), 42),
            (frame(1, 2, 6, &tcp), 58),
            (frame(1, 2, 1, &echo), 42),
            (frame(1, 2, 99, secret), 34),
            (fragment, 34),
            (sap, 14),
            (broken, 14),
            (vec![1, 2, 3], 3),
        ] {
            let kept = &bytes[..length_of_heads(&packet(&bytes))];
            assert_eq!(kept.len(), length, "{bytes:02x?}");
            assert!(!kept.windows(6).any(|window| window == b"SECRET"));
        }
    }

    #[test]
    fn a_finding_takes_the_packets_between_those_who_take_part() {
        let party = |last: u8| Some(IpAddr::from([10, 0, 0, last]));
        let mut finding = Finding {
            device: DeviceRef { ip: party(1), ..DeviceRef::default() },
            ..Finding::default()
        };
        let takes = |finding: &Finding, bytes: &[u8]| {
            Filter::of(finding).is_some_and(|filter| filter.takes(&packet(bytes)))
        };
        assert!(takes(&finding, &udp(1, 9, b"x")) && takes(&finding, &udp(9, 1, b"x")));
        assert!(!takes(&finding, &udp(2, 9, b"x")));
        finding.peers.push(PeerRef { ip: party(2), ..PeerRef::default() });
        assert!(takes(&finding, &udp(2, 1, b"x")) && !takes(&finding, &udp(1, 9, b"x")));
        assert!(Filter::of(&Finding::default()).is_none());
    }

    #[test]
    fn heads_alone_are_still_matched() {
        let finding = Finding {
            device: DeviceRef { ip: Some([10, 0, 0, 1].into()), ..DeviceRef::default() },
            ..Finding::default()
        };
        let whole = udp(1, 9, &[7; 300]);
        let mut cut = packet(&whole);
        cut.data = &whole[..length_of_heads(&packet(&whole))];
        assert!(Filter::of(&finding).unwrap().takes(&cut));
    }
}
