//! Pushes firmware to a device from a host that is not its server.

use crate::app::remote::{self, Login};
use crate::net::tcp::Side;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Nurse, Role::Reading, Role::Camera]);
    let victim =
        scene.w.any_of(&[Role::Pump, Role::Ventilator, Role::Monitor]).filter(|&v| v != actor)?;
    let mut tcp = remote::ftp(scene.w, scene.now, actor, victim);
    remote::ftp_login(scene.w, &mut tcp, "update", "update", Login::Taken);
    let mut image = b"\x27\x05\x19\x56firmware ".to_vec();
    image.extend(scene.w.rng.bytes(350_000));
    remote::ftp_store(scene.w, &mut tcp, victim, "app_v9.img", &image);
    let wait = scene.between(SEC);
    tcp.pause(scene.w, wait);
    remote::ftp_command(scene.w, &mut tcp, "SITE REBOOT", "200 Rebooting");
    tcp.close(scene.w, Side::Server);
    Some(scene.story(
        "firmware pushed to a device from a host that is not its server",
        actor,
        vec![victim],
    ))
}
