//! Changes the set points of ventilation from a host that does not manage the building.

use crate::app::industrial::{self, BACNET, MODBUS};
use crate::net::tcp::{Side, Tcp};
use crate::normal::building;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Nurse, Role::Reading, Role::Camera]);
    let victim = scene.w.any(Role::Controller)?;
    let mut now = scene.w.resolve(scene.now, actor, victim);
    let writes = scene.count(4);
    if building::speaks_bacnet(victim) {
        for i in 0..writes {
            let (ask, answer) = industrial::write_value(i as u8, 7, 35.0 + i as f32, 8);
            scene.w.udp(now, [(actor, BACNET), (victim, BACNET)], &ask);
            let back = now + scene.w.round_trip(actor, victim);
            scene.w.udp(back, [(victim, BACNET), (actor, BACNET)], &answer);
            now += scene.between(SEC);
        }
    } else {
        let mut tcp = Tcp::open(scene.w, now, actor, (victim, MODBUS));
        for i in 0..writes {
            let write = industrial::write_register(i as u16, 103, 350 + i as u16);
            tcp.up(scene.w, &write);
            tcp.down(scene.w, &write);
            let wait = scene.between(SEC);
            tcp.pause(scene.w, wait);
        }
        tcp.close(scene.w, Side::Client);
    }
    Some(scene.story("theatre ventilation set point changed", actor, vec![victim]))
}
