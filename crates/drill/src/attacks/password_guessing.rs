//! Password guessing on a device's console: HTTP basic, SSH, Telnet, FTP.

use crate::app::remote::{self, Login};
use crate::app::{http, ssh};
use crate::net::tcp::{Side, Tcp};
use crate::normal::web;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, SEC};
use crate::world::HostId;

/// Where guessing comes from that a known host does.
const SOURCES: [Role; 4] = [Role::Nurse, Role::Reading, Role::Xray, Role::Printer];

const USERS: [&str; 5] = ["admin", "root", "service", "user", "operator"];

fn guess(scene: &mut Scene<'_>) -> (&'static str, String) {
    let user = *scene.w.rng.pick(&USERS);
    let number = scene.w.rng.between(1, 9_999);
    let word = crate::people::word(&mut scene.w.rng).to_lowercase();
    (user, format!("{word}{number}"))
}

/// A host of one of these roles that has this port open; the port is opened on one if none has.
fn with_port(scene: &mut Scene<'_>, roles: &[Role], port: u16, not: HostId) -> Option<HostId> {
    let all: Vec<HostId> =
        roles.iter().flat_map(|&r| scene.w.all(r)).filter(|&h| h != not).collect();
    let open = all.iter().copied().find(|&h| scene.w.hosts[h].open.contains(&port));
    let host = open.or(all.first().copied())?;
    if open.is_none() {
        scene.w.hosts[host].open.push(port);
    }
    Some(host)
}

/// HTTP basic.
pub(crate) fn http(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim = with_port(scene, &[Role::Pump, Role::Monitor, Role::EcgCart], 80, actor)?;
    let host = scene.w.hosts[victim].ip.to_string();
    let mut now = scene.now;
    for _ in 0..scene.count(120) {
        let (user, password) = guess(scene);
        let mut tcp = Tcp::open(scene.w, now, actor, (victim, 80));
        let fields = [http::basic(user, &password)];
        let ask = http::request("GET", "/", &host, "curl/7.88.1", &fields, &[]);
        let realm = ["WWW-Authenticate: Basic realm=\"console\"".to_owned()];
        let answer =
            http::response("401 Unauthorized", "lighttpd/1.4.35", "text/html", &realm, b"denied");
        web::exchange(scene.w, &mut tcp, &ask, &answer);
        now = tcp.close(scene.w, Side::Client) + scene.between(60 * MS);
    }
    Some(scene.story("http basic brute force on a device console", actor, vec![victim]))
}

/// SSH: a few tries a conversation.
pub(crate) fn ssh(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let servers = [Role::Pacs, Role::Engine, Role::Broker, Role::Ehr, Role::Logs];
    let victim = with_port(scene, &servers, 22, actor)?;
    let mut now = scene.now;
    for _ in 0..scene.count(12) {
        let mut tcp = Tcp::open(scene.w, now, actor, (victim, 22));
        ssh::greet(scene.w, &mut tcp, "libssh2_1.10.0", "OpenSSH_9.2p1 Debian-2");
        for _ in 0..3 {
            ssh::try_password(scene.w, &mut tcp, false);
        }
        now = tcp.close(scene.w, Side::Server) + scene.between(400 * MS);
    }
    Some(scene.story("ssh password guessing on a server", actor, vec![victim]))
}

/// Telnet: three tries a conversation.
pub(crate) fn telnet(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim = with_port(scene, &[Role::Monitor, Role::Ventilator, Role::Pump], 23, actor)?;
    let mut now = scene.now;
    for _ in 0..scene.count(10) {
        let mut tcp = remote::telnet(scene.w, now, actor, victim, 23);
        for _ in 0..3 {
            let (user, password) = guess(scene);
            remote::telnet_login(scene.w, &mut tcp, user, &password, Login::Refused);
        }
        now = tcp.close(scene.w, Side::Server) + scene.between(500 * MS);
    }
    Some(scene.story("telnet password guessing on a bedside device", actor, vec![victim]))
}

/// FTP: many tries, a few a conversation.
pub(crate) fn ftp(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim = with_port(scene, &[Role::Analyser, Role::PointOfCare, Role::Pump], 21, actor)?;
    let mut now = scene.now;
    for _ in 0..scene.count(14) {
        let mut tcp = remote::ftp(scene.w, now, actor, victim);
        for _ in 0..3 {
            let (user, password) = guess(scene);
            remote::ftp_login(scene.w, &mut tcp, user, &password, Login::Refused);
        }
        now = tcp.close(scene.w, Side::Client) + scene.between(SEC / 3);
    }
    Some(scene.story("ftp password guessing on an analyser", actor, vec![victim]))
}
