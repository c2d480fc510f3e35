use std::net::{Ipv4Addr, Ipv6Addr};

use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

fn run(transport: Transport, datagrams: &[&[u8]]) -> Vec<Observation> {
    let pieces: Vec<_> =
        datagrams.iter().map(|d| (Direction::Forward, Chunk::Datagram(d))).collect();
    drive::run(&Icmp, drive::flow(transport, 0), &pieces)
}

#[test]
fn repeated_echoes_are_said_once() {
    let echo = [8, 0, 0, 0, 0, 1, 0, 1, 9, 9, 9];
    let seen = run(Transport::Icmp, &[&echo, &echo, &echo]);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].str("name"), seen[0].uint("bytes")), (Some("echo_request"), Some(3)));
}

#[test]
fn every_error_says_where_its_packet_was_going() {
    let mut error = vec![3, 3, 0, 0, 0, 0, 0, 0, 0x45];
    error.resize(8 + 16, 0);
    error.extend([10, 9, 8, 7]);
    let seen = run(Transport::Icmp, &[&error, &error]);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].ip("about"), Some(Ipv4Addr::new(10, 9, 8, 7).into()));
}

#[test]
fn a_redirect_says_its_gateway() {
    let seen = run(Transport::Icmp, &[&[5, 1, 0, 0, 10, 0, 0, 66, 0x45]]);
    assert_eq!(seen[0].str("name"), Some("redirect"));
    assert_eq!(seen[0].ip("about"), Some(Ipv4Addr::new(10, 0, 0, 66).into()));
}

/// A neighbour advertisement for an address that ends in `target`.
fn advertisement(target: u8, mac: u8) -> Vec<u8> {
    let mut out = vec![136, 0, 0, 0, 0x60, 0, 0, 0, 0xfe, 0x80];
    out.resize(8 + 15, 0);
    out.extend([target, 2, 1, 2, 0, 0, 0, 0, mac]);
    out
}

#[test]
fn every_new_claim_of_a_neighbour_is_said() {
    let (one, two, other) = (advertisement(1, 1), advertisement(1, 2), advertisement(2, 2));
    let seen = run(Transport::Icmp6, &[&one, &one, &two, &other, &one]);
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(seen[0].ip("about"), Some(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into()));
    assert_eq!(seen[1].mac("about_mac"), Some(Mac([2, 0, 0, 0, 0, 2])));
}

#[test]
fn broken_bodies_are_anomalies() {
    let zero = [133, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    let seen = run(Transport::Icmp6, &[&zero]);
    assert_eq!(seen[0].str("what"), Some("neighbour option of length zero"));
    let seen = run(Transport::Icmp, &[&[3, 1, 0, 0, 0, 0, 0, 0, 0x45, 0]]);
    assert_eq!(seen[0].str("what"), Some("body ends too early"));
    assert_eq!(
        run(Transport::Icmp, &[&[8]])[0].str("what"),
        Some("message shorter than its header")
    );
}

proptest! {
    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120), kind: u8) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        run(Transport::Icmp, &[&bytes, &bytes]);
        run(Transport::Icmp6, &[&bytes, &bytes]);
    }
}
