//! Writes pcapng: the blocks of a capture, each appended whole to a buffer.
//!
//! A file is a section, its interfaces, then packets; another section may follow at any time, so
//! that a file that was left off is gone on with. Whoever writes whole blocks to a file leaves one
//! that can be read however it was stopped ([`whole_blocks`] finds where, after a torn write).
//! Little-endian, times in nanoseconds. Described in draft-ietf-opsawg-pcapng.
//!
//! Deliberately absent: name resolution and statistics blocks.

use std::io::{self, Read};

use crate::pcapng::{ENHANCED_PACKET, INTERFACE, SECTION_HEADER};
use crate::{LinkType, Packet};

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const COMMENT: u16 = 1;
const SECTION_APPLICATION: u16 = 4;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
/// Ten to the power of minus nine.
const NANOSECONDS: u8 = 9;
/// Longer comments are cut, at the end of a character.
const MOST_COMMENT: usize = 2_000;

/// Begins a section, with a comment on what it is.
pub fn write_section(out: &mut Vec<u8>, comment: &str) {
    block(out, SECTION_HEADER, |out| {
        out.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        out.extend(1_u16.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        // Its length is not known beforehand.
        out.extend(u64::MAX.to_le_bytes());
        option(out, COMMENT, cut(comment).as_bytes());
        option(out, SECTION_APPLICATION, b"Wardwatch");
        option(out, 0, &[]);
    });
}

/// Describes the next interface of the section; packets name it by its place, from 0.
pub fn write_interface(out: &mut Vec<u8>, name: &str, link: LinkType) {
    block(out, INTERFACE, |out| {
        out.extend((link.0 as u16).to_le_bytes());
        out.extend([0; 2]);
        // No limit to what is kept of a packet.
        out.extend(0_u32.to_le_bytes());
        option(out, IF_NAME, cut(name).as_bytes());
        option(out, IF_TSRESOL, &[NANOSECONDS]);
        option(out, 0, &[]);
    });
}

/// Adds a packet, with a comment where there is something to say.
pub fn write_packet(out: &mut Vec<u8>, packet: &Packet<'_>, comment: Option<&str>) {
    block(out, ENHANCED_PACKET, |out| {
        let ticks = packet.at.nanos().max(0).cast_unsigned();
        out.extend(u32::from(packet.interface).to_le_bytes());
        out.extend(((ticks >> 32) as u32).to_le_bytes());
        out.extend((ticks as u32).to_le_bytes());
        out.extend((packet.data.len() as u32).to_le_bytes());
        out.extend(packet.wire_len.to_le_bytes());
        out.extend_from_slice(packet.data);
        pad(out, packet.data.len());
        if let Some(comment) = comment {
            option(out, COMMENT, cut(comment).as_bytes());
            option(out, 0, &[]);
        }
    });
}

/// How many bytes from the start on are whole blocks: where a file whose last write was torn can
/// be gone on with.
///
/// # Errors
/// The file cannot be read.
pub fn whole_blocks(file: &mut impl Read) -> io::Result<u64> {
    let mut whole = 0;
    loop {
        let mut head = [0; 8];
        if !read_all(file, &mut head)? {
            return Ok(whole);
        }
        let total = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if total < 12 || total % 4 != 0 {
            return Ok(whole);
        }
        let between = u64::from(total) - 12;
        if io::copy(&mut file.by_ref().take(between), &mut io::sink())? < between {
            return Ok(whole);
        }
        let mut again = [0; 4];
        if !read_all(file, &mut again)? || u32::from_le_bytes(again) != total {
            return Ok(whole);
        }
        whole += u64::from(total);
    }
}

/// Fills `into`, or says that the file ended before.
fn read_all(file: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    let total = (out.len() - start + 4) as u32;
    out.extend(total.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&total.to_le_bytes());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend(code.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out, value.len());
}

/// Fills up to a multiple of four after so many bytes.
fn pad(out: &mut Vec<u8>, len: usize) {
    out.resize(out.len() + len.next_multiple_of(4) - len, 0);
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_COMMENT)]
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::FileReader;

    fn written(packets: &[(i64, u16, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        write_section(&mut out, &"ü".repeat(5_000));
        write_interface(&mut out, "span0", LinkType::ETHERNET);
        write_interface(&mut out, "tun0", LinkType::RAW_IP);
        for (nanos, interface, data) in packets {
            let link = [LinkType::ETHERNET, LinkType::RAW_IP][usize::from(*interface)];
            let at = Timestamp::from_nanos(*nanos);
            let wire_len = data.len() as u32 + 7;
            let packet = Packet { at, link, wire_len, interface: *interface, data };
            write_packet(&mut out, &packet, (data.len() % 2 == 0).then_some("why"));
        }
        out
    }

    fn read(bytes: &[u8]) -> Vec<(i64, u16, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.pcapng");
        std::fs::write(&path, bytes).unwrap();
        let mut reader = FileReader::open(&path).unwrap();
        let mut out = Vec::new();
        while let Ok(Some(block)) = reader.next_block() {
            for packet in block.packets() {
                assert_eq!(packet.wire_len, packet.data.len() as u32 + 7);
                out.push((packet.at.nanos(), packet.interface, packet.data.to_vec()));
            }
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_written_is_read_back_and_a_torn_end_costs_no_packet_before_it(
            packets in proptest::collection::vec(
                (0..4_000_000_000_000_000_000_i64, 0..2_u16,
                 proptest::collection::vec(any::<u8>(), 0..200)),
                1..20,
            ),
            torn in 1..40_usize,
        ) {
            let mut bytes = written(&packets);
            prop_assert_eq!(&read(&bytes), &packets);
            prop_assert_eq!(whole_blocks(&mut &bytes[..]).unwrap(), bytes.len() as u64);
            let whole = bytes.len();
            let last = packets.last().cloned().unwrap();
            let mut end = Vec::new();
            let packet = Packet {
                at: Timestamp::from_nanos(last.0), link: LinkType::ETHERNET,
                wire_len: 60, interface: 0, data: &[7; 60],
            };
            write_packet(&mut end, &packet, None);
            bytes.extend_from_slice(&end[..torn]);
            prop_assert_eq!(whole_blocks(&mut &bytes[..]).unwrap(), whole as u64);
            prop_assert_eq!(read(&bytes), packets);
        }
    }
}
