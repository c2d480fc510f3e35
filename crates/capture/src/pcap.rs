//! The classic capture format: one header of 24 bytes, then packets of one link type.
//!
//! Read are both byte orders, microseconds and nanoseconds, and the longer record headers of
//! A. Kuznetzov's patch (magic a1b2cd34), whose extra fields are of no use here. Described in
//! draft-ietf-opsawg-pcap.
//!
//! Deliberately absent: the order of the two lengths that writers before 1998 confused, and the
//! check sequence at the end of frames that the upper bits of the link type may announce.

use model::Timestamp;

use crate::block::{MAX_PACKET, Record};
use crate::cut::{Cut, Input, Order, Stop, Want};
use crate::error::{Fault, Found};

/// Bytes before the first packet.
pub(crate) const FILE_HEADER: usize = 24;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const KUZNETZOV: u32 = 0xa1b2_cd34;

/// What the header of a pcap file says.
#[derive(Debug)]
pub(crate) struct Pcap {
    big_endian: bool,
    /// Nanoseconds in one unit of the fraction of a second.
    unit: u32,
    record_header: usize,
    link: u16,
}

impl Pcap {
    /// Whether a file that begins so is a pcap file.
    pub(crate) fn begins(magic: [u8; 4]) -> bool {
        let known = |magic| matches!(magic, MICROSECONDS | NANOSECONDS | KUZNETZOV);
        known(u32::from_le_bytes(magic)) || known(u32::from_be_bytes(magic))
    }

    /// Reads the header of a file that [begins](Self::begins) as one.
    pub(crate) fn open(header: &[u8; FILE_HEADER]) -> Result<Self, Found> {
        let little = Order::<false>::u32(header, 0);
        let big_endian = !matches!(little, MICROSECONDS | NANOSECONDS | KUZNETZOV);
        if big_endian { Self::in_order::<true>(header) } else { Self::in_order::<false>(header) }
    }

    fn in_order<const BIG: bool>(header: &[u8; FILE_HEADER]) -> Result<Self, Found> {
        let magic = Order::<BIG>::u32(header, 0);
        let major = Order::<BIG>::u16(header, 4);
        if major != 2 {
            let found = format!("version {major}.{}", Order::<BIG>::u16(header, 6));
            return Err(Found::at(4, Fault::Malformed, "version 2 of the pcap format", found));
        }
        // The upper half holds the length of the frame check sequence, where it is known.
        let link = Order::<BIG>::u32(header, 20) as u16;
        Ok(Self {
            big_endian: BIG,
            unit: if magic == NANOSECONDS { 1 } else { 1_000 },
            record_header: if magic == KUZNETZOV { 24 } else { 16 },
            link,
        })
    }

    /// Cuts whole packets.
    pub(crate) fn cut(&self, input: Input<'_>) -> Cut {
        if self.big_endian { self.cut_in::<true>(input) } else { self.cut_in::<false>(input) }
    }

    fn cut_in<const BIG: bool>(&self, input: Input<'_>) -> Cut {
        let Input { bytes, from, base, records } = input;
        let mut at = from;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(header) = rest.first_chunk::<16>() else {
                let want = Want { what: "the header of a packet", bytes: 16 };
                return Cut { used: at, stop: Stop::More(want) };
            };
            let seconds = Order::<BIG>::u32(header, 0);
            let fraction = Order::<BIG>::u32(header, 4);
            let len = Order::<BIG>::u32(header, 8);
            let wire_len = Order::<BIG>::u32(header, 12);
            if len > MAX_PACKET {
                return Cut { used: at, stop: Stop::Fault(too_long(base + at as u64, len)) };
            }
            let record = self.record_header + len as usize;
            if rest.len() < record {
                let want = Want { what: "a packet", bytes: record as u64 };
                return Cut { used: at, stop: Stop::More(want) };
            }
            records.push(Record {
                at: Timestamp::from_parts(
                    i64::from(seconds),
                    i64::from(fraction) * i64::from(self.unit),
                ),
                start: (at + self.record_header) as u32,
                wire_len: wire_len.max(len),
                len,
                link: self.link,
                interface: 0,
            });
            at += record;
        }
    }
}

/// A packet that claims to be longer than any is.
pub(crate) fn too_long(offset: u64, len: u32) -> Found {
    let expected = format!("a packet of at most {MAX_PACKET} bytes");
    Found::at(offset, Fault::TooLong, expected, format!("one that claims {len}"))
}
