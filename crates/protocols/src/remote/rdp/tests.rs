use super::*;
use crate::drive;
use model::observation::Observation;
use proptest::prelude::*;

fn packet(code: u8, data: &[u8]) -> Vec<u8> {
    let length = data.len() + REQUEST;
    let mut out = vec![3, 0, (length >> 8) as u8, length as u8, (length - 5) as u8, code];
    out.extend([0; 5]);
    out.extend(data);
    out
}

fn request() -> Vec<u8> {
    packet(CONNECTION_REQUEST, b"Cookie: mstshash=service\r\n\x01\0\x08\0\x03\0\0\0")
}

fn conference(channel: &[u8]) -> Vec<u8> {
    let mut core = vec![0x01, 0xc0, 0xd8, 0];
    core.resize(20, 0);
    core.extend(2600_u32.to_le_bytes());
    core.extend("WORKSTATION-7".encode_utf16().flat_map(u16::to_le_bytes));
    core.resize(0xd8, 0);
    core.extend([0x03, 0xc0, 20, 0, 1, 0, 0, 0]);
    core.extend(channel);
    core.resize(core.len() + 4, 0);
    let length = core.len() + 7;
    let mut out = vec![3, 0, (length >> 8) as u8, length as u8, 2, 0xf0, 0x80];
    out.extend(core);
    out
}

fn run(pieces: &[(Direction, Vec<u8>)], cut: usize) -> Vec<Observation> {
    let mut cuts = Vec::new();
    for (dir, bytes) in pieces {
        cuts.extend(bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))));
    }
    drive::run(&Rdp, drive::flow(Transport::Tcp, 3389), &cuts)
}

#[test]
fn the_announced_user_and_the_protection_are_said() {
    let confirm = packet(CONNECTION_CONFIRM, &[2, 0, 8, 0, 2, 0, 0, 0]);
    let seen = run(&[(Direction::Forward, request()), (Direction::Reverse, confirm)], 9);
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].str("user"), seen[0].str("security")), (Some("service"), Some("nla")));
}

#[test]
fn asking_for_the_servers_own_channel_is_an_anomaly() {
    for (channel, expected) in [(b"ms_t120\0", 3), (b"rdpdr\0\0\0", 2)] {
        let pieces = [
            (Direction::Forward, request()),
            (Direction::Reverse, packet(CONNECTION_CONFIRM, &[])),
            (Direction::Forward, conference(channel)),
        ];
        let seen = run(&pieces, 50);
        assert_eq!(seen.len(), expected);
        let session = seen.iter().find(|o| o.is("remote.session")).unwrap();
        let connect = seen.last().unwrap();
        assert_eq!(connect.texts("channels").len(), 1);
        assert_eq!(connect.uint("client_build"), Some(2600));
        assert_eq!(
            (session.str("client"), session.str("security")),
            (Some("WORKSTATION-7"), Some("rdp"))
        );
        if expected == 3 {
            assert_eq!(seen[0].str("what"), Some("rdp requests channel MS_T120"));
        }
    }
}

#[test]
fn requests_of_programmable_controllers_are_not_rdp() {
    let s7 = packet(CONNECTION_REQUEST, &[0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2]);
    let flow = drive::flow(Transport::Tcp, 102);
    assert_eq!(Rdp.probe(&flow, Direction::Forward, &s7), Probe::No);
    let elsewhere = drive::flow(Transport::Tcp, 33_890);
    assert_eq!(Rdp.probe(&elsewhere, Direction::Forward, &request()), Probe::Yes);
    assert_eq!(Rdp.probe(&elsewhere, Direction::Forward, &request()[..14]), Probe::Unsure);
}

proptest! {
    #[test]
    fn cuts_change_nothing_and_noise_never_panics(cut in 1_usize..60, noise: Vec<u8>, at in 0_usize..30, to: u8) {
        let confirm = packet(CONNECTION_CONFIRM, &[2, 0, 8, 0, 1, 0, 0, 0]);
        let pieces = [(Direction::Forward, request()), (Direction::Reverse, confirm)];
        let seen = run(&pieces, cut);
        prop_assert_eq!((seen.len(), seen[0].str("security")), (2, Some("tls")));
        let mut changed = request();
        changed[at] = to;
        run(&[(Direction::Forward, changed), (Direction::Reverse, noise.clone()), (Direction::Forward, noise.clone())], cut);
        prop_assert_ne!(Rdp.probe(&drive::flow(Transport::Tcp, 3389), Direction::Forward, &noise), Probe::Yes);
    }
}

#[test]
fn what_the_client_takes_and_why_it_is_refused_are_said() {
    let refused = packet(CONNECTION_CONFIRM, &[3, 0, 8, 0, 5, 0, 0, 0]);
    let asked = packet(CONNECTION_REQUEST, b"Cookie: msts=1.2.0000\r\n\x01\x01\x08\0\x01\0\0\0");
    let seen = run(&[(Direction::Forward, asked), (Direction::Reverse, refused)], 9);
    let connect = seen.last().unwrap();
    assert_eq!(connect.texts("requested"), ["tls".into()]);
    assert_eq!(connect.str("refusal"), Some("nla_required"));
    assert!(connect.flag("restricted_admin") && connect.flag("routing_token"));
}

#[test]
fn tls_behind_the_confirmation_is_read_however_it_is_cut() {
    let confirm = packet(CONNECTION_CONFIRM, &[2, 0, 8, 0, 1, 0, 0, 0]);
    let server = [confirm, b"\x99 no record of TLS".to_vec()].concat();
    let pieces = [(Direction::Forward, request()), (Direction::Reverse, server)];
    let said = |seen: &[Observation]| -> Vec<String> {
        seen.iter().map(|o| format!("{} {:?}", o.kind.name, o.subject.port)).collect()
    };
    let whole = said(&run(&pieces, 1_000));
    assert_eq!(whole.len(), 3, "{whole:?}");
    for cut in 1..40 {
        assert_eq!(said(&run(&pieces, cut)), whole, "{cut}");
    }
}
