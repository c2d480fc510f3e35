//! B09: a surge: many studies within minutes, from the scanners that always send.

use crate::normal::modality;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let pacs = scene.w.services.pacs?;
    let scanners: Vec<_> =
        [Role::Ct, Role::Xray, Role::Ultrasound].iter().flat_map(|&r| scene.w.all(r)).collect();
    let actor = *scanners.first()?;
    for &scanner in &scanners {
        let mut now = scene.now + scene.w.rng.between(0, 3) * SEC;
        for _ in 0..scene.count(4) {
            modality::worklist(scene.w, now, scanner);
            now = modality::examine(scene.w, now + SEC, scanner) + scene.between(4 * SEC);
        }
    }
    let mut victims = scanners[1..].to_vec();
    victims.push(pacs.host);
    Some(scene.story("a surge of studies in a busy night", actor, victims))
}
