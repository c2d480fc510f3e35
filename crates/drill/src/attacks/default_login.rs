//! Signs in with the account that the maker built in, and looks around.

use crate::app::remote::{self, Login};
use crate::net::tcp::Side;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Nurse, Role::Reading, Role::Cabinet]);
    let devices = [Role::Monitor, Role::Ventilator, Role::Pump, Role::Analyser];
    let victims: Vec<_> = (0..scene.count(2).min(3))
        .filter_map(|_| scene.w.any_of(&devices))
        .filter(|&v| v != actor)
        .collect();
    victims.first()?;
    let mut now = scene.now;
    for &victim in &victims {
        let mut tcp = remote::ftp(scene.w, now, actor, victim);
        remote::ftp_login(scene.w, &mut tcp, "root", "root", Login::Taken);
        remote::ftp_command(
            scene.w,
            &mut tcp,
            "PWD",
            "257 \"/mnt/flash\" is the current directory",
        );
        remote::ftp_command(scene.w, &mut tcp, "SIZE config.xml", "213 18422");
        remote::ftp_command(scene.w, &mut tcp, "QUIT", "221 Goodbye");
        now = tcp.close(scene.w, Side::Client) + scene.between(SEC);
        let mut tcp = remote::telnet(scene.w, now, actor, victim, 23);
        remote::telnet_login(scene.w, &mut tcp, "root", "admin", Login::Taken);
        remote::telnet_command(
            scene.w,
            &mut tcp,
            "cat /etc/passwd",
            "root:x:0:0:root:/root:/bin/sh",
        );
        now = tcp.close(scene.w, Side::Client) + scene.between(SEC);
    }
    Some(scene.story("login with a default account on medical devices", actor, victims))
}
