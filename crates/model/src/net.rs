//! Addresses and the Community ID.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha1::{Digest, Sha1};

/// A 48-bit Ethernet address; text is lower-case and colon-separated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The address of everybody.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether the group bit is set (broadcast and multicast): nobody's own address.
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether the address was made up locally rather than bought from the IEEE.
    pub const fn is_local(self) -> bool {
        self.0[0] & 2 == 2
    }

    /// Whether it can stand for one interface: neither zero nor a group.
    pub fn is_station(self) -> bool {
        !self.is_group() && self.0 != [0; 6]
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A text that is no Ethernet address.
#[derive(Debug, Clone, thiserror::Error)]
#[error("'{0}' is no Ethernet address: give six hexadecimal bytes, such as 00:1b:21:0a:0b:0c")]
pub struct ParseMacError(String);

impl FromStr for Mac {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let refuse = || ParseMacError(text.chars().take(64).collect());
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next().filter(|p| p.len() == 2).ok_or_else(refuse)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| refuse())?;
        }
        if parts.next().is_some() { Err(refuse()) } else { Ok(Self(bytes)) }
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// What carries a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP for IPv4: the "ports" of such a flow are type and code.
    Icmp,
    /// ICMP for IPv6: the "ports" of such a flow are type and code.
    Icmp6,
    /// SCTP.
    Sctp,
    /// ARP, which has no IP header: such packets belong to no flow.
    Arp,
    /// Another IP protocol, by its number.
    Other(u8),
}

impl Transport {
    /// From the protocol number of an IP header.
    pub const fn from_ip_protocol(number: u8) -> Self {
        match number {
            1 => Self::Icmp,
            6 => Self::Tcp,
            17 => Self::Udp,
            58 => Self::Icmp6,
            132 => Self::Sctp,
            other => Self::Other(other),
        }
    }

    /// The protocol number of an IP header; zero for ARP, which has none.
    pub const fn ip_protocol(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Icmp => 1,
            Self::Icmp6 => 58,
            Self::Sctp => 132,
            Self::Arp => 0,
            Self::Other(number) => number,
        }
    }

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmp6 => "icmp6",
            Self::Sctp => "sctp",
            Self::Arp => "arp",
            Self::Other(_) => "ip",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Network address.
    pub ip: IpAddr,
    /// TCP or UDP port; type or code for ICMP; zero where there is none.
    pub port: u16,
}

/// Who talks to whom: the originator first (the side that opened the flow).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiveTuple {
    /// What carries it.
    pub transport: Transport,
    /// The side that opened the flow.
    pub originator: Endpoint,
    /// The side that was called.
    pub responder: Endpoint,
}

/// ICMP message types whose answer has a type of its own, so that both count as one flow
/// (Community ID specification 1.0: the same pairs as Zeek's).
const ICMP_PAIRS: [(u16, u16); 5] = [(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)];
const ICMP6_PAIRS: [(u16, u16); 5] = [(128, 129), (133, 134), (135, 136), (130, 131), (144, 145)];

impl FiveTuple {
    /// The Community ID, version 1 with seed 0, which other tools use for the same flow.
    pub fn community_id(&self) -> CommunityId {
        let (mut a, mut b) = (self.originator, self.responder);
        let one_way = match self.transport {
            Transport::Icmp => icmp_ports(&ICMP_PAIRS, &mut a, &mut b),
            Transport::Icmp6 => icmp_ports(&ICMP6_PAIRS, &mut a, &mut b),
            _ => false,
        };
        if !one_way && (b.ip, b.port) < (a.ip, a.port) {
            std::mem::swap(&mut a, &mut b);
        }
        let mut sha1 = Sha1::new();
        sha1.update([0, 0]);
        for ip in [a.ip, b.ip] {
            match ip {
                IpAddr::V4(v4) => sha1.update(v4.octets()),
                IpAddr::V6(v6) => sha1.update(v6.octets()),
            }
        }
        sha1.update([self.transport.ip_protocol(), 0]);
        if matches!(
            self.transport,
            Transport::Tcp | Transport::Udp | Transport::Sctp | Transport::Icmp | Transport::Icmp6
        ) {
            sha1.update(a.port.to_be_bytes());
            sha1.update(b.port.to_be_bytes());
        }
        CommunityId(sha1.finalize().into())
    }
}

/// Sets the "ports" of an ICMP flow, and says whether it is one-way (type and code, unordered).
fn icmp_ports(pairs: &[(u16, u16)], a: &mut Endpoint, b: &mut Endpoint) -> bool {
    let kind = a.port;
    for &(ask, answer) in pairs {
        if kind == ask {
            b.port = answer;
            return false;
        }
        if kind == answer {
            b.port = ask;
            return false;
        }
    }
    true
}

/// A flow's name in every tool that speaks Community ID (`1:` and the base64 of a SHA-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommunityId([u8; 20]);

impl fmt::Display for CommunityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1:{}", STANDARD.encode(self.0))
    }
}

impl Serialize for CommunityId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether an address belongs to the inside of a site: private (RFC 1918, RFC 4193), link-local,
/// loopback, shared (RFC 6598), multicast, broadcast or unspecified.
///
/// The sites' own public ranges are configuration; this is only the default.
pub fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_link_local()
                || v4.is_loopback()
                || v4.is_multicast()
                || v4.is_broadcast()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfe80
                || v6.to_ipv4_mapped().is_some_and(|v4| is_internal(v4.into()))
        }
    }
}

/// Whether an address stands for one station, and not for a group, everybody or nobody.
pub fn is_unicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_multicast() && !v4.is_broadcast() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_multicast() && !v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tuple(transport: Transport, a: &str, ap: u16, b: &str, bp: u16) -> FiveTuple {
        FiveTuple {
            transport,
            originator: Endpoint { ip: a.parse().unwrap(), port: ap },
            responder: Endpoint { ip: b.parse().unwrap(), port: bp },
        }
    }

    /// Values from the baseline of the Community ID specification (corelight/community-id-spec).
    #[test]
    fn community_ids_are_those_of_the_specification() {
        let cases = [
            (
                tuple(Transport::Tcp, "128.232.110.120", 34855, "66.35.250.204", 80),
                "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
            (
                tuple(Transport::Udp, "192.168.1.52", 54585, "8.8.8.8", 53),
                "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
            ),
            (
                tuple(Transport::Icmp, "192.168.0.89", 8, "192.168.0.1", 0),
                "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
            ),
            (
                tuple(Transport::Sctp, "192.168.170.8", 7, "192.168.170.56", 7),
                "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=",
            ),
        ];
        for (tuple, expected) in cases {
            assert_eq!(tuple.community_id().to_string(), expected, "{tuple:?}");
        }
    }

    #[test]
    fn a_mac_that_is_none_is_refused() {
        for bad in ["", "00:11", "00:11:22:33:44:5g", "00:11:22:33:44:55:66", "001122334455"] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn community_id_is_the_same_seen_from_either_side(
            a: [u8; 4], b: [u8; 4], ap: u16, bp: u16, udp: bool
        ) {
            let transport = if udp { Transport::Udp } else { Transport::Tcp };
            let one = Endpoint { ip: a.into(), port: ap };
            let two = Endpoint { ip: b.into(), port: bp };
            let there = FiveTuple { transport, originator: one, responder: two };
            let back = FiveTuple { transport, originator: two, responder: one };
            prop_assert_eq!(there.community_id(), back.community_id());
        }

        #[test]
        fn mac_text_comes_back(bytes: [u8; 6]) {
            prop_assert_eq!(Mac(bytes).to_string().parse::<Mac>().unwrap(), Mac(bytes));
        }
    }
}
