//! The file server's nightly copy goes to the archive host's store.

use crate::app::smb::dialogue::sign_in;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let files = scene.w.services.files?;
    let store = scene.w.any_of(&[Role::Logs, Role::Update, Role::Lis])?;
    scene.w.hosts[store].open.push(445);
    let mut session = sign_in(scene.w, scene.now, files.host, store, "backup", true).ok()?;
    let server = scene.w.hosts[store].name.clone();
    session.tree(scene.w, &server, "backup");
    for i in 0..scene.count(40) {
        let size = scene.w.rng.between(20_000, 120_000) as usize;
        let data: Vec<u8> = (0..size).map(|i| b'a' + (i * i % 23) as u8).collect();
        let file = session.create(scene.w, &format!("ward\\note{i}.docx"), 0, true);
        session.write(scene.w, file, &data);
        session.close_file(scene.w, file);
        let wait = scene.between(60 * MS);
        session.tcp.pause(scene.w, wait);
    }
    session.sign_out(scene.w);
    Some(scene.story("backup job of the file server", files.host, vec![store]))
}
