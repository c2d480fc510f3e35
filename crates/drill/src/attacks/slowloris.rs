//! Holds many half-sent requests open at a web server, one header line at a time.

use crate::app::http;
use crate::net::tcp::{Side, Tcp};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, SEC};

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let service = scene.w.services.fhir.or(scene.w.services.update).filter(|s| !s.tls)?;
    let actor = scene.attacker(&[Role::Nurse, Role::Reading, Role::Camera]);
    let host = scene.w.fqdn(service.host);
    let mut lines = vec![];
    let mut now = scene.now;
    for _ in 0..scene.count(80) {
        let mut tcp = Tcp::open(scene.w, now, actor, service.at());
        let mut head = http::request("GET", "/", &host, "Mozilla/5.0", &[], &[]);
        head.truncate(head.len() - 2);
        tcp.up(scene.w, &head);
        now += scene.between(40 * MS);
        lines.push(tcp);
    }
    for _ in 0..4 {
        for tcp in &mut lines {
            tcp.pause(scene.w, 9 * SEC);
            let line = format!("X-a: {}\r\n", scene.w.rng.between(1, 5_000));
            tcp.up(scene.w, line.as_bytes());
        }
    }
    for tcp in lines {
        tcp.close(scene.w, Side::Client);
    }
    Some(scene.story(
        "slow http requests that hold a server's connections",
        actor,
        vec![service.host],
    ))
}
