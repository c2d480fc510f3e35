//! A worm: tries SMB on every host it can reach, and copies itself where it is let in.

use crate::app::smb::dialogue::sign_in;
use crate::net::packets::Door;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Xray, Role::Ct, Role::Reading, Role::Nurse]);
    let mut targets = scene.victims(30, actor);
    let desks = [Role::Reading, Role::Nurse, Role::Files, Role::Lis];
    targets.extend(desks.iter().flat_map(|&r| scene.w.all(r)).filter(|&h| h != actor));
    scene.w.rng.shuffle(&mut targets);
    let mut program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".to_vec();
    program.extend(scene.w.rng.bytes(40_000));
    let mut victims = vec![];
    let mut now = scene.now;
    for &target in &targets {
        now = scene.w.resolve(now, actor, target);
        let port = scene.w.port(actor);
        let door = scene.w.knock(now, actor, target, (port, 445));
        if victims.len() < 12 {
            victims.push(target);
        }
        now += scene.between(120 * MS);
        if door != Door::Open || !scene.w.rng.chance(0.5) {
            continue;
        }
        let Ok(mut session) = sign_in(scene.w, now, actor, target, "Administrator", true) else {
            continue;
        };
        let server = scene.w.hosts[target].name.clone();
        session.tree(scene.w, &server, "ADMIN$");
        let name = format!("{}.exe", scene.w.rng.hex(8));
        let file = session.create(scene.w, &name, 0, true);
        session.write(scene.w, file, &program);
        session.close_file(scene.w, file);
        session.sign_out(scene.w);
        now += scene.between(300 * MS);
    }
    Some(scene.story("smb worm copies itself to ADMIN$ shares", actor, victims))
}
