//! B08: an access point restarts, and everything on it comes back at once.

use crate::net::tcp::Side;
use crate::normal::{housekeeping, pump};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, SEC};

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let devices: Vec<_> = [Role::Pump, Role::EcgCart, Role::Nurse, Role::PointOfCare]
        .iter()
        .flat_map(|&r| scene.w.all(r))
        .collect();
    let actor = *devices.first()?;
    for round in 0..2 {
        for &host in &devices {
            let wait = scene.w.rng.between(0, 4_000) * MS;
            let at = scene.now + round * 8 * SEC + wait;
            let at = housekeeping::obtain(scene.w, at, host);
            scene.w.away.insert(host, at);
            if let Some(line) = scene.w.resume(host, "mqtt") {
                // The broker gives the old conversation up when the new one comes.
                line.abort(scene.w, Side::Server);
                if let Some(tcp) = pump::line_to_broker(scene.w, at, host) {
                    scene.w.keep("mqtt", tcp);
                }
            }
        }
    }
    let victims = devices[1..].to_vec();
    Some(scene.story("an access point restarts and its devices come back", actor, victims))
}
