//! Floods: SYN, UDP, ICMP, HTTP requests, MQTT connections and messages.

use crate::app::{http, mqtt};
use crate::net::frame::{ACK, SYN, Segment};
use crate::net::packets::Door;
use crate::net::tcp::{Side, Tcp};
use crate::normal::pump;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, US};

/// Where floods come from that a known host makes.
const SOURCES: [Role; 5] = [Role::Camera, Role::Printer, Role::Nurse, Role::Xray, Role::Controller];

/// SYN to a service, from ever other ports, never finished.
pub(crate) fn syn(scene: &mut Scene<'_>) -> Option<Story> {
    let service = scene.w.services.pacs.or(scene.w.services.hl7)?;
    let actor = scene.attacker(&SOURCES);
    let mut now = scene.w.resolve(scene.now, actor, service.host);
    let options = [2, 4, 0x05, 0xb4];
    for i in 0..scene.count(5_000) {
        let from = 1_024 + (i % 60_000) as u16;
        let seq = scene.w.rng.next() as u32;
        let syn = Segment { from, to: service.port, seq, flags: SYN, ..<_>::default() };
        let syn = Segment { window: 512, options: &options, ..syn };
        scene.w.segment(now, actor, service.host, &syn);
        // The backlog answers until it is full.
        if i < 256 || i % 40 == 0 {
            let answer = Segment {
                from: service.port,
                to: from,
                seq: seq ^ 0x5a5a_5a5a,
                ack: seq.wrapping_add(1),
                flags: SYN | ACK,
                window: 64_240,
                ..syn
            };
            scene.w.segment(now + 200 * US, service.host, actor, &answer);
        }
        now += scene.between(2 * MS);
    }
    Some(scene.story("syn flood on a clinical server", actor, vec![service.host]))
}

/// Large datagrams to a device.
pub(crate) fn udp(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim =
        scene.w.any_of(&[Role::Monitor, Role::Pump, Role::Central]).filter(|&v| v != actor)?;
    let mut now = scene.w.resolve(scene.now, actor, victim);
    let port = scene.w.port(actor);
    for _ in 0..scene.count(4_000) {
        let to = scene.w.rng.between(1_024, 65_535) as u16;
        scene.w.udp(now, [(actor, port), (victim, to)], &[b'X'; 512]);
        now += scene.between(2 * MS);
    }
    Some(scene.story("udp flood on a medical device", actor, vec![victim]))
}

/// Echo requests without a pause.
pub(crate) fn icmp(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&SOURCES);
    let victim =
        scene.w.any_of(&[Role::Ventilator, Role::Monitor, Role::Pump]).filter(|&v| v != actor)?;
    let mut now = scene.now;
    for i in 0..scene.count(3_000) {
        scene.w.ping(now, actor, victim, i as u16, 1_000);
        now += scene.between(3 * MS);
    }
    Some(scene.story("icmp flood on a medical device", actor, vec![victim]))
}

/// HTTP requests on ever new conversations.
pub(crate) fn http(scene: &mut Scene<'_>) -> Option<Story> {
    let service = scene.w.services.fhir.or(scene.w.services.update).filter(|s| !s.tls)?;
    let actor = scene.attacker(&SOURCES);
    let host = scene.w.fqdn(service.host);
    let mut now = scene.now;
    for i in 0..scene.count(500) {
        let mut tcp = Tcp::open(scene.w, now, actor, service.at());
        let opened = tcp.now;
        let path = format!("/?{}", scene.w.rng.hex(8));
        let ask = http::request("GET", &path, &host, "Mozilla/5.0", &[], &[]);
        tcp.up(scene.w, &ask);
        if i % 3 == 0 {
            let busy =
                http::response("503 Service Unavailable", "nginx", "text/plain", &[], b"busy");
            tcp.down(scene.w, &busy);
        }
        tcp.abort(scene.w, Side::Client);
        now = opened + scene.between(18 * MS);
    }
    Some(scene.story("http request flood on a clinical server", actor, vec![service.host]))
}

/// MQTT connections, each with a burst of messages.
pub(crate) fn mqtt(scene: &mut Scene<'_>) -> Option<Story> {
    let broker = scene.w.services.broker.filter(|b| !b.tls)?;
    let actor = scene.attacker(&[Role::Pump, Role::Nurse, Role::Camera]);
    debug_assert_eq!(scene.w.door(broker.host, broker.port), Door::Open);
    let mut now = scene.now;
    for _ in 0..scene.count(60) {
        let client = scene.w.rng.hex(12);
        let mut tcp = pump::connect(scene.w, now, actor, &client, &[])?;
        let opened = tcp.now;
        let mut burst = vec![];
        for _ in 0..25 {
            let topic = format!("flood/{}", scene.w.rng.hex(6));
            burst.extend(mqtt::publish(&topic, &scene.w.rng.bytes(200)));
        }
        tcp.up(scene.w, &burst);
        tcp.close(scene.w, Side::Client);
        now = opened + scene.between(120 * MS);
    }
    Some(scene.story("mqtt connect and publish flood on the broker", actor, vec![broker.host]))
}
