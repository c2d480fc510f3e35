//! Infusion pumps: telemetry over MQTT, the drug library over HTTP; and the server they belong to.

use crate::activity::{Activity, regular};
use crate::app::{http, mqtt, tls};
use crate::net::tcp::Tcp;
use crate::normal::web;
use crate::role::Role;
use crate::time::{MS, Nanos, SEC, iso};
use crate::world::{HostId, World};

/// Bytes of a drug library.
const LIBRARY: usize = 2_600;

/// What the next version of the software says besides.
const NEWER_TELEMETRY: &[u8] = b", \"occlusion_kpa\": 12.4, \"air_ul\": 0, \"door\": \"closed\", \
\"syringe\": {\"maker\": 4, \"ml\": 50, \"force_n\": 17.2}, \"self_test\": [0, 0, 0, 0, 0, 0, 0, 0], \
\"wifi\": {\"rssi\": -61, \"channel\": 44}}";

/// How often a client must be heard from, in seconds.
const KEEP_ALIVE: u16 = 60;

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    let telemetry = w.rng.between(4_000, 10_000) * MS;
    let library = w.rng.between(50, 110) * SEC;
    let mut rate = w.rng.uniform(2.0, 90.0);
    let mut left = 500.0;
    vec![
        regular(w, telemetry, 0.05, move |w, now| {
            if w.rng.chance(0.01) {
                rate = w.rng.uniform(2.0, 90.0);
            }
            left -= rate * 5.0 / 3_600.0;
            publish(w, now, host, rate, left);
        }),
        regular(w, library, 0.1, move |w, now| check_library(w, now, host)),
    ]
}

/// The pumps' server listens to all of them, and now and then reads their battery.
pub(crate) fn server(w: &mut World, host: HostId) -> Vec<Activity> {
    if w.services.broker.is_none() {
        return vec![];
    }
    let vendor = random_vendor_call(w, host);
    let ask = regular(w, 33 * SEC, 0.2, move |w, now| {
        let Some(mut tcp) = line_to_broker(w, now, host) else { return };
        tcp.up(w, &mqtt::ping());
        tcp.down(w, &mqtt::pong());
        w.keep("mqtt", tcp);
    });
    vec![vendor, ask]
}

fn random_vendor_call(w: &mut World, host: HostId) -> Activity {
    crate::activity::random(w, 150 * SEC, move |w, now| {
        web::call(w, now, host, "updates.pump-maker.example", 700, 4_000, 2);
    })
}

/// What a host calls itself to the broker.
pub(crate) fn client_id(w: &World, host: HostId) -> String {
    w.hosts[host].name.clone()
}

/// Calls the broker and is taken, with the topics that it wants.
pub(crate) fn connect(
    w: &mut World,
    at: Nanos,
    host: HostId,
    client: &str,
    filters: &[&str],
) -> Option<Tcp> {
    let broker = w.services.broker?;
    let mut tcp = Tcp::open(w, at, host, broker.at());
    if broker.tls {
        let name = w.fqdn(broker.host);
        tls::handshake(w, &mut tcp, &name);
    }
    tcp.up(w, &mqtt::connect(client, KEEP_ALIVE, None));
    tcp.down(w, &mqtt::connack(0));
    if !filters.is_empty() {
        tcp.up(w, &mqtt::subscribe(1, filters));
        tcp.down(w, &mqtt::suback(1, filters.len()));
    }
    Some(tcp)
}

/// The open conversation with the broker, or a new one.
pub(crate) fn line_to_broker(w: &mut World, at: Nanos, host: HostId) -> Option<Tcp> {
    if let Some(mut tcp) = w.resume(host, "mqtt") {
        tcp.wait_until(w, at);
        return Some(tcp);
    }
    let name = client_id(w, host);
    let own = format!("pump/{name}/command");
    let filters =
        if w.hosts[host].role == Role::Pump { [own.as_str()] } else { ["pump/+/telemetry"] };
    connect(w, at, host, &name, &filters)
}

/// What a pump says about itself.
pub(crate) fn telemetry(at: Nanos, rate: f64, left: f64) -> Vec<u8> {
    let now = iso(at);
    format!(
        "{{\"t\": \"{now}\", \"rate_ml_h\": {rate:.1}, \"vtbi\": {left:.2}, \"alarm\": 0, \"battery\": 97}}"
    )
    .into_bytes()
}

fn publish(w: &mut World, at: Nanos, host: HostId, rate: f64, left: f64) {
    let Some(mut tcp) = line_to_broker(w, at, host) else { return };
    let topic = format!("pump/{}/telemetry", client_id(w, host));
    let mut told = telemetry(tcp.now, rate, left);
    if w.changes.renewed(host) {
        told.pop();
        told.extend_from_slice(NEWER_TELEMETRY);
    }
    let message = mqtt::publish(&topic, &told);
    tcp.up(w, &message);
    let passed_on = tcp.now + MS;
    w.keep("mqtt", tcp);
    let server = w.services.update.map(|s| s.host);
    if let Some(server) = server.filter(|&s| w.hosts[s].role == Role::Update)
        && let Some(mut line) = w.resume(server, "mqtt")
    {
        line.wait_until(w, passed_on);
        line.down(w, &message);
        w.keep("mqtt", line);
    }
}

fn check_library(w: &mut World, at: Nanos, host: HostId) {
    let Some(update) = w.services.update else { return };
    let body = http::page("druglib", LIBRARY);
    web::get(w, at, host, update, "/druglib", ("application/octet-stream", &body));
}
