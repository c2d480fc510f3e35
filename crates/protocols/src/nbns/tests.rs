use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

fn encoded(name: &str, suffix: u8) -> Vec<u8> {
    let mut plain: Vec<u8> = name.bytes().collect();
    plain.resize(15, b' ');
    plain.push(suffix);
    let mut out = vec![32];
    out.extend(plain.iter().flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]));
    out.push(0);
    out
}

/// A message about a name: flags, counts of questions, answers and additional records, and the rest.
fn message(flags: u16, counts: [u8; 3], name: &[u8], rest: &[u8]) -> Vec<u8> {
    let [questions, answers, additionals] = counts;
    let mut out = vec![1, 2];
    out.extend(flags.to_be_bytes());
    out.extend([0, questions, 0, answers, 0, 0, 0, additionals]);
    out.extend(name);
    out.extend(rest);
    out
}

fn query(name: &str) -> Vec<u8> {
    message(0x0110, [1, 0, 0], &encoded(name, 0x20), &[0, 0x20, 0, 1])
}

fn answer(name: &str, address: [u8; 4]) -> Vec<u8> {
    let mut rest = vec![0, 0x20, 0, 1, 0, 0, 0, 60, 0, 6, 0, 0];
    rest.extend(address);
    message(0x8500, [0, 1, 0], &encoded(name, 0x20), &rest)
}

fn registration(name: &str) -> Vec<u8> {
    let rest = [
        &[0, 0x20, 0, 1, 0xc0, 12, 0, 0x20, 0, 1, 0, 4, 0x93, 0xe0, 0, 6, 0x80, 0][..],
        &[10, 0, 0, 1],
    ];
    message(0x2910, [1, 0, 1], &encoded(name, 0), &rest.concat())
}

fn status() -> Vec<u8> {
    let mut data = vec![3];
    for (name, suffix, flags) in [("CT1", 0, 0x04), ("CT1", 0x20, 0x04), ("WARD", 0, 0x84)] {
        let mut text = name.as_bytes().to_vec();
        text.resize(15, b' ');
        data.extend(text);
        data.extend([suffix, flags, 0]);
    }
    data.extend([2, 0, 0, 0, 0, 7]);
    data.resize(data.len() + 40, 0);
    let mut rest = vec![0, 0x21, 0, 1, 0, 0, 0, 0];
    rest.extend((data.len() as u16).to_be_bytes());
    rest.extend(data);
    message(0x8400, [0, 1, 0], &encoded("*", 0), &rest)
}

fn say(dir: Direction, bytes: &[u8]) -> Vec<Observation> {
    drive::run(&Nbns, drive::flow(Transport::Udp, 137), &[(dir, Chunk::Datagram(bytes))])
}

#[test]
fn a_question_and_its_answer_say_the_plain_name() {
    let asked = say(Direction::Forward, &query("FILES"));
    assert_eq!((asked[0].kind.name, asked[0].str("name")), ("nbns.query", Some("FILES")));
    assert_eq!((asked[0].uint("suffix"), asked[0].flag("broadcast")), (Some(32), true));
    let said = say(Direction::Reverse, &answer("FILES", [10, 0, 0, 66]));
    assert_eq!((said[0].kind.name, said[0].str("rcode")), ("nbns.response", Some("NOERROR")));
    assert_eq!(said[0].texts("answers"), ["10.0.0.66".into()]);
}

#[test]
fn a_registration_claims_an_address_behind_a_pointer() {
    let said = say(Direction::Forward, &registration("WARD3"));
    assert_eq!((said[0].kind.name, said[0].str("action")), ("nbns.claim", Some("register")));
    assert_eq!(said[0].ip("address"), "10.0.0.1".parse().ok());
    assert!(said[0].flag("group"));
}

#[test]
fn a_status_answer_says_all_names_and_the_card() {
    let said = say(Direction::Reverse, &status());
    assert_eq!(said[0].texts("names"), ["CT1<00>".into(), "CT1<20>".into(), "WARD<00>".into()]);
    assert_eq!((said[0].str("host"), said[0].str("workgroup")), (Some("CT1"), Some("WARD")));
    assert_eq!(said[0].mac("unit"), "02:00:00:00:00:07".parse().ok());
}

#[test]
fn what_is_cut_is_an_anomaly_and_its_name_is_still_said() {
    let whole = answer("FILES", [10, 0, 0, 66]);
    let said = say(Direction::Reverse, &whole[..whole.len() - 3]);
    assert_eq!(said[0].str("what"), Some("message ends too early"));
    assert_eq!(said[1].str("name"), Some("FILES"));
}

#[test]
fn probe_asks_for_an_encoded_name() {
    let flow = drive::flow(Transport::Udp, 9999);
    for known in [query("A"), answer("B", [1, 2, 3, 4]), registration("C"), status()] {
        assert_eq!(Nbns.probe(&flow, Direction::Forward, &known), Probe::Yes);
        assert_ne!(crate::dns::DNS.probe(&flow, Direction::Forward, &known), Probe::Yes);
        let mut other = known;
        other[20] = b'q';
        assert_eq!(Nbns.probe(&flow, Direction::Forward, &other), Probe::No);
    }
}

proptest! {
    #[test]
    fn noise_is_refused_and_changes_never_panic(bytes: Vec<u8>, at in 0_usize..200, to: u8, cut in 0_usize..200) {
        let flow = drive::flow(Transport::Udp, 137);
        prop_assert_eq!(Nbns.probe(&flow, Direction::Forward, &bytes), Probe::No);
        for mut message in [query("A"), answer("B", [1, 2, 3, 4]), registration("C"), status()] {
            let place = at % message.len();
            message[place] = to;
            message.truncate(message.len().saturating_sub(cut % 20));
            say(Direction::Forward, &message);
        }
    }
}
