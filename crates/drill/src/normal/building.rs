//! The house: controllers of ventilation that their server polls, cameras, printers.

use crate::activity::{Activity, random, regular};
use crate::app::http;
use crate::app::industrial::{self, BACNET, MODBUS};
use crate::net::tcp::{Side, Tcp};
use crate::normal::web;
use crate::role::Role;
use crate::time::{Nanos, SEC};
use crate::world::{HostId, World};

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    match w.hosts[host].role {
        Role::Bms => w.all(Role::Controller).into_iter().map(|c| poll(w, host, c)).collect(),
        Role::Camera => vec![regular(w, 15 * SEC, 0.02, move |w, now| snapshot(w, now, host))],
        _ => vec![random(w, 200 * SEC, move |w, now| {
            web::call(w, now, host, "support.vendor-desk.example", 900, 700, 1);
        })],
    }
}

/// Whether a controller speaks BACnet rather than Modbus.
pub(crate) fn speaks_bacnet(host: HostId) -> bool {
    host.is_multiple_of(2)
}

/// The server reads a controller every few seconds.
fn poll(w: &mut World, server: HostId, controller: HostId) -> Activity {
    let mut count = 0_u16;
    regular(w, 6 * SEC, 0.02, move |w, now| {
        count = count.wrapping_add(1);
        if speaks_bacnet(controller) {
            let value = w.rng.normal(21.0, 0.3) as f32;
            let (ask, answer) = industrial::read_value(count as u8, 7, value);
            let at = w.resolve(now, server, controller);
            w.udp(at, [(server, BACNET), (controller, BACNET)], &ask);
            let back = at + w.round_trip(server, controller);
            w.udp(back, [(controller, BACNET), (server, BACNET)], &answer);
            return;
        }
        let name = purpose(controller);
        let mut tcp = match w.resume(server, name) {
            Some(mut tcp) => {
                tcp.wait_until(w, now);
                tcp
            }
            None => Tcp::open(w, now, server, (controller, MODBUS)),
        };
        let values: Vec<u16> = (0..6).map(|_| w.rng.normal(210.0, 3.0) as u16).collect();
        let (ask, answer) = industrial::read_registers(count, 100, &values);
        tcp.up(w, &ask);
        tcp.down(w, &answer);
        w.keep(name, tcp);
    })
}

/// The name of the conversation with a controller; a server polls a few of them.
fn purpose(controller: HostId) -> &'static str {
    const NAMES: [&str; 8] =
        ["modbus0", "modbus1", "modbus2", "modbus3", "modbus4", "modbus5", "modbus6", "modbus7"];
    NAMES[controller / 2 % NAMES.len()]
}

/// A camera puts a picture where the house's server, or the file server, keeps it.
fn snapshot(w: &mut World, at: Nanos, host: HostId) {
    let Some(server) = w.services.bms.or(w.services.files.map(|s| s.host)) else { return };
    let mut tcp = Tcp::open(w, at, host, (server, 80));
    let (name, agent) = (w.fqdn(server), web::agent(w, host));
    let mut picture = picture(w);
    if w.changes.renewed(host) {
        // More of the scan, before its end.
        let more = w.rng.bytes(picture.len());
        picture.splice(20..20, more.into_iter().map(|b| b.min(0xfe)));
    }
    let fields = ["Content-Type: image/jpeg".to_owned()];
    let ask = http::request("PUT", "/cam/latest.jpg", &name, &agent, &fields, &picture);
    let answer = http::response("204 No Content", "nvr/3.1", "text/plain", &[], &[]);
    web::exchange(w, &mut tcp, &ask, &answer);
    tcp.close(w, Side::Client);
}

/// A JPEG file (ITU-T T.81) with its markers in place and noise for a scan.
fn picture(w: &mut World) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
    out.extend_from_slice(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    out.extend_from_slice(&[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    let size = w.rng.between(6_000, 14_000) as usize;
    // A byte of all ones would begin a marker.
    out.extend(w.rng.bytes(size).into_iter().map(|b| b.min(0xfe)));
    out.extend_from_slice(&[0xff, 0xd9]);
    out
}
