//! Has the archive send one study after the other, to itself (known) or to a title that nobody
//! here has used before (stranger).

use crate::app::dicom::dialogue::{associate, retrieve};
use crate::app::dicom::message::{self, STUDY_FIND, STUDY_MOVE};
use crate::normal::desk::IMAGE_PORT;
use crate::normal::modality;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, SEC};

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let pacs = scene.w.services.pacs?;
    let actor = scene.attacker(&[Role::Reading, Role::Nurse]);
    let title = scene.w.hosts[actor].title.clone();
    let mut association =
        associate(scene.w, scene.now, actor, pacs, &title, &[STUDY_FIND, STUDY_MOVE]);
    let studies = scene.count(25);
    for _ in 0..studies {
        let kind = *scene.w.rng.pick(&[Role::Ct, Role::Mr, Role::Xray, Role::Ultrasound]);
        let study = modality::some_study(scene.w, kind, scene.now - 86_400 * SEC);
        let keys = message::query("*", "", "");
        association.find(scene.w, 1, STUDY_FIND, &keys, &[message::answer(&study)]);
        retrieve(scene.w, &mut association, pacs, (actor, IMAGE_PORT), &study, 2);
        let wait = scene.between(400 * MS);
        association.tcp.pause(scene.w, wait);
    }
    association.release(scene.w);
    let mut story = scene.story("dicom bulk retrieve of studies", actor, vec![pacs.host]);
    story.note = format!("{studies} studies of as many patients");
    Some(story)
}
