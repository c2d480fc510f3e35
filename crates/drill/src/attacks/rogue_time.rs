//! A host answers as a time server, hours wrong.

use crate::app::ntp;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Camera, Role::Nurse, Role::Printer]);
    let victims = scene.victims(4, actor);
    let shift = scene.w.rng.between(2, 40) * 3_600 * SEC;
    let mut now = scene.now;
    for _ in 0..scene.count(4) {
        for &victim in &victims {
            let (ask, answer) = (ntp::request(now), ntp::reply(now, now + shift, 1));
            scene.w.ask(now, victim, (actor, ntp::PORT), &ask, &answer);
            now += scene.between(SEC);
        }
    }
    let mut story = scene.story("rogue time server shifts device clocks", actor, victims);
    story.note = format!("{} h ahead", shift / SEC / 3_600);
    Some(story)
}
