//! Devices ask a name server that nobody set up, and are sent to a host outside.

use crate::app::{dns, tls};
use crate::net::tcp::{Side, Tcp};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Camera, Role::Nurse, Role::Printer]);
    let trap = scene.outsider("trap.example");
    let ip = scene.w.hosts[trap].ip;
    let victims = scene.victims(3, actor);
    let mut now = scene.now;
    for _ in 0..scene.count(5) {
        for &victim in &victims {
            let name = *scene.w.rng.pick(&["updates.pump-maker.example", "time.example.net"]);
            let id = scene.w.rng.next() as u16;
            let answer = dns::answer(id, name, dns::A, 30, &[dns::address(ip)]);
            let told =
                scene.w.ask(now, victim, (actor, 53), &dns::query(id, name, dns::A), &answer);
            let mut tcp = Tcp::open(scene.w, told + SEC / 100, victim, (trap, 443));
            tls::handshake(scene.w, &mut tcp, name);
            tcp.up(scene.w, &[0; 400]);
            tcp.down(scene.w, &[0; 900]);
            tcp.close(scene.w, Side::Client);
            now += scene.between(2 * SEC);
        }
    }
    Some(scene.story("rogue name server sends devices to an external host", actor, victims))
}
