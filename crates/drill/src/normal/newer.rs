//! What newer hospitals have besides: a directory that desks log on to, images over DICOMweb, and
//! bedside devices that speak SDC. Only where the plan says so.

use crate::activity::{Activity, random, regular};
use crate::app::kerberos::{AES, Exchange, RC4};
use crate::app::ldap::{self, Filter};
use crate::app::sdc::{self, Order};
use crate::app::{dicomweb, http, kerberos};
use crate::net::tcp::{Side, Tcp};
use crate::normal::web;
use crate::role::Role;
use crate::time::{MS, Nanos, SEC};
use crate::world::{HostId, Service, World};

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    let mut all = vec![];
    let role = w.hosts[host].role;
    if role.is_desk() {
        let user = w.hosts[host].user.clone();
        let mut times = 0;
        all.push(random(w, 120 * SEC, move |w, now| {
            let service =
                if times == 0 { None } else { Some(["cifs/files", "http/ehr"][times % 2]) };
            times += 1;
            let at = tickets(w, now, host, &user, &[(service, AES)]);
            if times % 3 == 1 {
                look_up(w, at, host, &user);
            }
        }));
    }
    if role == Role::Reading {
        all.push(random(w, 75 * SEC, move |w, now| {
            view(w, now, host);
        }));
    }
    if role == Role::Central {
        for device in w.all(Role::Monitor).into_iter().chain(w.all(Role::Ventilator)) {
            let mut number = 0;
            all.push(regular(w, 20 * SEC, 0.05, move |w, now| {
                number += 1;
                // Now and then somebody at the station silences an alarm.
                let order = if w.rng.chance(0.03) { Order::Silence } else { Order::Read };
                orders(w, now, host, device, &[order], number);
            }));
        }
    }
    all
}

/// The realm of the site.
pub(crate) fn realm(w: &World) -> String {
    w.domain.to_uppercase()
}

/// Gets tickets one after the other; the service is none for a log-on. Hands back when it is done.
pub(crate) fn tickets(
    w: &mut World,
    at: Nanos,
    client: HostId,
    user: &str,
    wanted: &[(Option<&str>, u8)],
) -> Nanos {
    let Some(centre) = w.services.dns else { return at };
    let realm = realm(w);
    let mut now = at;
    for &(service, gives) in wanted {
        let takes: &[u8] = if gives == RC4 { &[RC4] } else { &[AES, 17, RC4] };
        let exchange = Exchange { realm: &realm, user, service, takes, gives };
        let mut rng = w.rng.fork("kerberos");
        w.rng.next();
        let mut tcp = Tcp::open(w, now, client, (centre, kerberos::PORT));
        web::exchange(w, &mut tcp, &exchange.ask(&mut rng), &exchange.answer(&mut rng));
        now = tcp.close(w, Side::Client);
    }
    now
}

/// Where the directory's entries are.
pub(crate) fn base(w: &World) -> String {
    w.domain.split('.').map(|part| format!("DC={part}")).collect::<Vec<_>>().join(",")
}

/// Logs on to the directory. None where there is no directory.
pub(crate) fn directory(w: &mut World, at: Nanos, client: HostId) -> Option<Tcp> {
    let server = w.services.dns?;
    let mut tcp = Tcp::open(w, at, client, (server, ldap::PORT));
    let ticket = w.rng.bytes(1_400);
    let [ask, answer] = ldap::bind(1, &ticket);
    web::exchange(w, &mut tcp, &ask, &answer);
    Some(tcp)
}

/// A desk looks one account up.
fn look_up(w: &mut World, at: Nanos, client: HostId, user: &str) -> Nanos {
    let Some(mut tcp) = directory(w, at, client) else { return at };
    let base = base(w);
    let filter = Filter::Equal("sAMAccountName", user);
    let ask = ldap::search(2, &base, &filter, &["displayName", "mail", "memberOf"]);
    let name = format!("CN={user},OU=Staff,{base}");
    let mail = format!("{user}@{}", w.domain);
    let found = ldap::entry(2, &name, &[("displayName", user), ("mail", &mail)]);
    web::exchange(w, &mut tcp, &ask, &[found, ldap::done(2)].concat());
    tcp.up(w, &ldap::unbind(3));
    tcp.close(w, Side::Client)
}

/// The archive's HTTP.
pub(crate) fn web_archive(w: &World) -> Option<Service> {
    w.services.pacs.map(|pacs| Service { port: dicomweb::PORT, ..pacs })
}

/// Opens one patient's study in a viewer: one search, a few images.
fn view(w: &mut World, at: Nanos, client: HostId) -> Option<Nanos> {
    let archive = web_archive(w)?;
    let mut tcp = web::open(w, at, client, archive);
    let patient = w.rng.index(w.patients.len());
    search(w, &mut tcp, client, &format!("PatientID={}", w.patients[patient].id), &[patient]);
    let images = w.rng.between(1, 3) as usize;
    fetch(w, &mut tcp, client, images);
    Some(tcp.close(w, Side::Client))
}

fn uid(w: &mut World) -> String {
    format!("1.2.826.0.1.3680043.10.{}.{}", w.rng.below(90) + 10, w.rng.below(1 << 40))
}

/// Searches for studies; one is found of each of these patients.
pub(crate) fn search(
    w: &mut World,
    tcp: &mut Tcp,
    client: HostId,
    query: &str,
    patients: &[usize],
) {
    let (server, agent) = (archive_name(w), web::agent(w, client));
    let found: Vec<_> = patients
        .iter()
        .map(|&patient| {
            let uid = uid(w);
            dicomweb::study(&w.patients[patient], &uid, "CT")
        })
        .collect();
    let accept = ["Accept: application/dicom+json".to_owned()];
    let path = format!("/dicom-web/studies?{query}");
    let ask = http::request("GET", &path, &server, &agent, &accept, &[]);
    let body = serde_json::Value::from(found).to_string().into_bytes();
    let answer = http::response("200 OK", "Orthanc", "application/dicom+json", &[], &body);
    web::exchange(w, tcp, &ask, &answer);
}

/// Fetches a study with so many images.
pub(crate) fn fetch(w: &mut World, tcp: &mut Tcp, client: HostId, images: usize) {
    let (server, agent) = (archive_name(w), web::agent(w, client));
    let files: Vec<Vec<u8>> = (0..images)
        .map(|_| {
            let (uid, length) = (uid(w), w.image_bytes.min(60_000) / 2 * 2);
            let pixels = w.rng.bytes(length);
            dicomweb::file(&uid, &pixels)
        })
        .collect();
    let (kind, body) = dicomweb::instances(&w.rng.hex(32), &files);
    let accept = ["Accept: multipart/related; type=\"application/dicom\"".to_owned()];
    let path = format!("/dicom-web/studies/{}", uid(w));
    let ask = http::request("GET", &path, &server, &agent, &accept, &[]);
    let answer = http::response("200 OK", "Orthanc", &kind, &[], &body);
    web::exchange(w, tcp, &ask, &answer);
}

fn archive_name(w: &World) -> String {
    w.services.pacs.map(|pacs| w.fqdn(pacs.host)).unwrap_or_default()
}

/// Gives orders to a device over SDC, on a conversation of its own.
pub(crate) fn orders(
    w: &mut World,
    at: Nanos,
    consumer: HostId,
    device: HostId,
    orders: &[Order],
    number: u32,
) -> Nanos {
    let name = w.fqdn(device);
    let mut rng = w.rng.fork("sdc");
    w.rng.next();
    let mut tcp = Tcp::open(w, at, consumer, (device, sdc::PORT));
    for (place, &order) in (0..).zip(orders) {
        let [ask, answer] = sdc::exchange(&mut rng, &name, order, number + place);
        web::exchange(w, &mut tcp, &ask, &answer);
        tcp.pause(w, 30 * MS);
    }
    tcp.close(w, Side::Client)
}
