//! A second DHCP server answers first, and names itself as router and name server.

use std::net::Ipv4Addr;

use model::Mac;

use crate::app::dhcp::{self, Kind, Lease};
use crate::normal::housekeeping;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, SEC};

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Camera, Role::Nurse, Role::Printer]);
    let near: Vec<_> = (scene.w.devices().into_iter().chain(scene.w.all(Role::Reading)))
        .filter(|&h| h != actor && scene.w.is_neighbour(actor, h))
        .collect();
    if near.is_empty() {
        return None;
    }
    let everybody = (Mac::BROADCAST, Ipv4Addr::BROADCAST);
    let (client, port) = dhcp::PORTS;
    let own = scene.w.hosts[actor].ip;
    let mut now = scene.now;
    let mut victims = vec![];
    for _ in 0..scene.count(4) {
        let victim = *scene.w.rng.pick(&near);
        let (mac, name) = (scene.w.hosts[victim].mac, scene.w.hosts[victim].name.clone());
        let id = scene.w.rng.next() as u32;
        let honest = housekeeping::lease_of(scene.w, victim, actor);
        let lease = Lease { router: own, dns: own, server: own, seconds: 600, ..honest };
        for (ask, give) in [(Kind::Discover, Kind::Offer), (Kind::Request, Kind::Ack)] {
            let wanted = (ask == Kind::Request).then_some((lease.ip, own));
            let bytes = dhcp::ask(ask, id, mac, &name, None, wanted, "");
            let nobody = Ipv4Addr::UNSPECIFIED;
            scene.w.multicast(now, victim, nobody, everybody, (client, port), &bytes);
            now += MS;
            let bytes = dhcp::give(give, id, mac, None, &lease);
            scene.w.udp(now, [(actor, port), (victim, client)], &bytes);
            now += 2 * MS;
        }
        if !victims.contains(&victim) {
            victims.push(victim);
        }
        now += scene.between(4 * SEC);
    }
    Some(scene.story("rogue dhcp server names itself as router", actor, victims))
}
