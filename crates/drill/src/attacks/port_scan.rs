//! A port scan of a few devices: half-open, in random order.

use crate::net::packets::Door;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Reading, Role::Nurse, Role::Xray, Role::Biomed]);
    let victims = scene.victims(3, actor);
    let mut ports: Vec<u16> =
        (1..=1_024).chain([1883, 2575, 3389, 4242, 5900, 8080, 11_112]).collect();
    scene.w.rng.shuffle(&mut ports);
    ports.truncate(scene.count(300).min(500));
    let known: Vec<u16> = victims.iter().flat_map(|&v| scene.w.hosts[v].open.clone()).collect();
    ports.extend(known);
    let from = scene.w.port(actor);
    let mut now = scene.now;
    let mut open = 0;
    for &port in &ports {
        for &victim in &victims {
            now = scene.w.resolve(now, actor, victim);
            if scene.w.knock(now, actor, victim, (from, port)) == Door::Open {
                open += 1;
            }
            now += scene.between(12 * MS);
        }
    }
    let mut story = scene.story("tcp syn port scan of devices", actor, victims);
    story.note = format!("{} ports, {open} found open", ports.len());
    Some(story)
}
