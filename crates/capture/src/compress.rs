//! The bytes of a capture file, whether it is plain, gzip or zstd, a file or standard input.
//!
//! What a file is, is read from its first bytes and not from its name. Data are decompressed as
//! they are read, a piece at a time: a bomb costs time but no memory.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Fault, Found};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: u32 = 0xfd2f_b528;
/// Frames that hold no data, with 16 magic numbers (RFC 8878, 3.1.2); some writers begin with one.
const ZSTD_SKIPPABLE: u32 = 0x184d_2a50;
/// 128 MiB: what every zstd level makes but `--long` above 27 and `--ultra` with its largest
/// windows. It bounds the memory that a file can ask for.
const ZSTD_WINDOW_LOG: u32 = 27;
/// Compressed bytes read at once.
const READ_AHEAD: usize = 64 << 10;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    fn of(head: &[u8]) -> Self {
        if head.starts_with(&GZIP) {
            return Self::Gzip;
        }
        match head.first_chunk::<4>().map(|magic| u32::from_le_bytes(*magic)) {
            Some(magic) if magic == ZSTD || magic & !0xf == ZSTD_SKIPPABLE => Self::Zstd,
            _ => Self::None,
        }
    }

    /// Its name, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "file",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// How far the reading of files has come, in bytes as they lie on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub read: u64,
    /// Bytes there are; none where that cannot be known (standard input, a pipe).
    pub total: Option<u64>,
}

/// The uncompressed bytes of a file.
pub(crate) struct Stream {
    from: Box<dyn Read + Send>,
    compression: Compression,
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Stream {
    /// Opens `path`, or standard input where it is `-`.
    pub(crate) fn open(path: &Path) -> Result<Self, Found> {
        if path.as_os_str() == "-" {
            return Self::over(Box::new(io::stdin()), None);
        }
        let refuse = |error: io::Error| {
            Found::at(0, Fault::Io, "a file that can be read", error.to_string())
        };
        let file = File::open(path).map_err(refuse)?;
        let about = file.metadata().map_err(refuse)?;
        if about.is_dir() {
            return Err(Found::at(0, Fault::Io, "a file", "a directory"));
        }
        Self::over(Box::new(file), about.is_file().then_some(about.len()))
    }

    fn over(from: Box<dyn Read + Send>, total: Option<u64>) -> Result<Self, Found> {
        let read = Arc::new(AtomicU64::new(0));
        let mut from = Counted { from, read: Arc::clone(&read) };
        let mut head = Vec::with_capacity(4);
        from.by_ref().take(4).read_to_end(&mut head).map_err(|error| {
            Found::at(0, Fault::Io, "a file that can be read", error.to_string())
        })?;
        let compression = Compression::of(&head);
        let whole = io::Cursor::new(head).chain(from);
        let from: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(whole),
            Compression::Gzip => {
                Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ_AHEAD, whole)))
            }
            Compression::Zstd => Box::new(zstd_decoder(whole).map_err(|error| {
                Found::at(0, Fault::Compression, "zstd data", error.to_string())
            })?),
        };
        Ok(Self { from, compression, read, total })
    }

    /// Reads some bytes into `into`; none at the end. Goes on after a signal.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.from.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// How the file is compressed.
    pub(crate) fn compression(&self) -> Compression {
        self.compression
    }

    /// Whether more bytes may come at any pace, so that waiting for a full block would hold back
    /// what is there.
    pub(crate) fn is_pipe(&self) -> bool {
        self.total.is_none()
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        Progress { read: self.read.load(Ordering::Relaxed), total: self.total }
    }
}

fn zstd_decoder<R: Read>(from: R) -> io::Result<zstd::Decoder<'static, BufReader<R>>> {
    let mut decoder = zstd::Decoder::with_buffer(BufReader::with_capacity(READ_AHEAD, from))?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

/// Counts what is read of the file on the disk.
struct Counted {
    from: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_is_told_by_content() {
        assert_eq!(Compression::of(&[0x1f, 0x8b, 8, 0]), Compression::Gzip);
        assert_eq!(Compression::of(&[0x28, 0xb5, 0x2f, 0xfd]), Compression::Zstd);
        assert_eq!(Compression::of(&[0x5e, 0x2a, 0x4d, 0x18]), Compression::Zstd);
        assert_eq!(Compression::of(&[0xd4, 0xc3, 0xb2, 0xa1]), Compression::None);
        assert_eq!(Compression::of(&[0x28]), Compression::None);
    }
}
