use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

use Direction::{Forward, Reverse};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The id and the CRYPTO frame of RFC 9001, appendix A.2.
const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const FRAME: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";

/// A client's first packet with these frames, as appendix A.2 makes it: 1162 bytes of frames.
fn initial(version: u32, number: u32, frames: &[u8]) -> Vec<u8> {
    let first = if version == 1 { 0xc3 } else { 0xd3 };
    let mut head = vec![first];
    head.extend(version.to_be_bytes());
    head.extend([&[8][..], &ID, &[0, 0, 0x44, 0x9e]].concat());
    head.extend(number.to_be_bytes());
    let mut plain = frames.to_vec();
    plain.resize(1162, 0);
    let version = header::Version::from_number(version);
    keys::seal(&Keys::of_client(version, &ID).unwrap(), &head, number, plain)
}

fn seen(pieces: &[(Direction, Vec<u8>)]) -> Vec<Observation> {
    let pieces: Vec<_> =
        pieces.iter().map(|(dir, bytes)| (*dir, Chunk::Datagram(bytes.as_slice()))).collect();
    drive::run(&Quic, drive::flow(Transport::Udp, 443), &pieces)
}

#[test]
fn the_packet_of_the_specification_is_read() {
    let packet = initial(1, 2, &bytes(FRAME));
    assert_eq!(packet[..22], bytes("c000000001088394c8f03e5157080000449e7b9aec34"));
    assert_eq!(packet[1184..], bytes("e221af44860018ab0856972e194cd934"));
    let seen = seen(&[(Forward, packet)]);
    assert_eq!((seen[0].kind.name, seen[0].str("version")), ("quic.initial", Some("1")));
    assert_eq!((seen[1].kind.name, seen[1].str("sni")), ("tls.client_hello", Some("example.com")));
    assert_eq!(seen[1].texts("alpn"), ["alpn".into()]);
    assert!(seen[1].str("ja4").unwrap().starts_with("q13d0211an_"));
}

#[test]
fn version_2_has_keys_and_types_of_its_own() {
    let seen = seen(&[(Forward, initial(0x6b33_43cf, 2, &bytes(FRAME)))]);
    assert_eq!((seen[0].str("version"), seen[1].str("sni")), (Some("2"), Some("example.com")));
}

#[test]
fn a_hello_spread_over_packets_in_the_wrong_order_is_put_together() {
    let whole = bytes(FRAME);
    let message = &whole[4..];
    let second = [&[6, 0x40, 100, 0x40, message.len() as u8 - 100][..], &message[100..]].concat();
    let first = [&[6, 0, 0x40, 100][..], &message[..100]].concat();
    let seen = seen(&[(Forward, initial(1, 1, &second)), (Forward, initial(1, 0, &first))]);
    let kinds: Vec<_> = seen.iter().map(|o| o.kind.name).collect();
    assert_eq!(kinds, ["quic.initial", "tls.client_hello"]);
}

#[test]
fn refusals_of_a_server_are_told() {
    let negotiation = bytes("80000000000008f067a5502a4262b51a2a3a4a6b3343cf00000001");
    let retry = bytes("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba");
    let seen = seen(&[(Forward, initial(1, 2, &[1])), (Reverse, negotiation), (Reverse, retry)]);
    assert_eq!(seen[1].texts("versions"), ["2".into(), "1".into()]);
    assert_eq!(seen[2].str("action"), Some("retry"));
}

#[test]
fn what_does_not_decrypt_says_nothing_more() {
    let mut packet = initial(1, 2, &bytes(FRAME));
    packet[600] ^= 1;
    let kinds: Vec<_> = seen(&[(Forward, packet)]).iter().map(|o| o.kind.name).collect();
    assert_eq!(kinds, ["quic.initial"]);
}

#[test]
fn probe_asks_for_a_known_version_and_lengths_that_fit() {
    let flow = drive::flow(Transport::Udp, 9);
    let probe = |bytes: &[u8]| Quic.probe(&flow, Forward, bytes);
    let packet = initial(1, 2, &[1]);
    assert_eq!(probe(&packet), Probe::Yes);
    assert_eq!(probe(&packet[..600]), Probe::No);
    // RTP, and Google's QUIC.
    assert_eq!(probe(&bytes("80000000000000000000000000000000")), Probe::No);
    assert_eq!(probe(&bytes("c3513034360508f067a5502a4262b5")), Probe::No);
}

proptest! {
    #[test]
    fn noise_is_refused_and_changes_never_panic(noise: Vec<u8>, at in 0_usize..1200, to: u8) {
        let flow = drive::flow(Transport::Udp, 443);
        prop_assert_eq!(Quic.probe(&flow, Forward, &noise), Probe::No);
        let mut packet = initial(1, 2, &bytes(FRAME));
        packet[at] = to;
        seen(&[(Forward, packet.clone()), (Reverse, packet), (Reverse, noise)]);
    }
}
