use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

type Piece<'a> = (Direction, &'a [u8]);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

fn run(pieces: &[Piece<'_>], cut: usize) -> Vec<Observation> {
    let mut cuts = Vec::new();
    for (dir, bytes) in pieces {
        cuts.extend(bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))));
    }
    drive::run(&Telnet, drive::flow(Transport::Tcp, 23), &cuts)
}

fn logins(seen: &[Observation]) -> Vec<(&str, &str, bool)> {
    seen.iter()
        .filter(|o| o.is("remote.login"))
        .map(|o| {
            let word = |name| o.str(name).unwrap_or("-");
            (word("outcome"), word("user"), o.flag("default_credential"))
        })
        .collect()
}

/// Keys one at a time, echoed, as terminals do; a wrong password, then a right one.
const TERMINAL: &[Piece<'_>] = &[
    (S, b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27"),
    (C, b"\xff\xfb\x18\xff\xfc\x20\xff\xfa\x18\x00XTERM\xff\xf0"),
    (S, b"Pump gateway 3\r\n\r\ngw login: "),
    (C, b"r"),
    (S, b"r"),
    (C, b"oo\x7fot\r\0"),
    (S, b"oot\r\nPassword: "),
    (C, b"Secret-1\r\0"),
    (S, b"\r\nLogin incorrect\r\ngw login: "),
    (C, b"admin\r\0"),
    (S, b"admin\r\nPassword: "),
    (C, b"admin\r\0"),
    (S, b"\r\nLast login: Mon Jan 1 on tty1\r\n# "),
    (C, b"cat DOE^JANE.txt\r\0"),
];

#[test]
fn log_ons_are_followed_through_failure_to_success() {
    let seen = run(TERMINAL, 4096);
    assert!(seen[0].is("remote.session"));
    assert_eq!(seen[0].str("software"), Some("Pump gateway 3"));
    assert_eq!(logins(&seen), [("failure", "root", false), ("success", "admin", true)]);
}

#[test]
fn neither_passwords_nor_what_follows_leave() {
    let text: String =
        run(TERMINAL, 4096).iter().map(|o| serde_json::to_string(o).unwrap()).collect();
    assert!(!text.contains("Secret") && !text.contains("DOE"), "{text}");
}

#[test]
fn without_a_verdict_the_prompt_tells() {
    let until = |end: Piece<'_>| {
        let mut pieces = vec![
            (S, &b"\xff\xfb\x01\xff\xfb\x03Username: "[..]),
            (C, &b"tech\r\n"[..]),
            (S, &b"\r\nPassword: "[..]),
            (C, &b"x\r\n"[..]),
        ];
        pieces.push(end);
        let seen = run(&pieces, 64);
        logins(&seen).first().map(|login| login.0.to_owned())
    };
    assert_eq!(until((S, b"\r\nSwitch> ")).as_deref(), Some("success"));
    assert_eq!(until((S, b"\r\nUsername: ")).as_deref(), Some("failure"));
    assert_eq!(until((S, b"\r\n")).as_deref(), Some("unknown"));
}

#[test]
fn known_by_negotiation_or_by_a_prompt() {
    let flow = drive::flow(Transport::Tcp, 2323);
    let probe = |dir, start: &[u8]| Telnet.probe(&flow, dir, start);
    assert_eq!(probe(S, b"\xff\xfd\x01\xff\xfd\x1f"), Probe::Yes);
    assert_eq!(probe(S, b"\xff\xfd\x01"), Probe::Unsure);
    assert_eq!(probe(S, b"\xff\xd8\xff\xe0"), Probe::No);
    assert_eq!(probe(S, b"BusyBox\r\nhost login: "), Probe::Yes);
    assert_eq!(probe(S, b"BusyBox\r\n"), Probe::Unsure);
    assert_eq!(probe(C, b"GET / HTTP/1.0\r\n"), Probe::No);
    assert_eq!(probe(S, b"\0\0\0\x10\xfeSMB"), Probe::No);
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..40) {
        let (whole, cut) = (run(TERMINAL, 4096), run(TERMINAL, cut));
        prop_assert_eq!(logins(&whole), logins(&cut));
        prop_assert_eq!(whole.len(), cut.len());
    }

    #[test]
    fn noise_never_panics(client: Vec<u8>, server: Vec<u8>) {
        run(&[(S, b"login: "), (C, &client), (S, &server), (C, b"\r"), (S, b"Password:"), (C, &server), (C, b"\r"), (S, &client)], 9);
    }
}
