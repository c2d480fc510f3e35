//! Fragments against the packet that they were cut from.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::decode::Link;

fn fragment(id: u32, offset: u32, more: bool, payload: &[u8]) -> Fragment<'_> {
    let head = IpHead {
        link: Link::default(),
        src: IpAddr::from([10, 0, 0, 1]),
        dst: IpAddr::from([10, 0, 0, 2]),
        protocol: 17,
        ip_len: payload.len() as u32 + 20,
        notes: Notes::none(),
        depth: 0,
    };
    Fragment { head, id, offset, more, payload, cut: false }
}

fn new(cap: usize) -> (Defragmenter, FragmentStats) {
    let defrag = Defragmenter::new(Keys::from_seed(1), cap, 30_000_000);
    (defrag, FragmentStats::default())
}

proptest! {
    #[test]
    fn a_packet_comes_together_in_any_order(
        units in proptest::collection::vec(1_usize..20, 1..20), tail in 1_usize..8, seed: u64
    ) {
        let length = units.iter().sum::<usize>() * 8 + tail;
        let data: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
        let (mut pieces, mut at) = (Vec::new(), 0);
        for unit in units {
            pieces.push((at, at + unit * 8, true));
            at += unit * 8;
        }
        pieces.push((at, length, false));
        // A shuffle that the seed decides.
        pieces.sort_by_key(|piece| Keys::from_seed(seed).of_words([piece.0 as u64]));
        let (mut defrag, mut stats) = new(1 << 20);
        let last = pieces.len() - 1;
        for (place, &(start, end, more)) in pieces.iter().enumerate() {
            let piece = fragment(7, start as u32, more, &data[start..end]);
            let whole = defrag.add(&piece, 0, true, &mut stats);
            prop_assert_eq!(whole.is_some(), place == last);
            if let Some(whole) = whole {
                prop_assert_eq!(&whole.payload, &data);
                prop_assert_eq!(whole.head.ip_len as usize, length + 20 * pieces.len());
                prop_assert!(whole.head.notes.has(Notes::FRAGMENTED));
            }
        }
        prop_assert_eq!((stats.packets, stats.overlaps, defrag.memory()), (1, 0, 0));
    }

    #[test]
    fn memory_stays_below_the_cap_whatever_comes(
        steps in proptest::collection::vec((0_u32..40, 0_u32..8_192, any::<bool>(), 0_usize..200), 0..300)
    ) {
        let (mut defrag, mut stats) = new(200_000);
        let data = [7; 1_600];
        for (id, units, more, size) in steps {
            let piece = fragment(id, units * 8, more, &data[..size * 8]);
            if let Some(whole) = defrag.add(&piece, 0, true, &mut stats) {
                defrag.reuse(whole.payload);
            }
            prop_assert!(defrag.memory() <= 200_000);
        }
        defrag.expire(u64::MAX, &mut stats);
        prop_assert_eq!(defrag.memory(), 0);
    }
}

#[test]
fn of_overlapping_fragments_the_first_counts_and_the_conflict_shows() {
    let (mut defrag, mut stats) = new(1 << 20);
    assert!(defrag.add(&fragment(1, 8, true, b"BBBBBBBBCCCCCCCC"), 0, true, &mut stats).is_none());
    assert!(defrag.add(&fragment(1, 0, true, b"AAAAAAAAxxxxxxxx"), 0, true, &mut stats).is_none());
    let whole = defrag.add(&fragment(1, 24, false, b"D"), 0, true, &mut stats).unwrap();
    assert_eq!(whole.payload, b"AAAAAAAABBBBBBBBCCCCCCCCD");
    assert_eq!((stats.overlaps, stats.conflicts), (1, 1));
    assert!(whole.head.notes.has(Notes::CONFLICT));
}

#[test]
fn a_packet_that_waits_too_long_is_given_up_and_its_number_free_again() {
    let (mut defrag, mut stats) = new(1 << 20);
    defrag.add(&fragment(1, 0, true, b"old old "), 0, true, &mut stats);
    let later = 31_000_000;
    assert!(defrag.add(&fragment(1, 8, false, b"new"), later, true, &mut stats).is_none());
    let whole = defrag.add(&fragment(1, 0, true, b"new new "), later, true, &mut stats).unwrap();
    assert_eq!((whole.payload.as_slice(), stats.timed_out), (&b"new new new"[..], 1));
}

#[test]
fn nonsense_fragments_give_the_packet_up() {
    for pieces in [
        [fragment(1, 65_528, false, &[0; 16]), fragment(1, 0, true, &[0; 8])],
        [fragment(1, 0, true, &[0; 7]), fragment(1, 8, false, &[0; 8])],
        [fragment(1, 0, true, &[]), fragment(1, 8, false, &[0; 8])],
    ] {
        let (mut defrag, mut stats) = new(1 << 20);
        assert!(pieces.iter().all(|piece| defrag.add(piece, 0, true, &mut stats).is_none()));
        assert_eq!(stats.invalid, 1, "{pieces:?}");
    }
    let (mut defrag, mut stats) = new(1 << 20);
    defrag.add(&fragment(1, 8, false, &[0; 8]), 0, true, &mut stats);
    defrag.add(&fragment(1, 0, true, &[0; 32]), 0, true, &mut stats);
    assert_eq!(stats.invalid, 1, "a fragment beyond the last one");
}
