use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

fn name(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

fn header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let mut out = vec![0x12, 0x34];
    for number in [flags].into_iter().chain(counts) {
        out.extend(number.to_be_bytes());
    }
    out
}

fn query(host: &str, kind: u16) -> Vec<u8> {
    let mut out = header(0x0100, [1, 0, 0, 0]);
    out.extend(name(host));
    out.extend([(kind >> 8) as u8, kind as u8, 0, 1]);
    out
}

fn response(host: &str, records: &[(u16, u32, &[u8])]) -> Vec<u8> {
    let mut out = query(host, 1);
    out[2..4].copy_from_slice(&0x8580_u16.to_be_bytes());
    out[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    for (kind, ttl, data) in records {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1]);
        out.extend(ttl.to_be_bytes());
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(*data);
    }
    out
}

fn udp(dir: Direction, message: &[u8]) -> Vec<Observation> {
    drive::run(&DNS, drive::flow(Transport::Udp, 53), &[(dir, Chunk::Datagram(message))])
}

fn anomalies(seen: &[Observation]) -> Vec<&str> {
    seen.iter().filter(|o| o.is("protocol.anomaly")).filter_map(|o| o.str("what")).collect()
}

#[test]
fn a_question_says_name_and_type() {
    let seen = udp(Direction::Forward, &query("PACS.Ward.Example", 28));
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].str("name"), Some("pacs.ward.example"));
    assert_eq!(seen[0].str("type"), Some("AAAA"));
    assert_eq!(seen[0].uint("bytes"), Some(35));
    assert_eq!(seen[0].subject.port, Some(40_000));
}

#[test]
fn an_answer_says_addresses_aliases_and_the_shortest_time() {
    let alias = name("b.example");
    let message = response("a.example", &[(5, 300, &alias), (1, 60, &[10, 1, 2, 3])]);
    let seen = udp(Direction::Reverse, &message);
    assert_eq!(seen.len(), 1, "{seen:?}");
    let texts: Vec<&str> = seen[0].texts("answers").iter().map(|t| &**t).collect();
    assert_eq!(texts, ["b.example", "10.1.2.3"]);
    assert_eq!(seen[0].uint("ttl"), Some(60));
    assert_eq!(seen[0].str("rcode"), Some("NOERROR"));
    assert!(seen[0].flag("authoritative"));
    assert_eq!(seen[0].subject.port, Some(53));
}

#[test]
fn pointers_that_loop_or_point_ahead_are_anomalies() {
    for target in [12_u8, 40] {
        let mut message = header(0x0100, [1, 0, 0, 0]);
        message.extend([0xc0, target, 0, 1, 0, 1]);
        message.extend([0; 60]);
        let seen = udp(Direction::Forward, &message);
        assert_eq!(anomalies(&seen), ["compression pointer does not point back"]);
    }
}

#[test]
fn counts_beyond_the_message_and_trailing_bytes_are_anomalies() {
    let mut lying = query("a.example", 1);
    lying[6] = 0xff;
    assert_eq!(anomalies(&udp(Direction::Forward, &lying)), ["more records counted than fit"]);
    let mut longer = query("a.example", 1);
    longer.extend(b"smuggled");
    let seen = udp(Direction::Forward, &longer);
    assert_eq!(anomalies(&seen), ["bytes after the last record"]);
    assert_eq!(seen.len(), 2, "the question is still said");
}

#[test]
fn a_name_of_more_than_255_bytes_is_refused() {
    let label = "a".repeat(63);
    let long = [label.as_str(); 5].join(".");
    let seen = udp(Direction::Forward, &query(&long, 1));
    assert_eq!(anomalies(&seen), ["name longer than 255 bytes"]);
}

#[test]
fn the_upper_bits_of_the_response_code_come_from_edns() {
    let mut message = response("a.example", &[]);
    message[10..12].copy_from_slice(&[0, 1]);
    message.extend([0, 0, 41, 4, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(udp(Direction::Reverse, &message)[0].str("rcode"), Some("BADVERS"));
}

#[test]
fn cousins_are_told_apart_and_each_says_its_own() {
    let message = query("printer.local", 12);
    for (protocol, port) in [(&DNS, 53), (&MDNS, 5353), (&LLMNR, 5355)] {
        let flow = drive::flow(Transport::Udp, port);
        let said: Vec<&str> = [&DNS, &MDNS, &LLMNR]
            .iter()
            .filter(|p| p.probe(&flow, Direction::Forward, &message) == Probe::Yes)
            .map(|p| p.spec().name)
            .collect();
        assert_eq!(said, [protocol.spec().name]);
    }
    let said = |protocol: &Dns, port| {
        let pieces = [(Direction::Forward, Chunk::Datagram(message.as_slice()))];
        drive::run(protocol, drive::flow(Transport::Udp, port), &pieces)
    };
    assert_eq!(said(&MDNS, 5353)[0].kind.name, "mdns.query");
    assert_eq!(said(&LLMNR, 5355)[0].kind.name, "llmnr.query");
}

#[test]
fn an_answer_of_llmnr_says_who_claims_the_name() {
    let message = response("fileserver", &[(1, 30, &[10, 0, 0, 66])]);
    let pieces = [(Direction::Reverse, Chunk::Datagram(message.as_slice()))];
    let seen = drive::run(&LLMNR, drive::flow(Transport::Udp, 5355), &pieces);
    assert_eq!((seen[0].kind.name, seen[0].str("name")), ("llmnr.response", Some("fileserver")));
    assert_eq!(seen[0].texts("answers"), ["10.0.0.66".into()]);
    assert_eq!((seen[0].uint("ttl"), seen[0].subject.port), (Some(30), Some(5355)));
}

#[test]
fn dns_is_known_on_any_port_and_netbios_names_are_not_dns() {
    let flow = drive::flow(Transport::Udp, 9953);
    assert_eq!(DNS.probe(&flow, Direction::Forward, &query("a.example", 1)), Probe::Yes);
    let encoded = query("CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 33);
    assert_eq!(DNS.probe(&flow, Direction::Forward, &encoded), Probe::No);
}

#[test]
fn broken_names_on_the_port_of_dns_are_reported_and_elsewhere_are_not_dns() {
    let mut message = header(0x0100, [1, 0, 0, 0]);
    message.extend([0xc0, 12, 0, 1, 0, 1]);
    let probe = |port| DNS.probe(&drive::flow(Transport::Udp, port), Direction::Forward, &message);
    assert_eq!((probe(53), probe(9953)), (Probe::Yes, Probe::No));
}

#[test]
fn a_resolver_may_ask_from_the_port_of_mdns() {
    let mut flow = drive::flow(Transport::Udp, 53);
    flow.tuple.originator.port = 5353;
    let message = query("a.example", 1);
    assert_eq!(DNS.probe(&flow, Direction::Forward, &message), Probe::Yes);
    assert_eq!(MDNS.probe(&flow, Direction::Forward, &message), Probe::No);
}

fn over_tcp() -> Vec<u8> {
    let mut stream = Vec::new();
    for message in [
        query("a.example", 1),
        query("b.example", 252),
        response("c.example", &[(1, 5, &[1, 2, 3, 4])]),
    ] {
        stream.extend((message.len() as u16).to_be_bytes());
        stream.extend(message);
    }
    stream
}

proptest! {
    #[test]
    fn cuts_change_nothing(cuts in proptest::collection::vec(1_usize..50, 1..20)) {
        let stream = over_tcp();
        let (mut rest, mut pieces, mut cuts) = (&stream[..], Vec::new(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            pieces.push((Direction::Forward, Chunk::Stream(piece)));
            rest = tail;
        }
        let flow = || drive::flow(Transport::Tcp, 53);
        let said = |seen: Vec<Observation>| seen.iter().map(|o| format!("{:?}", o.fields().collect::<Vec<_>>())).collect::<Vec<_>>();
        let whole = said(drive::run(&DNS, flow(), &[(Direction::Forward, Chunk::Stream(&stream))]));
        prop_assert_eq!(whole.len(), 3);
        prop_assert_eq!(said(drive::run(&DNS, flow(), &pieces)), whole);
    }

    #[test]
    fn noise_is_neither_dns_nor_a_panic(bytes: Vec<u8>) {
        let flow = drive::flow(Transport::Udp, 9999);
        prop_assert_eq!(DNS.probe(&flow, Direction::Forward, &bytes), Probe::No);
        udp(Direction::Forward, &bytes);
    }

    #[test]
    fn changed_messages_never_panic(at in 0_usize..60, to: u8) {
        let mut message = response("host.example", &[(15, 9, &[0, 1, 0xc0, 12]), (1, 60, &[1, 2, 3, 4])]);
        let place = at % message.len();
        message[place] = to;
        udp(Direction::Reverse, &message);
        drive::run(&DNS, drive::flow(Transport::Tcp, 53), &[(Direction::Forward, Chunk::Stream(&message))]);
    }
}
