//! A host that is no interface sends results to the engine, in the name of one that is.

use crate::app::hl7::{self, Route};
use crate::net::tcp::{Side, Tcp};
use crate::normal::bedside;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let engine = scene.w.services.hl7?;
    let actor = scene.attacker(&[Role::Reading, Role::Nurse]);
    let route = Route::new("LIS", "LAB", "ENGINE");
    let mut tcp = Tcp::open(scene.w, scene.now, actor, engine.at());
    for i in 0..scene.count(6) {
        let patient = scene.w.patients[scene.w.rng.index(scene.w.patients.len())].clone();
        let control = format!("L{:06}", 40_000 + i);
        let value = scene.w.rng.uniform(7.5, 9.9);
        let message = hl7::result(&route, &patient, &control, tcp.now, "K^POTASSIUM", value);
        bedside::send(scene.w, &mut tcp, &route, &control, &message);
        let wait = scene.between(SEC);
        tcp.pause(scene.w, wait);
    }
    tcp.close(scene.w, Side::Client);
    Some(scene.story(
        "hl7 results injected from a host that is no interface",
        actor,
        vec![engine.host],
    ))
}
