//! Carries much out: to a cloud that nobody here uses over TLS, or to an FTP server.

use crate::app::remote::{self, Login};
use crate::app::tls;
use crate::net::tcp::{Side, Tcp};
use crate::normal::housekeeping;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, SEC};

/// Where data is carried out from.
const SOURCES: [Role; 4] = [Role::Reading, Role::Nurse, Role::Ct, Role::Files];

/// How much, in pieces of 64 KiB.
const PIECES: usize = 60;

/// Over TLS.
pub(crate) fn cloud(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let name = "big-free-storage.example";
    let cloud = scene.outsider(name);
    let at = housekeeping::lookup(scene.w, scene.now, actor, name);
    let mut tcp = Tcp::open(scene.w, at, actor, (cloud, 443));
    tls::handshake(scene.w, &mut tcp, name);
    for _ in 0..scene.count(PIECES) {
        tcp.up(scene.w, &vec![0; 65_536]);
        tcp.down(scene.w, &[0; 120]);
        let wait = scene.between(80 * MS);
        tcp.pause(scene.w, wait);
    }
    tcp.close(scene.w, Side::Client);
    Some(scene.story("large upload to a new cloud", actor, vec![cloud]))
}

/// Over FTP.
pub(crate) fn ftp(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let drop = scene.outsider("ftp.drop.example");
    let mut tcp = remote::ftp(scene.w, scene.now, actor, drop);
    remote::ftp_login(scene.w, &mut tcp, "upload", "upload", Login::Taken);
    for i in 0..scene.count(5) {
        let data = scene.w.rng.bytes(400_000);
        remote::ftp_store(scene.w, &mut tcp, drop, &format!("part{i:02}.zip"), &data);
        let wait = scene.between(SEC);
        tcp.pause(scene.w, wait);
    }
    remote::ftp_command(scene.w, &mut tcp, "QUIT", "221 Goodbye");
    tcp.close(scene.w, Side::Client);
    Some(scene.story("archives uploaded to an external ftp server", actor, vec![drop]))
}
