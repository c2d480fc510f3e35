//! B06: a new scanner is commissioned: it asks whether the archive is there, and sends a test study
//! or two.

use crate::app::dicom::dialogue::store_study;
use crate::hospital;
use crate::normal::{housekeeping, modality};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let pacs = scene.w.services.pacs?;
    let role = *scene.w.rng.pick(&[Role::Ultrasound, Role::Xray]);
    let actor = hospital::join(scene.w, role, format!("{}-new", role.name()));
    let mut now = housekeeping::obtain(scene.w, scene.now, actor);
    for _ in 0..3 {
        now = modality::echo(scene.w, now, actor) + scene.between(2 * SEC);
    }
    for _ in 0..2 {
        let study = modality::some_study(scene.w, role, now);
        now = store_study(scene.w, now, actor, pacs, &study, 2) + scene.between(2 * SEC);
    }
    scene.w.newborn.push(actor);
    let mut story = scene.story("a new modality is commissioned", actor, vec![pacs.host]);
    story.note = "commissioning a new modality".to_owned();
    Some(story)
}
