use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

type Piece = (Direction, Vec<u8>);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len();
    let head = match length {
        0..=0x7f => vec![tag, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, value.to_vec()].concat()
}

fn message(number: u8, tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let operation = element(tag, &parts.concat());
    element(0x30, &[vec![2, 1, number], operation].concat())
}

fn text(value: &str) -> Vec<u8> {
    element(4, value.as_bytes())
}

fn bind(number: u8, name: &str, password: &str) -> Vec<u8> {
    message(number, 0x60, &[vec![2, 1, 3], text(name), element(0x80, password.as_bytes())])
}

fn result(number: u8, tag: u8, code: u8) -> Vec<u8> {
    message(number, tag, &[vec![10, 1, code], text(""), text("")])
}

fn search(number: u8, base: &str, filter: &[u8], attributes: &[&str]) -> Vec<u8> {
    let fixed = vec![10, 1, 2, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0];
    let names: Vec<u8> = attributes.iter().flat_map(|name| text(name)).collect();
    message(number, 0x63, &[text(base), fixed, filter.to_vec(), element(0x30, &names)])
}

fn equal(name: &str, value: &str) -> Vec<u8> {
    element(0xa3, &[text(name), text(value)].concat())
}

fn entry(number: u8, dn: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let attribute = |(name, value): &(&str, &str)| {
        element(0x30, &[text(name), element(0x31, &text(value))].concat())
    };
    let list: Vec<u8> = attributes.iter().flat_map(attribute).collect();
    message(number, 0x64, &[text(dn), element(0x30, &list)])
}

fn run(pieces: &[Piece], cut: usize) -> Vec<Observation> {
    let mut cuts = Vec::new();
    for (dir, bytes) in pieces {
        cuts.extend(bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))));
    }
    drive::run(&Ldap, drive::flow(Transport::Tcp, 389), &cuts)
}

fn said(seen: &[Observation]) -> Vec<String> {
    let fields = |o: &Observation| format!("{:?}", o.fields().collect::<Vec<_>>());
    seen.iter().map(|o| o.kind.name.to_owned() + &fields(o)).collect()
}

#[test]
fn a_clear_password_is_flagged_and_never_said() {
    let pieces = [
        (C, bind(1, "cn=admin,dc=ward", "Sesame-7")),
        (S, result(1, 0x61, 49)),
        (C, bind(2, "cn=Admin,dc=ward", "admin")),
        (S, result(2, 0x61, 0)),
    ];
    let seen = run(&pieces, 1_000);
    let of = |o: &Observation| {
        (o.str("outcome").unwrap().to_owned(), o.uint("code"), o.flag("default_credential"))
    };
    assert_eq!(of(&seen[0]), ("failure".to_owned(), Some(49), false));
    assert_eq!(of(&seen[1]), ("success".to_owned(), Some(0), true));
    assert!(seen[0].flag("clear_text_password"));
    assert_eq!(seen[0].str("user"), Some("cn=admin,dc=ward"));
    assert!(!said(&seen).concat().contains("Sesame"));
}

#[test]
fn binds_without_a_password_are_told_apart() {
    let pieces = [(C, bind(1, "", "")), (C, bind(2, "cn=x", "")), (S, result(2, 0x61, 0))];
    let seen = run(&pieces, 1_000);
    let methods: Vec<_> = seen.iter().map(|o| (o.str("method"), o.str("outcome"))).collect();
    assert_eq!(
        methods,
        [(Some("unauthenticated"), Some("success")), (Some("anonymous"), Some("unanswered"))]
    );
}

#[test]
fn a_log_on_that_stops_at_the_challenge_is_said() {
    let credentials = element(0xa3, &[text("GSS-SPNEGO"), text("NTLMSSP\0\x01")].concat());
    let request = message(1, 0x60, &[vec![2, 1, 3], text(""), credentials]);
    let seen =
        run(&[(C, request), (S, result(1, 0x61, 14)), (C, vec![0x30, 5, 2, 1, 2, 0x42, 0])], 7);
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].str("mechanism"), seen[0].str("outcome")),
        (Some("GSS-SPNEGO"), Some("unanswered"))
    );
}

#[test]
fn filters_keep_their_shape_and_lose_names() {
    let bits = [
        element(0x81, b"1.2.840.113556.1.4.803"),
        element(0x82, b"userAccountControl"),
        element(0x83, b"4194304"),
    ];
    let filter = element(
        0xa0,
        &[
            equal("objectClass", "user"),
            element(
                0xa1,
                &[equal("cn", "DOE JANE"), element(0x87, b"servicePrincipalName")].concat(),
            ),
            element(0xa9, &bits.concat()),
            element(
                0xa2,
                &element(0xa4, &[text("mail"), element(0x30, &element(0x80, b"jane"))].concat()),
            ),
        ]
        .concat(),
    );
    let seen = run(&[(C, search(3, "dc=ward", &filter, &["cn", "mail"]))], 1_000);
    assert_eq!(
        seen[0].str("filter"),
        Some(
            "(&(objectClass=user)(|(cn=?)(servicePrincipalName=*))(userAccountControl:1.2.840.113556.1.4.803:=4194304)(!(mail=*?*)))"
        )
    );
    assert_eq!(seen[0].texts("attributes"), ["cn".into(), "mail".into()]);
    assert_eq!(
        (seen[0].str("scope"), seen[0].str("outcome")),
        (Some("subtree"), Some("unanswered"))
    );
}

#[test]
fn filters_nested_without_end_are_cut() {
    let mut filter = equal("cn", "x");
    for _ in 0..2_000 {
        filter = element(0xa2, &filter);
    }
    let seen = run(&[(C, search(1, "", &filter, &[]))], 1_000);
    assert!(seen[0].str("filter").unwrap().contains("(!(!(!…"));
}

#[test]
fn java_objects_in_an_answer_are_named() {
    let reference = [
        ("javaClassName", "x"),
        ("JAVACODEBASE", "http://203.0.113.9:8000/"),
        ("objectClass", "javaNamingReference"),
        ("javaFactory", "Run"),
    ];
    let pieces = [
        (C, search(2, "a", &element(0x87, b"objectClass"), &[])),
        (
            S,
            [entry(2, "a", &reference), entry(2, "b", &[("cn", "x")]), result(2, 0x65, 0)].concat(),
        ),
    ];
    let seen = run(&pieces, 1_000);
    assert_eq!(
        seen[0].texts("java"),
        ["javaClassName".into(), "javaCodebase".into(), "javaFactory".into()]
    );
    assert_eq!(seen[0].str("java_codebase"), Some("http://203.0.113.9:8000/"));
    assert_eq!((seen[0].uint("results"), seen[0].str("outcome")), (Some(2), Some("success")));
}

#[test]
fn entries_of_any_size_are_counted() {
    let picture = "x".repeat(60_000);
    let pieces = [
        (C, search(2, "", &element(0x87, b"objectClass"), &[])),
        (S, [entry(2, "a", &[("jpegPhoto", &picture)]), result(2, 0x65, 0)].concat()),
    ];
    for cut in [100, 70_000] {
        let seen = run(&pieces, cut);
        assert_eq!((seen[0].uint("results"), seen[0].uint("code")), (Some(1), Some(0)));
        assert!(seen[0].uint("bytes").unwrap() > 60_000);
    }
}

#[test]
fn changes_name_the_entry_and_its_attributes() {
    let attribute =
        element(0x30, &[text("userPassword"), element(0x31, &text("Sesame-7"))].concat());
    let change = element(0x30, &[vec![10, 1, 2], attribute.clone()].concat());
    let pieces = [
        (C, message(1, 0x68, &[text("cn=a"), element(0x30, &attribute)])),
        (C, message(2, 0x66, &[text("cn=a"), element(0x30, &change)])),
        (C, message(3, 0x6c, &[text("cn=a"), text("cn=b"), vec![1, 1, 0xff]])),
        (C, message(4, 0x4a, &[b"cn=b".to_vec()])),
        (
            S,
            [result(1, 0x69, 0), result(2, 0x67, 50), result(3, 0x6d, 0), result(4, 0x6b, 0)]
                .concat(),
        ),
    ];
    let seen = run(&pieces, 1_000);
    let of = |o: &Observation| {
        (
            o.str("action").unwrap().to_owned(),
            o.str("entry").unwrap().to_owned(),
            o.texts("attributes").len(),
            o.uint("code"),
        )
    };
    let expected = [
        ("add", "cn=a", 1, 0),
        ("modify", "cn=a", 1, 50),
        ("rename", "cn=a", 0, 0),
        ("delete", "cn=b", 0, 0),
    ];
    let expected = expected.map(|(a, e, n, c)| (a.to_owned(), e.to_owned(), n, Some(c)));
    assert_eq!(seen.iter().map(of).collect::<Vec<_>>(), expected);
    assert!(!said(&seen).concat().contains("Sesame"));
}

#[test]
fn nothing_is_read_after_starttls() {
    let start = message(1, 0x77, &[element(0x80, b"1.3.6.1.4.1.1466.20037")]);
    let pieces = [(C, start), (S, result(1, 0x78, 0)), (C, vec![0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5])];
    let seen = run(&pieces, 1_000);
    assert_eq!(said(&seen).len(), 1);
    assert_eq!(seen[0].str("operation"), Some("starttls"));
}

#[test]
fn datagrams_are_read_one_by_one() {
    let question = search(1, "", &equal("DnsDomain", "ward.example"), &["Netlogon"]);
    let answer = [entry(1, "", &[("netlogon", "x")]), result(1, 0x65, 0)].concat();
    let flow = drive::flow(Transport::Udp, 389);
    assert_eq!(Ldap.probe(&flow, C, &question), Probe::Yes);
    let seen =
        drive::run(&Ldap, flow, &[(C, Chunk::Datagram(&question)), (S, Chunk::Datagram(&answer))]);
    assert_eq!((seen[0].str("filter"), seen[0].uint("results")), (Some("(DnsDomain=?)"), Some(1)));
}

#[test]
fn snmp_and_other_ber_is_not_ldap() {
    let flow = drive::flow(Transport::Udp, 389);
    let snmp = element(0x30, &[vec![2, 1, 1], text("public"), element(0xa0, &[2, 1, 1])].concat());
    assert_eq!(Ldap.probe(&flow, C, &snmp), Probe::No);
    for request in [bind(1, "cn=a", "b"), search(1, "dc=ward", &equal("a", "b"), &[])] {
        assert_eq!(Ldap.probe(&flow, C, &request), Probe::Yes);
        assert_eq!(Ldap.probe(&flow, C, &request[..6]), Probe::Unsure);
    }
}

proptest! {
    #[test]
    fn cuts_change_nothing_and_damage_never_panics(cut in 1_usize..60, at in 0_usize..200, to: u8, noise: Vec<u8>) {
        let filter = element(0xa0, &[equal("objectClass", "user"), equal("cn", "x")].concat());
        let mut pieces = vec![
            (C, [bind(1, "cn=a", "b"), search(2, "dc=ward", &filter, &["cn"])].concat()),
            (S, [result(1, 0x61, 0), entry(2, "a", &[("cn", "x")]), result(2, 0x65, 0)].concat()),
        ];
        prop_assert_eq!(said(&run(&pieces, cut)), said(&run(&pieces, 1_000)));
        let spot = at % pieces[0].1.len();
        pieces[0].1[spot] = to;
        run(&pieces, cut);
        run(&[(C, noise.clone()), (S, noise.clone())], cut);
        drive::run(&Ldap, drive::flow(Transport::Udp, 389), &[(C, Chunk::Datagram(&noise))]);
        filter::shape(&noise);
    }

    #[test]
    fn noise_is_not_ldap(noise: Vec<u8>) {
        prop_assert_ne!(Ldap.probe(&drive::flow(Transport::Tcp, 389), C, &noise), Probe::Yes);
    }
}

#[test]
fn a_log_on_in_steps_is_said_once() {
    let step = |number, blob: &str| {
        let credentials = element(0xa3, &[text("GSS-SPNEGO"), text(blob)].concat());
        message(number, 0x60, &[vec![2, 1, 3], text(""), credentials])
    };
    let pieces = [
        (C, step(1, "NTLMSSP\0\x01")),
        (S, result(1, 0x61, 14)),
        (C, step(2, "NTLMSSP\0\x03")),
        (S, result(2, 0x61, 49)),
    ];
    let seen = run(&pieces, 1_000);
    assert_eq!((seen.len(), seen[0].uint("code")), (1, Some(49)));
}
