//! A bedside monitor sends what it measures to a host outside: as a raw stream on TCP 515, or as
//! HL7.

use crate::app::hl7;
use crate::net::tcp::{Side, Tcp};
use crate::normal::bedside;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.w.any_of(&[Role::Monitor, Role::Ventilator])?;
    let home = scene.outsider("collector.example");
    let as_hl7 = scene.w.rng.chance(0.4);
    let port = if as_hl7 { 2_575 } else { 515 };
    let patient = scene.w.patients[scene.w.rng.index(scene.w.patients.len())].clone();
    let route = bedside::route_of(scene.w, actor);
    let mut tcp = Tcp::open(scene.w, scene.now, actor, (home, port));
    for i in 0..12 {
        let readings = hl7::vitals(&mut scene.w.rng);
        let control = format!("X{i:05}");
        let message = hl7::observations(&route, &patient, &control, tcp.now, &readings);
        if as_hl7 {
            bedside::send(scene.w, &mut tcp, &route, &control, &message);
        } else {
            // The same lines without their frame.
            tcp.up(scene.w, &message[1..message.len() - 2]);
        }
        let wait = scene.between(3 * SEC);
        tcp.pause(scene.w, wait);
    }
    tcp.close(scene.w, Side::Client);
    let how = if as_hl7 { "hl7" } else { "tcp 515" };
    Some(scene.story(&format!("patient data beacon to an external host, {how}"), actor, vec![home]))
}
