use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

mod build;

use build::{Trans, V2, file_id, frame, ntlm, v1, v1_trans, wide};

type Piece = (Direction, Vec<u8>);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

fn run(pieces: &[Piece], cut: usize) -> Vec<Observation> {
    let mut cuts = Vec::new();
    for (dir, bytes) in pieces {
        cuts.extend(bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))));
    }
    drive::run(&Smb, drive::flow(Transport::Tcp, 445), &cuts)
}

fn said(seen: &[Observation]) -> Vec<String> {
    let fields = |o: &Observation| format!("{} {:?}", o.kind.name, o.fields().collect::<Vec<_>>());
    seen.iter().map(fields).collect()
}

fn actions(seen: &[Observation]) -> Vec<&str> {
    seen.iter().filter(|o| o.is("smb.file")).filter_map(|o| o.str("action")).collect()
}

fn shapes(seen: &[Observation]) -> Vec<&str> {
    seen.iter().filter(|o| o.is("smb.exploit_shape")).filter_map(|o| o.str("shape")).collect()
}

/// A log-on, a share, a file that is overwritten with noise, renamed and closed.
fn ransom() -> Vec<Piece> {
    let noise: Vec<u8> =
        (0..40_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    vec![
        (S, V2::answer(0, 0, 0).body(&[65, 0, 3, 0, 0x11, 3]).frame()),
        (C, V2::request(1, 1).session_setup(&ntlm("nurse", "CLINIC", "WS-4")).frame()),
        (S, V2::answer(1, 1, 0).body(&[9, 0, 0, 0]).frame()),
        (C, V2::request(3, 2).tree_connect("\\\\pacs\\Images").frame()),
        (S, V2::answer(3, 2, 0).tree(7).body(&[16, 0, 1, 0]).frame()),
        (C, V2::request(5, 3).tree(7).create("ward 4\\DOE^JANE.dcm", 1, 0).frame()),
        (S, V2::answer(5, 3, 0).tree(7).created(1, 0x20, 9).frame()),
        (C, V2::request(8, 4).tree(7).body(&[49, 0]).zeros(14).body(&file_id(9)).zeros(17).frame()),
        (
            S,
            V2::answer(8, 4, 0)
                .tree(7)
                .body(&[17, 0, 80, 0, 0x88, 0x13, 0, 0])
                .zeros(8 + 5000)
                .frame(),
        ),
        (C, V2::request(9, 5).tree(7).write(9, &noise).frame()),
        (S, V2::answer(9, 5, 0).tree(7).body(&[17, 0, 0, 0, 0x40, 0x9c, 0, 0]).frame()),
        (C, V2::request(17, 6).tree(7).rename(9, "ward 4\\DOE^JANE.dcm.LOCKED").frame()),
        (S, V2::answer(17, 6, 0).tree(7).body(&[2, 0]).frame()),
        (C, V2::request(6, 7).tree(7).body(&[24, 0]).zeros(6).body(&file_id(9)).frame()),
        (S, V2::answer(6, 7, 0).tree(7).body(&[60, 0]).frame()),
    ]
}

#[test]
fn a_file_overwritten_with_noise_and_renamed_is_followed() {
    let seen = run(&ransom(), 1460);
    let kinds: Vec<_> = seen.iter().take(3).map(|o| o.kind.name).collect();
    assert_eq!(kinds, ["smb.negotiate", "smb.session", "smb.tree"], "{:?}", said(&seen));
    assert_eq!((seen[0].str("dialect"), seen[0].str("signing")), (Some("3.1.1"), Some("required")));
    assert_eq!((seen[1].str("user"), seen[1].str("outcome")), (Some("nurse"), Some("success")));
    assert_eq!((seen[2].str("share"), seen[2].flag("admin")), (Some("IMAGES"), false));
    assert_eq!(actions(&seen), ["open", "rename", "read", "write"]);
    let file = |o: &&Observation| o.is("smb.file") && o.str("action") == Some("write");
    let write = seen.iter().find(file).unwrap();
    assert_eq!((write.uint("bytes"), write.str("extension")), (Some(40_000), Some("locked")));
    assert!(write.float("entropy").unwrap() > 6.5 && !write.flag("executable"));
    assert_eq!(seen[3].subject.port, Some(40_000), "the client is the subject");
}

#[test]
fn names_of_files_leave_only_as_tokens() {
    let text: String =
        run(&ransom(), 1460).iter().map(|o| serde_json::to_string(o).unwrap()).collect();
    assert!(text.contains(r#""name":"t:"#) && text.contains(r#""folder":"t:"#));
    for secret in ["DOE", "JANE", "ward", "doe", "jane"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn related_requests_of_a_compound_share_the_file_that_the_first_opens() {
    let every = [0xff; 16];
    let request = [
        V2::request(5, 3).tree(7).create("a.exe", 2, 0x1000).message(),
        V2::request(9, 4).related().tree(7).write_to(&every, b"MZ\x90\0").message(),
        V2::request(6, 5).related().body(&[24, 0]).zeros(6).body(&every).message(),
    ];
    let answer = [
        V2::answer(5, 3, 0).created(2, 0x20, 9).message(),
        V2::answer(9, 4, 0).body(&[17, 0, 0, 0, 4, 0, 0, 0]).message(),
        V2::answer(6, 5, 0).body(&[60, 0]).message(),
    ];
    let seen = run(&[(C, build::compound(&request)), (S, build::compound(&answer))], 100);
    assert_eq!(actions(&seen), ["create", "write", "delete"], "{:?}", said(&seen));
    assert!(seen[1].flag("executable"));
}

#[test]
fn refusals_say_their_status() {
    let denied = 0xc000_0022;
    let seen = run(
        &[
            (C, V2::request(1, 1).session_setup(&ntlm("admin", "", "X")).frame()),
            (S, V2::answer(1, 1, 0xc000_006d).frame()),
            (C, V2::request(3, 2).tree_connect("\\\\h\\ADMIN$").frame()),
            (S, V2::answer(3, 2, denied).frame()),
            (C, V2::request(5, 3).create("x.txt", 1, 0).frame()),
            (S, V2::answer(5, 3, denied).frame()),
        ],
        50,
    );
    assert_eq!(
        (seen[0].str("outcome"), seen[0].uint("status")),
        (Some("failure"), Some(0xc000_006d))
    );
    assert!(seen[1].flag("admin") && seen[1].str("outcome") == Some("failure"));
    assert_eq!(
        (seen[2].str("action"), seen[2].uint("status")),
        (Some("open"), Some(u64::from(denied)))
    );
}

#[test]
fn service_pipes_are_named() {
    let seen = run(
        &[
            (C, V2::request(3, 2).tree_connect("\\\\h\\IPC$").frame()),
            (S, V2::answer(3, 2, 0).tree(1).body(&[16, 0, 2, 0]).frame()),
            (C, V2::request(5, 3).tree(1).create("SVCCTL", 1, 0).frame()),
            (S, V2::answer(5, 3, 0).tree(1).created(1, 0x80, 4).frame()),
        ],
        1000,
    );
    assert_eq!((seen[1].str("pipe"), seen[1].token("name")), (Some("svcctl"), None));
}

#[test]
fn a_fully_encrypted_session_is_left_alone_and_a_partly_encrypted_one_is_not() {
    let sealed = |dir| (dir, frame(&[b"\xfdSMB".as_slice(), &[0; 60]].concat()));
    let later = (S, V2::answer(0, 0, 0).body(&[65, 0, 1, 0, 0x02, 3]).frame());
    for (flags, expected) in [(4, 1), (0, 2)] {
        let seen = run(
            &[
                (C, V2::request(1, 1).session_setup(&ntlm("u", "d", "w")).frame()),
                (S, V2::answer(1, 1, 0).body(&[9, 0, flags, 0]).frame()),
                sealed(C),
                later.clone(),
            ],
            30,
        );
        assert_eq!(seen.len(), expected, "{:?}", said(&seen));
        assert_eq!(seen[0].flag("encrypted"), flags == 4);
    }
}

#[test]
fn the_next_message_after_a_loss_is_found() {
    let stream = [vec![9; 300], V2::answer(0, 0, 0).body(&[65, 0, 1, 0, 0x02, 2]).frame()].concat();
    for cut in [1, 7, 4096] {
        let mut pieces = vec![(S, Chunk::Gap(10))];
        pieces.extend(stream.chunks(cut).map(|piece| (S, Chunk::Stream(piece))));
        let seen = drive::run(&Smb, drive::flow(Transport::Tcp, 445), &pieces);
        assert_eq!(seen[0].str("dialect"), Some("2.0.2"));
    }
}

#[test]
fn smb1_log_on_share_and_file_are_followed() {
    let setup = {
        let mut words = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        words.resize(26, 0);
        let bytes = [b"\0".to_vec(), wide("tech\0"), wide("CLINIC\0")].concat();
        v1(0x73, false, 1, &words, &bytes)
    };
    let tree = v1(
        0x75,
        false,
        2,
        &[0xff, 0, 0, 0, 0, 0, 1, 0],
        &[b"\0".to_vec(), wide("\\\\h\\C$\0")].concat(),
    );
    let mut create = vec![0xff, 0, 0, 0];
    create.resize(48, 0);
    create[35] = 2;
    let mut created = vec![0xff, 0, 0, 0, 0, 0x34, 0x12, 2, 0, 0, 0];
    created.resize(68, 0);
    let seen = run(
        &[
            (C, v1(0x72, false, 0, &[], b"\x02PC NETWORK\0\x02NT LM 0.12\0")),
            (S, v1(0x72, true, 0, &[1, 0, 0x07], &[])),
            (C, setup),
            (S, v1(0x73, true, 1, &[0xff, 0, 0, 0, 1, 0], &[])),
            (C, tree),
            (S, v1(0x75, true, 2, &[0xff, 0, 0, 0], &[])),
            (C, v1(0xa2, false, 3, &create, &[b"\0".to_vec(), wide("\\new.EXE\0")].concat())),
            (S, v1(0xa2, true, 3, &created, &[])),
            (C, v1(0x04, false, 4, &[0x34, 0x12, 0, 0, 0, 0], &[])),
            (S, v1(0x04, true, 4, &[], &[])),
        ],
        20,
    );
    assert_eq!(seen.len(), 4, "{:?}", said(&seen));
    assert_eq!((seen[0].str("dialect"), seen[0].uint("version")), (Some("NT LM 0.12"), Some(1)));
    assert_eq!((seen[1].str("user"), seen[1].str("domain")), (Some("tech"), Some("CLINIC")));
    assert_eq!(seen[1].str("outcome"), Some("guest"));
    assert!(seen[2].flag("admin"));
    assert_eq!((seen[3].str("action"), seen[3].str("extension")), (Some("create"), Some("exe")));
}

#[test]
fn doublepulsar_is_seen_asking_and_answering() {
    let ask = v1_trans(&Trans { command: 0x32, multiplex: 65, setup: 0x0e, ..Trans::default() });
    let seen = run(&[(C, ask), (S, v1(0x32, true, 81, &[], &[]))], 11);
    assert_eq!(shapes(&seen), ["trans2_session_setup", "doublepulsar_answer"]);
    assert_eq!(seen[1].subject.port, Some(445));
}

#[test]
fn eternalblue_is_seen_by_size_or_by_the_wrong_continuation_once() {
    let mut words = vec![0; 19 * 2];
    words[7..11].copy_from_slice(&66_512_u32.to_le_bytes());
    let oversized = v1(0xa0, false, 1, &words, &[]);
    let secondary = v1(0x33, false, 1, &[0; 18], &[]);
    let seen = run(&[(C, oversized), (C, secondary.clone()), (C, secondary.clone())], 64);
    assert_eq!(shapes(&seen), ["oversized_nttrans"]);
    words[36] = 4;
    let seen = run(&[(C, v1(0xa0, false, 1, &words, &[])), (C, secondary.clone())], 64);
    assert_eq!(shapes(&seen), ["oversized_nttrans"]);
    let trans2 = v1_trans(&Trans { command: 0x32, setup: 1, ..Trans::default() });
    assert!(shapes(&run(&[(C, trans2), (C, secondary)], 64)).is_empty());
}

#[test]
fn probing_for_ms17_010_and_climbing_paths_are_seen() {
    let peek = v1_trans(&Trans { command: 0x25, setup: 0x23, ..Trans::default() });
    assert_eq!(shapes(&run(&[(C, peek)], 64)), ["peek_named_pipe"]);

    let path = [wide("\\AB\\..\\..\\"), vec![0, 0]].concat();
    let mut call = vec![5, 0, 0, 3, 0x10, 0, 0, 0];
    call.resize(22, 0);
    call.extend([31, 0]);
    call.extend(path);
    let mut create = vec![0xff, 0, 0, 0];
    create.resize(48, 0);
    create[35] = 1;
    let mut created = vec![0xff, 0, 0, 0, 0, 0, 0x40, 1, 0, 0, 0];
    created.resize(68, 0);
    let on_pipe = |data: &[u8]| {
        let transact =
            Trans { command: 0x25, setup: 0x26, about: 0x4000, data, ..Trans::default() };
        run(
            &[
                (
                    C,
                    v1(
                        0x75,
                        false,
                        2,
                        &[0xff, 0, 0, 0, 0, 0, 1, 0],
                        &[b"\0".to_vec(), wide("\\\\h\\IPC$\0")].concat(),
                    ),
                ),
                (S, v1(0x75, true, 2, &[0xff, 0, 0, 0], &[])),
                (C, v1(0xa2, false, 3, &create, &[b"\0".to_vec(), wide("\\srvsvc\0")].concat())),
                (S, v1(0xa2, true, 3, &created, &[])),
                (C, v1_trans(&transact)),
            ],
            64,
        )
    };
    assert_eq!(shapes(&on_pipe(&call)), ["ms08_067"]);
    call[22] = 16;
    assert!(shapes(&on_pipe(&call)).is_empty(), "another call may name such a path");
}

#[test]
fn a_compressed_message_that_cannot_be_is_seen() {
    let ghost = |offset: u32| {
        let mut message = b"\xfcSMB".to_vec();
        for field in [0x1000_u32, 1, offset] {
            message.extend(field.to_le_bytes());
        }
        message.resize(64, 0);
        shapes(&run(&[(C, frame(&message))], 16)).len()
    };
    assert_eq!((ghost(u32::MAX), ghost(0x100)), (1, 0));
}

#[test]
fn known_by_content_on_any_port() {
    let flow = drive::flow(Transport::Tcp, 8445);
    let probe = |start: &[u8]| Smb.probe(&flow, C, start);
    let message = V2::request(0, 0).zeros(40).frame();
    assert_eq!(probe(&message), Probe::Yes);
    assert_eq!(probe(&message[..6]), Probe::Unsure);
    assert_eq!(probe(&[0, 0, 0, 64, 1, 2, 3, 4]), Probe::No);
    let name = [vec![32], vec![b'A'; 32], vec![0]].concat();
    assert_eq!(probe(&[&[0x81, 0, 0, 68], &name[..], &name[..]].concat()), Probe::Yes);
    assert_eq!(probe(b"GET / HTTP/1.1\r\n"), Probe::No);
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..3000) {
        prop_assert_eq!(said(&run(&ransom(), cut)), said(&run(&ransom(), 1 << 20)));
    }

    #[test]
    fn changed_and_cut_messages_never_panic(which in 0_usize..15, at in 0_usize..300, to: u8, short in 1_usize..200) {
        let mut pieces = ransom();
        let bytes = &mut pieces[which].1;
        let place = at % bytes.len();
        bytes[place] = to;
        run(&pieces, 512);
        let bytes = &mut pieces[which].1;
        bytes.truncate(short.min(bytes.len()));
        run(&pieces, 512);
    }

    #[test]
    fn noise_behind_a_header_never_panics(command: u8, answer: bool, words in proptest::collection::vec(any::<u8>(), 0..100), bytes: Vec<u8>) {
        run(&[(C, v1(command, answer, 1, &words, &bytes)), (S, v1(command, !answer, 1, &bytes, &words))], 100);
        let (v2, other) = (u16::from(command % 20), V2::answer(u16::from(command % 20), 1, 0));
        run(&[(C, V2::request(v2, 1).body(&bytes).frame()), (S, other.body(&words).frame())], 100);
    }
}
