//! Streams as the layer above sees them, across both directions of a connection.

use crate::frames::*;
use crate::recorder::Run;
use wire::Config;

const A: (u8, u16) = (1, 40_000);
const B: (u8, u16) = (2, 104);

fn connected() -> Run {
    let mut run = Run::new(Config::default());
    run.frame(0, &tcp_frame(A, B, 100, 0, SYN, b""));
    run.frame(1, &tcp_frame(B, A, 500, 101, SYN | ACK, b""));
    run.frame(2, &tcp_frame(A, B, 101, 501, ACK, b""));
    run
}

fn data(run: &Run) -> Vec<&str> {
    let arrows = |line: &&String| line.contains("->") || line.contains("<-");
    run.told.lines.iter().filter(arrows).map(|line| line.split_once("104 ").unwrap().1).collect()
}

#[test]
fn a_lost_request_is_a_gap_before_the_answer_that_acknowledges_it() {
    let mut run = connected();
    run.frame(20, &tcp_frame(A, B, 108, 501, ACK, b"second"));
    assert!(data(&run).is_empty());
    run.frame(30, &tcp_frame(B, A, 501, 114, ACK, b"answer"));
    assert_eq!(data(&run), ["-> gap of 7", "-> second", "<- answer"]);
    let stats = run.engine.stats().streams;
    assert_eq!((stats.gaps, stats.missed_bytes, stats.out_of_order), (1, 7, 1));
}

#[test]
fn a_hole_one_way_does_not_stop_the_other() {
    let mut run = connected();
    run.frame(20, &tcp_frame(A, B, 105, 501, ACK, b"late"));
    run.frame(21, &tcp_frame(B, A, 501, 101, ACK, b"other way"));
    run.frame(22, &tcp_frame(A, B, 101, 510, ACK, b"now "));
    assert_eq!(data(&run), ["<- other way", "-> now ", "-> late"]);
}

#[test]
fn a_hole_on_a_quiet_connection_is_given_up_after_some_seconds() {
    let mut run = connected();
    run.frame(20, &tcp_frame(A, B, 105, 501, ACK, b"vitals"));
    run.pass(60_000);
    assert_eq!(data(&run), ["-> gap of 4", "-> vitals"]);
}

#[test]
fn without_the_syn_ack_the_streams_still_begin_where_they_should() {
    let mut run = Run::new(Config::default());
    run.frame(0, &tcp_frame(A, B, 100, 0, SYN, b""));
    run.frame(2, &tcp_frame(A, B, 101, 501, ACK, b""));
    run.frame(3, &tcp_frame(B, A, 506, 101, ACK, b"world"));
    run.frame(4, &tcp_frame(B, A, 501, 101, ACK, b"hello"));
    assert_eq!(data(&run), ["<- hello", "<- world"]);
    assert_eq!(run.told.with("established").len(), 1);
}

#[test]
fn sequence_numbers_wrap_around() {
    let mut run = Run::new(Config::default());
    let isn = u32::MAX - 3;
    run.frame(0, &tcp_frame(A, B, isn, 0, SYN, b""));
    run.frame(1, &tcp_frame(B, A, 500, isn + 1, SYN | ACK, b""));
    run.frame(2, &tcp_frame(A, B, 3, 501, ACK, b"ghi"));
    run.frame(3, &tcp_frame(A, B, isn + 1, 501, ACK, b"abcdef"));
    assert_eq!(data(&run), ["-> abcdef", "-> ghi"]);
}

#[test]
fn data_in_the_syn_comes_first() {
    let mut run = Run::new(Config::default());
    run.frame(0, &tcp_frame(A, B, 100, 0, SYN, b"early "));
    run.frame(1, &tcp_frame(B, A, 500, 107, SYN | ACK, b""));
    run.frame(2, &tcp_frame(A, B, 107, 501, ACK, b"later"));
    assert_eq!(data(&run), ["-> early ", "-> later"]);
}

#[test]
fn a_capture_that_cuts_packets_short_still_follows_the_stream() {
    let mut run = connected();
    let frame = tcp_frame(A, B, 101, 501, ACK, b"0123456789");
    let cut = &frame[..frame.len() - 6];
    run.engine.packet(crate::recorder::ms(9), 1, frame.len(), cut, &mut run.told);
    run.frame(10, &tcp_frame(A, B, 111, 501, ACK, b"next"));
    assert_eq!(data(&run), ["-> 0123", "-> gap of 6", "-> next"]);
}

#[test]
fn what_waits_is_delivered_when_the_flow_ends() {
    let mut run = connected();
    run.frame(20, &tcp_frame(A, B, 105, 501, ACK, b"late"));
    let told = run.end();
    assert_eq!(told.with("late").len(), 1);
    assert!(told.lines.last().unwrap().contains("closed S1 end"));
}
