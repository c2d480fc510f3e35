//! Results reach the laboratory system from a host that is no analyser.

use crate::app::astm;
use crate::net::tcp::{Side, Tcp};
use crate::normal::lab;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let lis = scene.w.services.lis?;
    let actor = scene.attacker(&[Role::Reading, Role::Nurse, Role::Cabinet]);
    let mut now = scene.now;
    for _ in 0..scene.count(4) {
        let patient = scene.w.patients[scene.w.rng.index(scene.w.patients.len())].clone();
        let records = astm::results(&mut scene.w.rng, ("Analyzer", "0001"), &patient, now, 3);
        let mut tcp = Tcp::open(scene.w, now, actor, lis.at());
        lab::send_records(scene.w, &mut tcp, Side::Client, &records);
        now = tcp.close(scene.w, Side::Client) + scene.between(2 * SEC);
    }
    Some(scene.story("astm results injected into the laboratory system", actor, vec![lis.host]))
}
