use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

type Piece = (Direction, Vec<u8>);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn opaque(bytes: &[u8]) -> Vec<u8> {
    let mut out = [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn call(xid: u32, program: u32, version: u32, procedure: u32, arguments: &[u8]) -> Vec<u8> {
    let unix = [words(&[7]), opaque(b"ct-console"), words(&[0, 0, 0])].concat();
    let head = words(&[xid, 0, 2, program, version, procedure, 1]);
    [head, opaque(&unix), words(&[0, 0]), arguments.to_vec()].concat()
}

fn reply(xid: u32, results: &[u8]) -> Vec<u8> {
    [words(&[xid, 1, 0, 0, 0, 0]), results.to_vec()].concat()
}

fn udp(pieces: &[Piece]) -> Vec<Observation> {
    let pieces: Vec<_> = pieces.iter().map(|(dir, bytes)| (*dir, Chunk::Datagram(bytes))).collect();
    drive::run(&Rpc, drive::flow(Transport::Udp, 111), &pieces)
}

/// Each record in fragments of at most so many bytes.
fn marked(bytes: &[u8], fragment: usize) -> Vec<u8> {
    let last = bytes.len().div_ceil(fragment) - 1;
    let mark = |at: usize, piece: &[u8]| {
        let length = piece.len() as u32 | if at == last { 1 << 31 } else { 0 };
        [&length.to_be_bytes()[..], piece].concat()
    };
    bytes.chunks(fragment).enumerate().flat_map(|(at, piece)| mark(at, piece)).collect()
}

fn tcp(pieces: &[Piece], cut: usize, fragment: usize) -> Vec<Observation> {
    let framed: Vec<Piece> =
        pieces.iter().map(|(dir, bytes)| (*dir, marked(bytes, fragment))).collect();
    let pieces: Vec<_> = framed
        .iter()
        .flat_map(|(dir, bytes)| bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))))
        .collect();
    drive::run(&Rpc, drive::flow(Transport::Tcp, 2049), &pieces)
}

fn said(seen: &[Observation]) -> Vec<String> {
    seen.iter().map(|o| format!("{} {:?}", o.kind.name, o.fields().collect::<Vec<_>>())).collect()
}

#[test]
fn the_mapper_says_where_programs_are() {
    let getport = words(&[100_003, 3, 6, 0]);
    let list =
        words(&[1, 100_000, 2, 6, 111, 1, 100_005, 3, 17, 20048, 1, 100_005, 1, 17, 20048, 0]);
    let newer = [words(&[100_005, 3]), opaque(b"udp"), opaque(b""), opaque(b"")].concat();
    let seen = udp(&[
        (C, call(1, 100_000, 2, 3, &getport)),
        (S, reply(1, &words(&[2049]))),
        (C, call(2, 100_000, 2, 4, &[])),
        (S, reply(2, &list)),
        (C, call(3, 100_000, 4, 9, &newer)),
        (S, reply(3, &opaque(b"10.0.0.2.78.80"))),
    ]);
    let of = |o: &Observation| (o.str("action").unwrap().to_owned(), o.uint("port"));
    assert_eq!(of(&seen[0]), ("getport".to_owned(), Some(2049)));
    assert_eq!(seen[0].str("program"), Some("nfs"));
    assert_eq!(seen[1].texts("programs"), ["portmapper".into(), "mountd".into()]);
    assert_eq!(of(&seen[2]), ("getport".to_owned(), Some(20_048)));
}

#[test]
fn mounts_and_exports_for_everybody_are_said() {
    let exports = [
        words(&[1]),
        opaque(b"/images"),
        words(&[0, 1]),
        opaque(b"/software"),
        words(&[1]),
        opaque(b"10.0.0.0/24"),
        words(&[0, 0]),
    ];
    let seen = udp(&[
        (C, call(1, 100_005, 3, 5, &[])),
        (S, reply(1, &exports.concat())),
        (C, call(2, 100_005, 3, 1, &opaque(b"/images"))),
        (S, reply(2, &words(&[13]))),
        (C, call(3, 100_005, 3, 1, &opaque(b"/software"))),
    ]);
    assert_eq!(seen[0].texts("exports"), ["/images".into(), "/software".into()]);
    assert_eq!(seen[0].uint("open_exports"), Some(1));
    let of =
        |o: &Observation| (o.str("outcome").unwrap().to_owned(), o.uint("status"), o.uint("uid"));
    assert_eq!(of(&seen[1]), ("failure".to_owned(), Some(13), Some(0)));
    assert_eq!(of(&seen[2]), ("unanswered".to_owned(), None, Some(0)));
    assert_eq!(seen[2].str("machine"), Some("ct-console"));
}

/// A read, a refused removal and a write of version 3, with data in both directions.
fn version_3() -> Vec<Piece> {
    let handle = opaque(&[7; 32]);
    let read = [handle.clone(), words(&[0, 0, 8_192])].concat();
    let write = [handle.clone(), words(&[0, 0, 5_000, 2]), opaque(&[0xee; 5_000])].concat();
    let data = [words(&[0, 1]), vec![0; 84], words(&[6_000, 1]), opaque(&[0xee; 6_000])].concat();
    vec![
        (C, call(1, 100_003, 3, 6, &read)),
        (S, reply(1, &data)),
        (C, call(2, 100_003, 3, 12, &[handle, opaque(b"DOE.dcm")].concat())),
        (S, reply(2, &words(&[13, 0, 0]))),
        (C, call(3, 100_003, 3, 7, &write)),
        (S, reply(3, &words(&[0, 0, 0, 5_000, 2, 0, 0]))),
    ]
}

#[test]
fn reads_writes_and_refusals_are_counted_with_their_bytes() {
    let seen = tcp(&version_3(), 1_000, 1 << 20);
    let activity = seen.last().unwrap();
    let of = |name| activity.uint(name).unwrap();
    assert_eq!((of("reads"), of("read_bytes")), (1, 6_000));
    assert_eq!((of("writes"), of("written_bytes")), (1, 5_000));
    assert_eq!((of("removes"), of("failures"), of("denied")), (1, 1, 1));
    assert_eq!(activity.texts("operations"), ["READ".into(), "REMOVE".into(), "WRITE".into()]);
    assert_eq!(activity.texts("uids"), ["0".into()]);
    assert_eq!((seen[0].str("auth"), seen[0].str("program")), (Some("unix"), Some("nfs")));
    assert!(!said(&seen).concat().contains("DOE"));
}

#[test]
fn version_2_is_counted_too() {
    let read = [vec![7; 32], words(&[0, 512, 0])].concat();
    let write = [vec![7; 32], words(&[0, 0, 0, 3]), vec![1, 2, 3, 0]].concat();
    let data = [words(&[0]), vec![0; 68], opaque(&[1; 512])].concat();
    let seen = udp(&[
        (C, call(1, 100_003, 2, 6, &read)),
        (S, reply(1, &data)),
        (C, call(2, 100_003, 2, 8, &write)),
        (S, reply(2, &words(&[0]))),
    ]);
    let activity = seen.last().unwrap();
    assert_eq!((activity.uint("read_bytes"), activity.uint("written_bytes")), (Some(512), Some(3)));
}

#[test]
fn a_compound_of_version_4_is_walked() {
    let session = [7; 16];
    let sequence = [words(&[53]), session.to_vec(), words(&[1, 0, 0, 1])].concat();
    let open = [
        words(&[18, 0, 2, 0, 0, 1]),
        opaque(b"owner"),
        words(&[1, 0, 1, 2]),
        opaque(&[0; 4]),
        words(&[0]),
        opaque(b"DOE.dcm"),
    ];
    let ops = [
        sequence.clone(),
        [words(&[22]), opaque(&[9; 20])].concat(),
        open.concat(),
        words(&[10, 9, 2, 1, 2]),
        [words(&[38]), vec![0; 16], words(&[0, 0, 2]), opaque(&[1; 10])].concat(),
        [words(&[28]), opaque(b"old")].concat(),
    ];
    let compound = |count: u32, ops: &[u8]| [words(&[0, 1, count]), ops.to_vec()].concat();
    let read = [sequence, words(&[25]), vec![0; 16], words(&[0, 0, 4_096])].concat();
    let data =
        [words(&[0, 0, 2, 53, 0]), vec![0; 36], words(&[25, 0, 1]), opaque(&[1; 77])].concat();
    let seen = tcp(
        &[
            (C, call(1, 100_003, 4, 1, &compound(7, &ops.concat()))),
            (S, reply(1, &words(&[0, 0, 0]))),
            (C, call(2, 100_003, 4, 1, &compound(2, &read))),
            (S, reply(2, &data)),
        ],
        1_000,
        1 << 20,
    );
    let activity = seen.last().unwrap();
    let of = |name| activity.uint(name).unwrap();
    assert_eq!((of("calls"), of("creates"), of("removes")), (2, 1, 1));
    assert_eq!((of("written_bytes"), of("reads"), of("read_bytes")), (10, 1, 77));
}

#[test]
fn refused_and_missing_programs_are_told_apart() {
    let denied = words(&[1, 1, 1, 1, 5]);
    let missing = words(&[2, 1, 0, 0, 0, 1]);
    let seen = udp(&[
        (C, call(1, 100_232, 10, 1, &[])),
        (S, denied),
        (C, call(2, 395_183, 1, 10, &[])),
        (S, missing),
    ]);
    let of = |o: &Observation| {
        (o.str("program").unwrap().to_owned(), o.str("outcome").unwrap().to_owned())
    };
    assert_eq!(of(&seen[0]), ("sadmind".to_owned(), "denied".to_owned()));
    assert_eq!(of(&seen[1]), ("vxi11".to_owned(), "unavailable".to_owned()));
}

#[test]
fn only_calls_are_recognised() {
    let ask = call(0x1234_5678, 100_003, 3, 0, &[]);
    let flow = drive::flow(Transport::Udp, 2049);
    assert_eq!(Rpc.probe(&flow, C, &ask), Probe::Yes);
    assert_eq!(Rpc.probe(&flow, S, &reply(1, &[])), Probe::No);
    let flow = drive::flow(Transport::Tcp, 2049);
    let framed = marked(&ask, 1 << 20);
    for cut in 0..40 {
        assert_eq!(Rpc.probe(&flow, C, &framed[..cut]), Probe::Unsure, "{cut}");
    }
    assert_eq!(Rpc.probe(&flow, C, &framed), Probe::Yes);
    // The hello of SSL 2 begins with the same byte.
    assert_eq!(Rpc.probe(&flow, C, &[0x80, 0, 0, 0x2c, 1, 0, 2, 0, 3, 0, 0]), Probe::No);
}

proptest! {
    #[test]
    fn cuts_and_fragments_change_nothing(cut in 1_usize..3_000) {
        prop_assert_eq!(said(&tcp(&version_3(), cut, 1 << 20)), said(&tcp(&version_3(), 100_000, 1 << 20)));
        // Headers lie whole in the first fragment.
        prop_assert_eq!(said(&tcp(&version_3(), cut, 512)), said(&tcp(&version_3(), 100_000, 1 << 20)));
    }

    #[test]
    fn damage_and_noise_never_panic(cut in 1_usize..300, at in 0_usize..200, to: u8, noise: Vec<u8>) {
        let mut pieces = version_3();
        let place = at % pieces.len();
        let spot = at % pieces[place].1.len();
        pieces[place].1[spot] = to;
        tcp(&pieces, cut, 1 << 20);
        udp(&pieces);
        udp(&[(C, call(1, 100_003, 4, 1, &noise)), (S, reply(1, &noise)), (C, noise.clone()), (S, noise.clone())]);
        udp(&[(C, call(1, 100_005, 3, 5, &noise)), (S, reply(1, &noise)), (C, call(2, 100_000, 4, 4, &[])), (S, reply(2, &noise))]);
        for transport in [Transport::Tcp, Transport::Udp] {
            prop_assert_ne!(Rpc.probe(&drive::flow(transport, 111), C, &noise), Probe::Yes);
        }
    }
}
