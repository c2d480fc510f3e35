use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

const SEARCH: &[u8] = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\nUSER-AGENT: Scan/1\r\n\r\n";
const ALIVE: &[u8] = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\nUSN: uuid:1::upnp:rootdevice\r\nLOCATION: http://10.0.0.9:80/d.xml?k=v\r\nSERVER: Linux/5 UPnP/1.1 Screen/2\r\n\r\n";
const BYEBYE: &[u8] =
    b"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\nNTS: ssdp:byebye\nUSN: uuid:1::upnp:rootdevice\n\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1::upnp:rootdevice\r\nServer: Linux/5\r\n\r\n";

fn seen(messages: &[&[u8]]) -> Vec<Observation> {
    let pieces: Vec<_> =
        messages.iter().map(|m| (Direction::Forward, Chunk::Datagram(m))).collect();
    drive::run(&Ssdp, drive::flow(Transport::Udp, 1900), &pieces)
}

#[test]
fn searches_announcements_and_answers_are_told_once() {
    let seen = seen(&[SEARCH, SEARCH, ALIVE, ALIVE, BYEBYE, ANSWER]);
    assert_eq!(seen[0].str("target"), Some("ssdp:all"));
    assert_eq!(seen[0].str("user_agent"), Some("Scan/1"));
    let states: Vec<_> = seen[1..].iter().map(|o| o.str("state").unwrap()).collect();
    assert_eq!(states, ["alive", "byebye", "response"]);
    assert_eq!(seen[1].str("server"), Some("Linux/5 UPnP/1.1 Screen/2"));
    assert_eq!(seen[1].str("location"), Some("http://10.0.0.9:80/d.xml"));
}

#[test]
fn messages_of_nothing_are_anomalies() {
    let seen = seen(&[b"HTTP/1.1 200 OK\r\n\r\n", b"BYE"]);
    let what: Vec<_> = seen.iter().map(|o| o.str("what").unwrap()).collect();
    assert_eq!(what, ["an announcement of nothing", "neither a search nor an announcement"]);
}

#[test]
fn probe_knows_its_three_first_lines_only() {
    let flow = drive::flow(Transport::Udp, 9);
    for known in [SEARCH, ALIVE, ANSWER] {
        assert_eq!(Ssdp.probe(&flow, Direction::Forward, known), Probe::Yes);
    }
    for other in [&b"NOTIFY sip:nurse@ward SIP/2.0"[..], b"M-SEARCH", b"HTTP/1.1 404 ", b""] {
        assert_eq!(Ssdp.probe(&flow, Direction::Forward, other), Probe::No);
    }
}

proptest! {
    #[test]
    fn changed_messages_never_panic(at in 0_usize..300, to: u8) {
        for known in [SEARCH, ALIVE, BYEBYE] {
            let mut message = known.to_vec();
            let place = at % message.len();
            message[place] = to;
            seen(&[&message]);
        }
    }
}
