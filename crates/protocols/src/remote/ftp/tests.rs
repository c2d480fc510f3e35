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
    drive::run(&Ftp, drive::flow(Transport::Tcp, 21), &cuts)
}

const SESSION_OF_ONE_USER: &[Piece<'_>] = &[
    (S, b"220-Welcome\r\n220 (vsFTPd 3.0.3)\r\n"),
    (C, b"USER service\r\n"),
    (S, b"331 Please specify the password.\r\n"),
    (C, b"PASS Wr0ng-Secret\r\n"),
    (S, b"530 Login incorrect.\r\n"),
    (C, b"user service\r\nPASS Right-Secret\r\n"),
    (S, b"331 Please specify the password.\r\n230-Hello\r\n 230 not yet\r\n230 Login successful.\r\n"),
    (C, b"PASV\r\n"),
    (S, b"227 Entering Passive Mode (10,0,0,2,100,5)\r\n"),
    (C, b"STOR /reports/DOE^JANE.PDF\r\n"),
    (S, b"150 Ok to send data.\r\n226 Transfer complete.\r\n"),
    (C, b"RETR missing.bin\r\n"),
    (S, b"550 Failed to open file.\r\n"),
    (C, b"DELE old.bak\r\nQUIT\r\n"),
    (S, b"250 Delete operation successful.\r\n221 Goodbye.\r\n"),
];

#[test]
fn log_ons_and_accepted_transfers_are_said() {
    let seen = run(SESSION_OF_ONE_USER, 4096);
    let said: Vec<String> = seen
        .iter()
        .map(|o| {
            let word = |kind: &str, name| if o.is(kind) { o.str(name).unwrap_or("-") } else { "" };
            format!(
                "{} {}{}{}",
                o.kind.name,
                word("remote.session", "software"),
                word("remote.login", "outcome"),
                word("remote.transfer", "action"),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "remote.session Welcome",
            "remote.login failure",
            "remote.login success",
            "remote.transfer upload",
            "remote.transfer delete",
        ]
    );
    assert_eq!(seen[2].str("user"), Some("service"));
    assert_eq!(seen[3].str("extension"), Some("pdf"));
}

#[test]
fn neither_passwords_nor_file_names_leave() {
    let text: String =
        run(SESSION_OF_ONE_USER, 4096).iter().map(|o| serde_json::to_string(o).unwrap()).collect();
    for secret in ["Secret", "DOE", "JANE", "reports", "missing"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn a_published_default_is_marked() {
    let seen = run(
        &[(S, b"220 ready\r\n"), (C, b"USER admin\r\nPASS admin\r\n"), (S, b"331 ?\r\n230 in\r\n")],
        7,
    );
    assert!(seen[1].flag("default_credential"));
}

#[test]
fn after_auth_tls_nothing_is_read() {
    let seen = run(
        &[
            (S, b"220 ProFTPD\r\n"),
            (C, b"AUTH TLS\r\n"),
            (S, b"234 AUTH TLS successful\r\n"),
            (C, b"USER x\r\nPASS y\r\n"),
            (S, b"230 in\r\n"),
        ],
        4096,
    );
    assert_eq!(seen.len(), 1);
}

#[test]
fn mail_servers_are_not_ftp() {
    let elsewhere = drive::flow(Transport::Tcp, 2121);
    let probe = |start: &[u8]| Ftp.probe(&elsewhere, S, start);
    assert_eq!(probe(b"220 mail.example ESMTP Postfix\r\n"), Probe::No);
    assert_eq!(probe(b"220 a\r\n250 a greets you\r\n"), Probe::No);
    assert_eq!(probe(b"220 a\r\n"), Probe::Unsure);
    assert_eq!(probe(b"220 a\r\n331 password?\r\n"), Probe::Yes);
    assert_eq!(probe(b"220 pyftpdlib 1.5 ready.\r\n"), Probe::Yes);
    assert_eq!(Ftp.probe(&elsewhere, C, b"GET / HTTP/1.1\r\n"), Probe::No);
    assert_eq!(Ftp.probe(&elsewhere, C, b"USER a\r\n"), Probe::Unsure);
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..60) {
        let said = |seen: Vec<Observation>| seen.iter().map(|o| format!("{:?}", o.fields().collect::<Vec<_>>())).collect::<Vec<_>>();
        prop_assert_eq!(said(run(SESSION_OF_ONE_USER, cut)), said(run(SESSION_OF_ONE_USER, 4096)));
    }

    #[test]
    fn noise_never_panics(client: Vec<u8>, server: Vec<u8>) {
        run(&[(S, b"220 x\r\n"), (C, &client), (S, &server), (C, b"\n"), (S, b"\n")], 9);
    }
}

#[test]
fn sizes_and_data_connections_go_with_their_transfer() {
    let seen = run(
        &[
            (S, b"220 ready\r\n"),
            (C, b"EPSV\r\nSIZE a.dcm\r\nRETR a.dcm\r\n"),
            (S, b"229 ok (|||6446|)\r\n213 77\r\n150 begins\r\n226 over\r\n"),
            (C, b"PORT 10,0,0,9,0,25\r\nSTOR b\r\n"),
            (S, b"200 ok\r\n150 begins\r\n226 over\r\n"),
            (C, b"PORT 10,0,0,1,100,5\r\nRETR c\r\n"),
            (S, b"200 ok\r\n150 Opening for c (12 bytes)\r\n226 over\r\n"),
            (C, b"RNFR x\r\nRNTO y.locked\r\n"),
            (S, b"350 and?\r\n250 done\r\n"),
        ],
        6,
    );
    let of = |at: usize| {
        let o = &seen[at];
        (o.str("mode"), o.uint("data_port"), o.uint("bytes"), o.flag("elsewhere"))
    };
    assert_eq!(of(1), (Some("passive"), Some(6_446), Some(77), false));
    assert_eq!(of(2), (Some("active"), Some(25), None, true));
    assert_eq!(of(3), (Some("active"), Some(25_605), Some(12), false));
    assert_eq!((seen[4].str("action"), seen[4].str("extension")), (Some("rename"), Some("locked")));
}
