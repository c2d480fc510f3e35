//! Sends studies to an archive on the Internet.

use crate::app::dicom::dialogue::store_study;
use crate::normal::modality;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;
use crate::world::Service;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Ct, Role::Mr, Role::Ultrasound, Role::Reading]);
    let drop = scene.outsider("dicom-drop.example");
    let port = *scene.w.rng.pick(&[104, 11_112, 4_242]);
    let to = Service { host: drop, port, tls: false };
    let mut now = scene.now;
    for _ in 0..scene.count(4) {
        let study = modality::some_study(scene.w, Role::Ct, now);
        now = store_study(scene.w, now, actor, to, &study, 3) + scene.between(4 * SEC);
    }
    Some(scene.story("dicom studies stored to an external host", actor, vec![drop]))
}
