//! Takes the archive away over DICOMweb: lists all studies page by page, and fetches one after the
//! other.

use crate::net::tcp::Side;
use crate::normal::{newer, web};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let archive = newer::web_archive(scene.w)?;
    let actor = scene.attacker(&[Role::Nurse, Role::Reading, Role::Cabinet]);
    let mut tcp = web::open(scene.w, scene.now, actor, archive);
    let patients = scene.w.patients.len();
    for page in 0..scene.count(6) {
        let on_it: Vec<usize> = (0..50).map(|n| (page * 50 + n) % patients).collect();
        let query = format!("limit=50&offset={}&includefield=all", page * 50);
        newer::search(scene.w, &mut tcp, actor, &query, &on_it);
        let wait = scene.between(150 * MS);
        tcp.pause(scene.w, wait);
    }
    for _ in 0..scene.count(30) {
        newer::fetch(scene.w, &mut tcp, actor, 3);
        let wait = scene.between(250 * MS);
        tcp.pause(scene.w, wait);
    }
    tcp.close(scene.w, Side::Client);
    Some(scene.story("the archive taken away over dicomweb", actor, vec![archive.host]))
}
