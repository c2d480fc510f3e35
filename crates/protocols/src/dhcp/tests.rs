use model::net::Endpoint;
use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

const CLIENT: [u8; 6] = [0x00, 0x1b, 0x21, 1, 2, 3];

fn message(op: u8, options: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = vec![op, 1, 6, 0];
    out.extend([0; 24]);
    out.extend(CLIENT);
    out.resize(236, 0);
    out.extend([99, 130, 83, 99]);
    for (code, value) in options {
        out.extend([*code, value.len() as u8]);
        out.extend(*value);
    }
    out.push(255);
    out
}

/// A flow as clients without an address have it.
fn from_nobody() -> FlowContext {
    let mut flow = drive::flow(Transport::Udp, 67);
    flow.tuple.originator = Endpoint { ip: Ipv4Addr::UNSPECIFIED.into(), port: 68 };
    flow.tuple.responder.ip = Ipv4Addr::BROADCAST.into();
    flow
}

fn run(flow: FlowContext, bytes: &[u8]) -> Vec<Observation> {
    drive::run(&Dhcp, flow, &[(Direction::Forward, Chunk::Datagram(bytes))])
}

fn anomaly(seen: &[Observation]) -> Option<&str> {
    seen.iter().find(|o| o.is("protocol.anomaly"))?.str("what")
}

#[test]
fn a_client_without_address_is_known_by_its_hardware_address_alone() {
    let bytes = message(
        1,
        &[
            (53, &[1]),
            (12, b"infusomat-7"),
            (60, b"MSFT 5.0"),
            (55, &[1, 3, 6, 15]),
            (50, &[10, 3, 0, 9]),
            (161, b"https://maker.example/pump.json"),
        ],
    );
    let seen = run(from_nobody(), &bytes);
    assert_eq!(seen.len(), 1, "{seen:?}");
    let said = &seen[0];
    assert_eq!(said.str("type"), Some("discover"));
    assert_eq!((said.subject.ip, said.subject.mac), (None, Some(model::net::Mac(CLIENT))));
    assert_eq!(said.str("parameters"), Some("1,3,6,15"));
    assert_eq!(said.str("host_name"), Some("infusomat-7"));
    assert_eq!(said.str("vendor_class"), Some("MSFT 5.0"));
    assert_eq!(said.str("mud_url"), Some("https://maker.example/pump.json"));
    assert_eq!(said.ip("requested_ip"), Some(Ipv4Addr::new(10, 3, 0, 9).into()));
}

#[test]
fn an_ack_says_what_the_server_set_and_for_whom() {
    let mut bytes = message(
        2,
        &[
            (53, &[5]),
            (54, &[10, 0, 0, 1]),
            (51, &[0, 0, 14, 16]),
            (3, &[10, 0, 0, 254]),
            (6, &[10, 0, 0, 1, 10, 0, 0, 2]),
            (15, b"ward.example"),
            (121, &[0, 10, 0, 0, 66]),
            (252, b"http://10.0.0.66/wpad.dat\n"),
        ],
    );
    bytes[16..20].copy_from_slice(&[10, 0, 0, 77]);
    let seen = run(drive::flow(Transport::Udp, 68), &bytes);
    let said = &seen[0];
    assert_eq!(said.str("type"), Some("ack"));
    assert_eq!(said.subject.ip, Some(Ipv4Addr::new(10, 0, 0, 1).into()));
    let peer = said.peer.clone().unwrap();
    assert_eq!(
        (peer.ip, peer.mac),
        (Some(Ipv4Addr::new(10, 0, 0, 77).into()), Some(model::net::Mac(CLIENT)))
    );
    assert_eq!(said.texts("dns_servers").len(), 2);
    assert_eq!(&*said.texts("routers")[0], "10.0.0.254");
    assert!(said.flag("routes"));
    assert_eq!(said.uint("lease"), Some(3600));
    assert_eq!(said.str("proxy"), Some("http://10.0.0.66/wpad.dat"));
}

#[test]
fn overloaded_fields_and_options_in_parts_are_joined() {
    let mut bytes = message(2, &[(53, &[2]), (52, &[3]), (15, b"ward")]);
    bytes[108..115].copy_from_slice(&[15, 4, b'.', b'e', b'x', b'a', 255]);
    bytes[44..51].copy_from_slice(&[15, 4, b'm', b'p', b'l', b'e', 255]);
    let seen = run(drive::flow(Transport::Udp, 68), &bytes);
    assert_eq!(seen[0].str("domain"), Some("ward.example"));
    assert_eq!(seen[0].str("boot_file"), None, "an overloaded field holds no file name");
}

#[test]
fn a_boot_file_in_the_header_counts() {
    let mut bytes = message(2, &[(53, &[2])]);
    bytes[108..118].copy_from_slice(b"pxelinux.0");
    bytes[20..24].copy_from_slice(&[10, 0, 0, 66]);
    let seen = run(drive::flow(Transport::Udp, 68), &bytes);
    assert_eq!(seen[0].str("boot_file"), Some("pxelinux.0"));
    assert_eq!(seen[0].str("boot_server"), Some("10.0.0.66"));
}

#[test]
fn broken_options_are_anomalies_and_the_rest_is_still_said() {
    let mut bytes = message(1, &[(53, &[3])]);
    bytes.pop();
    bytes.extend([12, 200, b'x']);
    let seen = run(from_nobody(), &bytes);
    assert_eq!(anomaly(&seen), Some("option longer than the message"));
    assert_eq!(seen[1].str("type"), Some("request"));
    let seen = run(from_nobody(), &message(1, &[(53, &[1]), (52, &[9])]));
    assert_eq!(anomaly(&seen), Some("option overload other than 1, 2 or 3"));
}

#[test]
fn known_by_its_cookie_on_any_port() {
    let bytes = message(1, &[(53, &[1])]);
    let flow = drive::flow(Transport::Udp, 9067);
    assert_eq!(Dhcp.probe(&flow, Direction::Forward, &bytes), Probe::Yes);
    assert_eq!(Dhcp.probe(&flow, Direction::Forward, &bytes[..200]), Probe::No);
}

proptest! {
    #[test]
    fn hostile_options_never_panic(options: Vec<u8>, op in 1_u8..3, at in 0_usize..240, to: u8) {
        let mut bytes = message(op, &[]);
        bytes.pop();
        bytes.extend(options);
        run(from_nobody(), &bytes);
        bytes[at] = to;
        run(from_nobody(), &bytes);
        run(from_nobody(), &bytes[at..]);
    }
}
