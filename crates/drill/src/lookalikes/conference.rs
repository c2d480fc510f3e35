//! A tumour conference: a known workstation reads the studies of many patients, one by one.

use crate::normal::desk;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let pacs = scene.w.services.pacs?;
    let actor = scene.w.any(Role::Reading)?;
    let mut now = scene.now;
    for _ in 0..scene.count(9) {
        now = desk::read_images(scene.w, now, actor, 1) + scene.between(4 * SEC);
    }
    Some(scene.story("a conference: one workstation reads many studies", actor, vec![pacs.host]))
}
