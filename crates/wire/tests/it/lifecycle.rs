//! Flows from the first packet to the end: who called, whether it was answered, what was reported.

use crate::frames::*;
use crate::recorder::Run;
use model::time::Timestamp;
use wire::Config;

const A: (u8, u16) = (1, 40_000);
const B: (u8, u16) = (2, 104);

fn handshake(run: &mut Run, at: i64, isn: u32) {
    run.frame(at, &tcp_frame(A, B, isn, 0, SYN, b""));
    run.frame(at + 1, &tcp_frame(B, A, 500, isn.wrapping_add(1), SYN | ACK, b""));
    run.frame(at + 2, &tcp_frame(A, B, isn.wrapping_add(1), 501, ACK, b""));
}

#[test]
fn a_whole_connection_is_told_in_order() {
    let mut run = Run::new(Config::default());
    handshake(&mut run, 0, 100);
    run.frame(10, &tcp_frame(A, B, 101, 501, ACK | PSH, b"hello"));
    run.frame(20, &tcp_frame(B, A, 501, 106, ACK | PSH, b"world"));
    run.frame(30, &tcp_frame(A, B, 106, 506, ACK | FIN, b""));
    run.frame(40, &tcp_frame(B, A, 506, 107, ACK | FIN, b""));
    run.frame(41, &tcp_frame(A, B, 107, 507, ACK, b""));
    run.frame(2_000, &tcp_frame(B, A, 506, 107, ACK | FIN, b""));
    run.pass(20_000);
    assert_eq!(
        run.told.text(),
        "0 40000>104 opened\n\
         1 40000>104 established\n\
         10 40000>104 -> hello\n\
         20 40000>104 <- world\n\
         5000 40000>104 report [5, 4] packets [205, 165] bytes\n\
         7000 40000>104 closed SF fin"
    );
    let stats = run.engine.stats();
    assert_eq!((stats.opened, stats.open_flows, stats.streams.missed_bytes), (1, 0, 0));
}

#[test]
fn a_flow_knows_from_its_first_packet_whether_it_began_with_a_syn() {
    let mut run = Run::new(Config::default());
    run.frame(0, &tcp_frame(A, B, 100, 0, SYN, b""));
    run.frame(1, &tcp_frame((3, 50_000), B, 7, 7, ACK | PSH, b"midway"));
    run.frame(2, &tcp_frame(B, (4, 50_001), 7, 7, SYN | ACK, b""));
    assert_eq!(run.told.began_with_syn, [true, false, true]);
}

#[test]
fn a_call_without_answer_is_unanswered_once_and_over_after_half_a_minute() {
    let mut run = Run::new(Config::default());
    for (at, number) in [(0, 100), (1_000, 100), (3_500, 100)] {
        run.frame(at, &tcp_frame(A, B, number, 0, SYN, b""));
    }
    run.pass(100_000);
    assert_eq!(
        run.told.text(),
        "0 40000>104 opened\n\
         3000 40000>104 unanswered\n\
         5000 40000>104 report [3, 0] packets [120, 0] bytes\n\
         33500 40000>104 closed S0 timeout"
    );
}

#[test]
fn a_reset_in_answer_to_a_syn_is_a_refusal() {
    let mut run = Run::new(Config::default());
    run.frame(0, &tcp_frame(A, B, 100, 0, SYN, b""));
    run.frame(1, &tcp_frame(B, A, 0, 101, RST | ACK, b""));
    // Windows tries again with the same number; a new try has another one.
    run.frame(500, &tcp_frame(A, B, 100, 0, SYN, b""));
    run.frame(501, &tcp_frame(B, A, 0, 101, RST | ACK, b""));
    run.frame(600, &tcp_frame(A, B, 9_100, 0, SYN, b""));
    run.frame(601, &tcp_frame(B, A, 0, 9_101, RST | ACK, b""));
    let told = run.end();
    assert_eq!(told.with("opened").len(), 2);
    assert_eq!(told.with("refused"), ["1 40000>104 refused", "601 40000>104 refused"]);
    assert_eq!(told.with("closed REJ rst").len(), 2);
}

#[test]
fn an_icmp_error_refuses_the_flow_that_it_quotes() {
    let mut run = Run::new(Config::default());
    let question = udp_frame((1, 5_000), (2, 161), b"?");
    run.frame(0, &question);
    let mut quote = vec![0, 0, 0, 0];
    quote.extend(&question[14..14 + 28]);
    run.frame(5, &icmp_frame(9, 1, 3, 3, &quote));
    // One that quotes the other direction, or says "fragmentation needed", refuses nothing.
    run.frame(10, &udp_frame((1, 5_001), (2, 161), b"?"));
    let mut backwards = vec![0, 0, 0, 0];
    backwards.extend(&udp_frame((2, 161), (1, 5_001), b"!")[14..]);
    run.frame(11, &icmp_frame(9, 2, 3, 3, &backwards));
    let mut large = vec![0, 0, 5, 0];
    large.extend(&udp_frame((1, 5_001), (2, 161), b"?")[14..]);
    run.frame(12, &icmp_frame(9, 1, 3, 4, &large));
    run.pass(9_000);
    assert_eq!(run.told.with("refused"), ["5 5000>161 refused"]);
    assert_eq!(run.told.with("unanswered"), ["5100 5001>161 unanswered"]);
    assert_eq!(run.told.with("3>3 opened").len() + run.told.with("3>4 opened").len(), 3);
}

#[test]
fn udp_is_established_by_the_first_packet_back() {
    let mut run = Run::new(Config::default());
    run.frame(0, &udp_frame((1, 5_000), (2, 53), b"query"));
    run.frame(3, &udp_frame((2, 53), (1, 5_000), b"answer"));
    run.pass(400_000);
    assert_eq!(
        run.told.text(),
        "0 5000>53 opened\n0 5000>53 -> query\n3 5000>53 established\n3 5000>53 <- answer\n\
         5000 5000>53 report [1, 1] packets [33, 34] bytes\n180100 5000>53 closed SF timeout"
    );
}

#[test]
fn what_is_sent_to_a_group_is_never_unanswered() {
    let mut run = Run::new(Config::default());
    let datagram = udp(5_000, 5_353, b"who");
    let group = [224, 0, 0, 251].into();
    run.frame(0, &ethernet(1, 9, 0x0800, &ipv4(host(1), group, 17, &datagram)));
    // A broadcast within a subnet whose mask nobody knows: the frame's address tells.
    let mut frame = ethernet(1, 9, 0x0800, &ipv4(host(1), host(255), 17, &udp(5_001, 137, b"x")));
    frame[..6].fill(0xff);
    run.frame(0, &frame);
    run.pass(60_000);
    assert_eq!(run.told.with("opened").len(), 2);
    assert!(run.told.with("unanswered").is_empty());
}

#[test]
fn an_echo_is_one_flow_and_its_asker_the_originator_even_if_only_the_answer_is_seen() {
    let mut run = Run::new(Config::default());
    run.frame(0, &icmp_frame(1, 2, 8, 0, b"\0\x01\0\x01ping"));
    run.frame(1, &icmp_frame(2, 1, 0, 0, b"\0\x01\0\x01ping"));
    run.frame(2, &icmp_frame(4, 3, 0, 0, b"\0\x01\0\x01ping"));
    let told = run.end();
    assert_eq!(told.with("opened").len(), 2);
    assert_eq!(told.with("8>0 established").len(), 1);
    assert_eq!(told.with("8>0 <-").len(), 2);
}

#[test]
fn in_the_middle_of_a_connection_the_ports_tell_who_called() {
    let mut run = Run::new(Config::default());
    run.frame(0, &tcp_frame((2, 104), (1, 40_000), 77, 99, ACK, b"data"));
    run.frame(1, &tcp_frame((2, 11_112), (1, 50_000), 77, 99, ACK, b"data"));
    run.frame(2, &tcp_frame((1, 3_000), (2, 2_000), 77, 99, ACK, b"data"));
    run.frame(3, &tcp_frame((2, 443), (1, 50_001), 500, 101, SYN | ACK, b""));
    run.frame(10, &tcp_frame((1, 40_000), (2, 104), 99, 81, ACK, b"more"));
    run.pass(10_000);
    assert_eq!(run.told.with("40000>104 <- data").len(), 1);
    assert_eq!(run.told.with("50000>11112 <- data").len(), 1);
    assert_eq!(run.told.with("3000>2000 -> data").len(), 1);
    assert_eq!(
        run.told.with("established"),
        ["3 50001>443 established", "10 40000>104 established"]
    );
    assert!(run.told.with("unanswered").is_empty(), "it is not known when these began");
}

#[test]
fn ports_that_are_used_again_make_a_new_flow() {
    let mut run = Run::new(Config::default());
    handshake(&mut run, 0, 100);
    run.frame(10, &tcp_frame(A, B, 101, 501, RST, b""));
    handshake(&mut run, 20, 70_000);
    // Neither end was seen, and the responder agrees to a new number.
    handshake(&mut run, 1_000, 4_000_000);
    run.frame(1_010, &tcp_frame(A, B, 4_000_001, 501, ACK, b"third"));
    // Long silent.
    run.pass(200_000);
    handshake(&mut run, 200_000, 9);
    run.frame(200_010, &tcp_frame(A, B, 10, 501, ACK, b"fourth"));
    let told = run.end();
    assert_eq!(told.with("opened").len(), 4);
    assert_eq!(told.with("established").len(), 4);
    assert_eq!(told.with("third").len() + told.with("fourth").len(), 2);
    assert_eq!(told.with("closed").len(), 4);
    assert_eq!(told.with("closed RSTO rst").len(), 1);
}

#[test]
fn a_forged_reset_ends_nothing() {
    let mut run = Run::new(Config::default());
    handshake(&mut run, 0, 100);
    run.frame(10, &tcp_frame(B, A, 3_000_000_000, 0, RST, b""));
    run.frame(60_000, &tcp_frame(A, B, 101, 501, ACK, b"still here"));
    let told = run.end();
    assert_eq!(told.with("opened").len(), 1);
    assert_eq!(told.with("closed S1 end").len(), 1);
}

#[test]
fn many_bytes_and_many_packets_bring_reports_before_time_does() {
    let mut run = Run::new(Config::default());
    handshake(&mut run, 0, 100);
    let block = vec![7; 60_000];
    for turn in 0..20 {
        let seq = 101 + turn * 60_000;
        run.frame(10 + i64::from(turn), &tcp_frame(A, B, seq, 501, ACK, &block));
    }
    assert_eq!(run.told.with("report").len(), 1, "after a mebibyte");
    let small = tcp_frame(B, A, 501, 101, ACK, b"");
    (0..1_500).for_each(|turn| run.frame(40 + turn / 10, &small));
    assert_eq!(run.told.with("report").len(), 1, "not within 200 ms");
    run.frame(300, &small);
    assert_eq!(run.told.with("report").len(), 2, "after a thousand packets");
    run.pass(20_000);
    let told = run.end();
    let sum = |place: usize| -> u64 {
        let counts = told.with("report").into_iter();
        counts
            .map(|line| {
                line.split(['[', ',', ']']).nth(place).unwrap().trim().parse::<u64>().unwrap()
            })
            .sum()
    };
    assert_eq!((sum(1), sum(2)), (22, 1_502), "reports add up: {:?}", told.with("report"));
}

#[test]
fn a_clock_that_jumps_ahead_by_years_and_back_ends_flows_but_not_the_engine() {
    let mut run = Run::new(Config::default());
    run.frame(0, &udp_frame((1, 5_000), (2, 53), b"a"));
    let frame = udp_frame((1, 5_001), (2, 53), b"b");
    let future = Timestamp::from_parts(9_000_000_000, 0);
    run.engine.packet(future, 1, frame.len(), &frame, &mut run.told);
    run.frame(10, &udp_frame((1, 5_002), (2, 53), b"c"));
    run.engine.packet(Timestamp::MIN, 1, frame.len(), &frame, &mut run.told);
    run.frame(20, &udp_frame((1, 5_003), (2, 53), b"d"));
    run.pass(90_000);
    assert_eq!(run.told.with("5000>53 closed"), ["60000 5000>53 closed S0 timeout"]);
    assert_eq!(run.told.with("5003>53 closed").len(), 1, "timers still go off");
    assert_eq!(run.engine.stats().open_flows, 0);
}

#[test]
fn a_full_table_throws_out_single_packets_then_the_idle_and_kept_flows_last() {
    let mut run = Run::new(Config { max_flows: 4, ..Config::default() });
    run.told.keep_port = Some(104);
    for (at, port, server) in [(0, 1, 104), (10, 2, 80), (20, 3, 80), (30, 4, 80)] {
        run.frame(at, &udp_frame((1, port), (2, server), b"a"));
        if port != 4 {
            run.frame(at + 1, &udp_frame((2, server), (1, port), b"b"));
        }
    }
    // Flow 2 was idle for longest, until now.
    run.frame(40, &udp_frame((1, 2), (2, 80), b"c"));
    for (at, port) in [(50, 5), (60, 6), (70, 7), (80, 8)] {
        run.frame(at, &udp_frame((1, port), (2, 80), b"a"));
        run.frame(at + 1, &udp_frame((2, 80), (1, port), b"b"));
    }
    let evicted: Vec<&str> = run.told.with("evicted");
    assert_eq!(evicted[0], "50 4>80 closed S0 evicted", "the single packet first");
    assert_eq!(evicted[1], "60 3>80 closed SF evicted", "then the one idle for longest");
    assert!(evicted.iter().all(|line| !line.contains(">104 ")), "{evicted:?}");
    let stats = run.engine.stats();
    assert_eq!((stats.evicted.single_packet, stats.evicted.idle, stats.evicted.kept), (1, 3, 0));
    assert_eq!((stats.open_flows, stats.peak_flows), (4, 4));
    // Nothing but kept flows: then one of them has to go.
    run.told.keep_port = Some(80);
    run.frame(90, &udp_frame((1, 9), (2, 443), b"a"));
    run.frame(91, &udp_frame((2, 443), (1, 9), b"a"));
    run.told.keep_port = None;
    assert!(run.engine.stats().evicted.idle >= 3);
    assert_eq!(run.engine.stats().open_flows, 4);
}

#[test]
fn only_kept_flows_left_means_that_the_oldest_of_them_goes() {
    let mut run = Run::new(Config { max_flows: 2, ..Config::default() });
    run.told.keep_port = Some(104);
    for port in 1..=3 {
        run.frame(i64::from(port), &udp_frame((1, port), (2, 104), b"a"));
        run.frame(i64::from(port), &udp_frame((2, 104), (1, port), b"b"));
    }
    assert_eq!(run.told.with("evicted"), ["3 1>104 closed SF evicted"]);
    assert_eq!(run.engine.stats().evicted.kept, 1);
}

#[test]
fn memory_settles_on_steady_traffic() {
    let mut run = Run::new(Config::default());
    let round = |run: &mut Run, turn: i64| {
        for port in 0..200 {
            let at = turn * 400_000 + i64::from(port);
            run.frame(at, &udp_frame((1, 2_000 + port), (2, 53), b"query"));
            run.frame(at, &udp_frame((2, 53), (1, 2_000 + port), b"answer"));
        }
        run.told.lines.clear();
    };
    (0..3).for_each(|turn| round(&mut run, turn));
    let settled = run.engine.stats().memory;
    (3..30).for_each(|turn| round(&mut run, turn));
    assert_eq!(run.engine.stats().memory, settled);
}
