//! One direction of a TCP connection, cut, shuffled and repeated.
//!
//! Input: the sequence number of the first byte (four bytes), then segments of five bytes each: where
//! in the stream (two bytes), how long (one), how much of it the capture cut off (one), and flags: whether
//! it is an acknowledgement, a window or a segment, and with a FIN or not.
//!
//! Every byte of the stream follows from its place, so that what is delivered can be checked: in
//! order, nothing twice, nothing false.

use wire::reassembly::{Pool, Segment, Stream};
use wire::{Chunk, Next};

/// Bytes of the stream.
const LENGTH: usize = 70_000;

fn byte(place: usize) -> u8 {
    (place.wrapping_mul(31) >> 3) as u8
}

/// Runs it once.
pub(crate) fn run(input: &[u8]) {
    let Some((first, mut rest)) = input.split_first_chunk::<4>() else { return };
    let first = u32::from_be_bytes(*first);
    let bytes: Vec<u8> = (0..LENGTH).map(byte).collect();
    let (mut stream, mut pool) = (Stream::default(), Pool::new(8_192));
    stream.start(first);
    let mut place: usize = 0;
    let mut out = |chunk: Chunk<'_>| {
        match chunk {
            Chunk::Stream(piece) => {
                assert_eq!(bytes.get(place..place + piece.len()), Some(piece), "at {place}");
                place += piece.len();
            }
            Chunk::Gap(lost) => place += lost as usize,
            Chunk::Datagram(_) => panic!("a stream gave a datagram"),
        }
        assert!(place <= LENGTH, "delivered past the end of the stream");
        Next::More
    };
    while let Some((&[high, low, length, missing, flags], tail)) = rest.split_first_chunk::<5>() {
        rest = tail;
        let from = usize::from(u16::from_be_bytes([high, low]));
        let seq = first.wrapping_add(from as u32);
        let length = usize::from(length) * 4;
        match flags & 3 {
            0 if flags & 8 != 0 => {
                stream.give_up_if_stuck(&mut pool, &mut out);
            }
            0 => {
                stream.acknowledged(seq, &mut pool, &mut out);
            }
            1 => {
                stream.announced((length as u32) << 4);
            }
            _ => {
                let payload = bytes.get(from..from + length).unwrap_or_default();
                let segment =
                    Segment { seq, payload, missing: u32::from(missing >> 4), fin: flags & 4 != 0 };
                stream.segment(segment, 2_048, &mut pool, &mut out);
            }
        }
        assert!(pool.used() <= 16_384, "the pool lends more than its cap");
    }
    stream.close(&mut pool, &mut out);
    assert_eq!(pool.used(), 0, "memory is kept after the end");
}
