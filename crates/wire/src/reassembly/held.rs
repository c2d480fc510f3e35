//! Segments that wait for a hole before them to be filled.

use super::pool::Pool;

/// Segments of one direction at most.
pub(super) const MAX_PARTS: usize = 64;

/// How far `b` lies after `a` in sequence space; negative where before.
pub(super) const fn distance(a: u32, b: u32) -> i32 {
    b.wrapping_sub(a).cast_signed()
}

/// A stretch of bytes.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) seq: u32,
    pub(super) bytes: Vec<u8>,
}

impl Part {
    fn end(&self) -> u32 {
        self.seq.wrapping_add(self.bytes.len() as u32)
    }
}

/// Stretches in order, without overlap.
#[derive(Debug, Default)]
pub(super) struct Held {
    parts: Vec<Part>,
    bytes: usize,
    /// Where the stream stood when somebody last looked whether it is stuck.
    pub(super) seen_at: Option<u32>,
}

/// What came of holding a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Bytes that were not held before.
    pub(super) fresh: u32,
    /// Bytes that were held before with other content; the first keep their place.
    pub(super) conflict: bool,
    /// Not all could be kept: the pool is empty or the limit of the direction reached.
    pub(super) full: bool,
}

impl Held {
    pub(super) fn first(&self) -> Option<u32> {
        self.parts.first().map(|part| part.seq)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Takes out the stretch that comes first.
    pub(super) fn take_first(&mut self) -> Option<Part> {
        if self.parts.is_empty() {
            return None;
        }
        let part = self.parts.remove(0);
        self.bytes = self.bytes.saturating_sub(part.bytes.len());
        Some(part)
    }

    /// Keeps what is new of a segment.
    pub(super) fn insert(
        &mut self,
        pool: &mut Pool,
        mut seq: u32,
        mut bytes: &[u8],
        max_bytes: usize,
    ) -> Kept {
        let mut kept = Kept::default();
        // Nearly always it follows what came before it.
        let after_all = self.parts.last().is_some_and(|last| distance(last.end(), seq) >= 0);
        let mut at = if after_all { self.parts.len() } else { 0 };
        while let Some(part) = self.parts.get(at) {
            if bytes.is_empty() || distance(seq, part.end()) <= 0 {
                if bytes.is_empty() {
                    return kept;
                }
                at = at.saturating_add(1);
                continue;
            }
            let free = usize::try_from(distance(seq, part.seq)).unwrap_or(0).min(bytes.len());
            if free > 0 {
                let (piece, rest) = bytes.split_at(free);
                if !self.keep(pool, at, seq, piece, max_bytes, &mut kept) {
                    return kept;
                }
                (seq, bytes) = (seq.wrapping_add(free as u32), rest);
                at = at.saturating_add(1);
                continue;
            }
            let into = usize::try_from(distance(part.seq, seq)).unwrap_or(0);
            let there = part.bytes.get(into..).unwrap_or_default();
            let both = there.len().min(bytes.len());
            let (again, rest) = bytes.split_at(both);
            kept.conflict |= there.get(..both) != Some(again);
            (seq, bytes) = (seq.wrapping_add(both as u32), rest);
            at = at.saturating_add(1);
        }
        if !bytes.is_empty() {
            self.keep(pool, at, seq, bytes, max_bytes, &mut kept);
        }
        kept
    }

    fn keep(
        &mut self,
        pool: &mut Pool,
        at: usize,
        seq: u32,
        piece: &[u8],
        max_bytes: usize,
        kept: &mut Kept,
    ) -> bool {
        let fits =
            self.parts.len() < MAX_PARTS && self.bytes.saturating_add(piece.len()) <= max_bytes;
        let Some(bytes) = (if fits { pool.copy(piece) } else { None }) else {
            kept.full = true;
            return false;
        };
        self.bytes = self.bytes.saturating_add(piece.len());
        kept.fresh = kept.fresh.saturating_add(piece.len() as u32);
        self.parts.insert(at, Part { seq, bytes });
        true
    }

    /// Whether bytes held have other content than a segment that covers them too.
    pub(super) fn differs(&self, seq: u32, bytes: &[u8]) -> bool {
        self.parts.iter().any(|part| {
            let ahead = distance(seq, part.seq);
            let (from, into) = match usize::try_from(ahead) {
                Ok(from) => (from, 0),
                Err(_) => (0, ahead.unsigned_abs() as usize),
            };
            let (new, old) = (bytes.get(from..), part.bytes.get(into..));
            let both = new.zip(old).map(|(new, old)| new.iter().zip(old));
            both.is_some_and(|mut pairs| pairs.any(|(new, old)| new != old))
        })
    }

    /// Gives everything back.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        self.bytes = 0;
        self.parts.drain(..).for_each(|part| pool.give_back(part.bytes));
    }
}
