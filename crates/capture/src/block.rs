//! A piece of a capture file, cut at record boundaries, that several threads can walk at once.
//!
//! Cutting checks every record and notes where its bytes lie ([`Record`], 24 bytes), so that
//! walking a block cannot fail, does no byte swapping and no division, and needs no knowledge of
//! the format: the same few instructions for pcap and pcapng, however many threads walk.
//!
//! The buffers go back to their pool when a block is dropped. Fresh memory costs a page fault
//! every four kilobytes, which is more than reading the packets in them.
//!
//! Deliberately absent: mapping the file into memory. Measured with packets of 600 bytes, a copy
//! into a buffer that stays in the second-level cache costs half of what the page faults of a
//! mapping cost; and a file that shrinks under a mapping kills the process.

use std::sync::{Arc, Mutex, PoisonError};

use model::Timestamp;

use crate::{LinkType, Packet};

/// Bytes of file in a block: fits a second-level cache, and is the longest record of pcapng that
/// is looked into.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;

/// The longest packet that is believed. Linux captures at most this much of one
/// (libpcap's `MAXIMUM_SNAPLEN`).
pub(crate) const MAX_PACKET: u32 = 256 << 10;

/// Buffers kept for the next block; more blocks in flight than this are freed.
const POOLED: usize = 16;

/// Where one packet lies in its block, decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) at: Timestamp,
    /// Of its first byte in the block.
    pub(crate) start: u32,
    pub(crate) wire_len: u32,
    /// Captured bytes; at most [`MAX_PACKET`], so that 20 bits would do.
    pub(crate) len: u32,
    pub(crate) link: u16,
    pub(crate) interface: u16,
}

/// The memory of a block.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// [`BLOCK_BYTES`] long always, so that reusing it needs no clearing; the records say what
    /// of it counts.
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: Vec<Record>,
}

/// Buffers of dropped blocks, waiting for their next use.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<Buffers>>);

impl Pool {
    /// Buffers without records.
    pub(crate) fn take(&self) -> Buffers {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        used.unwrap_or_else(|| Buffers { bytes: vec![0; BLOCK_BYTES], records: Vec::new() })
    }

    /// Gives buffers back.
    pub(crate) fn give(&self, mut buffers: Buffers) {
        buffers.records.clear();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < POOLED {
            waiting.push(buffers);
        }
    }
}

/// Packets that follow one another in a capture file, with their bytes (about a megabyte).
///
/// Share it between threads as `Arc<Block>`: each walks all packets and takes those of its flows.
/// Dropping the last one gives the memory back to the reader.
#[derive(Debug)]
pub struct Block {
    buffers: Buffers,
    first: u64,
    file: usize,
    pool: Arc<Pool>,
}

impl Block {
    /// The packets that `buffers` holds, of which the first is number `first`.
    pub(crate) fn new(buffers: Buffers, first: u64, file: usize, pool: Arc<Pool>) -> Self {
        Self { buffers, first, file, pool }
    }

    /// The packets, in the order of the file.
    pub fn packets(&self) -> Packets<'_> {
        Packets { bytes: &self.buffers.bytes, records: self.buffers.records.iter() }
    }

    /// How many packets there are; at least one.
    #[allow(clippy::len_without_is_empty, reason = "no block is empty")]
    pub fn len(&self) -> usize {
        self.buffers.records.len()
    }

    /// How many packets came before the first of this block: in the file, or in all the files of
    /// a chain.
    pub fn first_packet(&self) -> u64 {
        self.first
    }

    /// The place of the file in its chain, from 0.
    pub fn file(&self) -> usize {
        self.file
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.buffers));
    }
}

/// Walks the packets of a [`Block`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    bytes: &'a [u8],
    records: std::slice::Iter<'a, Record>,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    #[inline]
    fn next(&mut self) -> Option<Packet<'a>> {
        let record = self.records.next()?;
        let start = record.start as usize;
        Some(Packet {
            at: record.at,
            link: LinkType(record.link.into()),
            wire_len: record.wire_len,
            interface: record.interface,
            data: self.bytes.get(start..start + record.len as usize).unwrap_or_default(),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.records.size_hint()
    }
}

impl ExactSizeIterator for Packets<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_block_gives_its_memory_to_the_next() {
        let pool = Arc::new(Pool::default());
        let buffers = pool.take();
        let memory = buffers.bytes.as_ptr();
        drop(Block::new(buffers, 0, 0, Arc::clone(&pool)));
        let again = pool.take();
        assert_eq!(again.bytes.as_ptr(), memory);
        assert!(again.records.is_empty());
        assert_ne!(pool.take().bytes.as_ptr(), memory);
    }

    #[test]
    fn the_pool_keeps_a_bounded_number_of_buffers() {
        let pool = Pool::default();
        for _ in 0..100 {
            pool.give(Buffers::default());
        }
        assert_eq!(pool.0.lock().unwrap().len(), POOLED);
    }

    #[test]
    fn a_record_note_stays_small() {
        assert_eq!(size_of::<Record>(), 24);
    }
}
