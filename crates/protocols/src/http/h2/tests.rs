//! Connections made by hand: what streams say, and what floods look like.

use super::frame::PREFACE;
use super::*;
use crate::drive;
use model::observation::Observation;

use Direction::{Forward, Reverse};

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A literal field that is not indexed, with a name of its own.
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

fn get(stream: u32, path: &str, flags: u8) -> Vec<u8> {
    let block =
        [field(":method", "GET"), field(":path", path), field(":authority", "ehr")].concat();
    frame(1, flags, stream, &block)
}

fn seen(pieces: &[(Direction, Vec<u8>)]) -> Vec<Observation> {
    let pieces: Vec<_> = pieces.iter().map(|(d, b)| (*d, Chunk::Stream(b))).collect();
    drive::run(&Http2, drive::flow(Transport::Tcp, 80), &pieces)
}

fn odd(observations: &[Observation]) -> Vec<&str> {
    observations.iter().filter(|o| o.is("protocol.anomaly")).filter_map(|o| o.str("what")).collect()
}

fn start(frames: &[Vec<u8>]) -> Vec<u8> {
    [PREFACE, &frame(4, 0, 0, &[]), &frames.concat()].concat()
}

#[test]
fn streams_are_told_of_as_exchanges_are_in_any_order() {
    let bundle = br#"{"resourceType":"Bundle","type":"searchset","total":9,"entry":[{},{}]}"#;
    let (one, two) = bundle.split_at(20);
    let json = [field(":status", "200"), field("content-type", "application/fhir+json")].concat();
    let answers = [
        frame(4, 0, 0, &[]),
        frame(1, 4, 3, &field(":status", "404")),
        frame(1, 4, 1, &json),
        frame(0, 0, 1, one),
        frame(0, 1, 3, b"none"),
        frame(0, 9, 1, &[&[3], two, &[0; 3]].concat()),
    ]
    .concat();
    let asked = start(&[get(1, "/fhir/Patient?name=x", 5), get(3, "/fhir/Patient/7", 5)]);
    let told = seen(&[(Forward, asked), (Reverse, answers)]);
    assert!(odd(&told).is_empty(), "{:?}", odd(&told));
    let fhir: Vec<_> = told.iter().filter(|o| o.is("fhir.interaction")).collect();
    assert_eq!((fhir[0].str("interaction"), fhir[0].uint("status")), (Some("read"), Some(404)));
    assert_eq!((fhir[1].uint("entries"), fhir[1].uint("total")), (Some(2), Some(9)));
    let request = told.iter().find(|o| o.is("http.request")).unwrap();
    assert_eq!((request.str("host"), request.str("version")), (Some("ehr"), Some("2")));
}

#[test]
fn a_header_block_over_several_frames_is_put_together() {
    let block = [field(":method", "GET"), field(":path", "/../../etc/passwd")].concat();
    let (one, two) = block.split_at(9);
    let asked = start(&[frame(1, 1, 1, one), frame(9, 0, 1, two), frame(9, 4, 1, &[])]);
    let told = seen(&[(Forward, asked)]);
    assert_eq!(told[0].texts("suspicious"), [Box::from("traversal")]);
}

#[test]
fn endless_continuation_is_a_flood() {
    let mut frames = vec![get(1, "/", 1)];
    frames.extend((0..70).map(|_| frame(9, 0, 1, &[])));
    assert_eq!(odd(&seen(&[(Forward, start(&frames))])), ["flood of HTTP/2 CONTINUATION"]);
}

#[test]
fn requests_taken_back_at_once_are_a_rapid_reset_and_a_few_are_not() {
    let attack = |count: u32| {
        let frames: Vec<_> = (0..count)
            .flat_map(|n| [get(n * 2 + 1, "/", 5), frame(3, 0, n * 2 + 1, &[0, 0, 0, 8])])
            .collect();
        seen(&[(Forward, start(&frames))])
    };
    assert_eq!(odd(&attack(150)), ["rapid reset of HTTP/2 streams"]);
    assert!(odd(&attack(60)).is_empty());
}

#[test]
fn floods_of_settings_and_pings_are_told_once() {
    for (kind, payload, what) in
        [(4, &[][..], "flood of HTTP/2 SETTINGS"), (6, &[0; 8][..], "flood of HTTP/2 PING")]
    {
        let frames: Vec<_> = (0..1500).map(|_| frame(kind, 0, 0, payload)).collect();
        assert_eq!(odd(&seen(&[(Forward, start(&frames))])), [what]);
    }
}

#[test]
fn a_table_that_is_lost_ends_the_reading() {
    let told = seen(&[(Forward, start(&[frame(1, 5, 1, &[0xff, 0x20])]))]);
    assert_eq!(odd(&told), ["index in HPACK"]);
}

#[test]
fn only_the_preface_is_taken() {
    let flow = drive::flow(Transport::Tcp, 80);
    let probe = |bytes: &[u8]| Http2.probe(&flow, Forward, bytes);
    assert_eq!(probe(PREFACE), Probe::Yes);
    assert_eq!((probe(b"PRI"), probe(b"")), (Probe::Unsure, Probe::Unsure));
    assert_eq!((probe(b"PROPFIND / HTTP/1.1\r\n"), probe(b"\0\0\0\x04")), (Probe::No, Probe::No));
}
