//! Ransomware on a desk or a scanner: reads the share, writes noise back, renames.

use crate::app::smb::dialogue::sign_in;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let files = scene.w.services.files?;
    let actor = scene.attacker(&[Role::Reading, Role::Nurse, Role::Ct]);
    let user = scene.w.hosts[actor].user.clone();
    let mut session = sign_in(scene.w, scene.now, actor, files.host, &user, true).ok()?;
    let server = scene.w.hosts[files.host].name.clone();
    session.tree(scene.w, &server, "ward");
    let ending = format!("{}lock", scene.w.rng.hex(3));
    let count = scene.count(70);
    for i in 0..count {
        let name = format!("letters\\note{i}.docx");
        let size = scene.w.rng.between(3_000, 24_000) as usize;
        let plain: Vec<u8> = (0..size).map(|i| b'a' + (i * i % 23) as u8).collect();
        let file = session.create(scene.w, &name, size as u64, false);
        session.read(scene.w, file, &plain);
        let noise = scene.w.rng.bytes(size);
        session.write(scene.w, file, &noise);
        session.rename(scene.w, file, &format!("{name}.{ending}"));
        session.close_file(scene.w, file);
        let wait = scene.between(60 * MS);
        session.tcp.pause(scene.w, wait);
    }
    let note = session.create(scene.w, "HOW_TO_GET_FILES_BACK.txt", 0, true);
    session.write(scene.w, note, b"All your files are ours. Write to us.\r\n");
    session.close_file(scene.w, note);
    session.sign_out(scene.w);
    let mut story = scene.story("ransomware encrypts the file share", actor, vec![files.host]);
    story.note = format!("{count} files");
    Some(story)
}
