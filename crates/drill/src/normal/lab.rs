//! The laboratory: analysers send results to their system and ask it for orders; the system sends
//! results on to the interface engine.

use crate::activity::{Activity, random};
use crate::app::astm::{self, ACK, ENQ, EOT};
use crate::app::hl7::{self, Route};
use crate::net::tcp::{Side, Tcp};
use crate::normal::bedside;
use crate::time::{MS, Nanos, SEC};
use crate::world::{HostId, World};

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    vec![
        random(w, 24 * SEC, move |w, now| {
            let mut results = w.rng.between(1, 6) as usize;
            if w.changes.renewed(host) {
                results += 4;
            }
            send_results(w, now, host, results);
        }),
        random(w, 50 * SEC, move |w, now| ask_orders(w, now, host)),
    ]
}

/// The laboratory system passes results on.
pub(crate) fn server(w: &mut World, host: HostId) -> Vec<Activity> {
    let mut count = 0;
    vec![random(w, 14 * SEC, move |w, now| {
        count += 1;
        let Some(engine) = w.services.hl7.filter(|s| s.host != host) else { return };
        let mut tcp = match w.resume(host, "mllp") {
            Some(mut tcp) => {
                if tcp.is_idle(now) {
                    let before = now - SEC;
                    tcp.wait_until(w, before);
                    tcp.keep_alive(w, Side::Client);
                }
                tcp.wait_until(w, now);
                tcp
            }
            None => Tcp::open(w, now, host, engine.at()),
        };
        let route = Route::new("LIS", "LAB", "ENGINE");
        let patient = w.patients[w.rng.index(w.patients.len())].clone();
        let (control, value) = (format!("L{count:06}"), w.rng.normal(5.0, 0.6));
        let message = hl7::result(&route, &patient, &control, tcp.now, "GLU", value);
        bedside::send(w, &mut tcp, &route, &control, &message);
        w.keep("mllp", tcp);
    })]
}

/// Sends records as one side of an ASTM session: bid, a frame each, end.
pub(crate) fn send_records(w: &mut World, tcp: &mut Tcp, side: Side, records: &[String]) {
    let other = if side == Side::Client { Side::Server } else { Side::Client };
    tcp.say(w, side, &[ENQ]);
    tcp.say(w, other, &[ACK]);
    for (i, record) in records.iter().enumerate() {
        let work = w.rng.between(2, 30) * MS;
        tcp.pause(w, work);
        tcp.say(w, side, &astm::frame(i + 1, record));
        tcp.say(w, other, &[ACK]);
    }
    tcp.say(w, side, &[EOT]);
}

/// Sends the results of one sample. Says when it was done.
pub(crate) fn send_results(w: &mut World, at: Nanos, host: HostId, results: usize) -> Nanos {
    let Some(lis) = w.services.lis else { return at };
    let patient = w.patients[w.rng.index(w.patients.len())].clone();
    let (model, serial) = (w.hosts[host].model.clone(), w.hosts[host].serial.clone());
    let records = astm::results(&mut w.rng, (&model, &serial), &patient, at, results);
    let mut tcp = Tcp::open(w, at, host, lis.at());
    send_records(w, &mut tcp, Side::Client, &records);
    tcp.close(w, Side::Client)
}

/// Asks what to do with a sample.
fn ask_orders(w: &mut World, at: Nanos, host: HostId) {
    let Some(lis) = w.services.lis else { return };
    let patient = w.patients[w.rng.index(w.patients.len())].clone();
    let (model, serial) = (w.hosts[host].model.clone(), w.hosts[host].serial.clone());
    let sample = w.rng.between(100_000, 999_999);
    let mut tcp = Tcp::open(w, at, host, lis.at());
    send_records(w, &mut tcp, Side::Client, &astm::query((&model, &serial), sample, at));
    let work = w.rng.between(20, 200) * MS;
    tcp.pause(w, work);
    let orders = astm::orders(&mut w.rng, &patient, sample, at);
    send_records(w, &mut tcp, Side::Server, &orders);
    tcp.close(w, Side::Client);
}
