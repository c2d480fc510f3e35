//! What is small on the wire or on disk and large when unpacked.

use std::io::Write;
use std::path::Path;

use detect::{Engine, Settings};
use flate2::Compression;
use model::{Case, Finding, SiteKey};
use pipeline::analyze::{Plan, Summary, run};
use pipeline::outputs::{Fact, OutputError, Outputs};

use crate::network::{CLIENT, Frame, SECOND, SERVER, START, Talk, attack};
use crate::sensor::{Sensor, alone, is_within_memory};

const MEBIBYTE: usize = 1 << 20;

#[derive(Default)]
struct Found(Vec<Finding>);

impl Outputs for Found {
    fn observation(&mut self, _: Fact<'_>) -> Result<(), OutputError> {
        Ok(())
    }

    fn case(&mut self, _: &Case) -> Result<(), OutputError> {
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError> {
        self.0.push(finding.clone());
        Ok(())
    }
}

fn analyze(capture: &Path) -> (Summary, Vec<Finding>) {
    let plan = Plan {
        baselines: Vec::new(),
        captures: vec![capture.to_owned()],
        logs: Vec::new(),
        threads: 2,
        wire: wire::Config::default(),
        key: SiteKey::new(&[7; 32]),
        speed: None,
    };
    let mut engine = Engine::new(Settings::default(), assets::Settings::default());
    let mut found = Found::default();
    let summary = run(&plan, &mut engine, &mut found, &mut |_| {}).unwrap();
    (summary, found.0)
}

fn record(out: &mut dyn Write, at: i64, data: &[u8]) {
    let (seconds, nanos) = ((at / SECOND) as u32, (at % SECOND) as u32);
    for word in [seconds, nanos / 1_000, data.len() as u32, data.len() as u32] {
        out.write_all(&word.to_le_bytes()).unwrap();
    }
    out.write_all(data).unwrap();
}

/// A pcap file that is packed well: packets of zeros, of so many bytes each, then an attack.
fn bomb(out: &mut dyn Write, packets: usize, length: usize) {
    out.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    out.write_all(&[0, 0, 4, 0, 1, 0, 0, 0]).unwrap();
    let zeros = vec![0; length];
    (0..packets).for_each(|_| record(out, START, &zeros));
    attack(START + SECOND).iter().for_each(|Frame { at, bytes }| record(out, *at, bytes));
}

#[test]
fn a_capture_that_unpacks_to_a_thousand_times_its_size_is_read_to_its_end() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    // 128 MiB in the longest packets that are believed, and half a million empty ones.
    for (packets, length) in [(512, 262_144), (500_000, 0)] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        bomb(&mut gzip, packets, length);
        let mut zstandard = zstd::Encoder::new(Vec::new(), 1).unwrap();
        bomb(&mut zstandard, packets, length);
        let packed = [("b.gz", gzip.finish().unwrap()), ("b.zst", zstandard.finish().unwrap())];
        for (name, bytes) in packed {
            assert!(bytes.len() < MEBIBYTE, "{} bytes are no bomb", bytes.len());
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let (summary, findings) = analyze(&path);
            assert_eq!(summary.unreadable, Vec::<String>::new());
            assert_eq!(summary.stats.packets, packets as u64 + 5);
            assert!(findings.iter().any(|f| f.detector.as_str() == "web_attack"), "{name}");
            is_within_memory();
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

#[test]
fn bodies_that_unpack_without_end_are_given_up_and_the_connection_goes_on() {
    let plain = vec![b' '; 32 * MEBIBYTE];
    let once = gzip(&plain);
    let bodies = [
        ("gzip", once.clone()),
        ("gzip, gzip", gzip(&once)),
        ("deflate", deflate(&plain)),
        ("br", once.clone()),
    ];
    drop(plain);
    let mut sensor = Sensor::keeping(&["http.request", "http.response"]);
    for (number, (coding, body)) in bodies.iter().enumerate() {
        for kind in ["application/fhir+json", "application/soap+xml", "text/html"] {
            let port = 40_000 + number as u16 * 10 + kind.len() as u16 % 10;
            let mut talk = Talk::open([(1, port), (2, 80)], [1, 1], START);
            let head = format!("Content-Type: {kind}\r\nContent-Encoding: {coding}\r\n");
            let length = format!("Content-Length: {}\r\n\r\n", body.len());
            talk.say(CLIENT, format!("POST /fhir HTTP/1.1\r\n{head}{length}").as_bytes());
            talk.say(CLIENT, body);
            // The same again in chunks, as an answer.
            talk.say(SERVER, format!("HTTP/1.1 200 OK\r\n{head}").as_bytes());
            talk.say(SERVER, b"Transfer-Encoding: chunked\r\n\r\n");
            talk.say(SERVER, format!("{:x}\r\n", body.len()).as_bytes()).say(SERVER, body);
            talk.say(SERVER, b"\r\n0\r\n\r\n");
            talk.say(CLIENT, b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n");
            sensor.frames(&talk.frames);
        }
    }
    sensor.still_finds_an_attack(START + 60 * SECOND);
    let after = sensor.kept.iter().filter(|o| o.str("path") == Some("/after")).count();
    assert_eq!(after, 12, "the next request is still read");
}

#[test]
fn websocket_messages_that_unpack_without_end_do_no_harm() {
    let body = deflate(&vec![0; 32 * MEBIBYTE]);
    let mut sensor = Sensor::keeping(&["websocket.open"]);
    for (number, opcode) in [0xc1, 0xc2, 0x41, 0x42].into_iter().enumerate() {
        let mut talk = Talk::open([(1, 41_000 + number as u16), (2, 80)], [1, 1], START);
        let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
        let ask =
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        talk.say(CLIENT, format!("GET /mqtt HTTP/1.1\r\nHost: a\r\n{upgrade}{ask}").as_bytes());
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}{accept}");
        talk.say(SERVER, answer.as_bytes());
        // One frame with an honest length, then one that claims all there is.
        let mut frame = vec![opcode, 127];
        frame.extend((body.len() as u64).to_be_bytes());
        talk.say(SERVER, &[&frame[..], &body].concat());
        let claims = [&[opcode, 0xff][..], &[0x7f], &[0xff; 7], &[1, 2, 3, 4], &body].concat();
        talk.say(CLIENT, &claims);
        sensor.frames(&talk.frames);
    }
    sensor.still_finds_an_attack(START + 60 * SECOND);
    assert_eq!(sensor.kept.len(), 4, "they are recognised, or nothing is tested");
}
