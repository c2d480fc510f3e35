//! B05: a ward moves, and its devices are numbered anew: the same devices, other addresses.

use crate::hospital;
use crate::net::tcp::Side;
use crate::normal::housekeeping;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let mut moved = scene.w.all(Role::Monitor);
    moved.truncate(4);
    let actor = *moved.first()?;
    let mut now = scene.now;
    for &host in &moved {
        if let Some(mut tcp) = scene.w.resume(host, "mllp") {
            tcp.wait_until(scene.w, scene.now);
            tcp.close(scene.w, Side::Client);
        }
        let old = &scene.w.hosts[host];
        let name = format!("{}-before", old.name);
        let former = (name, old.ip, old.mac);
        scene.w.former.push(former);
        scene.w.hosts[host].ip = hospital::free_address(scene.w, host);
        // Nobody knows the new address yet, nor the device its neighbours.
        scene.w.arp.retain(|&(a, b), _| a != host && b != host);
        let done = housekeeping::obtain(scene.w, now + SEC, host);
        housekeeping::clock(scene.w, done, host);
        scene.w.away.insert(host, done);
        now = done + scene.between(3 * SEC);
    }
    let mut story = scene.story("a ward moves and its monitors get new addresses", actor, moved);
    story.victims.remove(0);
    Some(story)
}
