//! B01: the archive is migrated: every study goes over to its successor.

use crate::app::dicom::dialogue::store_study;
use crate::hospital;
use crate::normal::{housekeeping, modality};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;
use crate::world::Service;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let pacs = scene.w.services.pacs?;
    let successor = hospital::join(scene.w, Role::Pacs, "pacs-next".to_owned());
    scene.w.hosts[successor].open.push(104);
    let mut now = housekeeping::obtain(scene.w, scene.now, successor);
    let to = Service { host: successor, port: 104, tls: false };
    for _ in 0..scene.count(20) {
        let kind = *scene.w.rng.pick(&[Role::Ct, Role::Xray, Role::Ultrasound]);
        let study = modality::some_study(scene.w, kind, now);
        now = store_study(scene.w, now, pacs.host, to, &study, 3) + scene.between(150 * MS);
    }
    Some(scene.story("archive migration to its successor", pacs.host, vec![successor]))
}
