use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

type Piece<'a> = (Direction, &'a [u8]);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

fn run(pieces: &[Piece<'_>], cut: usize) -> Vec<Observation> {
    let cuts: Vec<_> = pieces
        .iter()
        .flat_map(|(dir, bytes)| bytes.chunks(cut).map(|c| (*dir, Chunk::Stream(c))))
        .collect();
    drive::run(&Lpd, drive::flow(Transport::Tcp, 515), &cuts)
}

fn said(seen: &[Observation]) -> Vec<String> {
    seen.iter().map(|o| format!("{} {:?}", o.kind.name, o.fields().collect::<Vec<_>>())).collect()
}

fn probe_on(port: u16, start: &[u8]) -> Probe {
    Lpd.probe(&drive::flow(Transport::Tcp, port), C, start)
}

const JOB: &[Piece<'_>] = &[
    (C, b"\x02labels\n"),
    (S, b"\0"),
    (C, b"\x0242 cfA001ward4\n"),
    (S, b"\0"),
    (C, b"Hward4\nPnurse7\nJDOE JANE\nldfA001\nNdoe.pdf\n\0"),
    (S, b"\0"),
    (C, b"\x0310 dfA001ward4\n"),
    (S, b"\0"),
    (C, b"0123\n56\x0289\0"),
    (S, b"\0"),
];

#[test]
fn a_job_is_said_file_by_file() {
    let control = JOB[4].1.len() - 1;
    assert_eq!(control, 42, "the announced size");
    let seen = run(JOB, 1_000);
    assert_eq!(seen.len(), 3);
    let of = |o: &Observation, name| o.str(name).unwrap_or("-").to_owned();
    assert_eq!(
        (of(&seen[0], "command"), of(&seen[0], "queue")),
        ("receive_job".into(), "labels".into())
    );
    assert_eq!(
        (of(&seen[1], "part"), of(&seen[1], "user"), of(&seen[1], "host")),
        ("control".into(), "nurse7".into(), "ward4".into())
    );
    assert!(seen[1].token("job").is_some() && seen[1].token("file").is_some());
    assert_eq!((of(&seen[2], "part"), seen[2].uint("bytes")), ("data".into(), Some(10)));
    assert!(!said(&seen).concat().contains("DOE") && !said(&seen).concat().contains("doe"));
}

#[test]
fn queues_and_orders_are_told_apart() {
    let seen = run(&[(C, b"\x04labels nurse7 12\n"), (S, b"labels is ready\n")], 1_000);
    assert_eq!((seen[0].str("command"), seen[0].uint("bytes")), (Some("queue_long"), Some(16)));
    let seen = run(&[(C, b"\x05labels root 12 13\n"), (S, b"\x01")], 1_000);
    assert_eq!((seen[0].str("agent"), seen[0].str("outcome")), (Some("root"), Some("refused")));
    let seen = run(&[(C, b"\x01labels\n")], 1_000);
    assert_eq!(
        (seen[0].str("command"), seen[0].str("outcome")),
        (Some("print_waiting"), Some("unanswered"))
    );
}

#[test]
fn vital_signs_on_the_printers_port_are_no_print_job() {
    let streams: [&[u8]; 9] = [
        b"\x0bMSH|^~\\&|MONITOR|BED7|\r",
        b"\x02\x00\x00\x2a\x48\x52\x00\x50\n",
        b"\x02HR=72;SPO2=98;NIBP=120/80\nHR=73\n",
        b"\x02BED7 HR 72\n",
        b"\x02BED7\r\n",
        b"\x03\xff\x10\x00",
        b"\x01\x00",
        b"HR:72\n",
        b"\x02\n",
    ];
    for stream in streams {
        assert_eq!(probe_on(515, stream), Probe::No, "{stream:?}");
    }
}

#[test]
fn another_port_needs_a_job_with_its_file() {
    assert_eq!(probe_on(515, b"\x02labels\n"), Probe::Yes);
    assert_eq!(probe_on(1515, b"\x02labels\n"), Probe::Unsure);
    assert_eq!(probe_on(1515, b"\x02labels\n\x0242 c"), Probe::Unsure);
    assert_eq!(probe_on(1515, b"\x02labels\n\x0242 cfA1"), Probe::Yes);
    assert_eq!(probe_on(1515, b"\x03labels\n"), Probe::No);
    assert_eq!((probe_on(515, b"\x02lab"), probe_on(515, b"")), (Probe::Unsure, Probe::Unsure));
    // An analyser's frame begins with the same byte.
    assert_eq!(probe_on(515, b"\x021H|\\^&|||x\r"), Probe::No);
}

#[test]
fn hostile_sizes_end_it() {
    let huge: &[Piece<'_>] = &[(C, b"\x02q\n\x029999999999 cfA\n")];
    assert_eq!(run(huge, 5)[0].str("what"), Some("no command"));
    let endless: &[Piece<'_>] = &[(C, b"\x02q\n\x0318446744073709551615 dfA\nxxxx"), (S, b"\0\0")];
    assert_eq!(run(endless, 5).len(), 1);
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..60) {
        prop_assert_eq!(said(&run(JOB, cut)), said(&run(JOB, 10_000)));
    }

    #[test]
    fn noise_never_panics_and_is_not_recognised(noise: Vec<u8>, cut in 1_usize..30, at in 0_usize..10, spot in 0_usize..50, to: u8) {
        let mut pieces: Vec<_> = JOB.iter().map(|(dir, bytes)| (*dir, bytes.to_vec())).collect();
        let place = spot % pieces[at].1.len();
        pieces[at].1[place] = to;
        let pieces: Vec<_> = pieces.iter().map(|(dir, bytes)| (*dir, &bytes[..])).collect();
        run(&pieces, cut);
        run(&[(C, &noise), (S, &noise)], cut);
        prop_assert_ne!(probe_on(9100, &noise), Probe::Yes);
    }
}
