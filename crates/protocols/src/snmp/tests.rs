use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

use Direction::{Forward, Reverse};

fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match body.len() {
        length @ 0..=127 => out.push(length as u8),
        length => {
            out.push(0x82);
            out.extend((length as u16).to_be_bytes());
        }
    }
    out.extend(body);
    out
}

fn sequence(items: &[Vec<u8>]) -> Vec<u8> {
    tlv(ber::SEQUENCE, &items.concat())
}

fn int(value: u8) -> Vec<u8> {
    tlv(ber::INTEGER, &[value])
}

const DESCR: &[u8] = b"\x2b\x06\x01\x02\x01\x01\x01\x00";
const OBJECT_ID: &[u8] = b"\x2b\x06\x01\x02\x01\x01\x02\x00";
const NAME: &[u8] = b"\x2b\x06\x01\x02\x01\x01\x05\x00";

fn pdu(tag: u8, status: u8, index: u8, objects: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let list: Vec<_> = objects
        .iter()
        .map(|(name, value)| sequence(&[tlv(ber::OBJECT, name), value.clone()]))
        .collect();
    tlv(tag, &[int(77), int(status), int(index), sequence(&list)].concat())
}

fn message(version: u8, community: &str, pdu: Vec<u8>) -> Vec<u8> {
    sequence(&[int(version), tlv(ber::OCTETS, community.as_bytes()), pdu])
}

fn get(community: &str) -> Vec<u8> {
    message(1, community, pdu(0xa0, 0, 0, &[(DESCR, vec![5, 0])]))
}

fn answer() -> Vec<u8> {
    let objects = [
        (DESCR, tlv(ber::OCTETS, b"Ward monitor 9, firmware 2.1")),
        (OBJECT_ID, tlv(ber::OBJECT, b"\x2b\x06\x01\x04\x01\x82\x37\x01")),
        (NAME, tlv(ber::OCTETS, b"mon-3")),
    ];
    message(1, "public", pdu(0xa2, 0, 0, &objects))
}

fn version_3(flags: u8, payload: Vec<u8>) -> Vec<u8> {
    let users = sequence(&[
        tlv(ber::OCTETS, b"\x80\x00\x1f\x88\x04net1"),
        int(1),
        int(2),
        tlv(ber::OCTETS, b"biomed"),
        tlv(ber::OCTETS, b""),
        tlv(ber::OCTETS, b""),
    ]);
    let global = sequence(&[
        int(9),
        tlv(ber::INTEGER, &[0, 0xff, 0xe3]),
        tlv(ber::OCTETS, &[flags]),
        int(3),
    ]);
    sequence(&[int(3), global, tlv(ber::OCTETS, &users), payload])
}

fn scoped(pdu: Vec<u8>) -> Vec<u8> {
    sequence(&[tlv(ber::OCTETS, b"\x80\x00"), tlv(ber::OCTETS, b""), pdu])
}

fn seen(pieces: &[(Direction, Vec<u8>)]) -> Vec<Observation> {
    let pieces: Vec<_> =
        pieces.iter().map(|(dir, bytes)| (*dir, Chunk::Datagram(bytes.as_slice()))).collect();
    drive::run(&Snmp, drive::flow(Transport::Udp, 161), &pieces)
}

#[test]
fn a_community_never_leaves_and_a_published_one_is_named_as_such() {
    for (community, default) in [("public", true), ("s3cr3t-ward", false)] {
        let seen = seen(&[(Forward, get(community))]);
        assert_eq!(seen[0].flag("default_credential"), default);
        assert!(seen[0].token("community").is_some());
        assert!(!format!("{seen:?}").contains(community));
        assert_eq!((seen[0].str("type"), seen[0].str("version")), (Some("get"), Some("2c")));
        assert_eq!(seen[0].str("object"), Some("1.3.6.1.2.1.1.1.0"));
    }
}

#[test]
fn an_answer_says_what_the_device_is() {
    let seen = seen(&[(Forward, get("public")), (Reverse, answer()), (Reverse, answer())]);
    assert_eq!(seen.len(), 2, "the same answer is said once");
    assert_eq!(seen[1].str("sys_descr"), Some("Ward monitor 9, firmware 2.1"));
    assert_eq!(seen[1].str("sys_name"), Some("mon-3"));
    assert_eq!(seen[1].str("sys_object_id"), Some("1.3.6.1.4.1.311.1"));
    assert_eq!(seen[1].uint("objects"), Some(3));
}

#[test]
fn a_walk_is_told_ever_more_rarely_and_every_object_that_is_set() {
    let mut pieces = vec![(Forward, message(1, "x", pdu(0xa5, 0, 50, &[(DESCR, vec![5, 0])]))); 20];
    for object in [DESCR, NAME] {
        pieces.push((Forward, message(1, "x", pdu(0xa3, 0, 0, &[(object, tlv(4, b"!"))]))));
    }
    let seen = seen(&pieces);
    let counts: Vec<_> =
        seen.iter().map(|o| (o.str("type").unwrap(), o.uint("count").unwrap())).collect();
    let walk = [1, 2, 4, 8, 16].map(|count| ("get_bulk", count));
    assert_eq!(counts, [&walk[..], &[("set", 1), ("set", 1)]].concat());
    assert_eq!(seen[0].uint("repetitions"), Some(50));
}

#[test]
fn errors_are_said_by_name() {
    let refused = message(1, "x", pdu(0xa2, 16, 1, &[(DESCR, vec![5, 0])]));
    assert_eq!(seen(&[(Reverse, refused)])[0].str("error"), Some("authorizationError"));
}

#[test]
fn traps_of_both_forms_are_named() {
    let first = tlv(
        0xa4,
        &[
            tlv(ber::OBJECT, b"\x2b\x06\x01\x04\x01\x09"),
            tlv(0x40, &[10, 0, 0, 1]),
            int(4),
            int(0),
            tlv(0x43, &[1]),
            sequence(&[]),
        ]
        .concat(),
    );
    let second = pdu(
        0xa7,
        0,
        0,
        &[(TRAP_OID_TEXT, tlv(ber::OBJECT, b"\x2b\x06\x01\x06\x03\x01\x01\x05\x03"))],
    );
    let seen = seen(&[(Forward, message(0, "x", first)), (Forward, message(1, "x", second))]);
    assert_eq!(seen[0].str("trap"), Some("authenticationFailure"));
    assert_eq!(seen[0].str("enterprise"), Some("1.3.6.1.4.1.9"));
    assert_eq!(seen[1].str("trap"), Some("linkDown"));
}

const TRAP_OID_TEXT: &[u8] = b"\x2b\x06\x01\x06\x03\x01\x01\x04\x01\x00";

#[test]
fn version_3_says_its_user_and_how_it_is_protected() {
    let clear = version_3(0, scoped(pdu(0xa0, 0, 0, &[(NAME, vec![5, 0])])));
    let hidden = version_3(3, tlv(ber::OCTETS, &[7; 40]));
    let seen = seen(&[(Forward, clear), (Forward, hidden)]);
    assert_eq!((seen[0].str("user"), seen[0].str("security")), (Some("biomed"), Some("none")));
    assert_eq!(
        (seen[1].str("type"), seen[1].str("security")),
        (Some("encrypted"), Some("encrypted"))
    );
}

#[test]
fn lengths_that_lie_are_anomalies() {
    let mut lying = get("public");
    *lying.get_mut(1).unwrap() = 0x7f;
    assert_eq!(seen(&[(Forward, lying)])[0].str("what"), Some("message ends too early"));
    let mut longer = get("public");
    longer.extend(b"more");
    assert_eq!(seen(&[(Forward, longer)])[0].str("what"), Some("bytes after the message"));
}

#[test]
fn probe_asks_for_version_community_and_pdu() {
    let flow = drive::flow(Transport::Udp, 9999);
    for known in [get("public"), answer(), version_3(3, tlv(ber::OCTETS, &[1; 8]))] {
        assert_eq!(Snmp.probe(&flow, Forward, &known), Probe::Yes);
    }
    // LDAP over UDP begins alike: a sequence and a number.
    let ldap = b"\x30\x25\x02\x01\x01\x63\x20\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00";
    assert_eq!(Snmp.probe(&flow, Forward, ldap), Probe::No);
}

proptest! {
    #[test]
    fn noise_is_refused_and_changes_never_panic(bytes: Vec<u8>, at in 0_usize..200, to: u8) {
        let flow = drive::flow(Transport::Udp, 161);
        prop_assert_eq!(Snmp.probe(&flow, Forward, &bytes), Probe::No);
        for mut message in [get("public"), answer(), version_3(0, scoped(pdu(0xa0, 0, 0, &[(NAME, vec![5, 0])])))] {
            let place = at % message.len();
            message[place] = to;
            seen(&[(Forward, message)]);
        }
    }
}
