//! Oddities of packets and flows, one bit each, for detectors that know what they mean.

/// A set of oddities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notes(u16);

impl Notes {
    /// A source-route option or a type 0 routing header (RFC 5095).
    pub const SOURCE_ROUTE: Self = Self(1);
    /// IP options whose lengths do not add up.
    pub const BAD_IP_OPTIONS: Self = Self(1 << 1);
    /// TCP options whose lengths do not add up.
    pub const BAD_TCP_OPTIONS: Self = Self(1 << 2);
    /// URG set with an urgent pointer of zero (CVE-2019-12255 and its kin).
    pub const URGENT_ZERO: Self = Self(1 << 3);
    /// SYN together with FIN or RST, or no flag at all, or FIN with PSH and URG: no stack sends it.
    pub const ODD_FLAGS: Self = Self(1 << 4);
    /// SYN that carries data.
    pub const SYN_DATA: Self = Self(1 << 5);
    /// The same bytes of a stream or datagram were sent twice with different content.
    pub const CONFLICT: Self = Self(1 << 6);
    /// It came in fragments.
    pub const FRAGMENTED: Self = Self(1 << 7);
    /// It came in a tunnel or was mirrored in one.
    pub const TUNNELLED: Self = Self(1 << 8);
    /// A TCP segment or reset outside the receiver's window.
    pub const OUT_OF_WINDOW: Self = Self(1 << 9);
    /// A packet within an IP packet that came in fragments (CVE-2020-11896 and its kin).
    pub const TUNNELLED_FRAGMENTS: Self = Self(1 << 10);

    /// What no stack sends by itself, so that each such packet is worth counting.
    pub const CRAFTED: Self = Self(
        Self::SOURCE_ROUTE.0
            | Self::BAD_IP_OPTIONS.0
            | Self::BAD_TCP_OPTIONS.0
            | Self::URGENT_ZERO.0
            | Self::ODD_FLAGS.0
            | Self::TUNNELLED_FRAGMENTS.0,
    );

    const NAMES: [(Self, &'static str); 11] = [
        (Self::SOURCE_ROUTE, "source_route"),
        (Self::BAD_IP_OPTIONS, "bad_ip_options"),
        (Self::BAD_TCP_OPTIONS, "bad_tcp_options"),
        (Self::URGENT_ZERO, "urgent_zero"),
        (Self::ODD_FLAGS, "odd_flags"),
        (Self::SYN_DATA, "syn_data"),
        (Self::CONFLICT, "conflict"),
        (Self::FRAGMENTED, "fragmented"),
        (Self::TUNNELLED, "tunnelled"),
        (Self::OUT_OF_WINDOW, "out_of_window"),
        (Self::TUNNELLED_FRAGMENTS, "tunnelled_fragments"),
    ];

    /// None.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Adds those of `other`.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether all of `other` are in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn among(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Names of those in it.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(note, _)| self.has(*note)).map(|(_, name)| *name)
    }
}
