//! The stream against the bytes that were sent.

use proptest::prelude::*;

use super::*;

const MAX: usize = 256 << 10;

/// What was sent: bytes that tell where they belong.
fn sent(length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Reads the stream, and follows where it is.
#[derive(Default)]
struct Reader {
    bytes: Vec<Option<u8>>,
    gaps: u64,
}

impl Reader {
    fn take(&mut self, chunk: Chunk<'_>) -> Next {
        match chunk {
            Chunk::Stream(bytes) => self.bytes.extend(bytes.iter().copied().map(Some)),
            Chunk::Gap(lost) => {
                self.gaps += 1;
                self.bytes.extend(std::iter::repeat_n(None, lost as usize));
            }
            Chunk::Datagram(_) => unreachable!("TCP is a stream"),
        }
        Next::More
    }
}

fn segment(seq: u32, payload: &[u8]) -> Segment<'_> {
    Segment { seq, payload, missing: 0, fin: false }
}

/// Pieces of `length` bytes that overlap at will, shuffled a little, some lost.
fn pieces(length: usize) -> impl Strategy<Value = Vec<(usize, usize)>> {
    let piece = (0..length, 1_usize..90, 0_u8..10);
    (
        // Fewer than may be held at once, so that nothing is given up early.
        proptest::collection::vec(piece, 0..20),
        proptest::collection::vec((1_usize..80, 0_u8..10, 0_usize..6), 40),
    )
        .prop_map(move |(extra, cuts)| {
            let (mut pieces, mut at) = (Vec::new(), 0);
            for (place, (size, fate, late)) in cuts.into_iter().enumerate() {
                let end = (at + size).min(length);
                if fate > 0 && at < end {
                    pieces.push((place + late, (at, end)));
                }
                at = end;
            }
            for (start, size, when) in extra {
                let place = start * 40 / length + usize::from(when);
                pieces.push((place, (start, (start + size).min(length))));
            }
            pieces.sort_by_key(|&(place, _)| place);
            pieces.into_iter().map(|(_, piece)| piece).collect()
        })
}

proptest! {
    #[test]
    fn every_byte_that_came_is_delivered_in_its_place_and_only_lost_ones_are_gaps(
        pieces in pieces(1_500), first: u32
    ) {
        let data = sent(1_500);
        let (mut stream, mut pool, mut reader) = (Stream::default(), Pool::new(1 << 20), Reader::default());
        let (mut fresh, mut missed) = (0, 0);
        stream.start(first);
        for &(start, end) in &pieces {
            let seq = first.wrapping_add(start as u32);
            let taken = stream.segment(segment(seq, &data[start..end]), MAX, &mut pool, &mut |c| reader.take(c));
            prop_assert!(!taken.conflict && !taken.out_of_window && !taken.overflow);
            fresh += taken.fresh;
        }
        let taken = stream.close(&mut pool, &mut |c| reader.take(c));
        fresh += taken.fresh;
        missed += taken.missed;
        let mut seen: Vec<Option<u8>> = vec![None; data.len()];
        for (start, end) in pieces {
            (start..end).for_each(|at| seen[at] = Some(data[at]));
        }
        while seen.last() == Some(&None) {
            seen.pop();
        }
        prop_assert_eq!(fresh, seen.iter().flatten().count() as u64);
        prop_assert_eq!(missed, seen.iter().filter(|byte| byte.is_none()).count() as i64);
        prop_assert_eq!(reader.bytes, seen);
        prop_assert_eq!(pool.used(), 0, "all buffers came back");
    }

    #[test]
    fn acknowledgements_never_misplace_a_byte(
        pieces in pieces(1_500), acks in proptest::collection::vec(0_u32..1_600, 0..40), first: u32
    ) {
        let data = sent(1_500);
        let (mut stream, mut pool, mut reader) = (Stream::default(), Pool::new(1 << 20), Reader::default());
        stream.start(first);
        let mut acks = acks.into_iter();
        for (start, end) in pieces {
            let seq = first.wrapping_add(start as u32);
            stream.segment(segment(seq, &data[start..end]), MAX, &mut pool, &mut |c| reader.take(c));
            if let Some(ack) = acks.next() {
                stream.acknowledged(first.wrapping_add(ack), &mut pool, &mut |c| reader.take(c));
            }
        }
        stream.close(&mut pool, &mut |c| reader.take(c));
        for (at, byte) in reader.bytes.iter().enumerate() {
            prop_assert!(byte.is_none_or(|byte| byte == data[at]), "byte {at}");
        }
        prop_assert_eq!(pool.used(), 0);
    }

    #[test]
    fn skipped_bytes_are_neither_delivered_nor_waited_for(
        pieces in pieces(1_500), skips in proptest::collection::vec(0_u64..200, 1..30), first: u32
    ) {
        let data = sent(1_500);
        let (mut stream, mut pool) = (Stream::default(), Pool::new(1 << 20));
        let (mut skips, mut at, mut got) = (skips.into_iter(), 0_u64, Vec::new());
        stream.start(first);
        // Where the stream stands counts what was delivered, lost and skipped.
        let mut take = |chunk: Chunk<'_>| {
            match chunk {
                Chunk::Stream(bytes) => {
                    got.extend(bytes.iter().enumerate().map(|(i, &b)| (at + i as u64, b)));
                    at += bytes.len() as u64;
                }
                Chunk::Gap(lost) => at += lost,
                Chunk::Datagram(_) => unreachable!(),
            }
            match skips.next() {
                Some(count) => {
                    at += count;
                    Next::Skip(count)
                }
                None => Next::More,
            }
        };
        for (start, end) in pieces {
            let seq = first.wrapping_add(start as u32);
            stream.segment(segment(seq, &data[start..end]), MAX, &mut pool, &mut take);
        }
        stream.close(&mut pool, &mut take);
        for (at, byte) in got {
            prop_assert_eq!(byte, data[at as usize], "byte {}", at);
        }
        prop_assert_eq!(pool.used(), 0);
    }

    #[test]
    fn hostile_numbers_never_break_it_or_hold_more_than_allowed(
        steps in proptest::collection::vec((any::<u32>(), 0_usize..300, any::<bool>(), 0_u8..8, 0_u32..50), 0..200)
    ) {
        let data = sent(300);
        let (mut stream, mut pool) = (Stream::default(), Pool::new(40_000));
        let mut near = 0_u32;
        for (number, length, fin, action, missing) in steps {
            // Half of the numbers lie near each other, so that segments meet.
            let seq = if number % 2 == 0 { number } else { near.wrapping_add(number % 2_000) };
            near = if action == 7 { number } else { near };
            let mut out = |chunk: Chunk<'_>| match chunk {
                Chunk::Gap(lost) if lost % 3 == 0 => Next::Skip(u64::from(number)),
                _ => Next::More,
            };
            match action {
                0 => { stream.acknowledged(seq, &mut pool, &mut out); }
                1 => stream.announced(number),
                2 => { stream.give_up_if_stuck(&mut pool, &mut out); }
                _ => {
                    let segment = Segment { seq, payload: &data[..length], missing, fin };
                    stream.segment(segment, 10_000, &mut pool, &mut out);
                }
            }
            prop_assert!(pool.used() <= 40_000);
        }
        stream.close(&mut pool, &mut |_| Next::Done);
        prop_assert_eq!(pool.used(), 0);
    }
}

/// A stream at sequence number 1000 that reads into `reader`.
fn begun() -> (Stream, Pool, Reader) {
    let mut stream = Stream::default();
    stream.start(1_000);
    (stream, Pool::new(1 << 20), Reader::default())
}

fn text(reader: &Reader) -> String {
    reader.bytes.iter().map(|byte| byte.map_or('?', char::from)).collect()
}

#[test]
fn of_different_bytes_for_the_same_place_the_first_count() {
    let (mut stream, mut pool, mut reader) = begun();
    let mut say = |seq, bytes: &[u8], reader: &mut Reader| {
        stream.segment(segment(seq, bytes), MAX, &mut pool, &mut |c| reader.take(c))
    };
    assert!(!say(1_004, b"EFGH", &mut reader).conflict);
    assert!(say(1_002, b"cdXXXX", &mut reader).conflict, "both wait");
    assert!(say(1_000, b"abZ", &mut reader).conflict, "one is in order");
    assert_eq!(text(&reader), "abcdEFGH");
}

#[test]
fn a_hole_that_the_receiver_acknowledged_is_a_gap_at_once() {
    let (mut stream, mut pool, mut reader) = begun();
    stream.segment(segment(1_005, b"later"), MAX, &mut pool, &mut |c| reader.take(c));
    stream.acknowledged(1_004, &mut pool, &mut |c| reader.take(c));
    assert_eq!(text(&reader), "", "the receiver may still wait for the hole");
    let taken = stream.acknowledged(1_005, &mut pool, &mut |c| reader.take(c));
    assert_eq!((text(&reader).as_str(), taken.missed, taken.gaps), ("?????later", 5, 1));
    let taken = stream.segment(segment(1_010, b"!"), MAX, &mut pool, &mut |c| reader.take(c));
    assert_eq!((text(&reader).as_str(), taken.fresh), ("?????later!", 1));
}

#[test]
fn a_hole_that_nothing_fills_is_given_up_when_asked_twice_without_progress() {
    let (mut stream, mut pool, mut reader) = begun();
    stream.segment(segment(1_005, b"later"), MAX, &mut pool, &mut |c| reader.take(c));
    stream.give_up_if_stuck(&mut pool, &mut |c| reader.take(c));
    assert_eq!(text(&reader), "");
    stream.give_up_if_stuck(&mut pool, &mut |c| reader.take(c));
    assert_eq!(text(&reader), "?????later");
}

#[test]
fn at_the_limit_the_first_hole_is_given_up_and_nothing_else_lost() {
    let (mut stream, mut pool, mut reader) = begun();
    for place in 0..100_u32 {
        let seq = 1_002 + place * 2;
        stream.segment(segment(seq, b"x"), MAX, &mut pool, &mut |c| reader.take(c));
    }
    stream.close(&mut pool, &mut |c| reader.take(c));
    assert_eq!(text(&reader), format!("?{}", "?x".repeat(100)));
}

#[test]
fn a_keep_alive_is_no_retransmission_and_a_repeated_segment_is_one() {
    let (mut stream, mut pool, mut reader) = begun();
    stream.segment(segment(1_000, b"hello"), MAX, &mut pool, &mut |c| reader.take(c));
    let probe = stream.segment(segment(1_004, b"\0"), MAX, &mut pool, &mut |c| reader.take(c));
    assert!(!probe.repeated);
    let again = stream.segment(segment(1_000, b"hello"), MAX, &mut pool, &mut |c| reader.take(c));
    assert!(again.repeated && again.fresh == 0);
    assert_eq!(text(&reader), "hello");
}

#[test]
fn data_after_the_end_is_ignored_and_an_end_outside_the_window_is_not_believed() {
    let (mut stream, mut pool, mut reader) = begun();
    let mut say = |seq, payload: &[u8], fin, reader: &mut Reader| {
        let segment = Segment { seq, payload, missing: 0, fin };
        stream.segment(segment, MAX, &mut pool, &mut |c| reader.take(c))
    };
    say(900, b"", true, &mut reader);
    say(1_000_u32.wrapping_add(1 << 31), b"", true, &mut reader);
    say(1_000, b"ab", false, &mut reader);
    say(1_002, b"c", true, &mut reader);
    say(1_002, b"cde", false, &mut reader);
    say(1_003, b"de", false, &mut reader);
    assert_eq!(text(&reader), "abc");
}

#[test]
fn what_the_capture_cut_off_is_a_gap_in_its_place() {
    let (mut stream, mut pool, mut reader) = begun();
    let cut = Segment { seq: 1_000, payload: b"ab", missing: 3, fin: false };
    let taken = stream.segment(cut, MAX, &mut pool, &mut |c| reader.take(c));
    assert_eq!((taken.fresh, taken.missed), (5, 3));
    stream.segment(segment(1_005, b"c"), MAX, &mut pool, &mut |c| reader.take(c));
    assert_eq!(text(&reader), "ab???c");
}

#[test]
fn after_done_nothing_is_delivered_or_held_but_all_is_counted() {
    let (mut stream, mut pool, mut reader) = begun();
    stream.segment(segment(1_000, b"a"), MAX, &mut pool, &mut |_| Next::Done);
    let taken = stream.segment(segment(1_005, b"fgh"), MAX, &mut pool, &mut |c| reader.take(c));
    assert_eq!((taken.fresh, taken.missed, pool.used()), (3, 4, 0));
    let late = stream.segment(segment(1_001, b"bcde"), MAX, &mut pool, &mut |c| reader.take(c));
    assert_eq!((late.fresh, late.missed, late.repeated), (4, -4, false), "it was only late");
    assert_eq!(text(&reader), "");
}

#[test]
fn a_segment_beyond_the_receivers_window_moves_nothing() {
    let (mut stream, mut pool, mut reader) = begun();
    stream.announced(65_535);
    stream.acknowledged(1_000, &mut pool, &mut |c| reader.take(c));
    let taken =
        stream.segment(segment(2_000_000, b"forged"), MAX, &mut pool, &mut |c| reader.take(c));
    assert!(taken.out_of_window && !stream.waiting());
    assert!(!stream.accepts_reset(2_000_000) && stream.accepts_reset(1_000));
}
