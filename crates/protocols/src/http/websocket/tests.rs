//! Whole connections from the upgrade to the end.

use model::flow::Direction::{self, Forward, Reverse};
use model::net::Transport;
use model::observation::Observation;
use wire::chunk::Chunk;

use crate::drive;
use crate::http::Http;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame; a client's is masked.
fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    let mut frame = vec![first, length | if masked { 0x80 } else { 0 }];
    if masked {
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(b, k)| b ^ k));
    } else {
        frame.extend(payload);
    }
    frame
}

fn seen(subprotocol: &str, turns: &[(Direction, Vec<u8>)]) -> Vec<Observation> {
    let ask = format!(
        "GET /bus HTTP/1.1\r\nHost: gw\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://evil.example/x?y\r\nSec-WebSocket-Protocol: a b, {subprotocol}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let yes = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    );
    let mut pieces =
        vec![(Forward, Chunk::Stream(ask.as_bytes())), (Reverse, Chunk::Stream(yes.as_bytes()))];
    pieces.extend(turns.iter().map(|(dir, bytes)| (*dir, Chunk::Stream(&bytes[..]))));
    drive::run(&Http, drive::flow(Transport::Tcp, 80), &pieces)
}

fn odd(seen: &[Observation]) -> Vec<&str> {
    seen.iter().filter(|o| o.is("protocol.anomaly")).filter_map(|o| o.str("what")).collect()
}

#[test]
fn messages_are_counted_by_kind_and_size_and_the_end_has_a_code() {
    let told = seen(
        "chat",
        &[
            (
                Forward,
                [frame(0x01, true, b"hel"), frame(0x89, true, b"p"), frame(0x80, true, b"lo")]
                    .concat(),
            ),
            (Reverse, [frame(0x82, false, &[7; 100]), frame(0x88, false, &[3, 0xe8])].concat()),
        ],
    );
    assert!(odd(&told).is_empty(), "{:?}", odd(&told));
    let open = told.iter().find(|o| o.is("websocket.open")).unwrap();
    assert_eq!(open.str("origin"), Some("http://evil.example"));
    assert_eq!((open.str("subprotocol"), open.texts("offered").len()), (Some("chat"), 1));
    let close = told.last().unwrap();
    assert_eq!((close.str("how"), close.uint("code")), (Some("server"), Some(1000)));
    let uint = |name| close.uint(name).unwrap();
    assert_eq!((uint("sent_text"), uint("sent_bytes"), uint("pings")), (1, 5, 1));
    assert_eq!((uint("received_binary"), uint("largest")), (1, 100));
}

#[test]
fn broken_rules_are_told_once_each() {
    let frames = [
        frame(0x81, false, b"x"),
        frame(0x81, false, b"x"),
        frame(0x80, true, b"x"),
        frame(0xc1, true, b"x"),
        frame(0x83, true, b"x"),
        frame(0x09, true, b"x"),
    ];
    let told = seen("chat", &[(Forward, frames.concat()), (Reverse, frame(0x81, true, b"x"))]);
    assert_eq!(odd(&told).len(), 6, "{:?}", odd(&told));
    assert_eq!(told.last().unwrap().str("how"), Some("lost"));
}

#[test]
fn mqtt_and_hl7_within_are_read() {
    let connect = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05pump1";
    let (one, two) = connect.split_at(7);
    let told = seen(
        "mqtt",
        &[
            (Forward, [frame(0x02, true, one), frame(0x80, true, two)].concat()),
            (Reverse, frame(0x82, false, b"\x20\x02\x00\x00")),
            (Forward, frame(0x82, true, b"\x30\x0d\x00\x06icu/hrhello")),
        ],
    );
    let kinds: Vec<_> = told.iter().map(|o| o.kind.name).collect();
    assert_eq!(
        kinds[3..],
        ["mqtt.connect", "mqtt.publish", "mqtt.close", "websocket.close"],
        "{kinds:?}"
    );
    let hl7 = b"MSH|^~\\&|MON|ICU|EHR|H|20260101||ORU^R01|7|P|2.5\rOBX|1\r";
    let told = seen("hl7", &[(Forward, frame(0x81, true, hl7))]);
    assert!(told.iter().any(|o| o.is("hl7.message") && o.uint("obx") == Some(1)));
}

#[test]
fn a_loss_within_a_message_is_borne() {
    let (_, whole) = (0, frame(0x82, true, &[9; 100]));
    let (start, rest) = whole.split_at(40);
    let ask = b"GET /bus HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    let yes = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    let told = drive::run(
        &Http,
        drive::flow(Transport::Tcp, 80),
        &[
            (Forward, Chunk::Stream(ask)),
            (Reverse, Chunk::Stream(yes)),
            (Forward, Chunk::Stream(start)),
            (Forward, Chunk::Gap(rest.len() as u64)),
            (Forward, Chunk::Stream(&whole)),
        ],
    );
    assert_eq!(told.last().unwrap().uint("sent_binary"), Some(2));
}
