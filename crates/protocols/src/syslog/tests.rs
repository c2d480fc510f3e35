//! Framing and probing.

use super::*;
use model::observation::Observation;
use wire::chunk::Chunk;

use crate::drive;

fn udp(datagrams: &[&[u8]]) -> Vec<Observation> {
    let pieces: Vec<_> =
        datagrams.iter().map(|bytes| (Direction::Forward, Chunk::Datagram(bytes))).collect();
    drive::run(&Syslog, drive::flow(Transport::Udp, 514), &pieces)
}

fn tcp(chunks: &[Chunk<'_>]) -> Vec<Observation> {
    let pieces: Vec<_> = chunks.iter().map(|chunk| (Direction::Forward, *chunk)).collect();
    drive::run(&Syslog, drive::flow(Transport::Tcp, 601), &pieces)
}

fn apps(seen: &[Observation]) -> Vec<&str> {
    seen.iter()
        .map(|o| o.str(if o.is("syslog.message") { "app" } else { "what" }).unwrap_or(""))
        .collect()
}

#[test]
fn each_datagram_is_a_message_and_a_bad_one_an_anomaly() {
    let seen =
        udp(&[b"<34>Oct 11 22:14:15 mon1 app: x\n", b"nonsense", b"<13>1 - h a2 - - - y", b""]);
    assert_eq!(apps(&seen), ["app", "message without priority", "a2"]);
    assert_eq!(seen[0].uint("bytes"), Some(31));
    assert_eq!((seen[0].uint("facility"), seen[0].uint("severity")), (Some(4), Some(2)));
}

#[test]
fn counted_and_line_framed_messages_may_follow_each_other() {
    let seen = tcp(&[Chunk::Stream(
        b"20 <13>1 - h a1 - - - x<13>1 - h a2 - - - y\n<13>1 - h a3 - - -\r\n20 <13>1 - h a4 - - - z",
    )]);
    assert_eq!(apps(&seen), ["a1", "a2", "a3", "a4"]);
    assert_eq!(seen[0].uint("bytes"), Some(20));
}

#[test]
fn lines_after_the_first_of_a_message_belong_to_it() {
    let seen = tcp(&[Chunk::Stream(
        b"<13>1 - h a1 - - - trace\n  at line 5\n42 is no count\n7 nor this\n<13>1 - h a2 - - - y\n",
    )]);
    assert_eq!(apps(&seen), ["a1", "a2"]);
}

#[test]
fn after_a_gap_the_next_line_is_found() {
    let seen = tcp(&[
        Chunk::Stream(b"<13>1 - h a1 - - - x\n<13>1 - h lo"),
        Chunk::Gap(100),
        Chunk::Stream(b"st of it\n<13>1 - h a2 - - - y\n"),
    ]);
    assert_eq!(apps(&seen), ["a1", "a2"]);
}

#[test]
fn an_endless_line_ends_the_flow() {
    let seen = tcp(&[Chunk::Stream(b"<13>1 - h a - - - "), Chunk::Stream(&[b'x'; 70_000])]);
    assert_eq!(apps(&seen), ["line longer than 64 KiB"]);
}

#[test]
fn probe_asks_for_a_time_stamp_unless_the_port_is_syslogs_own() {
    let ask = |transport, port, start: &str| {
        drive::probe(&Syslog, &drive::flow(transport, port), Direction::Forward, start.as_bytes())
    };
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    assert_eq!(ask(udp, 9_000, "<34>1 2003-10-11T22:14:15Z h a - - -"), Probe::Yes);
    assert_eq!(ask(udp, 9_000, "<34>1 - h a - - -"), Probe::Yes);
    assert_eq!(ask(udp, 9_000, "<34>Oct 11 22:14:15 h a: x"), Probe::Yes);
    assert_eq!(ask(tcp, 9_000, "88 <34>Oct 11 22:14:15 h a: x"), Probe::Yes);
    assert_eq!(ask(tcp, 9_000, "88 <34"), Probe::Unsure);
    assert_eq!(ask(udp, 9_000, "<34>some text without time"), Probe::Unsure);
    assert_eq!(ask(udp, 514, "<34>some text without time"), Probe::Yes);
    for other in [
        "<html><body>",
        "<?xml version=\"1.0\"?>",
        "<192>1 - h a",
        "GET / HTTP/1.1",
        "220 smtp",
        "<34>\u{1}\u{2}\u{3}\u{4}",
    ] {
        assert_eq!(ask(udp, 9_000, other), Probe::No, "{other}");
        assert_eq!(ask(tcp, 9_000, other), Probe::No, "{other}");
    }
}
