use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

/// A flow of a second or more to a PACS.
pub(super) fn seen(second: i64, lasts: i64) -> Seen<'static> {
    Seen {
        conversation: call(7, 1, 104),
        service: "dicom",
        first: Timestamp::from_parts(second, 0),
        last: Timestamp::from_parts(second + lasts, 0),
        began: true,
        answered: true,
        packets: 20,
        bytes: 1_000,
        pause: None,
    }
}

fn host(last: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 | last).into()
}

fn call(client: u32, server: u32, port: u16) -> Conversation {
    Conversation { client: host(client), server: host(server), proto: Proto::Tcp, port }
}

fn at(conversation: Conversation, second: i64) -> Seen<'static> {
    Seen { conversation, ..seen(second, 1) }
}

fn flows() -> impl Strategy<Value = Vec<Seen<'static>>> {
    let one = (0_u32..4, 0_u32..4, prop::sample::select(vec![53, 104, 2575]), 0_i64..2_000_000)
        .prop_map(|(client, server, port, second)| at(call(client, server, port), second));
    prop::collection::vec(one, 1..80)
}

#[test]
fn a_scan_of_all_ports_is_few_conversations_and_a_real_service_stays_apart() {
    let mut history = History::default();
    history.record(&at(call(7, 1, 104), 0));
    (1..=u16::MAX).for_each(|port| history.record(&at(call(9, 1, port), 5)));
    (0..5_000).for_each(|turn| history.record(&at(call(7, 1, 32_768 + turn), 6)));
    assert!(history.len() < 2 * (PORTS + 2), "{}", history.len());
    assert_eq!(history.get(&call(7, 1, 104)).unwrap().times, 1);
    assert!(history.get(&call(9, 1, 60_000)).unwrap().times > 60_000, "they count together");
}

#[test]
fn a_flood_of_made_up_conversations_pushes_out_itself() {
    let mut history = History::new(200);
    (0..10).for_each(|turn| history.record(&at(call(7, 1, 104), turn * 3_600)));
    (0..5_000).for_each(|turn| history.record(&at(call(100 + turn, 2, 445), 40_000)));
    assert!(history.len() <= 200 && history.forgotten() > 4_000);
    assert_eq!(history.get(&call(7, 1, 104)).unwrap().times, 10);
    assert_eq!(history.of(host(1)).count(), 1);
    // What is forgotten is forgotten on both sides.
    assert_eq!(history.callers.values().map(BTreeSet::len).sum::<usize>(), history.len());
}

#[test]
fn a_clock_that_runs_ahead_forgets_nothing_and_a_fortnight_does() {
    let mut history = History::default();
    history.record(&at(call(7, 1, 104), 0));
    history.record(&at(call(7, 1, 105), 86_400));
    history.expire(Timestamp::from_parts(i64::MAX / 2_000_000_000, 0));
    assert_eq!(history.len(), 2);
    history.record(&at(call(7, 1, 106), 14 * 86_400 + 60));
    history.expire(Timestamp::from_parts(14 * 86_400 + 60, 0));
    assert_eq!(history.len(), 2);
    assert!(history.get(&call(7, 1, 104)).is_none());
}

#[test]
fn what_a_device_does_first_after_its_case_began_is_suspect() {
    let mut history = History::default();
    let (old, new) = (call(7, 1, 104), call(7, 2, 445));
    (0..20).for_each(|turn| history.record(&at(old, turn * 600)));
    history.exclude(&[host(7)], Timestamp::from_parts(6_000, 0));
    (0..20).for_each(|turn| history.record(&at(new, 7_000 + turn * 600)));
    let normal = |history: &History, key| {
        history.normal(key, history.get(key).unwrap()).map(|normal| normal.slots)
    };
    assert_eq!(normal(&history, &old), Some(10));
    assert_eq!(normal(&history, &new), None);
    assert!(history.is_suspect(&new, history.get(&new).unwrap()));
    history.readmit(&[host(7)]);
    assert_eq!(normal(&history, &new), Some(20));
}

#[test]
fn a_history_of_another_version_or_of_nothing_is_refused() {
    let mut bytes = Vec::new();
    History::default().save(&mut bytes).unwrap();
    let other = String::from_utf8(bytes).unwrap().replace("\"version\":1", "\"version\":7");
    assert!(matches!(History::load(other.as_bytes()), Err(LoadError::Version(7))));
    for nothing in [&b""[..], b"{}\n", b"\n\n", b"{\"what\":\"x\",\"version\":1,\"sha256\":\"\"}\n"]
    {
        assert!(matches!(History::load(nothing), Err(LoadError::NotHistory)));
    }
}

proptest! {
    #[test]
    fn the_order_of_recording_does_not_matter(flows in flows(), turn in 0_usize..80) {
        let mut one = History::default();
        flows.iter().for_each(|flow| one.record(flow));
        let mut two = History::default();
        let (late, early) = flows.split_at(turn.min(flows.len()));
        early.iter().rev().chain(late).for_each(|flow| two.record(flow));
        prop_assert_eq!(one, two);
    }

    #[test]
    fn both_sides_find_the_same_conversations_as_looking_through_all(flows in flows()) {
        let mut history = History::new(16);
        flows.iter().for_each(|flow| history.record(flow));
        for address in (0..4).map(host) {
            let found: BTreeSet<_> = history.of(address).map(|(key, _)| *key).collect();
            let expected: BTreeSet<_> = history
                .all()
                .map(|(key, _)| *key)
                .filter(|key| key.client == address || key.server == address)
                .collect();
            prop_assert_eq!(history.of(address).count(), expected.len());
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_was_saved_comes_back_and_any_flipped_bit_is_noticed(
        flows in flows(), place: prop::sample::Index, bit in 0_u8..8
    ) {
        let mut history = History::new(40);
        flows.iter().for_each(|flow| history.record(flow));
        history.exclude(&[host(2)], Timestamp::from_parts(77, 0));
        history.skip();
        let mut bytes = Vec::new();
        history.save(&mut bytes).unwrap();
        prop_assert_eq!(&History::load(&bytes).unwrap(), &history);
        prop_assert!(History::load(&bytes[..place.index(bytes.len())]).is_err());
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(loaded) = History::load(&bytes) {
            // Only white space of the first line can differ.
            prop_assert_eq!(loaded, history);
        }
    }
}
