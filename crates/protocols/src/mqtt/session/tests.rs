//! Connections packet by packet.

use super::*;
use model::net::Transport;
use model::observation::Observation;

use crate::drive;
use crate::mqtt::Mqtt;

use Direction::{Forward, Reverse};

fn seen(packets: &[(Direction, &[u8])]) -> Vec<Observation> {
    let pieces: Vec<_> = packets.iter().map(|(dir, bytes)| (*dir, Chunk::Stream(bytes))).collect();
    drive::run(&Mqtt, drive::flow(Transport::Tcp, 1883), &pieces)
}

fn kinds(packets: &[(Direction, &[u8])]) -> Vec<String> {
    seen(packets)
        .iter()
        .map(|o| {
            if o.is("protocol.anomaly") {
                o.str("what").unwrap_or("").into()
            } else {
                o.kind.name.into()
            }
        })
        .collect()
}

/// A packet with its remaining length in front, which is below 128.
fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, u8::try_from(body.len()).unwrap()];
    bytes.extend_from_slice(body);
    bytes
}

fn connect(level: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut body = b"\x00\x04MQTT".to_vec();
    body.extend([level, flags, 0, 60]);
    body.extend_from_slice(payload);
    packet(0x10, &body)
}

#[test]
fn a_session_of_3_1_1_is_told() {
    let hello =
        connect(4, 0xc6, b"\x00\x06pump-1\x00\x09pumps/bye\x00\x01x\x00\x05admin\x00\x05admin");
    let seen = seen(&[
        (Forward, &hello),
        (Reverse, b"\x20\x02\x00\x00"),
        (Forward, b"\x31\x0d\x00\x06icu/hrhello"),
        (Forward, b"\x82\x0a\x00\x01\x00\x05icu/#\x01"),
        (Reverse, b"\x90\x03\x00\x01\x01"),
        (Reverse, b"\x32\x0d\x00\x06icu/hr\x00\x01abc"),
        (Forward, b"\x40\x02\x00\x01"),
        (Forward, b"\xe0\x00"),
    ]);
    let names: Vec<_> = seen.iter().map(|o| o.kind.name).collect();
    assert_eq!(
        names,
        ["mqtt.connect", "mqtt.publish", "mqtt.subscribe", "mqtt.publish", "mqtt.close"]
    );
    let first = &seen[0];
    assert_eq!(first.str("outcome"), Some("accepted"));
    assert_eq!((first.str("client_id"), first.str("user")), (Some("pump-1"), Some("admin")));
    assert_eq!((first.str("version"), first.str("will_topic")), (Some("3.1.1"), Some("pumps/bye")));
    assert!(first.flag("password") && first.flag("default_credential") && first.flag("clean"));
    assert_eq!(first.uint("keep_alive"), Some(60));
    assert_eq!((seen[1].str("topic"), seen[1].uint("bytes")), (Some("icu/hr"), Some(5)));
    assert!(seen[1].flag("retain") && !seen[1].flag("from_broker") && seen[3].flag("from_broker"));
    assert_eq!((seen[3].uint("qos"), seen[3].uint("bytes")), (Some(1), Some(3)));
    assert!(seen[2].flag("multi_level") && !seen[2].flag("everything"));
    assert_eq!((seen[4].uint("published"), seen[4].uint("received")), (Some(1), Some(1)));
    assert_eq!(seen[4].str("how"), Some("disconnect"));
}

#[test]
fn topic_aliases_of_5_0_are_resolved_and_unknown_ones_noted() {
    let seen = seen(&[
        (Forward, &connect(5, 0x02, b"\x00\x00\x00")),
        (Reverse, b"\x20\x09\x00\x00\x06\x12\x00\x03gen"),
        (Forward, b"\x30\x0e\x00\x06icu/hr\x03\x23\x00\x07ok"),
        (Forward, b"\x30\x08\x00\x00\x03\x23\x00\x07ok"),
        (Forward, b"\x30\x08\x00\x00\x03\x23\x00\x08ok"),
    ]);
    let topics: Vec<_> =
        seen.iter().filter(|o| o.is("mqtt.publish")).map(|o| o.str("topic")).collect();
    assert_eq!(topics, [Some("icu/hr"), Some("icu/hr"), None]);
    assert_eq!(seen[1].uint("bytes"), Some(2));
    assert!(
        seen.iter()
            .any(|o| o.is("protocol.anomaly") && o.str("what") == Some("unknown topic alias"))
    );
    assert_eq!((seen[0].str("version"), seen[0].str("client_id")), (Some("5.0"), Some("gen")));
    assert_eq!(seen.last().unwrap().str("how"), Some("lost"));
}

#[test]
fn refused_and_unanswered_connects_are_told_apart() {
    let hello = connect(4, 0x02, b"\x00\x01c");
    let refused = seen(&[(Forward, &hello), (Reverse, b"\x20\x02\x00\x05")]);
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].str("outcome"), refused[0].uint("reason")), (Some("refused"), Some(5)));
    let silent = seen(&[(Forward, &hello)]);
    assert_eq!((silent[0].str("outcome"), silent[0].uint("reason")), (Some("unanswered"), None));
}

#[test]
fn what_breaks_the_rules_of_connect_is_named() {
    for (bytes, what) in [
        (connect(4, 0x03, b"\x00\x01c"), "reserved flag in CONNECT"),
        (connect(9, 0x02, b"\x00\x01c"), "unknown protocol level"),
        (connect(4, 0x1e, b"\x00\x01c\x00\x01t\x00\x01p"), "quality of service 3"),
        (connect(4, 0x22, b"\x00\x01c"), "will flags without a will"),
        (connect(4, 0x42, b"\x00\x01c\x00\x01p"), "password without user name"),
        (connect(4, 0x02, b"\x00\x02\xff\xfe"), "text that is not UTF-8"),
        (connect(4, 0x02, b"\x00\x09c"), "CONNECT shorter than its fields"),
        (connect(4, 0x02, b"\x00\x01cxx"), "CONNECT longer than its fields"),
        (packet(0x1f, &connect(4, 0x02, b"\x00\x01c")[2..]), "reserved flags"),
    ] {
        assert_eq!(kinds(&[(Forward, &bytes)]), [what, "mqtt.connect"]);
    }
}

#[test]
fn what_breaks_the_rules_of_a_session_is_named_once_and_counted() {
    let hello = connect(4, 0x02, b"\x00\x01c");
    let after = |bytes: &[u8]| {
        let mut told =
            kinds(&[(Forward, &hello), (Reverse, b"\x20\x02\x00\x00"), (Forward, bytes)]);
        told.retain(|name| !name.starts_with("mqtt."));
        told
    };
    assert_eq!(after(&hello), ["second CONNECT"]);
    assert_eq!(after(b"\x36\x07\x00\x01a\x00\x01zz"), ["quality of service 3"]);
    assert_eq!(after(b"\x30\x05\x00\x03a/#"), ["wildcard in a topic name"]);
    assert_eq!(after(b"\x30\x03\x00\x09a"), ["PUBLISH shorter than its fields"]);
    assert_eq!(after(b"\x30\x02\x00\x00"), ["empty topic name"]);
    assert_eq!(after(b"\x80\x06\x00\x01\x00\x01#\x00"), ["reserved flags"]);
    assert_eq!(after(b"\x82\x06\x00\x01\x00\x01#\x07"), ["reserved options of a subscription"]);
    assert_eq!(after(b"\x82\x02\x00\x01"), ["SUBSCRIBE without filters"]);
    assert_eq!(after(b"\x82\x07\x00\x01\x00\x02a#\x00"), ["misplaced wildcard in a topic filter"]);
    assert_eq!(after(b"\xc0\x01x"), ["ping with a body"]);
    assert_eq!(after(b"\x40\x01x"), ["packet without identifier"]);
    assert_eq!(after(b"\xd0\x00"), ["packet of a broker from a client"]);
    assert_eq!(after(b"\xf0\x00"), ["AUTH before MQTT 5.0"]);
    assert_eq!(after(b"\x00\x00"), ["packet type 0"]);
    assert_eq!(after(b"\x30\xff\xff\xff\xff\x7f"), ["remaining length of more than four bytes"]);
    assert_eq!(after(&b"\xc1\x00".repeat(500)), ["reserved flags", "reserved flags"]);
}

#[test]
fn a_flow_without_connect_is_older_than_the_capture_or_wrong() {
    let publish = b"\x30\x0d\x00\x06icu/hrhello";
    assert_eq!(kinds(&[(Forward, publish)]), ["mqtt.publish", "first packet is not CONNECT"]);
    let old = kinds(&[(Forward, publish), (Reverse, b"\xd0\x00"), (Forward, publish)]);
    assert_eq!(old, ["mqtt.publish", "mqtt.publish", "mqtt.close"]);
}

#[test]
fn listening_to_everything_is_marked() {
    let hello = connect(4, 0x02, b"\x00\x01c");
    for (filter, all) in
        [(&b"#"[..], true), (b"$SYS/#", true), (b"+/#", true), (b"a/#", false), (b"+/hr", false)]
    {
        let mut body = vec![0, 1, 0, u8::try_from(filter.len()).unwrap()];
        body.extend_from_slice(filter);
        body.push(0);
        let seen = seen(&[(Forward, &hello), (Forward, &packet(0x82, &body))]);
        assert_eq!(seen[0].flag("everything"), all, "{filter:?}");
    }
}
