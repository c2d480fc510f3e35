//! What a site says about its own addresses, and the inventory's bounds.

use std::net::IpAddr;

use model::net::{is_internal, is_unicast};
use serde::{Deserialize, Serialize};

/// An address and the length of its network prefix in bits.
pub type Prefix = (IpAddr, u8);

/// Settings of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The site's own ranges beside the private ones, such as public addresses that it uses inside.
    pub internal: Vec<Prefix>,
    /// Ranges that belong to others although they look private, such as a partner's network that
    /// is reached through a tunnel. Wins over `internal`.
    pub external_override: Vec<Prefix>,
    /// Segments where an unknown device counts as life-sustaining. While none is given, all do.
    pub clinical: Vec<Prefix>,
    /// Most devices that are kept; those beyond are refused and counted.
    pub max_devices: usize,
    /// New devices per second on the word of one packet alone, in the long run. A device that was
    /// answered is let in all the same.
    pub new_per_second: u32,
    /// How many such new devices may come at once, as when listening begins.
    pub new_burst: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            internal: Vec::new(),
            external_override: Vec::new(),
            clinical: Vec::new(),
            max_devices: 200_000,
            new_per_second: 20,
            new_burst: 256,
        }
    }
}

/// Where an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Inside,
    Outside,
    Group,
    Nowhere,
}

impl Settings {
    /// Where an address lies. "Unspecified" is nobody's.
    pub(crate) fn place(&self, ip: IpAddr) -> Place {
        if !is_unicast(ip) {
            return if ip.is_unspecified() { Place::Nowhere } else { Place::Group };
        }
        let listed = |ranges: &[Prefix]| ranges.iter().any(|range| holds(*range, ip));
        let inside =
            !listed(&self.external_override) && (is_internal(ip) || listed(&self.internal));
        if inside { Place::Inside } else { Place::Outside }
    }

    /// Whether an unknown device at these addresses counts as life-sustaining: everywhere while no
    /// clinical segment is given, and where no address is known.
    pub(crate) fn is_clinical(&self, ips: &[IpAddr]) -> bool {
        self.clinical.is_empty()
            || ips.is_empty()
            || ips.iter().any(|ip| self.clinical.iter().any(|range| holds(*range, *ip)))
    }
}

/// Whether a range holds an address. A prefix that is longer than an address holds that address.
fn holds((network, length): Prefix, ip: IpAddr) -> bool {
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) => {
            let drop = 32_u32.saturating_sub(u32::from(length));
            let shift = |bits: u32| bits.checked_shr(drop).unwrap_or(0);
            shift(network.to_bits()) == shift(ip.to_bits())
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) => {
            let drop = 128_u32.saturating_sub(u32::from(length));
            let shift = |bits: u128| bits.checked_shr(drop).unwrap_or(0);
            shift(network.to_bits()) == shift(ip.to_bits())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(settings: &Settings, ip: &str) -> Place {
        settings.place(ip.parse().unwrap())
    }

    #[test]
    fn documentation_ranges_lie_outside() {
        let settings = Settings::default();
        for ip in ["203.0.113.9", "198.51.100.1", "192.0.2.77", "2001:db8::1", "8.8.8.8"] {
            assert_eq!(place(&settings, ip), Place::Outside, "{ip}");
        }
        for ip in ["10.1.2.3", "172.16.0.1", "192.168.1.1", "fe80::1", "fd00::1", "100.64.0.1"] {
            assert_eq!(place(&settings, ip), Place::Inside, "{ip}");
        }
        for ip in ["255.255.255.255", "224.0.0.251", "ff02::1"] {
            assert_eq!(place(&settings, ip), Place::Group, "{ip}");
        }
        for ip in ["0.0.0.0", "::"] {
            assert_eq!(place(&settings, ip), Place::Nowhere, "{ip}");
        }
    }

    #[test]
    fn a_sites_own_ranges_win_and_a_partners_win_over_them() {
        let settings = Settings {
            internal: vec![("198.51.100.0".parse().unwrap(), 24)],
            external_override: vec![("10.9.0.0".parse().unwrap(), 16)],
            ..Settings::default()
        };
        assert_eq!(place(&settings, "198.51.100.7"), Place::Inside);
        assert_eq!(place(&settings, "10.9.1.1"), Place::Outside);
        assert_eq!(place(&settings, "10.8.1.1"), Place::Inside);
    }

    #[test]
    fn a_prefix_of_zero_holds_everything_and_an_absurd_one_one_address() {
        let any = "0.0.0.0".parse().unwrap();
        assert!(holds((any, 0), "9.9.9.9".parse().unwrap()));
        let one: IpAddr = "10.0.0.1".parse().unwrap();
        assert!(holds((one, 200), one) && !holds((one, 200), "10.0.0.2".parse().unwrap()));
    }
}
