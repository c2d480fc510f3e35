use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

use Direction::{Forward, Reverse};

fn bvll(function: u8, rest: &[u8]) -> Vec<u8> {
    let mut out = vec![0x81, function];
    out.extend((rest.len() as u16 + 4).to_be_bytes());
    out.extend(rest);
    out
}

/// A message to one host, or to everybody.
fn unicast(apdu: &[u8]) -> Vec<u8> {
    bvll(0x0a, &[&[1, 4][..], apdu].concat())
}

fn broadcast(apdu: &[u8]) -> Vec<u8> {
    bvll(0x0b, &[&[1, 0x20, 0xff, 0xff, 0, 0xff][..], apdu].concat())
}

/// WriteProperty of 21.5 to the present value of analog output 3, priority 8.
fn write() -> Vec<u8> {
    unicast(b"\x00\x05\x01\x0f\x0c\x00\x40\x00\x03\x19\x55\x3e\x44\x41\xac\x00\x00\x3f\x49\x08")
}

fn i_am() -> Vec<u8> {
    broadcast(b"\x10\x00\xc4\x02\x00\x04\xd2\x22\x05\xc4\x91\x00\x21\x07")
}

fn seen(pieces: &[(Direction, Vec<u8>)]) -> Vec<Observation> {
    let pieces: Vec<_> =
        pieces.iter().map(|(dir, bytes)| (*dir, Chunk::Datagram(bytes.as_slice()))).collect();
    drive::run(&Bacnet, drive::flow(Transport::Udp, 47_808), &pieces)
}

#[test]
fn a_write_says_object_property_priority_and_value() {
    let seen = seen(&[(Forward, write())]);
    let said = ["service", "object", "property", "value_type"].map(|field| seen[0].str(field));
    assert_eq!(
        said,
        [Some("write_property"), Some("analog_output"), Some("present_value"), Some("real")]
    );
    assert_eq!((seen[0].uint("instance"), seen[0].uint("priority")), (Some(3), Some(8)));
    assert_eq!(seen[0].float("value"), Some(21.5));
}

#[test]
fn every_property_of_a_multiple_write_is_said() {
    let body = b"\x00\x05\x02\x10\x0c\x00\x80\x00\x01\x1e\x09\x55\x2e\x91\x01\x2f\x39\x0a\x09\x51\x2e\x10\x2f\x1f\x0c\x00\x80\x00\x02\x1e\x09\x55\x2e\x00\x2f\x1f";
    let seen = seen(&[(Forward, unicast(body))]);
    let said: Vec<_> = seen
        .iter()
        .map(|o| {
            (o.uint("instance").unwrap(), o.str("property").unwrap(), o.str("value_type").unwrap())
        })
        .collect();
    assert_eq!(
        said,
        [
            (1, "present_value", "enumerated"),
            (1, "out_of_service", "boolean"),
            (2, "present_value", "null")
        ]
    );
    assert_eq!(seen[0].uint("priority"), Some(10));
}

#[test]
fn a_device_says_its_number_and_maker_once() {
    let seen = seen(&[(Forward, i_am()), (Forward, i_am())]);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].uint("instance"), seen[0].uint("vendor_id")), (Some(1234), Some(7)));
    assert_eq!((seen[0].uint("max_apdu"), seen[0].str("segmentation")), (Some(1476), Some("both")));
}

#[test]
fn text_properties_of_a_device_are_told_and_those_of_points_are_not() {
    let answer = |object: &[u8]| {
        unicast(&[b"\x30\x01\x0c\x0c", object, b"\x19\x46\x3e\x75\x06\x00FAN-9\x3f"].concat())
    };
    let seen =
        seen(&[(Reverse, answer(b"\x02\x00\x00\x01")), (Reverse, answer(b"\x00\x80\x00\x01"))]);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].str("model"), seen[0].uint("instance")), (Some("FAN-9"), Some(1)));
}

#[test]
fn restarts_silencing_and_failures_are_named() {
    let seen = seen(&[
        (Forward, unicast(b"\x00\x05\x01\x14\x09\x00\x1d\x05\x00abcd")),
        (Forward, unicast(b"\x00\x05\x01\x11\x09\x3c\x19\x01")),
        (Reverse, unicast(b"\x50\x01\x0f\x91\x02\x91\x28")),
        (Reverse, unicast(b"\x60\x01\x09")),
        (Reverse, unicast(b"\x71\x01\x04")),
    ]);
    assert_eq!((seen[0].str("state"), seen[0].flag("password")), (Some("coldstart"), true));
    assert_eq!((seen[1].str("state"), seen[1].flag("password")), (Some("disable"), false));
    assert_eq!(seen[2].str("class"), Some("property"));
    let reasons: Vec<_> = seen[2..].iter().map(|o| o.str("reason").unwrap()).collect();
    assert_eq!(
        reasons,
        ["write_access_denied", "unrecognized_service", "segmentation_not_supported"]
    );
}

#[test]
fn polling_is_told_ever_more_rarely_whatever_is_read() {
    let reads: Vec<_> = (0..64)
        .map(|n| {
            (
                Forward,
                unicast(&[b"\x00\x05\x01\x0c\x0c\x00\x00\x00", &[n][..], b"\x19\x55"].concat()),
            )
        })
        .collect();
    let counts: Vec<_> = seen(&reads).iter().map(|o| o.uint("count").unwrap()).collect();
    assert_eq!(counts, [1, 2, 4, 8, 16, 32, 64]);
}

#[test]
fn foreign_devices_and_ranges_of_who_is_are_told() {
    let seen = seen(&[
        (Forward, bvll(5, &[0, 60])),
        (Reverse, bvll(0, &[0, 0x30])),
        (Forward, broadcast(b"\x10\x08\x09\x00\x1b\x3f\xff\xff")),
    ]);
    assert_eq!(
        (seen[0].str("action"), seen[0].uint("ttl")),
        (Some("register_foreign_device"), Some(60))
    );
    assert_eq!(seen[1].uint("code"), Some(0x30));
    assert_eq!((seen[2].uint("low"), seen[2].uint("high")), (Some(0), Some(4_194_303)));
    assert!(seen[2].flag("broadcast"));
}

#[test]
fn what_does_not_add_up_is_an_anomaly() {
    let cut = unicast(b"\x00\x05\x01\x0f\x0c\x00\x40\x00\x03\x19\x55\x3e\x44\x41");
    let seen = seen(&[(Forward, cut)]);
    let what: Vec<_> =
        seen.iter().filter(|o| o.is("protocol.anomaly")).filter_map(|o| o.str("what")).collect();
    assert_eq!(what, ["values that do not add up"]);
}

proptest! {
    #[test]
    fn noise_is_refused_and_changes_never_panic(bytes: Vec<u8>, at in 0_usize..60, to: u8) {
        let flow = drive::flow(Transport::Udp, 47_808);
        prop_assert_eq!(Bacnet.probe(&flow, Forward, &bytes), Probe::No);
        for mut message in [write(), i_am(), unicast(b"\x30\x01\x0e\x0c\x02\x00\x00\x01\x1e\x29\x46\x4e\x75\x02\x00A\x4f\x1f")] {
            let flow = drive::flow(Transport::Udp, 9);
            prop_assert_eq!(Bacnet.probe(&flow, Forward, &message), Probe::Yes);
            let place = at % message.len();
            message[place] = to;
            seen(&[(Forward, message)]);
        }
    }
}
