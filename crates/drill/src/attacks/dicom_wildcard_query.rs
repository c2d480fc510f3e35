//! Asks the archive for everybody: C-FIND with a wildcard, and the whole list comes back.

use crate::app::dicom::dialogue::associate;
use crate::app::dicom::message::{self, STUDY_FIND};
use crate::normal::modality;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let pacs = scene.w.services.pacs?;
    let actor = scene.attacker(&[Role::Reading, Role::Nurse, Role::Ultrasound]);
    let title = scene.w.hosts[actor].title.clone();
    let mut now = scene.now;
    for _ in 0..scene.count(2) {
        let name = *scene.w.rng.pick(&["*", "A*", "*^*", ""]);
        let date = if name.is_empty() { "19000101-20991231" } else { "" };
        let answers: Vec<Vec<u8>> = (0..scene.w.rng.between(150, 400))
            .map(|i| {
                let mut study = modality::some_study(scene.w, Role::Ct, now - i * 3_600 * SEC);
                study.patient.id = (1_000 + i).to_string();
                message::answer(&study)
            })
            .collect();
        let mut association = associate(scene.w, now, actor, pacs, &title, &[STUDY_FIND]);
        let keys = message::query(name, "", date);
        association.find(scene.w, 1, STUDY_FIND, &keys, &answers);
        now = association.release(scene.w) + scene.between(4 * SEC);
    }
    Some(scene.story("dicom wildcard query for all patients", actor, vec![pacs.host]))
}
