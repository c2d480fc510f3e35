//! A bounds-checked reader over bytes: what every parser of ours stands on.
//!
//! It never panics and never allocates. Running out of bytes is a value ([`Short`]), so that a
//! stream parser can wait for more and a datagram parser can report what was cut.

/// There were fewer bytes than asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ends too early")]
pub struct Short;

/// Reads forward through bytes.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// From the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How far it has read.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub const fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Whether all was read.
    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left; nothing is read then.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Short> {
        let end = self.at.checked_add(count).ok_or(Short)?;
        let taken = self.bytes.get(self.at..end).ok_or(Short)?;
        self.at = end;
        Ok(taken)
    }

    /// Passes over `count` bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left; nothing is passed over then.
    pub fn skip(&mut self, count: usize) -> Result<(), Short> {
        self.take(count).map(|_| ())
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        self.take(N)?.try_into().map_err(|_| Short)
    }

    /// The next byte without reading it.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Short`] when none is left.
    pub fn u8(&mut self) -> Result<u8, Short> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A big-endian number of two bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left.
    pub fn u16(&mut self) -> Result<u16, Short> {
        self.array().map(u16::from_be_bytes)
    }

    /// A big-endian number of three bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left.
    pub fn u24(&mut self) -> Result<u32, Short> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// A big-endian number of four bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left.
    pub fn u32(&mut self) -> Result<u32, Short> {
        self.array().map(u32::from_be_bytes)
    }

    /// A big-endian number of eight bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left.
    pub fn u64(&mut self) -> Result<u64, Short> {
        self.array().map(u64::from_be_bytes)
    }

    /// A little-endian number of two bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left.
    pub fn u16_le(&mut self) -> Result<u16, Short> {
        self.array().map(u16::from_le_bytes)
    }

    /// A little-endian number of four bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left.
    pub fn u32_le(&mut self) -> Result<u32, Short> {
        self.array().map(u32::from_le_bytes)
    }

    /// A little-endian number of eight bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are left.
    pub fn u64_le(&mut self) -> Result<u64, Short> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_reads_past_the_end(bytes: Vec<u8>, asks in proptest::collection::vec(0_usize..40, 0..20)) {
            let mut cursor = Cursor::new(&bytes);
            for ask in asks {
                let before = cursor.position();
                match cursor.take(ask) {
                    Ok(taken) => prop_assert_eq!(taken.len(), ask),
                    Err(Short) => prop_assert_eq!(cursor.position(), before),
                }
                prop_assert!(cursor.position() <= bytes.len());
            }
        }
    }
}
