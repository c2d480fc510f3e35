use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

/// First byte, stratum, reference, transmit seconds (also set and received then).
fn packet(first: u8, stratum: u8, reference: [u8; 4], seconds: u32) -> Vec<u8> {
    let mut out = vec![first, stratum, 6, 0xe9];
    out.extend([0; 8]);
    out.extend(reference);
    for time in [seconds, 0, seconds, seconds] {
        out.extend(time.to_be_bytes());
        out.extend([0x80, 0, 0, 0]);
    }
    out
}

fn run(dir: Direction, bytes: &[u8]) -> Vec<Observation> {
    drive::run(&Ntp, drive::flow(Transport::Udp, 123), &[(dir, Chunk::Datagram(bytes))])
}

/// Seconds of NTP at the time of the driver's first packet.
const NOW: u32 = (1_800_000_000_u64 + 2_208_988_800).wrapping_sub(0) as u32;

#[test]
fn a_server_an_hour_ahead_shows_an_offset_of_an_hour() {
    let seen = run(Direction::Reverse, &packet(0x24, 2, [10, 0, 0, 9], NOW.wrapping_add(3600)));
    let said = &seen[0];
    assert_eq!((said.str("mode"), said.uint("version")), (Some("server"), Some(4)));
    assert_eq!(said.str("reference"), Some("10.0.0.9"));
    // Half a second of fraction, less the packet's millisecond.
    assert!((said.float("offset").unwrap() - 3600.499).abs() < 1e-6, "{said:?}");
}

#[test]
fn the_era_after_2036_is_taken_where_it_is_nearer() {
    let clock = |seconds| match Packet::read(&packet(0x24, 1, *b"GPS\0", seconds)) {
        Ok(Packet::Time(clock)) => clock,
        other => panic!("{other:?}"),
    };
    // 2036-02-07T06:28:16Z is where the seconds wrap.
    let wrap = Timestamp::from_parts(2_085_978_496, 0);
    assert_eq!(offset(&clock(5), wrap), Some(5.5));
    assert_eq!(offset(&clock(u32::MAX), wrap), Some(-0.5));
}

#[test]
fn who_does_not_know_the_time_shows_no_offset() {
    for (first, stratum) in [(0x23, 2), (0xe4, 2), (0x24, 0), (0x24, 16), (0x21, 2)] {
        let seen = run(Direction::Forward, &packet(first, stratum, *b"INIT", NOW));
        assert_eq!(seen[0].float("offset"), None, "{first:#x} {stratum}");
    }
}

#[test]
fn monlist_shows_its_request_code() {
    let seen = run(Direction::Forward, &[0x17, 0, 3, 42, 0, 0, 0, 0]);
    assert_eq!((seen[0].str("mode"), seen[0].uint("request")), (Some("private"), Some(42)));
    let seen = run(Direction::Forward, &[0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(seen[0].str("mode"), Some("control"));
}

#[test]
fn weak_packets_need_the_port_and_strong_ones_do_not() {
    let elsewhere = drive::flow(Transport::Udp, 9123);
    let sntp = {
        let mut p = vec![0x1b];
        p.resize(48, 0);
        p
    };
    assert_eq!(Ntp.probe(&elsewhere, Direction::Forward, &sntp), Probe::Unsure);
    assert_eq!(Ntp.probe(&drive::flow(Transport::Udp, 123), Direction::Forward, &sntp), Probe::Yes);
    let answer = packet(0x24, 2, [10, 0, 0, 9], NOW);
    assert_eq!(Ntp.probe(&elsewhere, Direction::Reverse, &answer), Probe::Yes);
    assert_eq!(Ntp.probe(&elsewhere, Direction::Reverse, &answer[..40]), Probe::No);
}

#[test]
fn short_packets_are_anomalies() {
    let seen = run(Direction::Forward, &[0x23; 20]);
    assert!(seen[0].is("protocol.anomaly"));
}

proptest! {
    #[test]
    fn noise_is_not_taken_for_time_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..90)) {
        let elsewhere = drive::flow(Transport::Udp, 9123);
        prop_assert_ne!(Ntp.probe(&elsewhere, Direction::Forward, &bytes), Probe::Yes);
        run(Direction::Forward, &bytes);
        run(Direction::Reverse, &bytes);
    }
}
