//! The memory that all out-of-order segments share.

/// Buffers are at least this large, so that one fits the next segment too.
const SMALLEST: usize = 2_048;

/// At most this many unused buffers are kept.
const KEPT: usize = 1_024;

/// Buffers for segments, up to a cap in bytes.
#[derive(Debug)]
pub struct Pool {
    free: Vec<Vec<u8>>,
    used: usize,
    cap: usize,
}

impl Pool {
    /// Lends out at most `cap` bytes at a time.
    pub const fn new(cap: usize) -> Self {
        Self { free: Vec::new(), used: 0, cap }
    }

    /// Bytes lent out.
    pub const fn used(&self) -> usize {
        self.used
    }

    /// Bytes held, lent out or not.
    pub fn memory(&self) -> usize {
        let free = self.free.iter().map(Vec::capacity).fold(0, usize::saturating_add);
        self.used.saturating_add(free)
    }

    /// A copy of `bytes`; none where that would exceed the cap.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let reused = if bytes.len() <= SMALLEST { self.free.pop() } else { None };
        let mut buffer = reused.unwrap_or_else(|| Vec::with_capacity(bytes.len().max(SMALLEST)));
        let used = self.used.saturating_add(buffer.capacity());
        if used > self.cap {
            return None;
        }
        self.used = used;
        buffer.extend_from_slice(bytes);
        Some(buffer)
    }

    /// Takes a buffer back.
    pub(super) fn give_back(&mut self, mut buffer: Vec<u8>) {
        self.used = self.used.saturating_sub(buffer.capacity());
        if buffer.capacity() <= SMALLEST.saturating_mul(2) && self.free.len() < KEPT {
            buffer.clear();
            self.free.push(buffer);
        }
    }
}
