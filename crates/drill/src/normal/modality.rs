//! Scanners and ECG carts: they ask for their work, make studies and send them to the archive.

use crate::activity::{Activity, random, regular};
use crate::app::dicom::dialogue::{associate, store_study};
use crate::app::dicom::message::{self, Study, VERIFICATION, WORKLIST};
use crate::normal::{housekeeping, web};
use crate::role::Role;
use crate::time::{Nanos, SEC};
use crate::world::{HostId, World};

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    let role = w.hosts[host].role;
    let between_studies = match role {
        Role::Ultrasound | Role::Xray => 35,
        Role::EcgCart => 90,
        _ => 50,
    };
    let period = w.rng.between(45, 90) * SEC;
    let mut all = vec![
        regular(w, period, 0.1, move |w, now| worklist(w, now, host)),
        random(w, between_studies * SEC, move |w, now| {
            // Patients come in bursts: now and then two studies follow each other.
            let studies = if w.rng.chance(0.15) { 2 } else { 1 };
            let mut now = now;
            for _ in 0..studies {
                now = examine(w, now, host) + 2 * SEC;
            }
        }),
        random(w, 240 * SEC, move |w, now| {
            echo(w, now, host);
        }),
    ];
    if role.is_modality() {
        all.push(random(w, 80 * SEC, move |w, now| {
            let mut up = w.rng.between(600, 6_000) as usize;
            if w.changes.renewed(host) {
                up *= 4;
            }
            web::call(w, now, host, "telemetry.imaging-service.example", up, 900, 2);
        }));
    }
    all
}

/// A study of some patient.
pub(crate) fn some_study(w: &mut World, role: Role, at: Nanos) -> Study {
    let patient = w.patients[w.rng.index(w.patients.len())].clone();
    message::study(&mut w.rng, patient, role, at)
}

/// Makes a study and sends it. Says when it was done.
pub(crate) fn examine(w: &mut World, at: Nanos, host: HostId) -> Nanos {
    let Some(pacs) = w.services.pacs else { return at };
    let role = w.hosts[host].role;
    let study = some_study(w, role, at);
    let images = match role {
        Role::Ct | Role::Mr => w.rng.between(4, 9),
        Role::Ultrasound => w.rng.between(2, 6),
        Role::EcgCart => 1,
        _ => w.rng.between(1, 3),
    };
    let images = if w.changes.renewed(host) { images * 2 } else { images };
    let done = store_study(w, at, host, pacs, &study, images as usize);
    let title = w.hosts[pacs.host].title.clone();
    let text = format!("study sent images={images} dest={title} status=0000");
    housekeeping::tell(w, done, host, &text);
    done
}

/// Asks for today's work.
pub(crate) fn worklist(w: &mut World, at: Nanos, host: HostId) {
    let Some(pacs) = w.services.pacs else { return };
    let role = w.hosts[host].role;
    let title = w.hosts[host].title.clone();
    let (modality, _) = message::images_of(role);
    let keys = message::worklist_query(&title, modality, at);
    let answers: Vec<Vec<u8>> = (0..w.rng.below(5))
        .map(|_| {
            let study = some_study(w, role, at);
            message::worklist_answer(&study, &title)
        })
        .collect();
    let mut association = associate(w, at, host, pacs, &title, &[WORKLIST]);
    association.find(w, 1, WORKLIST, &keys, &answers);
    association.release(w);
}

/// Asks whether the archive is there.
pub(crate) fn echo(w: &mut World, at: Nanos, host: HostId) -> Nanos {
    let Some(pacs) = w.services.pacs else { return at };
    let title = w.hosts[host].title.clone();
    let mut association = associate(w, at, host, pacs, &title, &[VERIFICATION]);
    association.echo(w);
    association.release(w)
}
