//! Ranges of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Addresses that share their first bits, such as `10.20.0.0/16`. Host bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    address: IpAddr,
    prefix: u8,
}

impl Range {
    /// Every IPv4 address.
    pub const ALL_V4: Self = Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix: 0 };
    /// Every IPv6 address.
    pub const ALL_V6: Self = Self { address: IpAddr::V6(Ipv6Addr::UNSPECIFIED), prefix: 0 };

    /// The addresses that share `prefix` bits with `address`; a longer prefix than the address has
    /// is cut to it.
    pub fn new(address: IpAddr, prefix: u8) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let prefix = prefix.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                Self { address: Ipv4Addr::from_bits(v4.to_bits() & mask).into(), prefix }
            }
            IpAddr::V6(v6) => {
                let prefix = prefix.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                Self { address: Ipv6Addr::from_bits(v6.to_bits() & mask).into(), prefix }
            }
        }
    }

    /// One address.
    pub fn one(address: IpAddr) -> Self {
        Self::new(address, if address.is_ipv4() { 32 } else { 128 })
    }

    /// First address.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// Bits that are shared.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether it is one address.
    pub const fn is_one(self) -> bool {
        match self.address {
            IpAddr::V4(_) => self.prefix == 32,
            IpAddr::V6(_) => self.prefix == 128,
        }
    }

    /// Whether an address is in it.
    pub fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && Self::new(address, self.prefix).address == self.address
    }
}

/// Whether an address is one of those that every cable has, and that say nothing of where a device
/// is.
pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_one() {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

/// A text is no range.
#[derive(Debug, Clone, thiserror::Error)]
#[error("'{0}' is no address or range: give one such as 10.20.0.15, 10.20.0.0/16 or fd00::/8")]
pub struct ParseRangeError(String);

impl FromStr for Range {
    type Err = ParseRangeError;

    fn from_str(text: &str) -> Result<Self, ParseRangeError> {
        let refuse = || ParseRangeError(text.chars().take(64).collect());
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let Some(prefix) = prefix else { return Ok(Self::one(address)) };
        let prefix: u8 = prefix.parse().map_err(|_| refuse())?;
        if prefix > if address.is_ipv4() { 32 } else { 128 } {
            return Err(refuse());
        }
        Ok(Self::new(address, prefix))
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_range_is_refused_with_the_text() {
        for bad in ["", "10.0.0.0/33", "fd00::/129", "ward 3", "10.0.0/8", "10.0.0.1/-1"] {
            let error = bad.parse::<Range>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{bad}'")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_range_holds_its_own_addresses_and_comes_back_from_text(bits: u32, prefix in 0_u8..=32) {
            let range = Range::new(Ipv4Addr::from_bits(bits).into(), prefix);
            prop_assert!(range.contains(Ipv4Addr::from_bits(bits).into()));
            prop_assert_eq!(range.to_string().parse::<Range>().unwrap(), range);
        }

        #[test]
        fn an_address_that_differs_in_a_shared_bit_is_outside(bits: u128, prefix in 1_u8..=128, flip in 0_u8..128) {
            prop_assume!(flip < prefix);
            let range = Range::new(Ipv6Addr::from_bits(bits).into(), prefix);
            let other = bits ^ (1_u128 << (127 - flip));
            prop_assert!(!range.contains(Ipv6Addr::from_bits(other).into()));
        }
    }
}
