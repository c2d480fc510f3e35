//! The memory in which the kernel leaves packets: a ring of blocks (TPACKET_V3), mapped into this
//! process.
//!
//! A block belongs to the kernel or to this process, which its status word says. The kernel
//! hands a block over when it is full or its time is up, and never touches it again until it is
//! given back. [`Filled`] is such a block; dropping it gives it back.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use super::socket;

/// Of the status word in the header of a block (`struct tpacket_block_desc`).
const STATUS: usize = 8;

/// The measures of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// A power of two, at least a page.
    pub(crate) block_bytes: usize,
    pub(crate) blocks: usize,
    /// After so many milliseconds the kernel hands over a block that is not full.
    pub(crate) timeout_ms: u32,
}

/// A ring of one packet socket.
#[derive(Debug)]
pub(crate) struct Ring {
    base: NonNull<u8>,
    shape: Shape,
    /// The block that the kernel hands over next.
    current: usize,
}

// SAFETY: the mapping belongs to this value alone, and is used through `&mut` only.
unsafe impl Send for Ring {}

impl Ring {
    /// Asks the kernel for a ring on a packet socket of version TPACKET_V3 that has none, and maps
    /// it.
    pub(crate) fn new(fd: BorrowedFd<'_>, shape: Shape) -> io::Result<Self> {
        let too_large = || io::Error::from_raw_os_error(libc::ENOMEM);
        let frame = 2048;
        let bytes = shape.block_bytes.checked_mul(shape.blocks).ok_or_else(too_large)?;
        let number = |n: usize| libc::c_uint::try_from(n).map_err(|_| too_large());
        let request = libc::tpacket_req3 {
            tp_block_size: number(shape.block_bytes)?,
            tp_block_nr: number(shape.blocks)?,
            tp_frame_size: number(frame)?,
            tp_frame_nr: number(bytes / frame)?,
            tp_retire_blk_tov: shape.timeout_ms,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        socket::set(fd, libc::PACKET_RX_RING, &request)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let how = libc::MAP_SHARED | libc::MAP_POPULATE;
        // SAFETY: a new mapping at an address of the kernel's choice replaces nothing.
        let base =
            unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, how, fd.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(too_large)?;
        Ok(Self { base, shape, current: 0 })
    }

    /// The next block, if the kernel has handed it over.
    pub(crate) fn filled(&mut self) -> Option<Filled<'_>> {
        // Acquire: what the kernel wrote before it handed the block over is seen.
        let status = self.status().load(Ordering::Acquire);
        (status & libc::TP_STATUS_USER != 0).then_some(Filled { ring: self })
    }

    /// The current block.
    fn block(&self) -> NonNull<u8> {
        // SAFETY: `current` is below `blocks`, so this stays inside the mapping.
        unsafe { self.base.add(self.current * self.shape.block_bytes) }
    }

    /// The status word of the current block.
    fn status(&self) -> &AtomicU32 {
        // SAFETY: blocks are longer than their header.
        let word = unsafe { self.block().add(STATUS) };
        // SAFETY: the word is aligned, inside the mapping, which lives as long as `self`, and
        // changed by the kernel and this process as a whole only.
        unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let bytes = self.shape.block_bytes * self.shape.blocks;
        // SAFETY: exactly the mapping that `new` made; nothing borrows from it any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), bytes) };
    }
}

/// A block that belongs to this process until it is dropped.
pub(crate) struct Filled<'a> {
    ring: &'a mut Ring,
}

impl Filled<'_> {
    /// The whole block, its header first.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        let (start, len) = (self.ring.block(), self.ring.shape.block_bytes);
        // SAFETY: the block lies in the mapping, the kernel does not touch it while its status
        // says that it belongs to this process, and the borrow of `self` keeps it so.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), len) }
    }
}

impl Drop for Filled<'_> {
    fn drop(&mut self) {
        // Release: every read of the block has happened before the kernel may write to it.
        self.ring.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.ring.current = (self.ring.current + 1) % self.ring.shape.blocks;
    }
}
