//! Bodies under a content coding (RFC 9110, section 8.4): gzip and deflate are undone in passing,
//! up to a bound.
//!
//! Deliberately absent: Brotli and Zstandard, which browsers ask for and devices do not, and bodies
//! coded twice.

use flate2::{Decompress, FlushDecompress, Status};

/// Most bytes that a body may become.
const MAX_OUTPUT: u64 = 8 << 20;

/// Bytes handed on at once.
const PIECE: usize = 8 << 10;

/// Longest header of a gzip member.
const MAX_HEADER: usize = 1 << 10;

/// Undoes the coding of one body.
#[derive(Debug)]
pub(super) struct Inflate {
    /// What of the header is not read yet; absent behind it.
    header: Option<Vec<u8>>,
    gzip: bool,
    inner: Decompress,
    piece: Vec<u8>,
    over: bool,
}

impl Inflate {
    /// For a Content-Encoding header.
    ///
    /// # Errors
    /// Whether the body is to be left unread: it is in a coding that is not undone here.
    pub(super) fn new(coding: &[u8]) -> Result<Option<Box<Self>>, ()> {
        let coding = coding.trim_ascii();
        let is = |name: &[u8]| coding.eq_ignore_ascii_case(name);
        let gzip = is(b"gzip") || is(b"x-gzip");
        match coding {
            b"" => Ok(None),
            _ if is(b"identity") => Ok(None),
            _ if gzip || is(b"deflate") => Ok(Some(Box::new(Self {
                header: Some(Vec::new()),
                gzip,
                inner: Decompress::new(false),
                piece: Vec::with_capacity(PIECE),
                over: false,
            }))),
            _ => Err(()),
        }
    }

    /// Takes coded bytes and gives what they become.
    ///
    /// # Errors
    /// What keeps it from being read on.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), &'static str> {
        let Some(mut header) = self.header.take() else { return self.data(bytes, &mut take) };
        // Never more than the bound is looked at, whatever the pieces.
        let room = MAX_HEADER.saturating_sub(header.len()).min(bytes.len());
        let (looked, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        header.extend_from_slice(looked);
        match self.behind_header(&header)? {
            Some(data) => {
                self.data(header.get(data..).unwrap_or_default(), &mut take)?;
                self.data(rest, &mut take)
            }
            None if header.len() >= MAX_HEADER => Err("gzip header longer than 1 KiB"),
            None => {
                self.header = Some(header);
                Ok(())
            }
        }
    }

    /// Where the data begin, once that can be told (RFC 1952, section 2.3).
    fn behind_header(&self, header: &[u8]) -> Result<Option<usize>, &'static str> {
        if !self.gzip {
            // With the two bytes of zlib in front, as the standard has it, or without.
            return Ok(match header {
                [] | [_] => None,
                [a, b, ..] if a & 15 == 8 && u16::from_be_bytes([*a, *b]) % 31 == 0 => Some(2),
                _ => Some(0),
            });
        }
        let magic = header.get(..header.len().min(3)).unwrap_or_default();
        if !b"\x1f\x8b\x08".starts_with(magic) {
            return Err("body that is not gzip");
        }
        let Some(flags) = header.get(3).copied() else { return Ok(None) };
        let mut at = 10_usize;
        if flags & 4 != 0 {
            let Some([low, high]) = header.get(10..12) else { return Ok(None) };
            at =
                at.saturating_add(2).saturating_add(usize::from(u16::from_le_bytes([*low, *high])));
        }
        for flag in [8, 16] {
            if flags & flag == 0 {
                continue;
            }
            let rest = header.get(at..).unwrap_or_default();
            let Some(zero) = rest.iter().position(|byte| *byte == 0) else { return Ok(None) };
            at = at.saturating_add(zero).saturating_add(1);
        }
        if flags & 2 != 0 {
            at = at.saturating_add(2);
        }
        Ok((header.len() >= at).then_some(at))
    }

    fn data(&mut self, mut bytes: &[u8], take: &mut impl FnMut(&[u8])) -> Result<(), &'static str> {
        while !self.over {
            let (read, written) = (self.inner.total_in(), self.inner.total_out());
            self.piece.clear();
            let status = self.inner.decompress_vec(bytes, &mut self.piece, FlushDecompress::None);
            let fresh = self.inner.total_out().saturating_sub(written);
            let room = MAX_OUTPUT.saturating_sub(written).min(fresh);
            take(self.piece.get(..usize::try_from(room).unwrap_or(0)).unwrap_or_default());
            if self.inner.total_out() >= MAX_OUTPUT {
                self.over = true;
                return Err("body that unpacks to more than 8 MiB");
            }
            let used = self.inner.total_in().saturating_sub(read);
            bytes = bytes.get(usize::try_from(used).unwrap_or(usize::MAX)..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) => self.over = true,
                Ok(Status::Ok | Status::BufError) if fresh == 0 && bytes.is_empty() => {
                    return Ok(());
                }
                Ok(Status::Ok | Status::BufError) if fresh > 0 || used > 0 => {}
                Ok(Status::Ok | Status::BufError) => return Ok(()),
                Err(_) => {
                    self.over = true;
                    return Err("body that does not unpack");
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn unpack(coding: &str, coded: &[u8], size: usize) -> (Vec<u8>, Result<(), &'static str>) {
        let mut inflate = Inflate::new(coding.as_bytes()).unwrap().unwrap();
        let mut out = Vec::new();
        for piece in coded.chunks(size) {
            let result = inflate.feed(piece, |bytes| out.extend_from_slice(bytes));
            if result.is_err() {
                return (out, result);
            }
        }
        (out, Ok(()))
    }

    #[test]
    fn every_coding_is_undone_however_cut() {
        let text = b"<Envelope>ward</Envelope>".repeat(3000);
        let level = Compression::default();
        let mut gzip = flate2::GzBuilder::new()
            .filename("doe.xml")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), level);
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        let mut raw = DeflateEncoder::new(Vec::new(), level);
        gzip.write_all(&text).unwrap();
        zlib.write_all(&text).unwrap();
        raw.write_all(&text).unwrap();
        for (coding, coded) in [
            ("gzip", gzip.finish().unwrap()),
            ("deflate", zlib.finish().unwrap()),
            ("Deflate", raw.finish().unwrap()),
        ] {
            for size in [1, 7, 100, 100_000] {
                assert_eq!(unpack(coding, &coded, size), (text.clone(), Ok(())), "{coding} {size}");
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![0; 20 << 20]).unwrap();
        let bomb = bomb.finish().unwrap();
        for size in [64, 1400, 1 << 20] {
            let (out, result) = unpack("gzip", &bomb, size);
            assert_eq!((out.len() as u64, result.is_err()), (MAX_OUTPUT, true), "{size}");
        }
    }

    proptest! {
        #[test]
        fn what_is_broken_gives_the_same_however_cut(
            places in proptest::collection::vec((0_usize..400, any::<u8>()), 0..4),
            size in 1_usize..200,
        ) {
            let text: Vec<u8> = (0..3000_u32).flat_map(|n| (n * n % 251).to_string().into_bytes()).collect();
            let mut packed = GzEncoder::new(Vec::new(), Compression::default());
            packed.write_all(&text).unwrap();
            let mut packed = packed.finish().unwrap();
            for (place, byte) in places {
                let place = place % packed.len();
                packed[place] = byte;
            }
            prop_assert_eq!(unpack("gzip", &packed, size), unpack("gzip", &packed, usize::MAX));
        }
    }

    #[test]
    fn what_is_not_packed_is_given_up() {
        assert!(unpack("gzip", b"plain text", 100).1.is_err());
        assert!(
            unpack("gzip", &[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0].repeat(200)[..4], 9).1.is_ok()
        );
        assert!(Inflate::new(b"br").is_err() && Inflate::new(b"").unwrap().is_none());
    }
}
