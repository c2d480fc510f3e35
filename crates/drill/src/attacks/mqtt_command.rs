//! Publishes commands to other pumps' topics, and the broker passes them on: from a stranger, or
//! from a known pump on its own conversation.

use crate::app::mqtt;
use crate::net::tcp::Side;
use crate::normal::pump;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, SEC};

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let broker = scene.w.services.broker.filter(|b| !b.tls)?;
    let actor = scene.attacker(&[Role::Pump]);
    let mut pumps = scene.w.all(Role::Pump);
    pumps.retain(|&p| p != actor);
    scene.w.rng.shuffle(&mut pumps);
    pumps.truncate(3);
    pumps.first()?;
    let own = scene.w.hosts[actor].role == Role::Pump;
    let mut tcp = if own {
        pump::line_to_broker(scene.w, scene.now, actor)?
    } else {
        let client = format!("mqttx_{}", scene.w.rng.hex(8));
        pump::connect(scene.w, scene.now, actor, &client, &[])?
    };
    for _ in 0..scene.count(2) {
        for &victim in &pumps {
            let topic = format!("pump/{}/command", pump::client_id(scene.w, victim));
            let rate = scene.w.rng.uniform(300.0, 999.0);
            let order = format!("{{\"set_rate_ml_h\": {rate:.1}}}");
            let message = mqtt::publish(&topic, order.as_bytes());
            tcp.up(scene.w, &message);
            if let Some(mut line) = scene.w.resume(victim, "mqtt") {
                line.wait_until(scene.w, tcp.now + MS);
                line.down(scene.w, &message);
                scene.w.keep("mqtt", line);
            }
            let wait = if own { 80 * MS } else { scene.between(SEC) };
            tcp.pause(scene.w, wait);
        }
    }
    if own {
        scene.w.keep("mqtt", tcp);
    } else {
        tcp.up(scene.w, &mqtt::disconnect());
        tcp.close(scene.w, Side::Client);
    }
    let mut victims = vec![broker.host];
    victims.extend(pumps);
    Some(scene.story("rogue command published to infusion pumps over mqtt", actor, victims))
}
