use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

use Direction::{Forward, Reverse};

fn adu(pdu: &[u8]) -> Vec<u8> {
    let mut out = vec![0x12, 0x34, 0, 0, 0, pdu.len() as u8 + 1, 9];
    out.extend(pdu);
    out
}

const READ: &[u8] = b"\x03\x00\x64\x00\x0a";
const WRITE: &[u8] = b"\x10\x00\x01\x00\x02\x04\x00\x0a\x01\x02";

fn seen(pieces: &[(Direction, Chunk<'_>)]) -> Vec<Observation> {
    drive::run(&Modbus, drive::flow(Transport::Tcp, 502), pieces)
}

fn streams(pieces: &[(Direction, Vec<u8>)]) -> Vec<Observation> {
    let pieces: Vec<_> =
        pieces.iter().map(|(dir, b)| (*dir, Chunk::Stream(b.as_slice()))).collect();
    seen(&pieces)
}

fn probe(port: u16, bytes: &[u8]) -> Probe {
    Modbus.probe(&drive::flow(Transport::Tcp, port), Forward, bytes)
}

#[test]
fn a_write_says_where_and_how_much() {
    let seen = streams(&[(Forward, adu(WRITE)), (Forward, adu(b"\x05\x00\x07\xff\x00"))]);
    assert_eq!(seen[0].str("function"), Some("write_multiple_registers"));
    assert_eq!((seen[0].uint("address"), seen[0].uint("quantity")), (Some(1), Some(2)));
    assert!(seen[0].flag("write"));
    assert_eq!((seen[1].uint("address"), seen[1].uint("value")), (Some(7), Some(0xff00)));
    assert_eq!(seen[1].uint("unit"), Some(9));
}

#[test]
fn a_poll_is_told_ever_more_rarely_and_answers_are_not_requests() {
    let answer = adu(b"\x03\x02\x00\x01");
    let round = [(Forward, adu(READ)), (Reverse, answer)];
    let seen = streams(&round.into_iter().cycle().take(40).collect::<Vec<_>>());
    let counts: Vec<_> = seen.iter().map(|o| o.uint("count").unwrap()).collect();
    assert_eq!(counts, [1, 2, 4, 8, 16]);
    assert!(!seen[0].flag("write"));
}

#[test]
fn exceptions_and_identities_are_told() {
    let identity = b"\x2b\x0e\x01\x01\x00\x00\x03\x00\x07Example\x01\x03PM5\x02\x04v2.1";
    let seen = streams(&[(Reverse, adu(b"\x90\x02")), (Reverse, adu(identity))]);
    assert_eq!(seen[0].str("function"), Some("write_multiple_registers"));
    assert_eq!(seen[0].str("reason"), Some("illegal_data_address"));
    assert_eq!((seen[1].str("vendor"), seen[1].str("product")), (Some("Example"), Some("PM5")));
    assert_eq!(seen[1].str("revision"), Some("v2.1"));
}

#[test]
fn diagnostics_say_their_sub_function() {
    let seen = streams(&[(Forward, adu(b"\x08\x00\x04\x00\x00"))]);
    assert_eq!(
        (seen[0].str("function"), seen[0].uint("sub_function")),
        (Some("diagnostics"), Some(4))
    );
}

#[test]
fn after_a_loss_the_next_message_is_found_again() {
    let rest = [&b"\x00\x01\x02"[..], &adu(READ), &adu(WRITE), &adu(READ)].concat();
    let seen = seen(&[(Forward, Chunk::Gap(5)), (Forward, Chunk::Stream(&rest))]);
    let functions: Vec<_> = seen.iter().map(|o| o.str("function").unwrap()).collect();
    assert_eq!(functions, ["write_multiple_registers", "read_holding_registers"]);
}

#[test]
fn a_header_of_something_else_ends_it() {
    let seen = streams(&[(Forward, adu(READ)), (Forward, b"GET / HTTP/1.1\r\n".to_vec())]);
    assert_eq!(seen[1].str("what"), Some("protocol number that is not 0"));
}

#[test]
fn probe_asks_for_the_length_of_the_function() {
    for known in [
        adu(READ),
        adu(WRITE),
        adu(b"\x90\x02"),
        adu(b"\x2b\x0e\x01\x00"),
        adu(b"\x03\x02\x00\x01"),
    ] {
        assert_eq!(probe(5020, &known), Probe::Yes, "{known:?}");
        assert_ne!(probe(5020, &known[..7]), Probe::No);
    }
    // The start of a DICOM association and of a NetBIOS session.
    for other in [
        &b"\x01\x00\x00\x00\x00\xd0\x00\x01\x00\x00"[..],
        b"\x00\x00\x00\x55\xff\x53\x4d\x42",
        b"GET /",
        b"\x00\x00\x00\x00\x00\x06\x01\x41\x00",
    ] {
        assert_eq!(probe(5020, other), Probe::No, "{other:?}");
    }
    assert_eq!(probe(502, &adu(b"\x5a\x00\x02")), Probe::Yes, "a maker's own function");
}

proptest! {
    #[test]
    fn cuts_change_nothing(cuts in proptest::collection::vec(1_usize..30, 1..20), gap: bool) {
        let stream: Vec<u8> = [READ, WRITE, b"\x05\x00\x07\xff\x00", READ, WRITE, b"\x07"].map(adu).concat();
        let (mut rest, mut cuts, mut pieces) = (&stream[..], cuts.iter().cycle(), Vec::new());
        let first = if gap { Chunk::Gap(9) } else { Chunk::Stream(b"") };
        pieces.push((Forward, first));
        if gap { rest = &rest[3..]; }
        let whole = seen(&[pieces[0], (Forward, Chunk::Stream(rest))]);
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            pieces.push((Forward, Chunk::Stream(piece)));
            rest = tail;
        }
        let said = |seen: &[Observation]| seen.iter().map(|o| format!("{:?}", o.fields().collect::<Vec<_>>())).collect::<Vec<_>>();
        prop_assert!(!whole.is_empty());
        prop_assert_eq!(said(&seen(&pieces)), said(&whole));
    }

    #[test]
    fn noise_never_panics(bytes: Vec<u8>, back: Vec<u8>) {
        probe(502, &bytes);
        streams(&[(Forward, bytes), (Reverse, back)]);
    }
}
