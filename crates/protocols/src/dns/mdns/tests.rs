use model::net::Transport;
use model::observation::Observation;
use wire::chunk::Chunk;

use super::*;
use crate::{dns, drive};

fn name(labels: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for label in labels {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

fn record(owner: &[&str], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut out = name(owner);
    out.extend(kind.to_be_bytes());
    out.extend([0x80, 1]);
    out.extend(ttl.to_be_bytes());
    out.extend((data.len() as u16).to_be_bytes());
    out.extend(data);
    out
}

fn response(records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0, 0, 0x84, 0, 0, 0, 0, records.len() as u8, 0, 0, 0, 0];
    out.extend(records.concat());
    out
}

fn txt(strings: &[&str]) -> Vec<u8> {
    strings.iter().flat_map(|s| [&[s.len() as u8][..], s.as_bytes()].concat()).collect()
}

const PLATE: [&str; 4] = ["Plate 2.1", "_ipp", "_tcp", "local"];

fn announcement(ttl: u32) -> Vec<u8> {
    let mut srv = vec![0, 0, 0, 0, 0x02, 0x77];
    srv.extend(name(&["Plate2", "local"]));
    let keys = txt(&["ty=Imager 9", "usb_MFG=Example", "note=Room 4", "rp=x"]);
    response(&[
        record(&["_ipp", "_tcp", "local"], PTR, ttl, &name(&PLATE)),
        record(&PLATE, SRV, ttl, &srv),
        record(&PLATE, TXT, ttl, &keys),
        record(&["Plate2", "local"], A, ttl, &[10, 0, 0, 9]),
    ])
}

fn seen(messages: &[Vec<u8>]) -> Vec<Observation> {
    let pieces: Vec<_> =
        messages.iter().map(|m| (Direction::Forward, Chunk::Datagram(m.as_slice()))).collect();
    drive::run(&dns::MDNS, drive::flow(Transport::Udp, 5353), &pieces)
}

#[test]
fn an_announcement_says_host_service_maker_and_model() {
    let seen = seen(&[announcement(120)]);
    let kinds: Vec<_> = seen.iter().map(|o| o.kind.name).collect();
    assert_eq!(kinds, ["mdns.host", "mdns.service"]);
    assert_eq!(seen[0].str("name"), Some("plate2.local"));
    assert_eq!(seen[0].texts("addresses"), ["10.0.0.9".into()]);
    let service = &seen[1];
    assert_eq!(service.str("instance"), Some("Plate 2.1"), "a dot inside is no label's end");
    assert_eq!(service.str("service"), Some("_ipp._tcp"));
    assert_eq!((service.str("host"), service.uint("port")), (Some("plate2.local"), Some(631)));
    assert_eq!((service.str("vendor"), service.str("model")), (Some("Example"), Some("Imager 9")));
    assert!(!format!("{seen:?}").contains("Room 4"), "only keys of other values leave");
}

#[test]
fn what_was_said_is_not_said_again_until_it_changes() {
    let seen = seen(&[announcement(120), announcement(120), announcement(0)]);
    assert_eq!(seen.len(), 4);
    assert!(!seen[1].flag("goodbye") && seen[2].flag("goodbye") && seen[3].flag("goodbye"));
}

#[test]
fn questions_are_said_with_all_their_names() {
    let mut query = vec![0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
    for sort in ["_ipp", "_dicom"] {
        query.extend(name(&[sort, "_tcp", "local"]));
        query.extend([0, 12, 0, 1]);
    }
    let seen = seen(&[query.clone(), query]);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].texts("names"), ["_ipp._tcp.local".into(), "_dicom._tcp.local".into()]);
    assert_eq!((seen[0].str("type"), seen[0].uint("questions")), (Some("PTR"), Some(2)));
}

#[test]
fn a_message_full_of_names_is_told_only_in_part() {
    let hosts: Vec<_> =
        (0..200).map(|n| record(&[&format!("h{n}")], A, 1, &[1, 2, 3, 4])).collect();
    assert_eq!(seen(&[response(&hosts)]).len(), MOST);
}
