//! People at their desks: images, records, shares, pages, mail, paper.

use crate::activity::{Activity, random};
use crate::app::dicom::dialogue::{associate, retrieve};
use crate::app::dicom::message::{self, STUDY_FIND, STUDY_MOVE, Study};
use crate::app::{fhir, http, smb};
use crate::hospital;
use crate::net::tcp::{Side, Tcp};
use crate::normal::{modality, web};
use crate::people;
use crate::role::Role;
use crate::time::{MS, Nanos, SEC};
use crate::world::{HostId, World};

/// Where images that a desk asks for are sent to.
pub(crate) const IMAGE_PORT: u16 = 11_112;

/// Pages that people read.
const PAGES: [&str; 5] = [
    "www.news-of-the-day.example",
    "cdn.pictures.example",
    "www.medical-journal.example",
    "ads.banner-network.example",
    "api.weather.example",
];

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    // Whose records they work with today.
    let first = w.rng.index(w.patients.len());
    let panel: Vec<usize> = (0..9).map(|i| (first + i) % w.patients.len()).collect();
    let mut all = vec![
        random(w, 26 * SEC, move |w, now| {
            let patient = panel[w.rng.index(panel.len())];
            let id = w.patients[patient].id.clone();
            read_record(w, now, host, &id);
        }),
        random(w, 42 * SEC, move |w, now| browse(w, now, host)),
        random(w, 85 * SEC, move |w, now| mail(w, now, host)),
        random(w, 110 * SEC, move |w, now| share(w, now, host)),
        random(w, 260 * SEC, move |w, now| print(w, now, host)),
    ];
    if w.hosts[host].role == Role::Reading {
        all.push(random(w, 40 * SEC, move |w, now| {
            let studies = w.rng.between(1, 2) as usize;
            read_images(w, now, host, studies);
        }));
    }
    all
}

/// The engineers' laptop: pages, mail, and now and then the web page of a device they look after.
pub(crate) fn biomed(w: &mut World, host: HostId) -> Vec<Activity> {
    vec![
        random(w, 50 * SEC, move |w, now| browse(w, now, host)),
        random(w, 90 * SEC, move |w, now| mail(w, now, host)),
        random(w, 70 * SEC, move |w, now| {
            if let Some(device) = w.any_of(&[Role::Pump, Role::Monitor, Role::EcgCart]) {
                visit(w, now, host, device);
            }
        }),
    ]
}

/// Opens a patient's record and what was observed, as the desk's usual user.
pub(crate) fn read_record(w: &mut World, at: Nanos, host: HostId, patient: &str) -> Nanos {
    let Some(ehr) = w.services.fhir else { return at };
    let user = w.hosts[host].user.clone();
    let mut tcp = web::open(w, at, host, ehr);
    read_on(w, &mut tcp, host, &user, patient, 3);
    tcp.close(w, Side::Client)
}

/// Reads a patient's record over an open conversation.
pub(crate) fn read_on(
    w: &mut World,
    tcp: &mut Tcp,
    host: HostId,
    user: &str,
    patient: &str,
    count: usize,
) {
    let server = w.services.fhir.map(|s| w.fqdn(s.host)).unwrap_or_default();
    let agent = web::agent(w, host);
    let token = format!("Authorization: Bearer {}", http::base64(user.as_bytes()));
    let resource = match w.patients.iter().find(|p| p.id == patient) {
        Some(known) => fhir::patient(known),
        None => fhir::unknown_patient(patient),
    };
    let now = tcp.now;
    let observed = fhir::bundle(fhir::observations(&mut w.rng, patient, count, now), None);
    let asked = [
        (format!("/fhir/Patient/{patient}"), resource),
        (format!("/fhir/Observation?patient={patient}"), observed),
    ];
    for (path, body) in asked {
        let ask = http::request("GET", &path, &server, &agent, std::slice::from_ref(&token), &[]);
        let body = body.to_string().into_bytes();
        let answer = http::response("200 OK", "Jetty(9.4.51)", "application/fhir+json", &[], &body);
        web::exchange(w, tcp, &ask, &answer);
    }
    w.audit(tcp.now, user, host, patient);
}

/// Looks for a few patients' studies, and has the images sent.
pub(crate) fn read_images(w: &mut World, at: Nanos, host: HostId, studies: usize) -> Nanos {
    let Some(pacs) = w.services.pacs else { return at };
    let title = w.hosts[host].title.clone();
    let mut association = associate(w, at, host, pacs, &title, &[STUDY_FIND, STUDY_MOVE]);
    let kinds = [Role::Ct, Role::Mr, Role::Ultrasound, Role::Xray];
    for _ in 0..studies {
        let kind = *w.rng.pick(&kinds);
        let study = modality::some_study(w, kind, at - 3_600 * SEC);
        let prior = Study { uid: format!("{}.9", study.uid), ..study.clone() };
        let keys = message::query("", &study.patient.id, "");
        let answers = [message::answer(&study), message::answer(&prior)];
        association.find(w, 1, STUDY_FIND, &keys, &answers);
        let choose = w.rng.between(300, 2_500) * MS;
        association.tcp.pause(w, choose);
        let images = w.rng.between(1, 4) as usize;
        retrieve(w, &mut association, pacs, (host, IMAGE_PORT), &study, images);
    }
    association.release(w)
}

/// Reads a page or two on the Internet.
pub(crate) fn browse(w: &mut World, at: Nanos, host: HostId) {
    let mut now = at;
    for _ in 0..w.rng.between(1, 3) {
        let page = page(w);
        let down = (w.rng.exponential(30_000.0) as usize + 3_000).min(200_000);
        let turns = w.rng.between(1, 4) as usize;
        now =
            web::call(w, now, host, &page, 900 * turns, down, turns) + w.rng.between(50, 900) * MS;
    }
}

/// A page that people read; now and then one that nobody here has read before.
fn page(w: &mut World) -> String {
    if w.rng.chance(0.92) {
        return (*w.rng.pick(&PAGES)).to_owned();
    }
    let name = format!("www.{}.example", people::word(&mut w.rng).to_lowercase());
    hospital::join_outside(w, name.clone());
    name
}

fn mail(w: &mut World, at: Nanos, host: HostId) {
    let (up, down) = (w.rng.between(800, 9_000) as usize, w.rng.between(1_000, 30_000) as usize);
    let name = if w.rng.chance(0.8) {
        "mail.hosted-office.example"
    } else {
        "login.hosted-office.example"
    };
    web::call(w, at, host, name, up, down, 3);
}

/// Reads or writes a document on the file server.
fn share(w: &mut World, at: Nanos, host: HostId) {
    let Some(files) = w.services.files else { return };
    let user = w.hosts[host].user.clone();
    let Ok(mut session) = smb::dialogue::sign_in(w, at, host, files.host, &user, true) else {
        return;
    };
    let server = w.hosts[files.host].name.clone();
    session.tree(w, &server, "ward");
    for _ in 0..w.rng.between(1, 3) {
        let name = format!("letters\\note{}.docx", w.rng.between(1, 60));
        let size = w.rng.between(2_000, 60_000) as usize;
        // Documents are text: bytes of a few values only.
        let data: Vec<u8> = (0..size).map(|i| b'a' + (i * i % 23) as u8).collect();
        let new = w.rng.chance(0.3);
        let file = session.create(w, &name, size as u64, new);
        if new {
            session.write(w, file, &data)
        } else {
            session.read(w, file, &data)
        }
        session.close_file(w, file);
        let read = w.rng.between(200, 3_000) * MS;
        session.tcp.pause(w, read);
    }
    session.sign_out(w);
}

/// Prints a page or two over the raw port.
fn print(w: &mut World, at: Nanos, host: HostId) {
    let Some(printer) = w.any(Role::Printer) else { return };
    let mut tcp = Tcp::open(w, at, host, (printer, 9100));
    let mut job = b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PCL\r\n".to_vec();
    job.extend((0..w.rng.between(4_000, 30_000)).map(|i| (i * 7 % 251) as u8));
    job.extend_from_slice(b"\x1b%-12345X@PJL EOJ\r\n");
    tcp.up(w, &job);
    tcp.close(w, Side::Client);
}

/// Opens the web page of a device, signed in as the engineers do.
pub(crate) fn visit(w: &mut World, at: Nanos, from: HostId, device: HostId) -> Nanos {
    let mut tcp = Tcp::open(w, at, from, (device, 80));
    let (host, agent) = (w.hosts[device].ip.to_string(), web::agent(w, from));
    let fields = [http::basic("service", "Kept-In-The-Safe-41")];
    for path in ["/", "/status"] {
        let ask = http::request("GET", path, &host, &agent, &fields, &[]);
        let length = w.rng.between(700, 5_000) as usize;
        let page = http::page(path, length);
        let answer = http::response("200 OK", "lighttpd/1.4.35", "text/html", &[], &page);
        web::exchange(w, &mut tcp, &ask, &answer);
        let look = w.rng.between(400, 4_000) * MS;
        tcp.pause(w, look);
    }
    tcp.close(w, Side::Client)
}
