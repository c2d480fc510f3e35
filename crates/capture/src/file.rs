//! One capture file, read a block at a time.
//!
//! The reader does the work that can only be done once and in order: reading, decompressing, and
//! finding where each packet begins. What it hands out are [`Block`]s that any number of threads
//! can walk. Put the reader behind a mutex and let whichever thread runs dry fetch the next one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::block::{BLOCK_BYTES, Block, Buffers, Pool};
use crate::compress::{Compression, Progress, Stream};
use crate::cut::{Cut, Input, Stop, Want};
use crate::error::{CaptureError, Fault, Found};
use crate::pcap::{FILE_HEADER, Pcap};
use crate::pcapng::{Pcapng, SECTION_HEADER};

/// Reads one pcap or pcapng file, plain or compressed with gzip or zstd.
pub struct FileReader {
    path: PathBuf,
    stream: Stream,
    format: Format,
    /// The start of a record whose end is still to be read.
    carry: Vec<u8>,
    /// The offset of `carry` in the uncompressed stream.
    offset: u64,
    next_packet: u64,
    file: usize,
    state: State,
    pool: Arc<Pool>,
}

enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// What comes after the blocks that were handed out.
enum State {
    Reading,
    /// So many bytes of the record at this offset are of no interest.
    Skipping {
        record: u64,
        want: Want,
        missing: u64,
    },
    /// The packets before the fault were handed out; now it is told.
    Faulty(Found),
    Ended,
}

impl FileReader {
    /// Opens a file, or standard input where `path` is `-`, and reads its header.
    ///
    /// # Errors
    /// It cannot be read, or is no capture.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CaptureError> {
        Self::open_in_chain(path.as_ref(), 0, 0, Arc::default())
    }

    pub(crate) fn open_in_chain(
        path: &Path,
        file: usize,
        next_packet: u64,
        pool: Arc<Pool>,
    ) -> Result<Self, CaptureError> {
        Stream::open(path)
            .and_then(|mut stream| {
                let (format, carry, offset) = read_header(&mut stream)?;
                let path = path.to_path_buf();
                let state = State::Reading;
                Ok(Self { path, stream, format, carry, offset, next_packet, file, state, pool })
            })
            .map_err(|found| found.in_file(path))
    }

    /// The next packets; none at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read on. All packets before the fault have been handed out, and none
    /// follow: the next call says that the file has ended.
    pub fn next_block(&mut self) -> Result<Option<Block>, CaptureError> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(None),
                State::Faulty(found) => return Err(found.in_file(&self.path)),
                State::Reading => {
                    let mut buffers = self.pool.take();
                    self.state = self.fill(&mut buffers);
                    if buffers.records.is_empty() {
                        self.pool.give(buffers);
                        continue;
                    }
                    let first = self.next_packet;
                    self.next_packet += buffers.records.len() as u64;
                    return Ok(Some(Block::new(buffers, first, self.file, Arc::clone(&self.pool))));
                }
                State::Skipping { record, want, missing } => {
                    self.state = self.skip(record, want, missing);
                }
            }
        }
    }

    /// How far the reading has come.
    pub fn progress(&self) -> Progress {
        self.stream.progress()
    }

    /// The file, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Packets handed out so far; in a chain, those of the files before included.
    pub fn packets_read(&self) -> u64 {
        self.next_packet
    }

    /// Packets that the capturing machine says it lost, as far as the file was read: by the
    /// interface statistics of a pcapng file. A pcap file does not say.
    pub fn lost_before(&self) -> u64 {
        match &self.format {
            Format::Pcap(_) => 0,
            Format::Pcapng(pcapng) => pcapng.lost(),
        }
    }

    /// Fills empty buffers with whole records, and says what comes after them.
    fn fill(&mut self, buffers: &mut Buffers) -> State {
        let base = self.offset;
        let mut filled = self.carry.len();
        buffers.bytes[..filled].copy_from_slice(&self.carry);
        self.carry.clear();
        let mut used = 0;
        loop {
            let read = self.stream.read(&mut buffers.bytes[filled..]);
            let bytes = &buffers.bytes[..filled + read.as_ref().copied().unwrap_or(0)];
            let records = &mut buffers.records;
            let cut = self.format.cut(Input { bytes, from: used, base, records });
            used = cut.used;
            filled = bytes.len();
            let record = base + used as u64;
            let want = match cut.stop {
                Stop::Fault(found) => return State::Faulty(found),
                Stop::Skip(want, missing) => {
                    self.offset = base + filled as u64;
                    return State::Skipping { record, want, missing };
                }
                Stop::More(want) => want,
            };
            match read {
                Err(error) => return State::Faulty(self.broken(record, &error)),
                Ok(0) if used == filled => return State::Ended,
                Ok(0) => return State::Faulty(cut_short(record, want, (filled - used) as u64)),
                Ok(_) => {}
            }
            let deliver_now = self.stream.is_pipe() && !buffers.records.is_empty();
            if filled == BLOCK_BYTES || deliver_now {
                self.carry.extend_from_slice(&bytes[used..]);
                self.offset = record;
                return State::Reading;
            }
        }
    }

    /// Reads past a record of no interest.
    fn skip(&mut self, record: u64, want: Want, mut missing: u64) -> State {
        let mut buffers = self.pool.take();
        let after = loop {
            if missing == 0 {
                break State::Reading;
            }
            let most = usize::try_from(missing).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            match self.stream.read(&mut buffers.bytes[..most]) {
                Ok(0) => break State::Faulty(cut_short(record, want, self.offset - record)),
                Ok(read) => {
                    missing -= read as u64;
                    self.offset += read as u64;
                }
                Err(error) => break State::Faulty(self.broken(record, &error)),
            }
        };
        self.pool.give(buffers);
        after
    }

    fn broken(&self, offset: u64, error: &std::io::Error) -> Found {
        read_fault(&self.stream, offset, error)
    }
}

impl Format {
    fn cut(&mut self, input: Input<'_>) -> Cut {
        match self {
            Self::Pcap(pcap) => pcap.cut(input),
            Self::Pcapng(pcapng) => pcapng.cut(input),
        }
    }
}

/// Tells the format by its first bytes. Returns too what was read and not used, and its offset.
fn read_header(stream: &mut Stream) -> Result<(Format, Vec<u8>, u64), Found> {
    let mut header = [0; FILE_HEADER];
    let magic_read = read_full(stream, &mut header[..4])?;
    let magic = [header[0], header[1], header[2], header[3]];
    if magic_read == 0 {
        return Err(Found::at(0, Fault::Truncated, "a capture", "no bytes at all"));
    }
    if u32::from_le_bytes(magic) == SECTION_HEADER {
        return Ok((Format::Pcapng(Pcapng::default()), magic.to_vec(), 0));
    }
    if !Pcap::begins(magic) {
        let expected = "the first bytes of a pcap or pcapng file";
        let found = format!("{:02x?}", &magic[..magic_read]);
        return Err(Found::at(0, Fault::NotACapture, expected, found));
    }
    let read = 4 + read_full(stream, &mut header[4..])?;
    if read < FILE_HEADER {
        let want = Want { what: "a file header", bytes: FILE_HEADER as u64 };
        return Err(cut_short(0, want, read as u64));
    }
    Ok((Format::Pcap(Pcap::open(&header)?), Vec::new(), FILE_HEADER as u64))
}

/// Reads until `into` is full or the stream ends; how much was read.
fn read_full(stream: &mut Stream, into: &mut [u8]) -> Result<usize, Found> {
    let mut filled = 0;
    while filled < into.len() {
        match stream.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => return Err(read_fault(stream, 0, &error)),
        }
    }
    Ok(filled)
}

/// A record at `offset` that the end of the file cuts off after `there` bytes.
fn cut_short(offset: u64, want: Want, there: u64) -> Found {
    let expected = format!("{} of {} bytes", want.what, want.bytes);
    Found::at(offset, Fault::Truncated, expected, format!("the end of the file after {there}"))
}

fn read_fault(stream: &Stream, offset: u64, error: &std::io::Error) -> Found {
    let compression = stream.compression();
    let name = compression.name();
    let fault = match (compression, error.kind()) {
        (Compression::None, _) => Fault::Io,
        (_, std::io::ErrorKind::UnexpectedEof) => Fault::Truncated,
        _ => Fault::Compression,
    };
    let found = match fault {
        Fault::Truncated => format!("{name} data that end too early"),
        _ => error.to_string(),
    };
    let expected = match fault {
        Fault::Io => "more of the file".to_owned(),
        _ => format!("more {name} data"),
    };
    Found::at(offset, fault, expected, found)
}
