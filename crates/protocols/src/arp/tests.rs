use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;
use proptest::prelude::*;

use super::*;

const ME: Mac = Mac([2, 0, 0, 0, 0, 1]);
const OTHER: Mac = Mac([2, 0, 0, 0, 0, 2]);

fn packet(operation: u8, sender: (Mac, [u8; 4]), target: (Mac, [u8; 4])) -> Vec<u8> {
    let mut out = vec![0, 1, 8, 0, 6, 4, 0, operation];
    for (mac, ip) in [sender, target] {
        out.extend(mac.0);
        out.extend(ip);
    }
    out
}

fn run(bytes: &[u8], source: Option<Mac>, broadcast: bool) -> Vec<Observation> {
    let (mut out, key, mut serial) = (Vec::new(), SiteKey::new(b"arp"), 0);
    let mut emit = Emit::new(&mut out, &key, None, Timestamp::from_parts(1, 0), &mut serial);
    decode(bytes, source, broadcast, &mut emit);
    out
}

#[test]
fn a_request_says_who_asks_for_whom() {
    let bytes = packet(1, (ME, [10, 0, 0, 1]), (Mac::default(), [10, 0, 0, 2]));
    let seen = run(&bytes, Some(ME), true);
    assert_eq!(seen.len(), 1);
    let said = &seen[0];
    assert_eq!((said.subject.mac, said.subject.ip), (Some(ME), Some([10, 0, 0, 1].into())));
    assert_eq!((said.mac("target_mac"), said.ip("target_ip")), (None, Some([10, 0, 0, 2].into())));
    assert!(said.flag("broadcast") && !said.flag("gratuitous"));
}

#[test]
fn a_probe_claims_no_address_and_an_announcement_is_gratuitous() {
    let probe = packet(1, (ME, [0; 4]), (Mac::default(), [10, 0, 0, 1]));
    let seen = run(&probe, Some(ME), true);
    assert_eq!((seen[0].ip("sender_ip"), seen[0].subject.ip), (None, None));
    let announcement = packet(2, (ME, [10, 0, 0, 1]), (Mac::BROADCAST, [10, 0, 0, 1]));
    let seen = run(&announcement, None, true);
    assert!(seen[0].flag("gratuitous"));
    assert_eq!((seen[0].subject.mac, seen[0].peer.is_none()), (Some(ME), true));
}

#[test]
fn another_sender_than_the_ethernet_header_is_an_anomaly() {
    let bytes = packet(2, (ME, [10, 0, 0, 1]), (OTHER, [10, 0, 0, 2]));
    let seen = run(&bytes, Some(OTHER), false);
    assert_eq!(seen[0].str("what"), Some("sender differs from the Ethernet source"));
    assert_eq!((seen[1].subject.mac, seen[1].mac("sender_mac")), (Some(OTHER), Some(ME)));
}

#[test]
fn other_hardware_operations_and_short_packets_are_anomalies() {
    let good = packet(1, (ME, [10, 0, 0, 1]), (OTHER, [10, 0, 0, 2]));
    let mut inverse = good.clone();
    inverse[7] = 8;
    let mut token_ring = good.clone();
    token_ring[1] = 6;
    for bytes in [&inverse[..], &token_ring, &good[..27], &[]] {
        let seen = run(bytes, Some(ME), false);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].is("protocol.anomaly"));
        assert_eq!(seen[0].subject.mac, Some(ME));
    }
}

proptest! {
    #[test]
    fn noise_never_panics(bytes: Vec<u8>) {
        run(&bytes, Some(ME), false);
    }
}
