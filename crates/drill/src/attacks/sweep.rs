//! Sweeps: who is there? With echoes, with ARP, or with one port on every host.

use std::net::Ipv4Addr;

use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;
use crate::world::HostId;

/// Where sweeps come from that a known host makes.
const SOURCES: [Role; 4] = [Role::Reading, Role::Nurse, Role::Ultrasound, Role::Ct];

/// Addresses around a few devices, in order, and who has each.
fn range(scene: &mut Scene<'_>, actor: HostId, count: usize) -> Vec<(Ipv4Addr, Option<HostId>)> {
    let anchor = scene.victims(1, actor).first().copied().unwrap_or(actor);
    let [a, b, c, _] = scene.w.hosts[anchor].ip.octets();
    (1..=count.min(254))
        .map(|last| {
            let ip = Ipv4Addr::new(a, b, c, last as u8);
            (ip, (0..scene.w.hosts.len()).find(|&h| h != actor && scene.w.hosts[h].ip == ip))
        })
        .collect()
}

/// Echo requests to a whole range.
pub(crate) fn ping(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let mut victims = vec![];
    let mut now = scene.now;
    let own_net = scene.w.subnets[scene.w.hosts[actor].subnet].clone();
    for (ip, host) in range(scene, actor, 254) {
        let near = ip.to_bits() >> (32 - own_net.prefix)
            == own_net.base.to_bits() >> (32 - own_net.prefix);
        match host {
            Some(host) => {
                scene.w.ping(now, actor, host, 1, 56);
                victims.push(host);
            }
            None if near => scene.w.arp_request(now, actor, ip),
            None => scene.w.ping_nobody(now, actor, ip),
        }
        now += scene.between(20 * MS);
    }
    victims.truncate(12);
    Some(scene.story("ping sweep of a device network", actor, victims))
}

/// ARP requests for a whole range.
pub(crate) fn arp(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let [a, b, c, _] = scene.w.hosts[actor].ip.octets();
    let mut victims = vec![];
    let mut now = scene.now;
    for last in 1..=254 {
        let ip = Ipv4Addr::new(a, b, c, last);
        if ip == scene.w.hosts[actor].ip {
            continue;
        }
        scene.w.arp_request(now, actor, ip);
        let owner = (0..scene.w.hosts.len())
            .find(|&h| scene.w.hosts[h].ip == ip && scene.w.is_neighbour(actor, h));
        if let Some(owner) = owner {
            scene.w.arp_reply(now + MS / 4, owner, ip, actor);
            victims.push(owner);
        }
        now += scene.between(15 * MS);
    }
    victims.truncate(12);
    Some(scene.story("arp sweep of its own network", actor, victims))
}

/// One port on every device: half-open.
pub(crate) fn syn(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let port = *scene.w.rng.pick(&[80, 445, 23, 104, 3389]);
    let victims = scene.victims(60, actor);
    let mut now = scene.now;
    for &victim in &victims {
        let at = scene.w.resolve(now, actor, victim);
        let from = scene.w.port(actor);
        scene.w.knock(at, actor, victim, (from, port));
        now = at + scene.between(60 * MS);
    }
    let label = format!("tcp syn sweep of every device on port {port}");
    Some(scene.story(&label, actor, victims))
}
