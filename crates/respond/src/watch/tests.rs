use std::net::IpAddr;

use model::device::{DeviceClass, DeviceId, InUse, Tier};

use super::*;
use crate::range::Range;
use crate::restriction::{Conversation, Pattern, Proto, Way};

fn ip(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

fn subject() -> Subject {
    Subject {
        id: DeviceId("D-1".to_owned()),
        addresses: vec![ip(9)],
        class: DeviceClass::Workstation,
        tier: Tier::T4,
        in_use: InUse::Unknown,
        ..Subject::default()
    }
}

fn block() -> Restriction {
    let flow = Pattern {
        way: Way::Out,
        peer: Range::one(ip(5)),
        proto: Some(Proto::Tcp),
        port: Some(445),
    };
    Restriction::Block { flows: vec![flow] }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
}

fn packet(millis: i64, from: (u8, u16), to: (u8, u16)) -> Packet {
    Packet {
        at: at(millis),
        source: ip(from.0),
        destination: ip(to.0),
        proto: Proto::Tcp,
        source_port: from.1,
        destination_port: to.1,
        tcp: Some(Tcp::default()),
    }
}

fn watching(beats: &[Beat]) -> Watch {
    let mut watch = Watch::default();
    watch.begin("A-0001", &subject(), &block(), beats, at(0));
    watch
}

fn beat(seconds: u64, tier: Tier) -> Beat {
    Beat {
        conversation: Conversation { client: ip(7), server: ip(6), proto: Proto::Tcp, port: 2575 },
        what: "vital signs".to_owned(),
        interval: Duration::from_secs(seconds),
        tier,
        last: at(-1_000),
        one_way: false,
    }
}

#[test]
fn tries_without_an_answer_show_on_a_mirror_that_it_is_cut() {
    let mut watch = watching(&[]);
    (0..8).for_each(|n| watch.packet(&packet(50 + n * 100, (9, 50_000), (5, 445)), Side::Mirror));
    let verdicts = watch.verdicts(at(800));
    let [(_, Verdict::Cut(seen))] = verdicts.as_slice() else { panic!("{verdicts:?}") };
    assert!(seen.stopped && seen.text.contains("8 packets tried"), "{seen:?}");
    assert!(watch.verdicts(at(900)).is_empty(), "it is told once");
}

#[test]
fn who_was_being_answered_when_it_was_cut_is_answered_again_and_again_which_is_no_leak() {
    let mut watch = watching(&[]);
    let again = |millis: i64, ack: u32| {
        let tcp = Some(Tcp { ack: Some(ack), ..Tcp::default() });
        Packet { tcp, ..packet(millis, (5, 445), (9, 50_000)) }
    };
    (0..20).for_each(|n| watch.packet(&again(150 + n * 200, 7), Side::Mirror));
    let verdicts = watch.verdicts(at(4_200));
    assert!(
        matches!(verdicts.as_slice(), [(_, Verdict::Cut(seen))] if seen.stopped),
        "{verdicts:?}"
    );
    (0..20).for_each(|n| watch.packet(&again(4_300 + n * 100, 8 + n as u32), Side::Mirror));
    let verdicts = watch.verdicts(at(6_300));
    assert!(
        matches!(verdicts.as_slice(), [(_, Verdict::Cut(seen))] if !seen.stopped),
        "{verdicts:?}"
    );
}

#[test]
fn on_a_mirror_a_call_without_an_answer_is_no_sign_of_life() {
    let mut watch = watching(&[beat(5, Tier::T2)]);
    (0..20).for_each(|n| watch.packet(&packet(n * 1_000, (7, 40_000), (6, 2575)), Side::Mirror));
    let missing = |verdicts: Vec<(String, Verdict)>| {
        verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Missing(_)))
    };
    assert!(missing(watch.verdicts(at(19_000))));
    let mut watch = watching(&[beat(5, Tier::T2)]);
    (0..20).for_each(|n| watch.packet(&packet(n * 1_000, (6, 2575), (7, 40_000)), Side::Mirror));
    assert!(!missing(watch.verdicts(at(19_000))));
}

#[test]
fn answers_on_a_mirror_and_anything_behind_the_enforcer_show_that_it_is_not() {
    for (from, to, side) in
        [((5, 445), (9, 50_000), Side::Mirror), ((9, 50_000), (5, 445), Side::Protected)]
    {
        let mut watch = watching(&[]);
        let answer = |n: i64| Packet {
            tcp: Some(Tcp { ack: Some(n as u32), ..Tcp::default() }),
            ..packet(150 + n * 100, from, to)
        };
        (0..30).for_each(|n| watch.packet(&answer(n), side));
        let verdicts = watch.verdicts(at(3_100));
        let [(_, Verdict::Cut(seen))] = verdicts.as_slice() else { panic!("{verdicts:?}") };
        assert!(!seen.stopped, "{seen:?}");
    }
}

#[test]
fn what_was_on_its_way_is_no_leak_and_silence_is_not_told_too_soon() {
    let mut watch = watching(&[]);
    watch.packet(&packet(60, (9, 50_000), (5, 445)), Side::Protected);
    assert!(watch.verdicts(at(1_000)).is_empty());
    let verdicts = watch.verdicts(at(2_100));
    let [(_, Verdict::Cut(seen))] = verdicts.as_slice() else { panic!("{verdicts:?}") };
    assert!(seen.stopped && seen.text.contains("nobody was seen to try"), "{seen:?}");
}

#[test]
fn traffic_that_is_not_cut_is_neither_try_nor_leak() {
    let mut watch = watching(&[]);
    (0..30)
        .for_each(|n| watch.packet(&packet(150 + n * 100, (9, 50_000), (5, 443)), Side::Protected));
    let verdicts = watch.verdicts(at(3_000));
    assert!(
        matches!(verdicts.as_slice(), [(_, Verdict::Cut(seen))] if seen.stopped),
        "{verdicts:?}"
    );
}

#[test]
fn two_missed_beats_are_told_and_one_is_not() {
    let mut watch = watching(&[beat(10, Tier::T2)]);
    watch.packet(&packet(5_000, (6, 2575), (7, 40_000)), Side::Mirror);
    assert!(!watch.verdicts(at(24_000)).iter().any(|(_, v)| matches!(v, Verdict::Missing(_))));
    let verdicts = watch.verdicts(at(25_100));
    assert!(
        matches!(verdicts.as_slice(), [(_, Verdict::Missing(what))] if what.contains("vital signs")),
        "{verdicts:?}"
    );
}

#[test]
fn a_life_sustaining_device_is_missed_after_half_a_minute() {
    assert_eq!(beat(20, Tier::T0).patience(), Duration::from_secs(30));
    assert_eq!(beat(20, Tier::T2).patience(), Duration::from_secs(40));
    assert_eq!(beat(5, Tier::T0).patience(), Duration::from_secs(10));
}

#[test]
fn what_was_silent_before_is_not_blamed_on_the_restriction() {
    let mut silent = beat(10, Tier::T2);
    silent.last = at(-60_000);
    let mut watch = watching(&[silent]);
    assert!(!watch.verdicts(at(60_000)).iter().any(|(_, v)| matches!(v, Verdict::Missing(_))));
}

#[test]
fn the_silence_of_an_interface_on_which_nothing_passes_at_all_proves_nothing() {
    let mut watch = watching(&[]);
    watch.packet(&packet(-500, (7, 40_000), (6, 2575)), Side::Mirror);
    assert!(watch.verdicts(at(60_000)).is_empty());
    // Somebody else speaks: whoever looks is awake, and what is cut would have been seen.
    watch.packet(&packet(60_100, (7, 40_000), (6, 2575)), Side::Mirror);
    let verdicts = watch.verdicts(at(60_200));
    let [(_, Verdict::Cut(seen))] = verdicts.as_slice() else { panic!("{verdicts:?}") };
    assert!(seen.stopped && seen.text.contains("nobody was seen to try"), "{seen:?}");
}
