//! What is wrong with a packet that cannot be read.

use std::fmt;

/// The layer whose rules a packet breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Ethernet, Linux cooked, loopback, PPP.
    Link,
    /// VLAN tags.
    Vlan,
    /// MPLS labels.
    Mpls,
    /// IPv4.
    Ipv4,
    /// IPv6 and its extension headers.
    Ipv6,
    /// Fragments of either.
    Fragment,
    /// GRE, ERSPAN and packets in packets.
    Tunnel,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP for IPv4 or IPv6.
    Icmp,
    /// SCTP.
    Sctp,
}

impl Layer {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// All of them, in the order of [`Layer::index`].
    pub const ALL: [Self; Self::COUNT] = [
        Self::Link,
        Self::Vlan,
        Self::Mpls,
        Self::Ipv4,
        Self::Ipv6,
        Self::Fragment,
        Self::Tunnel,
        Self::Tcp,
        Self::Udp,
        Self::Icmp,
        Self::Sctp,
    ];

    /// Its place in [`Layer::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Vlan => "vlan",
            Self::Mpls => "mpls",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Fragment => "fragment",
            Self::Tunnel => "tunnel",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Sctp => "sctp",
        }
    }
}

/// A packet that breaks the rules of a layer so that nothing above it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Whose rules.
    pub layer: Layer,
    /// Which rule.
    pub what: &'static str,
}

impl Malformed {
    pub(crate) const fn new(layer: Layer, what: &'static str) -> Self {
        Self { layer, what }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.layer.name(), self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_layer_would_be_mixed_up_if_places_and_list_disagreed() {
        for (place, layer) in Layer::ALL.into_iter().enumerate() {
            assert_eq!(layer.index(), place, "{}", layer.name());
        }
    }
}
