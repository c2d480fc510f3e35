//! B11: after a downtime, a known sender empties its queue into the engine.

use crate::app::hl7::{self, Route};
use crate::normal::bedside;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let engine = scene.w.services.hl7?;
    let actor = scene.w.any_of(&[Role::Lis, Role::Ehr]).filter(|&h| h != engine.host)?;
    let lis = scene.w.hosts[actor].role == Role::Lis;
    let mut tcp = bedside::line_to_engine(scene.w, scene.now, actor)?;
    let route =
        if lis { Route::new("LIS", "LAB", "ENGINE") } else { Route::new("EHR", "HOSP", "ENGINE") };
    for i in 0..scene.count(150) {
        let patient = scene.w.patients[scene.w.rng.index(scene.w.patients.len())].clone();
        let control = format!("Q{i:06}");
        let then = tcp.now - 1_800 * SEC + i as i64 * SEC;
        let message = if lis {
            let value = scene.w.rng.normal(5.0, 0.6);
            hl7::result(&route, &patient, &control, then, "GLU", value)
        } else {
            hl7::admission(&route, &patient, &control, then, "A08")
        };
        bedside::send(scene.w, &mut tcp, &route, &control, &message);
    }
    scene.w.keep("mllp", tcp);
    Some(scene.story("interface replay after a downtime", actor, vec![engine.host]))
}
