//! Servers among themselves: admissions to the engine, time and names from outside, backups small
//! enough for the day.

use crate::activity::{Activity, random, regular};
use crate::app::hl7::{self, Route};
use crate::app::{dns, ntp};
use crate::normal::{bedside, web};
use crate::role::Role;
use crate::time::SEC;
use crate::world::{HostId, World};

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    match w.hosts[host].role {
        Role::Ehr => vec![admissions(w, host)],
        Role::Dns => vec![random(w, 12 * SEC, move |w, now| {
            let Some(server) = web::outside(w, "time.example.net") else { return };
            let (id, name) = (w.rng.next() as u16, "www.medical-journal.example");
            let answer = dns::answer(id, name, dns::A, 300, &[vec![192, 0, 2, 80]]);
            w.ask(now, host, (server, 53), &dns::query(id, name, dns::A), &answer);
        })],
        Role::Ntp => vec![regular(w, 64 * SEC, 0.01, move |w, now| {
            let Some(server) = web::outside(w, "time.example.net") else { return };
            let answer = ntp::reply(now, now + 15_000_000, 1);
            w.ask(now, host, (server, ntp::PORT), &ntp::request(now), &answer);
        })],
        _ => vec![random(w, 180 * SEC, move |w, now| {
            web::call(w, now, host, "ocsp.certificates.example", 400, 1_500, 1);
        })],
    }
}

/// The record system tells the engine who comes and goes, and what was ordered.
fn admissions(w: &mut World, host: HostId) -> Activity {
    let mut count = 0;
    random(w, 11 * SEC, move |w, now| {
        count += 1;
        let Some(mut tcp) = bedside::line_to_engine(w, now, host) else { return };
        let route = Route::new("EHR", "HOSP", "ENGINE");
        let patient = w.patients[w.rng.index(w.patients.len())].clone();
        let control = format!("E{count:07}");
        let at = tcp.now;
        let message = match w.rng.below(6) {
            0 => hl7::admission(&route, &patient, &control, at, "A01"),
            1 => hl7::admission(&route, &patient, &control, at, "A02"),
            2 => hl7::admission(&route, &patient, &control, at, "A03"),
            3 => hl7::admission(&route, &patient, &control, at, "A08"),
            4 => hl7::order(&route, &patient, &control, at, "71020^CHEST XRAY"),
            _ => hl7::order(&route, &patient, &control, at, "GLU^GLUCOSE"),
        };
        bedside::send(w, &mut tcp, &route, &control, &message);
        w.keep("mllp", tcp);
    })
}
