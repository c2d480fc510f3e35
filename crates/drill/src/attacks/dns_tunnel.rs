//! Carries data out in names that it asks for, and commands back in the answers.

use crate::app::dns;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let server = scene.w.services.dns?;
    let actor = scene.attacker(&[Role::Ultrasound, Role::Ct, Role::Analyser, Role::Reading]);
    if actor == server {
        return None;
    }
    let zone = format!("{}.example", scene.w.rng.hex(7));
    let mut now = scene.now;
    for _ in 0..scene.count(120) {
        let (data, more) = (scene.w.rng.hex(56), scene.w.rng.hex(44));
        let name = format!("{data}.{more}.{zone}");
        let id = scene.w.rng.next() as u16;
        let text = scene.w.rng.hex(90);
        let answer = dns::answer(id, &name, dns::TXT, 0, &[dns::txt(&text)]);
        let query = dns::query(id, &name, dns::TXT);
        scene.w.ask(now, actor, (server, 53), &query, &answer);
        now += scene.between(200 * MS);
    }
    Some(scene.story("data carried out in dns names", actor, vec![server]))
}
