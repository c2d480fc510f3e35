use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

type Piece<'a> = (Direction, &'a str);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

fn run(pieces: &[Piece<'_>], cut: usize) -> Vec<Observation> {
    let cuts: Vec<_> = pieces
        .iter()
        .flat_map(|(dir, text)| text.as_bytes().chunks(cut).map(|c| (*dir, Chunk::Stream(c))))
        .collect();
    drive::run(&Smtp, drive::flow(Transport::Tcp, 25), &cuts)
}

fn said(seen: &[Observation]) -> Vec<String> {
    seen.iter().map(|o| format!("{} {:?}", o.kind.name, o.fields().collect::<Vec<_>>())).collect()
}

const HELLO: [Piece<'_>; 3] = [
    (S, "220-mail.ward.example ESMTP\r\n220 ready\r\n"),
    (C, "EHLO pump-17\r\n"),
    (S, "250-mail.ward.example\r\n250-STARTTLS\r\n250-AUTH=LOGIN PLAIN\r\n250 SIZE 1000\r\n"),
];

const MESSAGE: [Piece<'_>; 8] = [
    (
        C,
        "MAIL FROM:<pump17@ward.example> SIZE=100\r\nRCPT TO:<doe.jane@clinic.example>\r\nRCPT TO:<x@Other.Example>\r\n",
    ),
    (S, "250 ok\r\n250 ok\r\n550 no such user\r\n"),
    (C, "DATA\r\n"),
    (S, "354 go on\r\n"),
    (C, "Subject: DOE\r\n..\r\n.\tx\r\n.\r\n"),
    (S, "250 2.0.0 queued\r\n"),
    (C, "QUIT\r\n"),
    (S, "221 bye\r\n"),
];

#[test]
fn a_message_leaves_with_tokens_domains_and_its_size() {
    let seen = run(&[&HELLO[..], &MESSAGE[..]].concat(), 1_000);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].str("software"), Some("mail.ward.example ESMTP"));
    assert_eq!(seen[0].texts("mechanisms"), ["LOGIN".into(), "PLAIN".into()]);
    assert!(seen[0].flag("starttls") && seen[0].flag("extended"));
    let mail = &seen[1];
    assert_eq!((mail.uint("recipients"), mail.uint("refused_recipients")), (Some(1), Some(1)));
    assert_eq!(mail.texts("recipient_domains"), ["clinic.example".into(), "other.example".into()]);
    assert_eq!((mail.uint("bytes"), mail.str("outcome")), (Some(26), Some("accepted")));
    assert!(mail.token("sender").is_some());
    for secret in ["doe.jane", "DOE", "pump17@"] {
        assert!(!said(&seen).concat().contains(secret), "{secret}");
    }
}

#[test]
fn passwords_are_judged_and_never_said() {
    let log_on = |lines: &[Piece<'_>]| {
        let seen = run(&[&HELLO[..], lines].concat(), 1_000);
        let login = seen.iter().find(|o| o.is("smtp.login")).unwrap();
        let of = |name| login.str(name).unwrap_or("-").to_owned();
        (of("mechanism"), of("user"), of("outcome"), login.flag("default_credential"))
    };
    let is = |a: &str, b: &str, c: &str, d| (a.to_owned(), b.to_owned(), c.to_owned(), d);
    // admin and admin; alarm and Sesame-7.
    let plain = [(C, "auth plain AGFkbWluAGFkbWlu\r\n"), (S, "235 ok\r\n")];
    assert_eq!(log_on(&plain), is("PLAIN", "admin", "success", true));
    let login = [
        (C, "AUTH LOGIN\r\n"),
        (S, "334 VXNlcm5hbWU6\r\n"),
        (C, "YWxhcm0=\r\n"),
        (S, "334 UGFzc3dvcmQ6\r\n"),
        (C, "U2VzYW1lLTc=\r\n"),
        (S, "535 no\r\n"),
    ];
    assert_eq!(log_on(&login), is("LOGIN", "alarm", "failure", false));
    let seen = run(&[&HELLO[..], &login[..]].concat(), 3);
    assert!(!said(&seen).concat().contains("Sesame"));
    // "alarm" and the answer to a challenge.
    let cram = [(C, "AUTH CRAM-MD5\r\n"), (S, "334 PDE+\r\n"), (C, "YWxhcm0gMDEyMw==\r\n")];
    assert_eq!(log_on(&cram), is("CRAM-MD5", "alarm", "unknown", false));
}

#[test]
fn what_looks_like_an_answer_to_data_is_the_end_of_the_message() {
    let refused = [
        (C, "MAIL FROM:<a@b>\r\n"),
        (S, "250 ok\r\n"),
        (C, "DATA\r\n"),
        (S, "503 no recipient\r\n"),
        (C, "MAIL FROM:<>\r\n"),
        (S, "250 ok\r\n"),
        (C, "BDAT 10\r\n0123456789BDAT 5 LAST\r\n01234"),
        (S, "250 ok\r\n250 ok\r\n"),
    ];
    let seen = run(&[&HELLO[..], &refused[..]].concat(), 1_000);
    let of = |o: &Observation| (o.str("outcome").unwrap().to_owned(), o.uint("bytes").unwrap());
    assert_eq!(of(&seen[1]), ("refused".to_owned(), 0));
    assert_eq!(of(&seen[2]), ("accepted".to_owned(), 15));
    assert!(seen[2].token("sender").is_none());
}

#[test]
fn nothing_is_read_after_starttls() {
    let seen = run(
        &[&HELLO[..], &[(C, "STARTTLS\r\n"), (S, "220 go\r\n"), (C, "EHLO x\r\n")]].concat(),
        1_000,
    );
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].str("outcome"), Some("success"));
}

#[test]
fn one_side_alone_is_read() {
    let client: Vec<_> =
        [&HELLO[..], &MESSAGE[..]].concat().into_iter().filter(|p| p.0 == C).collect();
    let seen = run(&client, 1_000);
    assert_eq!((seen[0].str("client"), seen[1].uint("bytes")), (Some("pump-17"), Some(26)));
    assert_eq!(seen[1].str("outcome"), Some("unknown"));
}

#[test]
fn ftp_and_mail_are_told_apart() {
    let probe = |dir, port, start: &str| {
        Smtp.probe(&drive::flow(Transport::Tcp, port), dir, start.as_bytes())
    };
    assert_eq!(probe(S, 2525, "220 mx ESMTP Postfix\r\n"), Probe::Yes);
    assert_eq!(probe(S, 21, "220 FTP server ready\r\n"), Probe::No);
    assert_eq!(probe(S, 2121, "220 ready\r\n"), Probe::Unsure);
    assert_eq!(probe(S, 2121, "220 ready\r\n331 password\r\n"), Probe::No);
    assert_eq!(probe(S, 2121, "220 ready\r\n250-mx\r\n"), Probe::Yes);
    assert_eq!(probe(S, 25, "220 ready\r\n"), Probe::Yes);
    assert_eq!((probe(C, 25, "EHL"), probe(C, 25, "helo x\n")), (Probe::Unsure, Probe::Yes));
    assert_eq!((probe(C, 25, "GET / "), probe(C, 25, "HELO \r\n")), (Probe::No, Probe::No));
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..40) {
        let pieces = [&HELLO[..], &MESSAGE[..]].concat();
        prop_assert_eq!(said(&run(&pieces, cut)), said(&run(&pieces, 10_000)));
    }

    #[test]
    fn noise_never_panics_and_is_not_recognised(noise: String, lines in proptest::collection::vec("(AUTH PLAIN|AUTH LOGIN|DATA|BDAT 9|MAIL FROM:<a@b>|RCPT TO:|250 x|354 x|\\PC{0,9})\r\n", 0..20), cut in 1_usize..30) {
        let pieces: Vec<_> = lines.iter().enumerate().map(|(at, line)| (if at % 3 == 0 { S } else { C }, &**line)).collect();
        run(&pieces, cut);
        run(&[(C, &noise), (S, &noise)], cut);
        prop_assert_ne!(Smtp.probe(&drive::flow(Transport::Tcp, 25), C, noise.as_bytes()), Probe::Yes);
    }
}

#[test]
fn a_client_that_does_not_wait_for_the_greeting_is_read() {
    let hasty = [
        (C, "HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\n"),
        (S, "220 mx ESMTP\r\n250 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"),
    ];
    let seen = run(&hasty, 1_000);
    assert_eq!((seen[1].uint("recipients"), seen[1].str("outcome")), (Some(1), Some("accepted")));
}
