//! Poses as a bedside monitor towards the central station: the same serial number, another host,
//! a flat line or a fine one (after the talk "80 to 0 in under 5 seconds", DEF CON 26).

use crate::normal::bedside;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let central = scene.w.any(Role::Central)?;
    let victim = scene.w.any(Role::Monitor)?;
    let actor = scene.attacker(&[Role::Nurse, Role::EcgCart, Role::Ventilator]);
    let serial = scene.w.hosts[victim].serial.clone();
    let mut now = scene.w.resolve(scene.now, actor, central);
    if scene.w.is_neighbour(actor, central) {
        // The central station is told that the monitor's address is here now.
        let claimed = scene.w.hosts[victim].ip;
        scene.w.arp_reply(now, actor, claimed, central);
    }
    for number in 0..scene.count(30) as u32 {
        let flat = bedside::wave(&serial, 9_000 + number, |_| 120);
        scene.w.udp(now, [(actor, bedside::WAVES), (central, bedside::WAVES)], &flat);
        now += 900 * MS + scene.between(50 * MS);
    }
    Some(scene.story(
        "forged monitor waves sent to the central station",
        actor,
        vec![central, victim],
    ))
}
