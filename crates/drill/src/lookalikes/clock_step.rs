//! B07: the site's time server steps, and devices set their clocks after it.

use crate::app::ntp;
use crate::scenario::{Scene, Story};
use crate::time::{MS, SEC};

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let server = scene.w.services.ntp?;
    let mut clients = scene.w.devices();
    clients.truncate(20);
    let step = scene.w.rng.between(2, 9) * SEC;
    let mut now = scene.now;
    for _ in 0..2 {
        for &client in &clients {
            let (ask, answer) = (ntp::request(now), ntp::reply(now, now + step, 2));
            scene.w.ask(now, client, (server, ntp::PORT), &ask, &answer);
            now += scene.between(200 * MS);
        }
    }
    Some(scene.story("the time server steps and devices follow", server, clients))
}
