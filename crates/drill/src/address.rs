//! How a hospital numbers its hosts: a random private range, flat or cut into networks.
//!
//! Hosts outside live in ranges that are kept for documentation and benchmarks (RFC 5737, RFC
//! 2544): nobody's real address is ever accused.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use crate::plan::Layout;
use crate::rng::Rng;
use crate::role::Zone;
use crate::world::Subnet;

/// The networks of a site, and which numbers are taken.
pub(crate) struct Numbering {
    pub(crate) subnets: Vec<Subnet>,
    /// Place in `subnets` of each zone inside.
    of_zone: [usize; 7],
    /// Habit of numbering in a flat network: the third byte of each zone.
    habit: Option<[u8; 7]>,
    taken: BTreeSet<Ipv4Addr>,
}

/// Draws a numbering.
pub(crate) fn number(rng: &mut Rng, layout: Layout) -> Numbering {
    let (a, b) = match rng.below(3) {
        0 => (10, rng.between(0, 255) as u8),
        1 => (172, rng.between(16, 31) as u8),
        _ => (192, 168),
    };
    let mut thirds: Vec<u8> = (1..=250).collect();
    rng.shuffle(&mut thirds);
    let last = if rng.chance(0.7) { 1 } else { 254 };
    let mut numbering =
        Numbering { subnets: vec![], of_zone: [0; 7], habit: None, taken: BTreeSet::new() };
    if layout == Layout::Flat {
        let base = Ipv4Addr::new(a, b, 0, 0);
        let gateway = Ipv4Addr::new(a, b, 0, last);
        numbering.subnets.push(Subnet { base, prefix: 16, gateway, tag: None });
        numbering.habit = rng.chance(0.7).then(|| std::array::from_fn(|i| thirds[i]));
    } else {
        for (zone, &third) in thirds.iter().enumerate().take(7) {
            // Small sites let the laboratory and the building share one with imaging.
            if zone >= 4 && zone != 5 && rng.chance(0.2) {
                numbering.of_zone[zone] = numbering.of_zone[1];
                continue;
            }
            numbering.of_zone[zone] = numbering.subnets.len();
            let tag = (layout == Layout::Tagged).then(|| 100 + u16::from(third) * 10);
            let base = Ipv4Addr::new(a, b, third, 0);
            let gateway = Ipv4Addr::new(a, b, third, last);
            numbering.subnets.push(Subnet { base, prefix: 24, gateway, tag });
        }
    }
    numbering.taken.extend(numbering.subnets.iter().map(|s| s.gateway));
    numbering
}

/// An address of a network, neither its first nor its last.
pub(crate) fn within(rng: &mut Rng, base: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    let hosts = 1_u32 << (32 - u32::from(prefix));
    Ipv4Addr::from_bits(base.to_bits() + rng.between(2, i64::from(hosts) - 2) as u32)
}

/// An address of the Internet.
pub(crate) fn outside(rng: &mut Rng) -> Ipv4Addr {
    let last = rng.between(2, 253) as u8;
    match rng.below(4) {
        0 => Ipv4Addr::new(192, 0, 2, last),
        1 => Ipv4Addr::new(198, 51, 100, last),
        2 => Ipv4Addr::new(203, 0, 113, last),
        _ => Ipv4Addr::new(198, rng.between(18, 19) as u8, rng.between(0, 255) as u8, last),
    }
}

impl Numbering {
    /// A free address in a zone, and the subnet it is in.
    pub(crate) fn inside(&mut self, rng: &mut Rng, zone: Zone) -> (usize, Ipv4Addr) {
        let zone = Zone::INSIDE.iter().position(|&z| z == zone).unwrap_or(0);
        let subnet = self.of_zone[zone];
        let (mut base, mut prefix) = (self.subnets[subnet].base, self.subnets[subnet].prefix);
        if let Some(habit) = self.habit {
            let [a, b, ..] = base.octets();
            (base, prefix) = (Ipv4Addr::new(a, b, habit[zone], 0), 24);
        }
        loop {
            let ip = within(rng, base, prefix);
            if self.taken.insert(ip) {
                return (subnet, ip);
            }
        }
    }

    /// A free address of the Internet.
    pub(crate) fn outside(&mut self, rng: &mut Rng) -> Ipv4Addr {
        loop {
            let ip = outside(rng);
            if self.taken.insert(ip) {
                return ip;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_hosts_share_an_address_and_each_lies_in_its_network() {
        for (seed, layout) in [(1, Layout::Flat), (2, Layout::Routed), (3, Layout::Tagged)] {
            let mut rng = Rng::new(seed);
            let mut numbering = number(&mut rng, layout);
            let mut seen = BTreeSet::new();
            for zone in Zone::INSIDE.iter().cycle().take(140) {
                let (subnet, ip) = numbering.inside(&mut rng, *zone);
                let net = &numbering.subnets[subnet];
                assert_eq!(
                    ip.to_bits() >> (32 - net.prefix),
                    net.base.to_bits() >> (32 - net.prefix)
                );
                assert!(model::net::is_internal(ip.into()) && seen.insert(ip), "{ip}");
            }
            assert!(!model::net::is_internal(numbering.outside(&mut rng).into()));
        }
    }
}
