//! B10: the maker's remote service: the scanner keeps a long conversation with the address that it
//! always calls, and much goes through it.

use crate::app::tls;
use crate::net::tcp::{Side, Tcp};
use crate::normal::{housekeeping, web};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.w.any_of(&[Role::Ct, Role::Mr, Role::Ultrasound])?;
    let name = "telemetry.imaging-service.example";
    let vendor = web::outside(scene.w, name)?;
    let at = housekeeping::lookup(scene.w, scene.now, actor, name);
    let mut tcp = Tcp::open(scene.w, at, actor, (vendor, 443));
    tls::handshake(scene.w, &mut tcp, name);
    for _ in 0..scene.count(40) {
        let (ask, answer) = (scene.w.rng.between(40, 900), scene.w.rng.between(200, 12_000));
        tcp.down(scene.w, &vec![0; ask as usize]);
        tcp.up(scene.w, &vec![0; answer as usize]);
        let wait = scene.between(400 * MS);
        tcp.pause(scene.w, wait);
    }
    tcp.close(scene.w, Side::Client);
    Some(scene.story("remote service by the usual maker", actor, vec![vendor]))
}
