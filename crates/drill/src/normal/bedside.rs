//! Patient monitors and ventilators: numbers to the interface engine every few seconds over one
//! long conversation, waves to the central station.

use crate::activity::{Activity, regular};
use crate::app::hl7::{self, Route};
use crate::net::tcp::Tcp;
use crate::people::Patient;
use crate::role::Role;
use crate::time::{MS, Nanos, SEC};
use crate::world::{HostId, World};

/// Where the central station listens for waves.
pub(crate) const WAVES: u16 = 24_105;

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    let patient = w.patients[host % w.patients.len()].clone();
    let period = w.rng.between(2_500, 9_000) * MS;
    let mut count = w.rng.between(1, 90_000);
    let mut all = vec![regular(w, period, 0.03, move |w, now| {
        count += 1;
        report(w, now, host, &patient, count);
    })];
    if w.hosts[host].role == Role::Monitor && !w.all(Role::Central).is_empty() {
        let mut number = 0_u32;
        all.push(regular(w, SEC, 0.01, move |w, now| {
            number += 1;
            waves(w, now, host, number);
        }));
    }
    all
}

/// Who a bedside device says it is.
pub(crate) fn route_of(w: &World, host: HostId) -> Route {
    Route::new(&w.hosts[host].name.to_uppercase(), "ICU", "ENGINE")
}

/// The open conversation with the engine, or a new one.
pub(crate) fn line_to_engine(w: &mut World, at: Nanos, host: HostId) -> Option<Tcp> {
    let engine = w.services.hl7?;
    match w.resume(host, "mllp") {
        Some(mut tcp) => {
            tcp.wait_until(w, at);
            Some(tcp)
        }
        None => Some(Tcp::open(w, at, host, engine.at())),
    }
}

/// Sends a message and waits for its acknowledgement.
pub(crate) fn send(w: &mut World, tcp: &mut Tcp, route: &Route, control: &str, message: &[u8]) {
    tcp.up(w, message);
    let think = w.rng.between(1, 12) * MS;
    tcp.pause(w, think);
    let answer = hl7::acknowledge(route, control, tcp.now, "AA");
    tcp.down(w, &answer);
}

fn report(w: &mut World, at: Nanos, host: HostId, patient: &Patient, count: i64) {
    let Some(mut tcp) = line_to_engine(w, at, host) else { return };
    let mut readings = match w.hosts[host].role {
        Role::Ventilator => hl7::breath(&mut w.rng),
        _ => hl7::vitals(&mut w.rng),
    };
    if w.changes.renewed(host) {
        // The next version of the software reports what was measured twice as often.
        readings.extend(readings.clone());
    }
    let route = route_of(w, host);
    let control = format!("{}{count}", w.hosts[host].serial);
    let message = hl7::observations(&route, patient, &control, tcp.now, &readings);
    send(w, &mut tcp, &route, &control, &message);
    w.keep("mllp", tcp);
}

/// One second of waves to the central station, in the maker's own format.
fn waves(w: &mut World, at: Nanos, host: HostId, number: u32) {
    let Some(central) = w.all(Role::Central).first().copied() else { return };
    let at = w.resolve(at, host, central);
    let serial = w.hosts[host].serial.clone();
    let rng = &mut w.rng;
    let payload = wave(&serial, number, |i| {
        let peak = if (40..50).contains(&(i % 100)) { 60.0 } else { 0.0 };
        (120.0 + peak + rng.uniform(-2.0, 2.0)) as u16
    });
    w.udp(at, [(host, WAVES), (central, WAVES)], &payload);
}

/// One second of waves of the device with this serial number: 125 samples.
pub(crate) fn wave(serial: &str, number: u32, mut sample: impl FnMut(u32) -> u16) -> Vec<u8> {
    let mut payload = b"WV01".to_vec();
    payload.extend_from_slice(&number.to_be_bytes());
    payload.extend_from_slice(format!("{serial:<12}").as_bytes());
    for i in 0..125 {
        payload.extend_from_slice(&sample(i).to_be_bytes());
    }
    payload
}
