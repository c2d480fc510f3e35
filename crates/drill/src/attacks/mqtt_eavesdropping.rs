//! Subscribes to everything, and listens.

use crate::app::mqtt;
use crate::net::tcp::Side;
use crate::normal::pump;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let broker = scene.w.services.broker.filter(|b| !b.tls)?;
    let actor = scene.attacker(&[Role::Nurse, Role::Camera, Role::Reading]);
    let client = scene.w.rng.hex(10);
    let filters: &[&str] = if scene.w.rng.chance(0.5) { &["#", "$SYS/#"] } else { &["#"] };
    let mut tcp = pump::connect(scene.w, scene.now, actor, &client, filters)?;
    let pumps = scene.w.all(Role::Pump);
    for _ in 0..scene.count(30) {
        let wait = scene.between(SEC);
        tcp.pause(scene.w, wait);
        if let Some(&one) = pumps.get(scene.w.rng.index(pumps.len())) {
            let topic = format!("pump/{}/telemetry", pump::client_id(scene.w, one));
            let heard = mqtt::publish(&topic, &pump::telemetry(tcp.now, 20.0, 300.0));
            tcp.down(scene.w, &heard);
        }
    }
    tcp.up(scene.w, &mqtt::disconnect());
    tcp.close(scene.w, Side::Client);
    Some(scene.story("subscription to every mqtt topic", actor, vec![broker.host]))
}
