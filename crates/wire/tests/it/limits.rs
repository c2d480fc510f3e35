//! At the limits: a scan against a full table, packets that are next to nothing or claim to be huge,
//! clocks and sequence numbers at their ends. Counts only, no seconds.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use crate::frames::*;
use crate::recorder::{Recorder, Run, ms};
use model::time::Timestamp;
use wire::{CloseReason, Config, EngineStats, Layer};

const DICOM: u16 = 104;

/// The `number`th SYN of a scan by host 9, each to another door.
fn probe(number: u32) -> Vec<u8> {
    let [_, a, b, c] = number.to_be_bytes();
    let segment = tcp((50_000, 1_000 + u16::from(a)), number, 0, SYN, b"");
    ethernet(9, 8, 0x0800, &ipv4(host(9), Ipv4Addr::new(172, 16, b, c), 6, &segment))
}

/// A clinical connection, of host 1 from the port given, and its question and answer number `turn`.
fn associate(run: &mut Run, at: i64, port: u16) {
    let (a, b) = ((1, port), (2, DICOM));
    run.frame(at, &tcp_frame(a, b, 100, 0, SYN, b""));
    run.frame(at, &tcp_frame(b, a, 500, 101, SYN | ACK, b""));
    run.frame(at, &tcp_frame(a, b, 101, 501, ACK, b""));
}

fn speak(run: &mut Run, at: i64, port: u16, turn: u32) {
    let (a, b) = ((1, port), (2, DICOM));
    let (sent, heard) = (101 + turn * 5, 501 + turn * 4);
    run.frame(at, &tcp_frame(a, b, sent, heard, ACK | PSH, b"C-ECH"));
    run.frame(at, &tcp_frame(b, a, heard, sent + 5, ACK | PSH, b"0000"));
}

/// What came is where it should be: every flow is open, or closed for a reason, and every eviction has
/// its cause.
fn books_balance(stats: &EngineStats) {
    let closed: u64 = stats.closed.iter().sum();
    assert_eq!(stats.opened, stats.open_flows + closed, "{stats:?}");
    let evicted = stats.evicted;
    let causes = evicted.single_packet + evicted.idle + evicted.kept;
    assert_eq!(stats.closed[CloseReason::Evicted.index()], causes, "{stats:?}");
}

#[test]
fn a_scan_against_a_full_table_evicts_its_own_probes_and_no_clinical_connection() {
    const LIMIT: usize = 1_000;
    const CLINICAL: u16 = 200;
    const PROBES: u32 = 20_000;
    let mut run = Run::new(Config { max_flows: LIMIT, ..Config::default() });
    run.told.keep_port = Some(DICOM);
    for port in 0..CLINICAL {
        associate(&mut run, 0, 40_000 + port);
        speak(&mut run, 1, 40_000 + port, 0);
    }
    let memory_when_full = {
        (0..LIMIT as u32).for_each(|n| run.frame(2, &probe(n)));
        run.engine.stats().memory
    };
    (LIMIT as u32..PROBES).for_each(|n| run.frame(3 + i64::from(n) / 1_000, &probe(n)));
    for port in 0..CLINICAL {
        speak(&mut run, 100, 40_000 + port, 1);
    }
    let stats = run.engine.stats();
    let open = (u64::from(CLINICAL), LIMIT as u64 - u64::from(CLINICAL));
    assert_eq!(stats.opened, open.0 + u64::from(PROBES), "no clinical connection is opened twice");
    assert_eq!(stats.evicted.single_packet, u64::from(PROBES) - open.1);
    assert_eq!((stats.evicted.idle, stats.evicted.kept), (0, 0));
    assert_eq!((stats.open_flows, stats.peak_flows), (LIMIT as u64, LIMIT as u64));
    assert_eq!(stats.memory, memory_when_full, "a scan takes no memory beyond the limit");
    assert_eq!((stats.streams.gaps, stats.streams.missed_bytes), (0, 0));
    books_balance(&stats);
    assert_eq!(run.told.with("-> C-ECH").len(), 2 * usize::from(CLINICAL));
    let told = run.end();
    assert_eq!(told.with(">104 closed S1 end").len(), usize::from(CLINICAL));
}

#[test]
fn quiet_connections_go_before_clinical_ones_and_after_the_probes_of_a_scan() {
    let mut run = Run::new(Config { max_flows: 300, ..Config::default() });
    run.told.keep_port = Some(DICOM);
    for port in 0..100 {
        associate(&mut run, 0, 40_000 + port);
        run.frame(1, &udp_frame((3, 50_000 + port), (4, 53), b"q"));
        run.frame(2, &udp_frame((4, 53), (3, 50_000 + port), b"a"));
    }
    // New conversations of two packets each: only the first few find single packets to push out.
    for port in 0..500 {
        run.frame(10, &udp_frame((5, 20_000 + port), (4, 123), b"q"));
        run.frame(10, &udp_frame((4, 123), (5, 20_000 + port), b"a"));
    }
    let stats = run.engine.stats();
    assert_eq!((stats.evicted.single_packet, stats.evicted.idle), (0, 400));
    assert_eq!((stats.evicted.kept, stats.open_flows), (0, 300));
    let evicted = run.told.with("evicted");
    assert!(
        evicted[..100].iter().all(|line| line.contains(">53 ")),
        "those silent for longest first"
    );
    assert!(evicted.iter().all(|line| !line.contains(">104 ")));
    books_balance(&stats);
    // Where there is nothing else, one of them has to go, and the count says so.
    for port in 0..300 {
        associate(&mut run, 20, 41_000 + port);
    }
    let stats = run.engine.stats();
    assert_eq!(stats.evicted.idle + stats.evicted.kept, 400 + 300);
    assert_eq!(stats.evicted.kept, 100, "{:?}", stats.evicted);
    assert_eq!(stats.open_flows, 300);
    books_balance(&stats);
}

#[test]
fn a_row_of_clinical_connections_at_the_old_end_is_spared_however_long_it_is() {
    let mut run = Run::new(Config { max_flows: 300, ..Config::default() });
    run.told.keep_port = Some(DICOM);
    for port in 0..200 {
        associate(&mut run, 0, 40_000 + port);
    }
    // A scan of closed doors: each probe is answered, so that no flow has a single packet for long.
    for number in 0..1_000 {
        let door = (8, 1_000 + number);
        run.frame(10, &tcp_frame((9, 50_000), door, 7, 0, SYN, b""));
        run.frame(10, &tcp_frame(door, (9, 50_000), 0, 8, RST | ACK, b""));
    }
    for port in 0..200 {
        speak(&mut run, 20, 40_000 + port, 0);
    }
    let stats = run.engine.stats();
    assert_eq!(stats.opened, 200 + 1_000, "no clinical connection is opened twice");
    assert_eq!((stats.evicted.idle, stats.evicted.kept), (900, 0));
    books_balance(&stats);
}

#[test]
fn the_smaller_of_both_limits_counts_and_the_table_stays_within_its_memory() {
    const BYTES: usize = 4 << 20;
    let mut run = Run::new(Config { max_flow_bytes: BYTES, ..Config::default() });
    (0..100_000).for_each(|n| run.frame(0, &probe(n)));
    let stats = run.engine.stats();
    assert!(stats.peak_flows > 1_000, "{}", stats.peak_flows);
    // Tables that grow by doubling may take twice of what they need.
    assert!(stats.memory <= 2 * BYTES as u64, "{} bytes", stats.memory);
    assert_eq!(stats.evicted.single_packet, 100_000 - stats.peak_flows);
    books_balance(&stats);
}

#[test]
fn an_open_flow_takes_no_more_memory_than_it_did() {
    // A power of two, at which what grows by doubling has no room to spare.
    const FLOWS: u32 = 1 << 16;
    let mut run = Run::new(Config::default());
    (0..FLOWS).for_each(|n| run.frame(0, &probe(n)));
    let stats = run.engine.stats();
    assert_eq!(stats.open_flows, u64::from(FLOWS));
    let each = stats.memory / u64::from(FLOWS);
    assert!(each <= 560, "{each} bytes a flow");
}

#[test]
fn holes_in_many_streams_hold_no_more_than_allowed_and_lose_nothing_uncounted() {
    const HELD: usize = 64 << 10;
    let config = Config { max_held_bytes: HELD, ..Config::default() };
    let mut run = Run::new(config);
    let before = run.engine.stats().memory;
    let block = [7; 1_000];
    for port in 0..200 {
        associate(&mut run, 0, 30_000 + port);
    }
    let tables = run.engine.stats().memory - before;
    for turn in 0..5 {
        for port in 0..200 {
            // Past a hole of one byte that nothing fills.
            let seq = 102 + turn * 1_000;
            run.frame(1, &tcp_frame((1, 30_000 + port), (2, DICOM), seq, 501, ACK, &block));
        }
    }
    let stats = run.engine.stats();
    let held = stats.memory.saturating_sub(before + tables);
    assert!(held <= 2 * HELD as u64, "{held} bytes are held");
    assert!(stats.streams.overflows > 0, "{:?}", stats.streams);
    let told = run.end();
    let delivered: usize = told
        .lines
        .iter()
        .filter(|line| line.contains("-> \u{7}"))
        .map(|l| l.matches('\u{7}').count())
        .sum();
    assert_eq!(delivered, 200 * 5 * 1_000, "a hole is given up, what is there is not");
    assert_eq!(told.with("gap of 1").len(), 200);
}

#[test]
fn a_stream_of_more_than_its_numbers_goes_on_past_their_end_again_and_again() {
    let mut run = Run::new(Config::default());
    let (a, b) = ((1, 40_000), (2, DICOM));
    let mut seq = u32::MAX - 10;
    run.frame(0, &tcp_frame(a, b, seq, 0, SYN, b""));
    run.frame(1, &tcp_frame(b, a, u32::MAX, seq.wrapping_add(1), SYN | ACK, b""));
    seq = seq.wrapping_add(1);
    // The sensor sees little of it, so that going round takes few packets.
    const LOST: u32 = 50_000;
    let mut sent = 0_u64;
    // Twice around, in both the number of the segment and that of its acknowledgement.
    while sent < 2 << 32 {
        seq = seq.wrapping_add(LOST);
        run.frame(2, &tcp_frame(a, b, seq, 0, ACK, b"ten bytes!"));
        seq = seq.wrapping_add(10);
        run.frame(2, &tcp_frame(b, a, 0, seq, ACK, b""));
        sent += u64::from(LOST) + 10;
        assert!(run.told.lines.iter().any(|line| line.ends_with("-> ten bytes!")), "{sent}");
        run.told.lines.clear();
    }
    let stats = run.engine.stats();
    assert_eq!((stats.opened, stats.open_flows), (1, 1));
    let rounds = sent / (u64::from(LOST) + 10);
    let streams = stats.streams;
    assert_eq!((streams.gaps, streams.missed_bytes), (rounds, rounds * u64::from(LOST)));
    assert_eq!((streams.conflicts, streams.out_of_window), (0, 0));
}

#[test]
fn empty_and_one_byte_packets_are_counted_as_what_they_are() {
    let mut run = Run::new(Config::default());
    for link in [0, 1, 101, 113, 276] {
        for bytes in [&b""[..], b"\0", b"\x45"] {
            run.engine.packet(ms(0), link, bytes.len(), bytes, &mut run.told);
        }
    }
    let stats = run.engine.stats();
    assert_eq!(stats.packets, 15);
    let none: u64 = stats.non_ip.sorted().iter().map(|(_, count)| count).sum();
    assert_eq!(stats.malformed_packets() + none, 15, "{stats:?}");
    assert_eq!((stats.opened, stats.flow_packets), (0, 0));
}

#[test]
fn lengths_that_cannot_be_true_take_no_memory_and_spoil_no_other_flow() {
    let mut run = Run::new(Config::default());
    associate(&mut run, 0, 40_000);
    let before = run.engine.stats().memory;
    let good = udp_frame((5, 1_000), (6, 2_000), b"data");
    // Total length of IP, its header length, length of UDP, data offset of TCP: each at its ends.
    for (at, values) in [(16, &[0, 0xff][..]), (14, &[0x40, 0x4f, 0x5f]), (38, &[0, 0xff])] {
        for value in values {
            let mut frame = good.clone();
            frame[at] = *value;
            frame[at + 1] = *value;
            run.frame(1, &frame);
        }
    }
    for offset in [0x00, 0x10, 0xf0] {
        let mut frame = tcp_frame((1, 40_000), (2, DICOM), 101, 501, ACK, b"x");
        frame[46] = offset;
        run.frame(1, &frame);
    }
    // What the capture says of the length on the wire may be anything.
    for wire_len in [0, 1, usize::MAX] {
        run.engine.packet(ms(1), 1, wire_len, &good, &mut run.told);
    }
    speak(&mut run, 2, 40_000, 0);
    let stats = run.engine.stats();
    assert_eq!(stats.packets, 3 + 7 + 3 + 3 + 2);
    assert!(stats.malformed[Layer::Ipv4.index()] > 0 && stats.malformed[Layer::Tcp.index()] > 0);
    assert!(stats.memory < before + (64 << 10), "{} bytes", stats.memory);
    assert_eq!(run.told.with("-> C-ECH").len(), 1);
    books_balance(&stats);
}

proptest! {
    /// Clocks that jump anywhere, a small table, connections that come, speak and go.
    #[test]
    fn whatever_clocks_and_tables_do_every_flow_is_accounted_for(
        steps in proptest::collection::vec((any::<i64>(), 0_u8..5, 0_u16..40), 1..300),
        limit in 1_usize..20,
    ) {
        let mut run = Run::new(Config { max_flows: limit, ..Config::default() });
        run.told.keep_port = Some(DICOM);
        for (time, what, port) in steps {
            // Every fourth time is anything at all, the others are within minutes.
            let at = if time % 4 == 0 { Timestamp::from_nanos(time) } else { ms(time % 300_000) };
            let frame = match what {
                0 => tcp_frame((1, 40_000 + port), (2, DICOM), 100, 0, SYN, b""),
                1 => tcp_frame((2, DICOM), (1, 40_000 + port), 500, 101, SYN | ACK, b""),
                2 => tcp_frame((1, 40_000 + port), (2, DICOM), 101, 501, ACK | FIN, b"bye"),
                3 => udp_frame((3, port), (4, 53), b"q"),
                _ => probe(u32::from(port)),
            };
            run.engine.packet(at, 1, frame.len(), &frame, &mut run.told);
            prop_assert!(run.engine.stats().open_flows <= limit as u64);
        }
        books_balance(&run.engine.stats());
        let Recorder { lines, .. } = {
            run.engine.finish(&mut run.told);
            books_balance(&run.engine.stats());
            prop_assert_eq!(run.engine.stats().open_flows, 0);
            run.told
        };
        let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
        prop_assert_eq!(count(" opened"), count(" closed "));
    }
}
