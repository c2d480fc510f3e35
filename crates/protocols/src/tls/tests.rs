//! Handshakes from records, whole and in pieces.

use super::*;
use model::observation::Observation;
use wire::chunk::Chunk;

use crate::drive;

use Direction::{Forward, Reverse};

/// A record around a handshake message.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
    message.extend_from_slice(body);
    fragment(&message)
}

fn fragment(bytes: &[u8]) -> Vec<u8> {
    let mut record = vec![22, 3, 1];
    record.extend_from_slice(&u16::try_from(bytes.len()).unwrap().to_be_bytes());
    record.extend_from_slice(bytes);
    record
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// A hello without its extensions' length; `middle` is the cipher part.
fn hello(middle: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    body.extend_from_slice(middle);
    let all = extensions.concat();
    body.extend_from_slice(&u16::try_from(all.len()).unwrap().to_be_bytes());
    body.extend(all);
    body
}

fn client() -> Vec<u8> {
    let extensions = [
        extension(0x0a0a, b""),
        extension(0, b"\x00\x0e\x00\x00\x0bpacs.vendor"),
        extension(16, b"\x00\x0c\x02h2\x08http/1.1"),
        extension(13, b"\x00\x04\x04\x03\x08\x04"),
        extension(43, b"\x04\x03\x04\x03\x03"),
    ];
    hello(b"\x00\x04\x13\x01\xc0\x2f\x01\x00", &extensions)
}

fn seen(pieces: &[(Direction, &[u8])]) -> Vec<Observation> {
    let pieces: Vec<_> = pieces.iter().map(|(d, bytes)| (*d, Chunk::Stream(bytes))).collect();
    drive::run(&Tls, drive::flow(Transport::Tcp, 443), &pieces)
}

#[test]
fn both_hellos_are_told() {
    let server = hello(b"\x13\x01\x00", &[extension(43, b"\x03\x04")]);
    let seen = seen(&[(Forward, &record(1, &client())), (Reverse, &record(2, &server))]);
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].str("sni"), seen[0].str("version")), (Some("pacs.vendor"), Some("1.3")));
    assert_eq!(seen[0].uint("ciphers"), Some(2));
    assert_eq!(seen[0].texts("alpn"), ["h2".into(), "http/1.1".into()]);
    assert!(seen[0].str("ja4").unwrap().starts_with("t13d0204h2_"));
    assert_eq!((seen[1].str("sni"), seen[1].str("version")), (Some("pacs.vendor"), Some("1.3")));
    assert_eq!(seen[1].str("cipher"), Some("TLS_AES_128_GCM_SHA256"));
}

#[test]
fn a_message_spread_over_tiny_records_is_put_together() {
    let whole = record(1, &client());
    let pieces: Vec<u8> = whole[5..].chunks(3).flat_map(fragment).collect();
    assert_eq!(drive::probe(&Tls, &drive::flow(Transport::Tcp, 443), Forward, &pieces), Probe::Yes);
    let (one, many) = (seen(&[(Forward, &whole)]), seen(&[(Forward, &pieces)]));
    assert_eq!(one[0].str("ja4"), many[0].str("ja4"));
    assert_eq!(many.len(), 1);
}

#[test]
fn a_retry_is_not_told_as_an_answer() {
    let mut retry = hello(b"\x13\x01\x00", &[extension(43, b"\x03\x04")]);
    retry[2..34].copy_from_slice(&[
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8,
        0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
        0x33, 0x9c,
    ]);
    let server = hello(b"\x13\x02\x00", &[extension(43, b"\x03\x04")]);
    let change = b"\x14\x03\x03\x00\x01\x01";
    let seen = seen(&[
        (Forward, &record(1, &client())),
        (Reverse, &record(2, &retry)),
        (Reverse, change),
        (Forward, change),
        (Forward, &record(1, &client())),
        (Reverse, &record(2, &server)),
    ]);
    let kinds: Vec<_> = seen.iter().map(|o| o.kind.name).collect();
    assert_eq!(kinds, ["tls.client_hello", "tls.server_hello"]);
    assert_eq!(seen[1].str("cipher"), Some("TLS_AES_256_GCM_SHA384"));
}

#[test]
fn lengths_that_do_not_add_up_are_named() {
    let mut long = client();
    long.push(0);
    let mut cut = client();
    cut.truncate(60);
    for body in [long, cut] {
        let seen = seen(&[(Forward, &record(1, &body))]);
        assert_eq!(seen[0].str("what"), Some("ClientHello whose lengths do not add up"));
    }
    let huge = seen(&[(Forward, &fragment(b"\x01\xff\xff\xff\x03\x03"))]);
    assert_eq!(huge[0].str("what"), Some("handshake message longer than 64 KiB"));
    let header = seen(&[(Forward, b"\x16\x03\x01\xff\xff\x01")]);
    assert_eq!(header[0].str("what"), Some("record header"));
    let list =
        [(Forward, record(1, &client())), (Reverse, record(2, &hello(b"\xc0\x2f\x00", &[])))];
    let certificate = record(11, b"\x00\x00\x09\x00\x00\x01x");
    let seen = seen(&[(list[0].0, &list[0].1), (list[1].0, &list[1].1), (Reverse, &certificate)]);
    assert_eq!(seen[2].str("what"), Some("Certificate whose lengths do not add up"));
}

#[test]
fn a_certificate_that_is_none_is_told_by_its_hash() {
    let server = record(2, &hello(b"\xc0\x2f\x00", &[]));
    let certificate = record(11, b"\x00\x00\x06\x00\x00\x03abc");
    let seen =
        seen(&[(Forward, &record(1, &client())), (Reverse, &server), (Reverse, &certificate)]);
    assert_eq!(seen[2].str("what"), Some("certificate that does not parse"));
    // SHA-256 of "abc", FIPS 180-2.
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(seen[3].str("sha256"), Some(expected));
}

#[test]
fn probe_is_safe_and_waits_for_eleven_bytes() {
    let flow = drive::flow(Transport::Tcp, 443);
    let whole = record(1, &client());
    for end in 0..11 {
        assert_eq!(drive::probe(&Tls, &flow, Forward, &whole[..end]), Probe::Unsure);
    }
    assert_eq!(drive::probe(&Tls, &flow, Forward, &whole[..11]), Probe::Yes);
    assert_eq!(drive::probe(&Tls, &flow, Reverse, b"\x15\x03\x03\x00\x02\x02\x28"), Probe::Unsure);
    for other in [&b"\x16\x03\x01\x02\x00\x02\x01"[..], b"\x16\x04\x01", b"GET", b"\x80\x2e\x01"] {
        assert_eq!(drive::probe(&Tls, &flow, Forward, other), Probe::No);
    }
}

#[test]
fn a_hello_in_the_form_of_ssl_2_is_passed_over_and_its_answer_told() {
    let old = b"\x80\x0c\x01\x03\x01\x00\x03\x00\x00\x00\x00\x00\x00\x2f";
    let server = record(2, &hello(b"\xc0\x2f\x00", &[]));
    let seen = seen(&[(Forward, old), (Reverse, &server)]);
    assert_eq!((seen.len(), seen[0].kind.name), (1, "tls.server_hello"));
}
