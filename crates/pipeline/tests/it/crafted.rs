//! Packets that no stack sends by itself leave the flow engine as observations, joined by flow.

use capture::{LinkType, Packet};
use model::{Observation, SiteKey, Timestamp};
use pipeline::worker::Worker;

/// An Ethernet frame with a TCP segment from 10.0.0.1 to 10.0.0.2, with these IP options.
fn frame(options: &[u8], flags: u8, urgent: u16) -> Vec<u8> {
    let header = 20 + options.len();
    let mut ip = vec![0x40 | (header / 4) as u8, 0, 0, (header + 20) as u8, 0, 1, 0, 0, 64, 6];
    ip.extend([0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    ip.extend(options);
    let mut tcp = vec![0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 4, 0, 0, 0];
    tcp.extend(urgent.to_be_bytes());
    let ethernet = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    [&ethernet[..], &ip, &tcp].concat()
}

fn anomalies(frames: &[Vec<u8>]) -> Vec<Observation> {
    let mut worker = Worker::new(wire::Config::default(), SiteKey::new(&[7; 32]));
    for (number, data) in frames.iter().enumerate() {
        let at = Timestamp::from_nanos(1_800_000_000_000_000_000 + number as i64 * 1_000_000);
        let packet =
            Packet { at, link: LinkType(1), wire_len: data.len() as u32, interface: 0, data };
        worker.packet(number as u64, &packet);
    }
    worker.finish(frames.len() as u64);
    let told = worker.take().into_iter();
    told.filter(|o| o.is("protocol.anomaly")).collect()
}

/// A loose source route by way of 10.0.0.9, and the end of the list.
const ROUTE: [u8; 8] = [131, 7, 4, 10, 0, 0, 9, 0];
const URGENT: u8 = 0x30;
const ACK: u8 = 0x10;

#[test]
fn a_flood_of_urgent_packets_is_a_few_observations_with_their_count() {
    let told = anomalies(&vec![frame(&[], URGENT, 0); 5_000]);
    assert!((1..=20).contains(&told.len()), "{}", told.len());
    assert_eq!(told.iter().filter_map(|o| o.uint("count")).sum::<u64>(), 5_000);
    assert!(told.iter().all(|o| o.str("what") == Some("urgent pointer of zero")));
    assert_eq!(told[0].subject.ip, "10.0.0.1".parse().ok());
}

#[test]
fn source_routes_and_broken_options_are_told_by_layer() {
    let mut broken = ROUTE;
    broken[1] = 60;
    let told = anomalies(&[frame(&ROUTE, ACK, 0), frame(&broken, ACK, 0)]);
    let said: Vec<_> = told.iter().map(|o| (o.str("protocol"), o.str("what"))).collect();
    assert!(said.contains(&(Some("ip"), Some("source route"))), "{said:?}");
    assert!(said.contains(&(Some("ip"), Some("options whose lengths do not add up"))), "{said:?}");
}

#[test]
fn urgent_data_and_plain_packets_say_nothing() {
    assert!(anomalies(&[frame(&[], URGENT, 1), frame(&[], ACK, 0)]).is_empty());
}
