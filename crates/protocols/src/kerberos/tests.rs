use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

type Piece = (Direction, Vec<u8>);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

fn element(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let value = parts.concat();
    let length = value.len();
    let head = match length {
        0..=0x7f => vec![tag, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, value].concat()
}

fn number(tag: u8, value: u8) -> Vec<u8> {
    element(tag, &[vec![2, 1, value]])
}

fn name(tag: u8, parts: &[&str]) -> Vec<u8> {
    let parts: Vec<_> =
        parts.iter().map(|part| element(0x1b, &[part.as_bytes().to_vec()])).collect();
    element(tag, &[element(0x30, &[number(0xa0, 1), element(0xa1, &[element(0x30, &parts)])])])
}

fn realm(tag: u8) -> Vec<u8> {
    element(tag, &[element(0x1b, &[b"WARD.EXAMPLE".to_vec()])])
}

fn request(tgs: bool, nonce: u8, service: &[&str], etypes: &[u8], preauth: &[u8]) -> Vec<u8> {
    let list = etypes.iter().map(|etype| vec![2, 1, *etype]).collect::<Vec<_>>();
    let mut body = vec![element(0xa0, &[vec![3, 5, 0, 0x40, 0, 0, 0x10]])];
    if !tgs {
        body.push(name(0xa1, &["nurse7"]));
    }
    body.extend([realm(0xa2), name(0xa3, service), number(0xa7, nonce)]);
    body.push(element(0xa8, &[element(0x30, &list)]));
    let data = preauth.iter().map(|kind| {
        // Types above 127 need a byte in front, since numbers have a sign.
        let kind = if *kind > 127 { vec![2, 2, 0, *kind] } else { vec![2, 1, *kind] };
        element(0x30, &[element(0xa1, &[kind]), element(0xa2, &[vec![4, 1, 0]])])
    });
    let data = element(0xa3, &[element(0x30, &data.collect::<Vec<_>>())]);
    let kind = if tgs { 12 } else { 10 };
    let body = element(0xa4, &[element(0x30, &body)]);
    element(0x60 | kind, &[element(0x30, &[number(0xa1, 5), number(0xa2, kind), data, body])])
}

fn reply(tgs: bool, ticket: u8, own: u8) -> Vec<u8> {
    let sealed = |tag, etype| {
        element(tag, &[element(0x30, &[number(0xa0, etype), element(0xa2, &[vec![4, 1, 9]])])])
    };
    let kind = if tgs { 13 } else { 11 };
    let inner = [number(0xa0, 5), realm(0xa1), name(0xa2, &["krbtgt"]), sealed(0xa3, ticket)];
    let body = [
        number(0xa0, 5),
        number(0xa1, kind),
        realm(0xa3),
        name(0xa4, &["nurse7"]),
        element(0xa5, &[element(0x61, &[element(0x30, &inner)])]),
        sealed(0xa6, own),
    ];
    element(0x60 | kind, &[element(0x30, &body)])
}

fn error(code: u8) -> Vec<u8> {
    let body = [number(0xa0, 5), number(0xa1, 30), number(0xa6, code), realm(0xa9)];
    element(0x7e, &[element(0x30, &body)])
}

fn udp(pieces: &[Piece]) -> Vec<Observation> {
    let pieces: Vec<_> = pieces.iter().map(|(dir, bytes)| (*dir, Chunk::Datagram(bytes))).collect();
    drive::run(&Kerberos, drive::flow(Transport::Udp, 88), &pieces)
}

fn tcp(pieces: &[Piece], cut: usize) -> Vec<Observation> {
    let framed: Vec<Piece> = pieces
        .iter()
        .map(|(dir, bytes)| (*dir, [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()))
        .collect();
    let pieces: Vec<_> = framed
        .iter()
        .flat_map(|(dir, bytes)| bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))))
        .collect();
    drive::run(&Kerberos, drive::flow(Transport::Tcp, 88), &pieces)
}

fn said(seen: &[Observation]) -> Vec<String> {
    seen.iter().map(|o| format!("{:?}", o.fields().collect::<Vec<_>>())).collect()
}

const TGT: &[&str] = &["krbtgt", "WARD.EXAMPLE"];

#[test]
fn a_log_on_is_a_challenge_and_a_success() {
    let seen = udp(&[
        (C, request(false, 1, TGT, &[18, 17, 23], &[149])),
        (S, error(25)),
        (C, request(false, 2, TGT, &[18, 17, 23], &[2, 149])),
        (S, reply(false, 18, 18)),
    ]);
    let of = |o: &Observation| (o.str("outcome").unwrap().to_owned(), o.flag("preauth"));
    assert_eq!(of(&seen[0]), ("challenge".to_owned(), false));
    assert_eq!(of(&seen[1]), ("success".to_owned(), true));
    assert_eq!(seen[0].str("error"), Some("preauth_required"));
    assert_eq!(seen[1].str("client"), Some("nurse7"));
    assert_eq!(seen[1].str("service"), Some("krbtgt/WARD.EXAMPLE"));
    assert_eq!(seen[1].str("ticket_etype"), Some("aes256-cts-hmac-sha1-96"));
    assert!(!seen[1].flag("rc4_requested"));
}

#[test]
fn a_ticket_without_preauthentication_shows() {
    let seen = udp(&[(C, request(false, 1, TGT, &[23], &[])), (S, reply(false, 18, 23))]);
    assert!(!seen[0].flag("preauth") && seen[0].flag("rc4_requested"));
    assert_eq!(
        (seen[0].str("outcome"), seen[0].str("reply_etype")),
        (Some("success"), Some("rc4-hmac"))
    );
}

#[test]
fn a_service_ticket_names_its_client_by_the_answer() {
    let service = &["MSSQLSvc", "db.ward.example:1433"];
    let seen =
        tcp(&[(C, request(true, 1, service, &[23], &[1, 129])), (S, reply(true, 23, 18))], 10);
    assert_eq!(seen[0].str("client"), Some("nurse7"));
    assert_eq!(seen[0].str("service"), Some("MSSQLSvc/db.ward.example:1433"));
    assert_eq!(
        (seen[0].str("request"), seen[0].str("ticket_etype")),
        (Some("tgs"), Some("rc4-hmac"))
    );
    assert!(seen[0].flag("for_user") && seen[0].get("preauth").is_none());
}

#[test]
fn a_question_asked_again_counts_once() {
    let ask = request(false, 7, TGT, &[18], &[]);
    let seen =
        udp(&[(C, ask.clone()), (C, ask), (S, error(6)), (C, request(false, 8, TGT, &[18], &[]))]);
    let outcomes: Vec<_> = seen.iter().map(|o| (o.str("outcome"), o.str("error"))).collect();
    assert_eq!(outcomes, [(Some("failure"), Some("client_unknown")), (Some("unanswered"), None)]);
}

#[test]
fn only_whole_messages_of_version_5_are_kerberos() {
    let flow = drive::flow(Transport::Udp, 88);
    let ask = request(false, 1, TGT, &[18], &[]);
    assert_eq!(Kerberos.probe(&flow, C, &ask), Probe::Yes);
    assert_eq!(Kerberos.probe(&flow, C, &ask[..ask.len() - 1]), Probe::No);
    let flow = drive::flow(Transport::Tcp, 88);
    let framed = [&(ask.len() as u32).to_be_bytes()[..], &ask].concat();
    for cut in 0..12 {
        assert_eq!(Kerberos.probe(&flow, C, &framed[..cut]), Probe::Unsure);
    }
    assert_eq!(Kerberos.probe(&flow, C, &framed), Probe::Yes);
    assert_eq!(Kerberos.probe(&flow, C, &[0, 0, 1, 0, 0xfe, b'S', b'M', b'B']), Probe::No);
}

proptest! {
    #[test]
    fn cuts_change_nothing_and_damage_never_panics(cut in 1_usize..60, at in 0_usize..400, to: u8, noise: Vec<u8>) {
        let mut pieces = vec![
            (C, request(false, 1, TGT, &[18, 23], &[2])),
            (S, reply(false, 18, 18)),
            (C, request(true, 2, &["cifs", "a"], &[18], &[1])),
            (S, error(7)),
        ];
        prop_assert_eq!(said(&tcp(&pieces, cut)), said(&tcp(&pieces, 1_000)));
        let place = at % 4;
        let spot = at % pieces[place].1.len();
        pieces[place].1[spot] = to;
        udp(&pieces);
        tcp(&pieces, cut);
        tcp(&[(C, noise.clone()), (S, noise.clone())], cut);
        udp(&[(C, noise.clone()), (S, noise)]);
    }

    #[test]
    fn noise_is_not_kerberos(noise: Vec<u8>) {
        for transport in [Transport::Tcp, Transport::Udp] {
            prop_assert_ne!(Kerberos.probe(&drive::flow(transport, 88), C, &noise), Probe::Yes);
        }
    }
}
