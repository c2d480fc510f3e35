//! B12: a switch is replaced, and the hosts behind it announce themselves again.

use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let mut hosts = scene.w.devices();
    hosts.truncate(25);
    let actor = *hosts.first()?;
    let mut now = scene.now;
    for _ in 0..2 {
        for &host in &hosts {
            scene.w.arp_announce(now, host);
            let known = |&(a, _): &(usize, usize)| a != host;
            scene.w.arp.retain(|key, _| known(key));
            now += scene.between(60 * MS);
        }
    }
    let victims = hosts[1..].to_vec();
    Some(scene.story("a switch is replaced and hosts announce themselves", actor, victims))
}
