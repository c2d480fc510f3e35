//! Writes capture files byte by byte, in every variant of the formats.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::Write;
use std::path::PathBuf;

use capture::{CaptureError, FileReader};

/// A packet as it was read, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) nanos: i64,
    pub(crate) link: u32,
    pub(crate) wire_len: u32,
    pub(crate) interface: u16,
    pub(crate) data: Vec<u8>,
}

/// Everything that a file gives, and the error that ended it.
pub(crate) fn read(path: &std::path::Path) -> (Vec<Seen>, Option<CaptureError>) {
    let mut seen = Vec::new();
    let mut reader = match FileReader::open(path) {
        Ok(reader) => reader,
        Err(error) => return (seen, Some(error)),
    };
    loop {
        match reader.next_block() {
            Ok(None) => return (seen, None),
            Err(error) => {
                assert!(matches!(reader.next_block(), Ok(None)), "an error ends the file");
                return (seen, Some(error));
            }
            Ok(Some(block)) => {
                assert_eq!(block.first_packet(), seen.len() as u64);
                assert_eq!(block.packets().len(), block.len());
                seen.extend(block.packets().map(|packet| Seen {
                    nanos: packet.at.nanos(),
                    link: packet.link.0,
                    wire_len: packet.wire_len,
                    interface: packet.interface,
                    data: packet.data.to_vec(),
                }));
            }
        }
    }
}

/// A directory for the files of one test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// Reads bytes as a file.
pub(crate) fn read_bytes(bytes: &[u8]) -> (Vec<Seen>, Option<CaptureError>) {
    let folder = Folder::new();
    read(&folder.file("capture", bytes))
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// Numbers in one byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) big: bool,
}

impl Order {
    pub(crate) fn u16(self, n: u16) -> [u8; 2] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub(crate) fn u32(self, n: u32) -> [u8; 4] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub(crate) fn u64(self, n: u64) -> [u8; 8] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }
}

pub(crate) const MICROSECONDS: u32 = 0xa1b2_c3d4;
pub(crate) const NANOSECONDS: u32 = 0xa1b2_3c4d;
pub(crate) const KUZNETZOV: u32 = 0xa1b2_cd34;

/// The header of a pcap file.
pub(crate) fn pcap_header(order: Order, magic: u32, link: u32) -> Vec<u8> {
    let mut to = order.u32(magic).to_vec();
    to.extend(order.u16(2));
    to.extend(order.u16(4));
    to.extend([0; 8]);
    to.extend(order.u32(65_535));
    to.extend(order.u32(link));
    to
}

/// A packet of a pcap file.
pub(crate) fn pcap_packet(
    order: Order,
    magic: u32,
    (seconds, fraction): (u32, u32),
    wire_len: u32,
    data: &[u8],
) -> Vec<u8> {
    let mut to = order.u32(seconds).to_vec();
    to.extend(order.u32(fraction));
    to.extend(order.u32(data.len() as u32));
    to.extend(order.u32(wire_len));
    if magic == KUZNETZOV {
        to.extend([0xee; 8]);
    }
    to.extend(data);
    to
}

/// A pcapng block of any type, padded.
pub(crate) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let total = order.u32(padded as u32 + 12);
    let mut to = order.u32(kind).to_vec();
    to.extend(total);
    to.extend(body);
    to.resize(8 + padded, 0);
    to.extend(total);
    to
}

/// A section header.
pub(crate) fn section(order: Order) -> Vec<u8> {
    let mut body = order.u32(0x1a2b_3c4d).to_vec();
    body.extend(order.u16(1));
    body.extend(order.u16(0));
    body.extend([0xff; 8]);
    block(order, 0x0a0d_0d0a, &body)
}

/// An option.
pub(crate) fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let mut to = order.u16(code).to_vec();
    to.extend(order.u16(value.len() as u16));
    to.extend(value);
    to.resize(4 + value.len().next_multiple_of(4), 0);
    to
}

/// An interface description with options.
pub(crate) fn interface(order: Order, link: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
    let mut body = order.u16(link).to_vec();
    body.extend([0; 2]);
    body.extend(order.u32(snaplen));
    body.extend(options);
    block(order, 1, &body)
}

/// The fields that enhanced packet blocks and the obsolete ones share.
fn packet_body(order: Order, first: [u8; 4], ticks: u64, wire_len: u32, data: &[u8]) -> Vec<u8> {
    let mut body = first.to_vec();
    body.extend(order.u32((ticks >> 32) as u32));
    body.extend(order.u32(ticks as u32));
    body.extend(order.u32(data.len() as u32));
    body.extend(order.u32(wire_len));
    body.extend(data);
    body.resize(body.len().next_multiple_of(4), 0);
    body
}

/// An enhanced packet block with a comment.
pub(crate) fn enhanced(
    order: Order,
    number: u32,
    ticks: u64,
    wire_len: u32,
    data: &[u8],
) -> Vec<u8> {
    let mut body = packet_body(order, order.u32(number), ticks, wire_len, data);
    body.extend(option(order, 1, b"a comment"));
    body.extend(option(order, 0, b""));
    block(order, 6, &body)
}

/// An obsolete packet block, which counts drops beside the interface.
pub(crate) fn obsolete(
    order: Order,
    number: u16,
    ticks: u64,
    wire_len: u32,
    data: &[u8],
) -> Vec<u8> {
    let [a, b] = order.u16(number);
    let [c, d] = order.u16(77);
    block(order, 2, &packet_body(order, [a, b, c, d], ticks, wire_len, data))
}

/// A simple packet block.
pub(crate) fn simple(order: Order, wire_len: u32, data: &[u8]) -> Vec<u8> {
    let mut body = order.u32(wire_len).to_vec();
    body.extend(data);
    block(order, 3, &body)
}
