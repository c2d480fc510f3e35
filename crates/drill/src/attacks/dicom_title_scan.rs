//! Guesses application entity titles until the archive takes one.

use crate::app::dicom::dialogue::{associate, refused};
use crate::app::dicom::message::VERIFICATION;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

/// Titles that such tools try.
const GUESSES: [&str; 16] = [
    "ANY-SCP", "STORESCP", "DCMTK", "ARCHIVE", "PACS", "ORTHANC", "DCM4CHEE", "CONQUEST",
    "AE_TITLE", "TEST", "SERVER", "IMAGES", "VIEWER", "WORKLIST", "QR_SCP", "MAIN",
];

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let pacs = scene.w.services.pacs.filter(|p| !p.tls)?;
    let actor = scene.attacker(&[Role::Nurse, Role::Reading, Role::Biomed]);
    let mut now = scene.now;
    for round in 0..scene.count(2) {
        for guess in GUESSES {
            let calling = format!("SCAN{round}");
            now = refused(scene.w, now, actor, pacs, [guess, &calling], 7);
            now += scene.between(150 * MS);
        }
    }
    let mut association = associate(scene.w, now, actor, pacs, "SCAN", &[VERIFICATION]);
    association.echo(scene.w);
    association.release(scene.w);
    Some(scene.story("dicom association scan with guessed titles", actor, vec![pacs.host]))
}
