//! From a scanner that was taken over, on to the pumps: one console after the other.

use crate::app::http;
use crate::net::tcp::{Side, Tcp};
use crate::normal::web;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Ct, Role::Mr, Role::Xray, Role::Ultrasound]);
    let mut pumps = scene.w.all(Role::Pump);
    pumps.truncate(6);
    pumps.first()?;
    let mut now = scene.now;
    for &pump in &pumps {
        let host = scene.w.hosts[pump].ip.to_string();
        let mut tcp = Tcp::open(scene.w, now, actor, (pump, 80));
        let ask = http::request("GET", "/", &host, "Wget/1.21", &[], &[]);
        let page = http::page("console", 1_800);
        let answer = http::response("200 OK", "lighttpd/1.4.35", "text/html", &[], &page);
        web::exchange(scene.w, &mut tcp, &ask, &answer);
        let mut tool = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        tool.extend(scene.w.rng.bytes(18_000));
        let ask = http::request("POST", "/upload", &host, "Wget/1.21", &[], &tool);
        let answer = http::response("200 OK", "lighttpd/1.4.35", "text/html", &[], b"stored");
        web::exchange(scene.w, &mut tcp, &ask, &answer);
        now = tcp.close(scene.w, Side::Client) + scene.between(600 * MS);
    }
    Some(scene.story("lateral movement to infusion pumps", actor, pumps))
}
