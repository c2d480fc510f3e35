//! One more of a kind: telling a newcomer that was bought from one that crept in.
//!
//! A hospital adds monitors, pumps and analysers all the time, and each does from its first minute
//! what others of its kind do. What speaks for it is what an intruder's computer lacks: a network
//! card of a maker of such devices or, where a router hides the card, a place among them.

use std::net::IpAddr;

use assets::Entity;

use crate::seam::Context;

/// Fewest devices that make a kind.
const KIND: usize = 2;

/// Whether a device that was not there while learning is one more of the devices `kin`, all of
/// which do what it now does.
pub fn one_more(cx: &Context<'_>, newcomer: Entity, kin: &[Entity]) -> bool {
    let Entity::Device(new) = newcomer else { return false };
    let kin: Vec<_> =
        kin.iter().filter_map(|entity| entity.device()).filter(|ix| *ix != new).collect();
    if cx.normal.knows(newcomer) || kin.len() < KIND {
        return false;
    }
    let Some(card) = cx.inventory.mac(new) else {
        let near = |ip: Option<IpAddr>| {
            ip.is_some_and(|ip| cx.inventory.ip(new).is_some_and(|own| same_subnet(own, ip)))
        };
        return kin.iter().filter(|ix| near(cx.inventory.ip(**ix))).count() >= KIND;
    };
    kin.iter().any(|ix| {
        let maker = cx.inventory.mac(*ix).is_some_and(|mac| mac.0[..3] == card.0[..3]);
        maker || cx.inventory.maker_makes(new, cx.inventory.class(*ix))
    })
}

/// Whether two addresses are of one subnet of the usual size (/24, /64).
pub fn same_subnet(a: IpAddr, b: IpAddr) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.octets()[..3] == b.octets()[..3],
        (IpAddr::V6(a), IpAddr::V6(b)) => a.segments()[..4] == b.segments()[..4],
        _ => false,
    }
}
