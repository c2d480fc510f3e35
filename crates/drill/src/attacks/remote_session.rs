//! Sits down at a medical device from afar: Telnet, SSH, VNC, RDP.

use crate::app::remote::{self, Login};
use crate::app::ssh;
use crate::net::tcp::{Side, Tcp};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

/// Where sessions come from that a known host opens.
const SOURCES: [Role; 4] = [Role::Reading, Role::Nurse, Role::Ultrasound, Role::Camera];

/// Telnet into a bedside device.
pub(crate) fn telnet(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim = scene.w.any_of(&[Role::Pump, Role::Monitor, Role::Ventilator])?;
    let mut tcp = remote::telnet(scene.w, scene.now, actor, victim, 23);
    remote::telnet_login(scene.w, &mut tcp, "service", "Hk8!bed", Login::Taken);
    let commands = [
        ("ls /opt/app", "alarmd  config  pumpd  ui"),
        ("cat /opt/app/config/alarm.ini", "[limits]\r\nhr_low=50\r\nhr_high=120"),
        ("sed -i s/120/220/ /opt/app/config/alarm.ini", ""),
        ("killall -HUP alarmd", ""),
    ];
    for (command, output) in commands {
        let wait = scene.between(SEC);
        tcp.pause(scene.w, wait);
        remote::telnet_command(scene.w, &mut tcp, command, output);
    }
    tcp.close(scene.w, Side::Client);
    Some(scene.story("telnet session into a bedside device", actor, vec![victim]))
}

/// SSH into a bedside device.
pub(crate) fn ssh(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim = scene.w.any_of(&[Role::Pump, Role::Monitor, Role::Cabinet])?;
    let mut tcp = Tcp::open(scene.w, scene.now, actor, (victim, 22));
    ssh::greet(scene.w, &mut tcp, "OpenSSH_9.6", "dropbear_2016.74");
    ssh::try_password(scene.w, &mut tcp, true);
    for _ in 0..scene.count(25) {
        ssh::sealed(scene.w, &mut tcp, Side::Client, 16);
        let output = scene.w.rng.between(20, 900) as usize;
        ssh::sealed(scene.w, &mut tcp, Side::Server, output);
        let wait = scene.between(SEC);
        tcp.pause(scene.w, wait);
    }
    tcp.close(scene.w, Side::Client);
    Some(scene.story("ssh session into a medical device", actor, vec![victim]))
}

/// VNC without a password into a central station or a scanner.
pub(crate) fn vnc(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim = scene.w.any_of(&[Role::Central, Role::Monitor, Role::Mr])?;
    let clicks = scene.count(12);
    remote::vnc(scene.w, scene.now, actor, victim, clicks);
    Some(scene.story("vnc session into a monitoring station", actor, vec![victim]))
}

/// RDP into a scanner.
pub(crate) fn rdp(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim =
        scene.w.any_of(&[Role::Ct, Role::Mr, Role::Xray, Role::Cabinet]).filter(|&v| v != actor)?;
    let length = scene.between(20 * SEC);
    remote::rdp(scene.w, scene.now, actor, victim, length);
    Some(scene.story("rdp session into a scanner", actor, vec![victim]))
}
