//! A file of log records: plain, `.gz` or `.zst`, in any known format.
//!
//! Compression is told by the first bytes, and not by the name. The format is that of the first
//! record that a format recognises; a record that it cannot read is offered to the others, since
//! collectors mix. What no format reads is an error with file and line, is counted, and does not
//! stop the reading.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use model::emit::Emit;
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;

use crate::formats;
use crate::framing::{Framing, Records};
use crate::seam::{DecodeError, LogFormat};

/// How much of the start is looked at to tell the framing, in bytes.
const HEAD: u64 = 1 << 16;

/// Largest window of a zstd frame that is unpacked, as a power of two: 128 MiB, as `zstd -d` does.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The file itself could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It could not be opened.
    #[error("{}: cannot be opened: {source}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading broke off: everything before is read.
    #[error("{}:{line}: reading broke off at byte {offset}: {source}; all before it was read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Line of the uncompressed file.
        line: u64,
        /// Byte of the uncompressed file.
        offset: u64,
        /// Why.
        source: io::Error,
    },
}

/// A record that no format could read.
#[derive(Debug, thiserror::Error)]
#[error("{}:{line}: {error}", path.display())]
pub struct RecordError {
    /// Which file.
    pub path: PathBuf,
    /// Line on which the record begins, from 1.
    pub line: u64,
    /// Byte of the uncompressed file at which it begins.
    pub offset: u64,
    /// What was expected, and at which byte of the record.
    pub error: DecodeError,
}

/// What a file has given up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Records that were read.
    pub decoded: u64,
    /// Records that no format could read.
    pub failed: u64,
    /// Records longer than [`crate::framing::MAX_RECORD`], passed over.
    pub too_long: u64,
}

/// What one step through a file gave.
#[derive(Debug)]
pub enum Step {
    /// A record was read, and its observations are there.
    Decoded,
    /// A record could not be read.
    Failed(RecordError),
    /// The file is at its end.
    End,
}

/// A file of log records.
pub struct LogFile {
    path: PathBuf,
    records: Records<Box<dyn BufRead + Send>>,
    format: Option<&'static dyn LogFormat>,
    came_at: Timestamp,
    reading: Reading,
}

impl LogFile {
    /// Opens a file and looks at its start.
    ///
    /// # Errors
    /// [`ReadError::Open`] when it cannot be opened or its first bytes cannot be read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let refuse = |source| ReadError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(refuse)?;
        Self::over(path, Box::new(file)).map_err(refuse)
    }

    /// The same over any bytes; `path` is only for the errors.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn over(path: &Path, input: Box<dyn Read + Send>) -> io::Result<Self> {
        let (magic, input) = peek(input, 4)?;
        let plain: Box<dyn Read + Send> = match magic.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(input)),
            [0x28, 0xb5, 0x2f, 0xfd] => {
                let mut decoder = zstd::stream::read::Decoder::new(input)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            _ => input,
        };
        let (head, plain) = peek(plain, HEAD)?;
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        let input: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(1 << 16, plain));
        Ok(Self {
            path: path.to_owned(),
            records: Records::new(input, Framing::of(head)),
            format: None,
            came_at: Timestamp::default(),
            reading: Reading::default(),
        })
    }

    /// Says when the first record came, for records without a time or a year of their own: the
    /// start of the capture beside it, or the time of arrival. Later records count from the one
    /// before them.
    #[must_use]
    pub fn came_at(mut self, at: Timestamp) -> Self {
        self.set_came_at(at);
        self
    }

    /// The same of a file that is open already, before its first record is read.
    pub fn set_came_at(&mut self, at: Timestamp) {
        self.came_at = at;
    }

    /// What was read up to now.
    pub fn reading(&self) -> Reading {
        Reading { too_long: self.records.too_long(), ..self.reading }
    }

    /// The format, once a record was recognised.
    pub fn format(&self) -> Option<&'static str> {
        self.format.map(|format| format.spec().name)
    }

    /// Reads the next record, and adds its observations to `out`. Ids depend on the record and on
    /// its number in the file, so that reading a file twice gives the same ones.
    ///
    /// # Errors
    /// [`ReadError::Read`] when the file cannot be read further.
    pub fn step(&mut self, key: &SiteKey, out: &mut Vec<Observation>) -> Result<Step, ReadError> {
        let (offset, line) = self.records.place();
        let record = match self.records.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(Step::End),
            Err(source) => {
                return Err(ReadError::Read { path: self.path.clone(), line, offset, source });
            }
        };
        let number = self.reading.decoded.saturating_add(self.reading.failed);
        let mut serial = serial(record.bytes, number);
        let mut emit = Emit::new(out, key, None, self.came_at, &mut serial);
        let read = decode(self.format, record.bytes, &mut emit);
        let (line, offset) = (record.line, record.offset);
        match read {
            Ok(format) => {
                self.format = self.format.or(Some(format));
                self.came_at = out.last().map_or(self.came_at, |last| last.at);
                self.reading.decoded = self.reading.decoded.saturating_add(1);
                Ok(Step::Decoded)
            }
            Err(error) => {
                self.reading.failed = self.reading.failed.saturating_add(1);
                let path = self.path.clone();
                Ok(Step::Failed(RecordError { path, line, offset, error }))
            }
        }
    }
}

/// Decodes a record in the format of the file, or else in the one that recognises it.
fn decode(
    usual: Option<&'static dyn LogFormat>,
    record: &[u8],
    emit: &mut Emit<'_>,
) -> Result<&'static dyn LogFormat, DecodeError> {
    let first = match usual {
        Some(format) => match format.decode(record, emit) {
            Ok(()) => return Ok(format),
            Err(error) => Some(error),
        },
        None => None,
    };
    let unknown = DecodeError::new(
        0,
        "a known log format: syslog (RFC 5424 or RFC 3164) or FHIR AuditEvent as JSON",
    );
    let Some(format) = formats::recognise(record) else {
        // Of an unknown file the formats' own words say more than "unknown", where one came near.
        return Err(first.or_else(|| nearest(record, emit)).unwrap_or(unknown));
    };
    format.decode(record, emit).map(|()| format).map_err(|error| first.unwrap_or(error))
}

/// The error of the format whose beginning a record has.
fn nearest(record: &[u8], emit: &mut Emit<'_>) -> Option<DecodeError> {
    let name = match record.trim_ascii_start().first()? {
        b'<' => "syslog",
        b'{' => "fhir_audit_event",
        _ => return None,
    };
    formats::by_name(name)?.decode(record, emit).err()
}

/// The first bytes of an input, and the input as if nothing was read.
fn peek(
    mut input: Box<dyn Read + Send>,
    count: u64,
) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    let read = input.by_ref().take(count).read_to_end(&mut head);
    let start = Cursor::new(head.clone());
    match read {
        Ok(_) => Ok((head, Box::new(start.chain(input)))),
        // What came before the break is still to be had.
        Err(error) if !head.is_empty() => Ok((head, Box::new(start.chain(Broken(Some(error)))))),
        Err(error) => Err(error),
    }
}

/// Gives an error once, then the end.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// A number that differs between records (FNV-1a over the number of the record and its bytes).
fn serial(record: &[u8], number: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    number.to_le_bytes().iter().chain(record).fold(start, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
