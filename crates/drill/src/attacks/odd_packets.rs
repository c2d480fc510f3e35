//! Packet shapes that tell network stacks apart or break them: urgent pointers of zero, flags that
//! exclude each other, reserved ICMP types, IP in IP (ICSA-19-274-01, ICSA-20-168-01).

use crate::net::frame::{self, FIN, Ip, PSH, SYN, Segment};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

const URG: u8 = 32;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Nurse, Role::Camera, Role::Reading]);
    let victims = scene.victims(6, actor);
    let mut now = scene.now;
    for _ in 0..scene.count(4) {
        for &victim in &victims {
            now = scene.w.resolve(now, actor, victim);
            let from = scene.w.port(actor);
            let seq = scene.w.rng.next() as u32;
            for flags in [URG | PSH, SYN | FIN, 0, FIN | PSH | URG] {
                let odd = Segment { from, to: 80, seq, flags, window: 1_024, ..<_>::default() };
                scene.w.segment(now, actor, victim, &odd);
                now += scene.between(10 * MS);
            }
            let (link, ip) = (scene.w.link(actor, victim), scene.w.ip(actor, victim));
            scene.w.put(now, frame::icmp(link, ip, 165, 0, 0, &[0; 16]));
            let inner = Ip { id: 7, ttl: 9, ..ip };
            scene.w.put(now + MS, frame::ip_in_ip(link, ip, inner, &[0; 24]));
            now += scene.between(80 * MS);
        }
    }
    Some(scene.story("packets of shapes that break network stacks", actor, victims))
}
