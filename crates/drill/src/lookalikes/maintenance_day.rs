//! B03: the engineers' laptop goes from device to device.

use crate::normal::desk;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.w.any(Role::Biomed)?;
    let kinds = [Role::Pump, Role::Monitor, Role::EcgCart];
    let victims: Vec<_> = kinds.iter().flat_map(|&r| scene.w.all(r)).take(10).collect();
    victims.first()?;
    let mut now = scene.now;
    for &device in &victims {
        now = desk::visit(scene.w, now, actor, device) + scene.between(SEC);
    }
    Some(scene.story("maintenance laptop visits devices", actor, victims))
}
