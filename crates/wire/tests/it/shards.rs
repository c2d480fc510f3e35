//! What must not change what is told: the number of shards, the seed, the direction.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::frames::*;
use crate::recorder::{Recorder, Run};
use wire::{Config, Shard};

/// A frame of traffic among few hosts and ports, so that flows meet each other.
#[derive(Debug, Clone)]
enum Sent {
    Tcp { from: u8, to: u8, port: u16, seq: u32, ack: u32, flags: u8, size: usize },
    Udp { from: u8, to: u8, port: u16, size: usize },
    Echo { from: u8, to: u8, answer: bool },
    Unreachable { from: u8, to: u8, about: u8, port: u16 },
    Mirrored { from: u8, to: u8, port: u16, pieces: bool },
    Pieces { from: u8, to: u8, port: u16 },
    Broken { from: u8, to: u8, at: usize, value: u8 },
}

fn sent() -> impl Strategy<Value = Sent> {
    let hosts = || (1_u8..6, 1_u8..6);
    let flags = prop_oneof![
        Just(SYN),
        Just(SYN | ACK),
        Just(ACK),
        Just(ACK | PSH),
        Just(ACK | FIN),
        Just(RST)
    ];
    prop_oneof![
        8 => (hosts(), 0_u16..3, (0_u32..300, 0_u32..300), flags, 0_usize..40).prop_map(
            |((from, to), port, (seq, ack), flags, size)| Sent::Tcp { from, to, port, seq, ack, flags, size }),
        4 => (hosts(), 0_u16..4, 0_usize..40).prop_map(|((from, to), port, size)| Sent::Udp { from, to, port, size }),
        1 => (hosts(), any::<bool>()).prop_map(|((from, to), answer)| Sent::Echo { from, to, answer }),
        2 => (hosts(), 1_u8..6, 0_u16..4).prop_map(|((from, to), about, port)| Sent::Unreachable { from, to, about, port }),
        1 => (hosts(), 0_u16..4, any::<bool>()).prop_map(|((from, to), port, pieces)| Sent::Mirrored { from, to, port, pieces }),
        1 => (hosts(), 0_u16..4).prop_map(|((from, to), port)| Sent::Pieces { from, to, port }),
        1 => (hosts(), 14_usize..50, any::<u8>()).prop_map(|((from, to), at, value)| Sent::Broken { from, to, at, value }),
    ]
}

/// Ports of both sides; from higher to lower host numbers they are swapped.
fn ports(from: u8, to: u8, port: u16) -> (u16, u16) {
    if from <= to { (50_000 + port, 100 + port) } else { (100 + port, 50_000 + port) }
}

/// Cuts the IP packet of a frame in two.
fn in_pieces(frame: &[u8], id: u16) -> Vec<Vec<u8>> {
    let (src, dst) = (frame[29], frame[33]);
    let payload = &frame[34..];
    let middle = (payload.len() / 2 / 8 * 8).max(8);
    let piece = |field: u16, bytes: &[u8]| {
        ethernet(src, dst, 0x0800, &ipv4_piece(host(src), host(dst), frame[23], id, field, bytes))
    };
    vec![piece(0x2000, &payload[..middle]), piece((middle / 8) as u16, &payload[middle..])]
}

fn frames(sent: &Sent, number: usize) -> Vec<Vec<u8>> {
    let data = [number as u8; 64];
    match *sent {
        Sent::Tcp { from, to, port, seq, ack, flags, size } => {
            let (src, dst) = ports(from, to, port);
            vec![tcp_frame((from, src), (to, dst), seq, ack, flags, &data[..size])]
        }
        Sent::Udp { from, to, port, size } => {
            let (src, dst) = ports(from, to, port);
            vec![udp_frame((from, src), (to, dst), &data[..size])]
        }
        Sent::Echo { from, to, answer } => {
            vec![icmp_frame(from, to, if answer { 0 } else { 8 }, 0, &data[..8])]
        }
        Sent::Unreachable { from, to, about, port } => {
            let (src, dst) = ports(to, about, port);
            let mut rest = vec![0; 4];
            rest.extend(&udp_frame((to, src), (about, dst), b"quoted")[14..]);
            vec![icmp_frame(from, to, 3, 3, &rest)]
        }
        Sent::Mirrored { from, to, port, pieces } => {
            let (src, dst) = ports(from, to, port);
            let inner = udp_frame((from, src), (to, dst), &data[..20]);
            let tunnel = [&[0, 0, 0x65, 0x58][..], &inner].concat();
            let frame = ethernet(8, 9, 0x0800, &ipv4(host(8), host(9), 47, &tunnel));
            if pieces { in_pieces(&frame, number as u16) } else { vec![frame] }
        }
        Sent::Pieces { from, to, port } => {
            let (src, dst) = ports(from, to, port);
            in_pieces(&udp_frame((from, src), (to, dst), &data[..40]), number as u16)
        }
        Sent::Broken { from, to, at, value } => {
            let mut frame = tcp_frame((from, 1), (to, 2), 0, 0, ACK, b"xx");
            frame[at] = value;
            vec![frame]
        }
    }
}

type Traffic = Vec<(Sent, i64)>;

fn traffic() -> impl Strategy<Value = Traffic> {
    let pause = prop_oneof![6 => 0_i64..50, 2 => 50_i64..7_000, 1 => 7_000_i64..100_000, 1 => -3_000_i64..0];
    proptest::collection::vec((sent(), pause), 1..120)
}

fn run(traffic: &Traffic, config: Config) -> (Recorder, wire::EngineStats) {
    let mut run = Run::new(config);
    run.told.full = true;
    let mut now = 0;
    for (number, (sent, pause)) in traffic.iter().enumerate() {
        now += pause;
        frames(sent, number).iter().for_each(|frame| run.frame(now, frame));
    }
    run.engine.finish(&mut run.told);
    (run.told, run.engine.stats())
}

/// Everything told of each flow, in its order; what belongs to no flow under a name of its own.
fn by_flow(told: &Recorder) -> BTreeMap<String, Vec<String>> {
    let mut flows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in &told.lines {
        let name = line.split(' ').nth(1).filter(|name| name.starts_with('f')).unwrap_or("none");
        flows.entry(name.to_owned()).or_default().push(line.clone());
    }
    flows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn three_shards_tell_what_one_engine_tells(traffic in traffic()) {
        let (whole, whole_stats) = run(&traffic, Config::default());
        let mut together = BTreeMap::new();
        let mut stats = wire::EngineStats::default();
        for index in 0..3 {
            let shard = Some(Shard { index, count: 3 });
            let (told, part) = run(&traffic, Config { shard, ..Config::default() });
            for (name, lines) in by_flow(&told) {
                prop_assert!(together.insert(name, lines).is_none(), "a flow in two shards");
            }
            stats.add(&part);
        }
        prop_assert_eq!(together, by_flow(&whole));
        let plain = wire::EngineStats { memory: 0, peak_flows: 0, ..whole_stats };
        let sharded = wire::EngineStats { memory: 0, peak_flows: 0, ..stats };
        prop_assert_eq!(format!("{sharded:?}"), format!("{plain:?}"));
    }

    #[test]
    fn neither_the_seed_nor_a_second_run_changes_a_word(traffic in traffic(), seed: u64) {
        let (once, _) = run(&traffic, Config::default());
        let (again, _) = run(&traffic, Config { seed, ..Config::default() });
        prop_assert_eq!(once.text(), again.text());
    }

    #[test]
    fn every_flow_is_opened_once_and_closed_once_and_reports_add_up(traffic in traffic()) {
        let (told, stats) = run(&traffic, Config::default());
        for (name, lines) in by_flow(&told).iter().filter(|(name, _)| name.starts_with('f')) {
            let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
            prop_assert_eq!((count(" opened"), count(" closed ")), (1, 1), "{}", name);
            let outcomes = count(" established") + count(" refused") + count(" unanswered");
            prop_assert!(outcomes <= 1, "{:?}", lines);
        }
        prop_assert_eq!(stats.opened, stats.closed.iter().sum::<u64>());
        prop_assert_eq!(stats.open_flows, 0);
    }

    #[test]
    fn the_same_traffic_the_other_way_round_swaps_the_sides(
        steps in proptest::collection::vec((any::<bool>(), 0_usize..40, 0_i64..50), 1..60)
    ) {
        let run = |flip: bool| {
            let mut run = Run::new(Config::default());
            run.told.full = true;
            let mut now = 0;
            for &(forward, size, pause) in &steps {
                now += pause;
                let (from, to) = if forward == flip { ((2, 700), (1, 700)) } else { ((1, 700), (2, 700)) };
                run.frame(now, &udp_frame(from, to, &[0; 40][..size]));
            }
            let told = run.end();
            let line = told.lines.last().unwrap().clone();
            line.split_once("} [").unwrap().1.split_once("] ").unwrap().0.to_owned()
        };
        prop_assert_eq!(run(false), run(true), "the first sender is the originator");
    }
}

#[test]
fn flows_at_the_same_moment_end_in_an_order_of_their_own() {
    let mut run = Run::new(Config::default());
    (0..50).for_each(|port| run.frame(0, &udp_frame((1, 1_000 + port), (2, 53), b"x")));
    run.pass(100_000);
    let mut other = Run::new(Config { seed: 99, ..Config::default() });
    (0..50).for_each(|port| other.frame(0, &udp_frame((1, 1_000 + port), (2, 53), b"x")));
    other.pass(100_000);
    assert_eq!(run.told.text(), other.told.text());
    assert_eq!(run.told.with("closed").len(), 50);
}
