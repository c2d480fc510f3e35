//! Puts itself between two hosts: tells each that it is the other.

use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Monitor, Role::Nurse, Role::Reading, Role::Ultrasound]);
    let near: Vec<_> = scene
        .w
        .devices()
        .into_iter()
        .chain(scene.w.all(Role::Reading))
        .chain(scene.w.all(Role::Nurse))
        .filter(|&h| h != actor && scene.w.is_neighbour(actor, h))
        .collect();
    let victim = *near.get(scene.w.rng.index(near.len()))?;
    let gateway = scene.w.gateway;
    let router = scene.w.subnets[scene.w.hosts[victim].subnet].gateway;
    let server = scene.w.services.hl7.map(|s| s.host).filter(|&s| scene.w.is_neighbour(s, actor));
    let (other, claimed) = match server.filter(|&s| s != victim) {
        Some(server) => (server, scene.w.hosts[server].ip),
        None => (gateway, router),
    };
    let own = scene.w.hosts[victim].ip;
    let mut now = scene.now;
    for _ in 0..scene.count(20) {
        scene.w.arp_reply(now, actor, claimed, victim);
        scene.w.arp_reply_to(now + SEC / 1_000, actor, own, (other, claimed));
        now += scene.between(2 * SEC);
    }
    Some(scene.story("arp spoofing between a device and its server", actor, vec![victim]))
}
