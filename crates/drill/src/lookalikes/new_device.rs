//! A new device of a kind that is there already joins, and lives like the others.

use crate::hospital;
use crate::normal::housekeeping;
use crate::role::Role;
use crate::scenario::{Scene, Story};

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let role = [Role::Monitor, Role::Pump, Role::Analyser]
        .into_iter()
        .find(|&r| !scene.w.all(r).is_empty() && scene.w.rng.chance(0.6))
        .unwrap_or(Role::Monitor);
    let name = format!("{}-spare", role.name());
    let actor = hospital::join(scene.w, role, name);
    let now = housekeeping::obtain(scene.w, scene.now, actor);
    housekeeping::clock(scene.w, now, actor);
    scene.w.newborn.push(actor);
    let label = format!("one more {} joins", role.name());
    Some(scene.story(&label, actor, vec![]))
}
