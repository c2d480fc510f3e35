//! One user opens the records of patients in order, far more than a day's work.

use crate::net::tcp::Side;
use crate::normal::{desk, web};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let ehr = scene.w.services.fhir?;
    let actor = scene.w.any_of(&[Role::Reading, Role::Nurse])?;
    let user = scene.w.hosts[actor].user.clone();
    let first = scene.w.rng.between(2_000, 900_000);
    let count = scene.count(100);
    let mut now = scene.now;
    for i in 0..count {
        let mut tcp = web::open(scene.w, now, actor, ehr);
        let patient = (first + i as i64).to_string();
        desk::read_on(scene.w, &mut tcp, actor, &user, &patient, 3);
        now = tcp.close(scene.w, Side::Client) + scene.between(200 * MS);
    }
    let mut story = scene.story("mass patient-record access by one user", actor, vec![ehr.host]);
    story.note = format!("{count} patients by {user}");
    Some(story)
}
