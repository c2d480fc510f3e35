//! Malware on a known device calls home, again and again, with jitter: over HTTP or over TLS.

use crate::app::{http, tls};
use crate::net::tcp::{Side, Tcp};
use crate::normal::{housekeeping, web};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{Nanos, SEC, about};
use crate::world::HostId;

/// Devices that malware lives on.
const SOURCES: [Role; 5] =
    [Role::Ultrasound, Role::Xray, Role::Analyser, Role::Reading, Role::Nurse];

fn times(scene: &mut Scene<'_>) -> Vec<Nanos> {
    let period = scene.between(6 * SEC).max(2 * SEC);
    let mut now = scene.now;
    (0..14)
        .map(|_| {
            now += about(&mut scene.w.rng, period, 0.15);
            now
        })
        .collect()
}

fn start(scene: &mut Scene<'_>) -> (HostId, HostId) {
    let actor = scene.attacker(&SOURCES);
    let name = format!("{}.example", scene.w.rng.hex(9));
    let home = scene.outsider(&name);
    housekeeping::lookup(scene.w, scene.now, actor, &name);
    (actor, home)
}

/// Over HTTP.
pub(crate) fn http(scene: &mut Scene<'_>) -> Option<Story> {
    let (actor, home) = start(scene);
    let port = *scene.w.rng.pick(&[80, 8_080, 8_000]);
    for at in times(scene) {
        let mut tcp = Tcp::open(scene.w, at, actor, (home, port));
        let path = format!("/u/{}", scene.w.rng.hex(10));
        let body = scene.w.rng.hex(96).into_bytes();
        let name = scene.w.hosts[home].ip.to_string();
        let ask = http::request("POST", &path, &name, "Mozilla/4.0 (compatible)", &[], &body);
        let answer = http::response("200 OK", "nginx", "text/plain", &[], b"ok");
        web::exchange(scene.w, &mut tcp, &ask, &answer);
        tcp.close(scene.w, Side::Client);
    }
    Some(scene.story("c2 beacon over http", actor, vec![home]))
}

/// Over TLS.
pub(crate) fn tls(scene: &mut Scene<'_>) -> Option<Story> {
    let (actor, home) = start(scene);
    let name = scene.w.hosts[home].name.clone();
    for at in times(scene) {
        let mut tcp = Tcp::open(scene.w, at, actor, (home, 443));
        tls::handshake(scene.w, &mut tcp, &name);
        web::exchange(scene.w, &mut tcp, &[0; 220], &[0; 90]);
        tcp.close(scene.w, Side::Client);
    }
    Some(scene.story("c2 beacon over tls", actor, vec![home]))
}
