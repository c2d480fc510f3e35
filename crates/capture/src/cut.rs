//! What the decoders of file formats have in common: they cut whole records off the front of the
//! bytes that were read so far, and say why they stopped.

use crate::block::Record;
use crate::error::Found;

/// Where and why a decoder stopped.
#[derive(Debug)]
pub(crate) struct Cut {
    /// Bytes of whole records, from the start of what was given.
    pub(crate) used: usize,
    pub(crate) stop: Stop,
}

/// Why a decoder stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The next record is not all there.
    More(Want),
    /// The next record is of no interest: so many of its bytes are still to come and are to be
    /// thrown away.
    Skip(Want, u64),
    /// The next record cannot be right.
    Fault(Found),
}

/// A record that is not all there, for the message should nothing follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    /// "a packet", "the header of a block".
    pub(crate) what: &'static str,
    /// Bytes that it has, from its start.
    pub(crate) bytes: u64,
}

/// Bytes to cut.
pub(crate) struct Input<'a> {
    /// What was read so far of the block, records that are cut already included.
    pub(crate) bytes: &'a [u8],
    /// Where to go on in `bytes`.
    pub(crate) from: usize,
    /// The offset of `bytes` in the uncompressed stream.
    pub(crate) base: u64,
    /// Where the records go.
    pub(crate) records: &'a mut Vec<Record>,
}

/// Reads numbers in the byte order of a file. `BIG` is a constant so that each order has its own
/// loop, without a test per number.
pub(crate) struct Order<const BIG: bool>;

impl<const BIG: bool> Order<BIG> {
    /// The 16-bit number at `at`, 0 past the end.
    #[inline(always)]
    pub(crate) fn u16(bytes: &[u8], at: usize) -> u16 {
        let raw = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if BIG { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) }
    }

    /// The 32-bit number at `at`, 0 past the end.
    #[inline(always)]
    pub(crate) fn u32(bytes: &[u8], at: usize) -> u32 {
        let raw = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if BIG { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) }
    }

    /// The 64-bit number at `at`, 0 past the end.
    pub(crate) fn u64(bytes: &[u8], at: usize) -> u64 {
        let raw = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if BIG { u64::from_be_bytes(raw) } else { u64::from_le_bytes(raw) }
    }
}
