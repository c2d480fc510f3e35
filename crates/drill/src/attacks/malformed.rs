//! Messages that break the rules of their protocol, sent to a server to make it fail.

use crate::app::dicom::pdu;
use crate::app::mqtt;
use crate::net::tcp::{Side, Tcp};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, Nanos};
use crate::world::Service;

/// One conversation that carries `bytes` and that the server ends.
fn throw(
    scene: &mut Scene<'_>,
    now: Nanos,
    actor: usize,
    service: Service,
    parts: &[Vec<u8>],
) -> Nanos {
    let mut tcp = Tcp::open(scene.w, now, actor, service.at());
    for part in parts {
        tcp.up(scene.w, part);
        tcp.pause(scene.w, 3 * MS);
    }
    tcp.abort(scene.w, Side::Server) + scene.between(200 * MS)
}

/// MQTT: impossible lengths, reserved types, a topic that is longer than its packet.
pub(crate) fn mqtt(scene: &mut Scene<'_>) -> Option<Story> {
    let broker = scene.w.services.broker.filter(|b| !b.tls)?;
    let actor = scene.attacker(&[Role::Pump, Role::Nurse]);
    let mut now = scene.now;
    for i in 0..scene.count(40) {
        let bad = match i % 4 {
            0 => vec![0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            1 => vec![0xf5, 4, 1, 2, 3, 4],
            2 => vec![0x30, 6, 0xff, 0xff, b'a', b'b', b'c', b'd'],
            _ => {
                let mut connect = mqtt::connect("x", 1, None);
                connect[8] = 99;
                connect
            }
        };
        let hello = mqtt::connect(&scene.w.rng.hex(6), 10, None);
        now = throw(scene, now, actor, broker, &[hello, bad]);
    }
    Some(scene.story("malformed mqtt packets at the broker", actor, vec![broker.host]))
}

/// DICOM: lengths of gigabytes, units of unknown types, data before an association.
pub(crate) fn dicom(scene: &mut Scene<'_>) -> Option<Story> {
    let pacs = scene.w.services.pacs.filter(|p| !p.tls)?;
    let actor = scene.attacker(&[Role::Ultrasound, Role::Reading, Role::Xray]);
    let title = scene.w.hosts[actor].title.clone();
    let called = scene.w.hosts[pacs.host].title.clone();
    let mut now = scene.now;
    for i in 0..scene.count(30) {
        let mut hello = pdu::associate_request(&called, &title, &["1.2.840.10008.1.1"]);
        let parts = match i % 3 {
            0 => {
                hello[2..6].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
                vec![hello]
            }
            1 => vec![vec![0x2a, 0, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]],
            _ => vec![pdu::data(9, true, &scene.w.rng.bytes(80)), pdu::abort()],
        };
        now = throw(scene, now, actor, pacs, &parts);
    }
    Some(scene.story("malformed dicom units at the archive", actor, vec![pacs.host]))
}

/// HL7: no header, endless segments, control characters.
pub(crate) fn hl7(scene: &mut Scene<'_>) -> Option<Story> {
    let engine = scene.w.services.hl7?;
    let actor = scene.attacker(&[Role::Monitor, Role::Nurse]);
    let mut now = scene.now;
    for i in 0..scene.count(30) {
        let mut bad = vec![0x0b];
        match i % 3 {
            0 => bad.extend_from_slice(b"PID|1||9^^^X||A^B\rMSH|\r"),
            1 => {
                bad.extend_from_slice(b"MSH|^~\\&|");
                bad.resize(9_000, b'A');
            }
            _ => bad.extend(scene.w.rng.bytes(300)),
        }
        bad.extend_from_slice(&[0x1c, b'\r']);
        now = throw(scene, now, actor, engine, &[bad]);
    }
    Some(scene.story("malformed hl7 messages at the engine", actor, vec![engine.host]))
}
