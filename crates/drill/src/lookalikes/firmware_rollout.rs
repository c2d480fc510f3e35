//! B02: every pump fetches new firmware and a new library from the server that it always asks.

use crate::normal::web;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let update = scene.w.services.update?;
    let pumps = scene.w.all(Role::Pump);
    pumps.first()?;
    let mut image = b"\x27\x05\x19\x56pump firmware ".to_vec();
    image.extend(scene.w.rng.bytes(450_000));
    let kind = "application/octet-stream";
    let mut now = scene.now;
    for &pump in &pumps {
        let done = web::get(scene.w, now, pump, update, "/firmware/v8.bin", (kind, &image));
        web::get(scene.w, done, pump, update, "/druglib", (kind, &image[..3_000]));
        now += scene.between(SEC);
    }
    let label = "drug library and firmware rollout to all pumps from the known update server";
    Some(scene.story(label, update.host, pumps))
}
