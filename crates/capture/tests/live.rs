//! Live capture between network namespaces. Needs root, and is skipped without.
#![allow(clippy::print_stderr, reason = "a test at the machine's own rate says what that was")]

mod network;

use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;
use std::time::Duration;

use capture::{Batch, CaptureError, LinkType, LiveConfig, LiveSource, PacketSource, interfaces};
use network::*;

const MOMENT: Duration = Duration::from_millis(100);

fn open(cable: &Cable, config: &LiveConfig) -> Result<Vec<LiveSource>, CaptureError> {
    inside(&cable.far, || LiveSource::open(config))
}

fn open_one(cable: &Cable, config: &LiveConfig) -> LiveSource {
    let mut sources = open(cable, config).unwrap();
    assert_eq!(sources.len(), 1);
    sources.remove(0)
}

/// A packet as it was seen.
struct Seen {
    wire_len: usize,
    interface: u16,
    link: LinkType,
    data: Vec<u8>,
}

/// Takes all packets until none come any more.
fn drain(source: &mut LiveSource) -> Vec<Seen> {
    let mut packets = Vec::new();
    loop {
        let before = packets.len();
        let batch = source
            .poll_batch(MOMENT, &mut |packet| {
                packets.push(Seen {
                    wire_len: packet.wire_len as usize,
                    interface: packet.interface,
                    link: packet.link,
                    data: packet.data.to_vec(),
                });
            })
            .unwrap();
        match batch {
            Batch::Packets(given) => assert_eq!(given, packets.len() - before),
            Batch::Idle => return packets,
            Batch::End => panic!("a live source has no end"),
        }
    }
}

fn datagrams(count: u32, len: usize) -> Vec<Vec<u8>> {
    let frame = |n: u32| {
        let mut payload = vec![0xab; len];
        payload[..4].copy_from_slice(&n.to_be_bytes());
        udp((1, 5_000), (2, 6_000), &payload)
    };
    (0..count).map(frame).collect()
}

fn send(cable: &Cable, frames: &[Vec<u8>]) {
    let sender = Sender::new(cable);
    frames.iter().for_each(|frame| sender.send(frame));
}

#[test]
fn every_packet_sent_is_seen_in_order_and_unchanged() {
    if !can_run("every_packet_sent_is_seen_in_order_and_unchanged") {
        return;
    }
    let cable = Cable::new();
    let mut source = open_one(&cable, &LiveConfig { number: 7, ..LiveConfig::on("in") });
    assert_eq!((source.link(), source.interface()), (LinkType::ETHERNET, "in"));
    let sent = datagrams(20_000, 300);
    send(&cable, &sent);
    let seen = drain(&mut source);
    assert_eq!(seen.len(), sent.len());
    for (seen, sent) in seen.iter().zip(&sent) {
        assert_eq!((&seen.data, seen.wire_len), (sent, sent.len()));
        assert_eq!((seen.interface, seen.link), (7, LinkType::ETHERNET));
    }
    let stats = source.stats();
    assert_eq!((stats.packets, stats.drops), (20_000, 0));
}

#[test]
fn what_a_full_ring_loses_is_counted_to_the_packet() {
    if !can_run("what_a_full_ring_loses_is_counted_to_the_packet") {
        return;
    }
    let cable = Cable::new();
    let mut source = open_one(&cable, &LiveConfig { ring_bytes: 1 << 20, ..LiveConfig::on("in") });
    let sent = datagrams(5_000, 1_400);
    let mut seen = 0;
    for round in 1..=2_u64 {
        send(&cable, &sent);
        seen += drain(&mut source).len() as u64;
        let stats = source.stats();
        assert!(stats.drops > 0 && stats.freezes > 0, "{stats:?}");
        assert_eq!(stats.packets, round * 5_000);
        assert_eq!(seen + source.drops(), round * 5_000);
    }
}

/// Packets that the cable brought: what the kernel let go before any socket could see it does not
/// count.
fn delivered(cable: &Cable) -> u64 {
    let about = run(&format!("ip -n {} -s link show in", cable.far));
    let mut lines = about.lines().skip_while(|line| !line.trim_start().starts_with("RX:"));
    let counts = lines.nth(1).expect("counts after their heading");
    counts.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Datagrams of many flows, so that every member of a group gets its share.
fn many_flows(count: u32, len: usize) -> Vec<Vec<u8>> {
    let frame = |n: u32| udp((1, 1_024 + (n % 997) as u16), (2, 6_000), &vec![n as u8; len]);
    (0..count).map(frame).collect()
}

#[test]
fn members_whose_rings_overrun_account_for_every_packet_sent() {
    if !can_run("members_whose_rings_overrun_account_for_every_packet_sent") {
        return;
    }
    let cable = Cable::new();
    let config = LiveConfig { members: 4, ring_bytes: 1 << 20, ..LiveConfig::on("in") };
    let mut members = open(&cable, &config).unwrap();
    let sent = many_flows(8_000, 1_400);
    let mut seen = vec![0_u64; members.len()];
    for round in 1..=3_u64 {
        // Nobody empties the rings meanwhile.
        send(&cable, &sent);
        for (member, seen) in members.iter_mut().zip(&mut seen) {
            *seen += drain(member).len() as u64;
            let stats = member.stats();
            assert!(stats.drops > 0, "a ring of 1 MiB held 2,000 packets of 1,400 bytes");
            assert_eq!(*seen + stats.drops, stats.packets);
        }
        let lost: u64 = members.iter().map(LiveSource::drops).sum();
        let brought = delivered(&cable);
        assert_eq!(seen.iter().sum::<u64>() + lost, brought, "after round {round}");
        assert!(brought <= round * 8_000, "{brought}");
    }
}

#[test]
fn at_the_rate_of_the_machine_the_counts_add_up() {
    if !can_run("at_the_rate_of_the_machine_the_counts_add_up") {
        return;
    }
    for (members, len) in [(1, 80), (1, 1_400), (2, 200)] {
        let cable = Cable::new();
        let ring_bytes = 6 << 20;
        let config = LiveConfig { members, ring_bytes, ..LiveConfig::on("in") };
        let mut sources = open(&cable, &config).unwrap();
        let sent = many_flows(5_000, len);
        let done = std::sync::atomic::AtomicBool::new(false);
        let begun = std::time::Instant::now();
        let mut seconds = 0.0;
        let mut seen: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = sources
                .iter_mut()
                .map(|source| {
                    let done = &done;
                    scope.spawn(move || {
                        let mut seen = 0;
                        loop {
                            let last = done.load(std::sync::atomic::Ordering::Relaxed);
                            match source.poll_batch(MOMENT, &mut |_| seen += 1).unwrap() {
                                Batch::Idle if last => return seen,
                                _ => {}
                            }
                        }
                    })
                })
                .collect();
            let sender = Sender::new(&cable);
            (0..20).for_each(|_| sent.iter().for_each(|frame| sender.send(frame)));
            seconds = begun.elapsed().as_secs_f64();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        // On a busy machine the kernel may still have some on their way.
        let counted = |seen: u64, sources: &[LiveSource]| {
            seen + sources.iter().map(LiveSource::drops).sum::<u64>()
        };
        let brought = delivered(&cable);
        let mut late = 0;
        while counted(seen + late, &sources) < brought && begun.elapsed() < Duration::from_secs(20)
        {
            late += sources.iter_mut().map(|source| drain(source).len() as u64).sum::<u64>();
        }
        seen += late;
        let lost: u64 = sources.iter().map(LiveSource::drops).sum();
        eprintln!(
            "{members} members, {len} bytes: {brought} of 100000 packets in {seconds:.2} s \
             ({:.0} packets/s), {seen} seen, {lost} lost",
            brought as f64 / seconds
        );
        // To the packet against the kernel's own count for these sockets; what it let go between
        // the card and them on a busy machine is said above.
        let counted: u64 = sources.iter().map(|source| source.stats().packets).sum();
        assert_eq!(seen + lost, counted);
        assert!(counted > 0 && counted <= brought, "{counted} of {brought}");
    }
}

#[test]
fn both_directions_of_a_flow_reach_one_member_and_all_members_work() {
    if !can_run("both_directions_of_a_flow_reach_one_member_and_all_members_work") {
        return;
    }
    let cable = Cable::new();
    let config = LiveConfig { members: 3, ring_bytes: 4 << 20, ..LiveConfig::on("in") };
    let mut members = open(&cable, &config).unwrap();
    assert_eq!(members.len(), 3);
    let mut sent = Vec::new();
    for round in 0..10_u8 {
        for flow in 0..100_u16 {
            sent.push(udp((1, 1_000 + flow), (2, 53), &[round; 40]));
            sent.push(udp((2, 53), (1, 1_000 + flow), &[round; 50]));
        }
    }
    send(&cable, &sent);
    let mut member_of = BTreeMap::<u16, BTreeSet<usize>>::new();
    let mut total = 0;
    for (number, member) in members.iter_mut().enumerate() {
        let seen = drain(member);
        assert!(!seen.is_empty(), "member {number} saw nothing");
        total += seen.len();
        for packet in seen {
            let port = |at| u16::from_be_bytes([packet.data[at], packet.data[at + 1]]);
            member_of.entry(port(34).max(port(36))).or_default().insert(number);
        }
    }
    assert_eq!(total, sent.len());
    assert_eq!(member_of.len(), 100);
    assert!(member_of.values().all(|members| members.len() == 1), "{member_of:?}");
}

#[test]
fn with_rollover_no_member_loses_what_another_has_room_for() {
    if !can_run("with_rollover_no_member_loses_what_another_has_room_for") {
        return;
    }
    let cable = Cable::new();
    // One flow goes to one member, whose ring holds about half of it.
    let sent = datagrams(1_000, 1_400);
    let mut drops = [0, 0];
    for rollover in [false, true] {
        let config =
            LiveConfig { members: 2, rollover, ring_bytes: 1 << 20, ..LiveConfig::on("in") };
        let mut members = open(&cable, &config).unwrap();
        send(&cable, &sent);
        let seen: usize = members.iter_mut().map(|member| drain(member).len()).sum();
        let lost: u64 = members.iter().map(LiveSource::drops).sum();
        assert_eq!(seen as u64 + lost, 1_000, "rollover {rollover}");
        drops[usize::from(rollover)] = lost;
    }
    assert!(drops[1] < drops[0], "{drops:?}");
}

#[test]
fn vlan_tags_survive_single_and_stacked() {
    if !can_run("vlan_tags_survive_single_and_stacked") {
        return;
    }
    let cable = Cable::new();
    let mut source = open_one(&cable, &LiveConfig::on("in"));
    let plain = udp((1, 5_000), (2, 6_000), b"payload");
    let tagged = |tags: &[u8]| [&plain[..12], tags, &plain[12..]].concat();
    let sent = [
        tagged(&[0x81, 0x00, 0x60, 0x64]),
        tagged(&[0x88, 0xa8, 0x00, 0x0a, 0x81, 0x00, 0x00, 0x14]),
        plain.clone(),
    ];
    send(&cable, &sent);
    let seen = drain(&mut source);
    assert_eq!(seen.len(), 3);
    for (seen, sent) in seen.iter().zip(&sent) {
        assert_eq!((&seen.data, seen.wire_len), (sent, sent.len()));
    }
}

#[test]
fn packets_for_others_are_seen_and_the_card_is_asked_for_them() {
    if !can_run("packets_for_others_are_seen_and_the_card_is_asked_for_them") {
        return;
    }
    let cable = Cable::new();
    let promiscuous = || {
        let about = run(&format!("ip -n {} -d link show in", cable.far));
        about.contains("promiscuity 1")
    };
    let quiet = open_one(&cable, &LiveConfig { promiscuous: false, ..LiveConfig::on("in") });
    assert!(!promiscuous());
    drop(quiet);
    let mut source = open_one(&cable, &LiveConfig::on("in"));
    assert!(promiscuous());
    send(&cable, &datagrams(10, 40));
    assert_eq!(drain(&mut source).len(), 10);
    drop(source);
    assert!(!promiscuous(), "the card stays promiscuous after capture");
}

#[test]
fn a_snap_length_cuts_the_packet_and_not_its_length_on_the_wire() {
    if !can_run("a_snap_length_cuts_the_packet_and_not_its_length_on_the_wire") {
        return;
    }
    let cable = Cable::new();
    let mut source = open_one(&cable, &LiveConfig { snaplen: 60, ..LiveConfig::on("in") });
    let sent = datagrams(10, 500);
    send(&cable, &sent);
    let seen = drain(&mut source);
    assert_eq!(seen.len(), sent.len());
    for (seen, sent) in seen.iter().zip(&sent) {
        assert_eq!((&seen.data[..], seen.wire_len), (&sent[..60], sent.len()));
    }
}

#[test]
fn loopback_packets_are_seen_once_by_one_member_or_several() {
    if !can_run("loopback_packets_are_seen_once_by_one_member_or_several") {
        return;
    }
    let cable = Cable::new();
    for members in [1, 2] {
        let config = LiveConfig { members, ring_bytes: 4 << 20, ..LiveConfig::on("lo") };
        let mut sources = open(&cable, &config).unwrap();
        inside(&cable.far, || {
            let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
            let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
            for _ in 0..100 {
                sender.send_to(b"once", receiver.local_addr().unwrap()).unwrap();
            }
        });
        let seen: Vec<_> = sources.iter_mut().flat_map(drain).collect();
        assert_eq!(seen.len(), 100, "with {members} members");
        assert!(seen.iter().all(|packet| packet.data[12..14] == [8, 0]));
    }
}

#[test]
fn a_tunnel_gives_ip_packets_without_a_link_header() {
    if !can_run("a_tunnel_gives_ip_packets_without_a_link_header") {
        return;
    }
    let cable = Cable::new();
    run(&format!("ip -n {} tuntap add tunnel mode tun", cable.far));
    run(&format!("ip -n {} link set tunnel addrgenmode none up", cable.far));
    let source = open_one(&cable, &LiveConfig::on("tunnel"));
    assert_eq!(source.link(), LinkType::RAW_IP);
}

#[test]
fn an_interface_that_goes_down_is_told_and_seen_again_once_it_is_up() {
    if !can_run("an_interface_that_goes_down_is_told_and_seen_again_once_it_is_up") {
        return;
    }
    let cable = Cable::new();
    let mut source = open_one(&cable, &LiveConfig::on("in"));
    assert_eq!(source.poll_batch(MOMENT, &mut |_| {}).unwrap(), Batch::Idle);
    run(&format!("ip -n {} link set in down", cable.far));
    for _ in 0..3 {
        let error = source.poll_batch(MOMENT, &mut |_| {}).unwrap_err();
        assert!(matches!(error, CaptureError::InterfaceDown { .. }), "{error}");
        assert!(error.to_string().contains("'in' is down"), "{error}");
    }
    let refused = open(&cable, &LiveConfig::on("in")).unwrap_err();
    assert!(matches!(refused, CaptureError::InterfaceDown { .. }), "{refused}");

    run(&format!("ip -n {} link set in up", cable.far));
    send(&cable, &datagrams(10, 40));
    assert_eq!(drain(&mut source).len(), 10);

    run(&format!("ip -n {} link del in", cable.far));
    // It goes down before it goes away, and may be met in between.
    let mut told = String::new();
    for _ in 0..3 {
        told = source.poll_batch(MOMENT, &mut |_| {}).unwrap_err().to_string();
    }
    assert!(told.contains("'in' has gone away"), "{told}");
}

#[test]
fn a_renamed_interface_is_still_the_same() {
    if !can_run("a_renamed_interface_is_still_the_same") {
        return;
    }
    let cable = Cable::new();
    let mut source = open_one(&cable, &LiveConfig::on("in"));
    run(&format!("ip -n {} link set in name mirror", cable.far));
    assert_eq!(source.poll_batch(MOMENT, &mut |_| {}).unwrap(), Batch::Idle);
    send(&cable, &datagrams(10, 40));
    assert_eq!(drain(&mut source).len(), 10);
}

#[test]
fn an_interface_that_is_not_there_is_told_with_those_that_are() {
    if !can_run("an_interface_that_is_not_there_is_told_with_those_that_are") {
        return;
    }
    let cable = Cable::new();
    assert_eq!(inside(&cable.far, interfaces).unwrap(), ["lo", "in"]);
    for name in ["eth99", "", "a-name-longer-than-any-interface-has", "in\0"] {
        let error = open(&cable, &LiveConfig::on(name)).unwrap_err();
        assert!(matches!(error, CaptureError::NoSuchInterface { .. }), "{error}");
        assert!(error.to_string().contains("lo, in"), "{error}");
    }
}

#[test]
fn a_ring_beyond_the_machine_is_refused_with_what_to_do() {
    if !can_run("a_ring_beyond_the_machine_is_refused_with_what_to_do") {
        return;
    }
    let cable = Cable::new();
    let config = LiveConfig { ring_bytes: 1 << 45, ..LiveConfig::on("in") };
    let error = open(&cable, &config).unwrap_err();
    assert!(matches!(error, CaptureError::Ring { .. }), "{error}");
    assert!(error.to_string().contains("smaller"), "{error}");
}
