//! Lines of a table as fields, within bounds.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{TableError, owned};

/// Bytes of a line.
pub(super) const MOST_LINE: u64 = 4 << 20;

/// Fields of a line.
pub(super) const MOST_COLUMNS: u64 = 10_000;

/// Bytes of a field.
const MOST_FIELD: u64 = 64 << 10;

/// What a reader hands out before somebody has to say that a line ended.
struct Bounded {
    inner: Box<dyn Read>,
    left: Rc<Cell<u64>>,
}

/// What is said when a line does not end.
const ENDLESS: &str = "a line does not end";

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::other(ENDLESS));
        }
        let most = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.inner.read(&mut into[..most])?;
        self.left.set(left - read as u64);
        Ok(read)
    }
}

/// The lines of a file in turn.
pub(super) struct Lines {
    file: PathBuf,
    reader: csv::Reader<Bounded>,
    record: csv::ByteRecord,
    left: Rc<Cell<u64>>,
}

/// One line.
pub(super) struct Line<'a> {
    record: &'a csv::ByteRecord,
    number: u64,
}

impl Lines {
    pub(super) fn open(file: &Path) -> Result<Self, TableError> {
        let why = |error: io::Error| TableError::Read { file: owned(file), why: error.to_string() };
        let separator = separator(file)?;
        let left = Rc::new(Cell::new(MOST_LINE));
        let inner = plain(file).map_err(why)?;
        let reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(Bounded { inner, left: left.clone() });
        Ok(Self { file: owned(file), reader, record: csv::ByteRecord::new(), left })
    }

    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, TableError> {
        self.left.set(MOST_LINE);
        let line = self.reader.position().line();
        let there = self.reader.read_byte_record(&mut self.record);
        let there = there.map_err(|error| {
            let endless = matches!(error.kind(), csv::ErrorKind::Io(e) if e.to_string() == ENDLESS);
            let (file, why) = (owned(&self.file), error.to_string());
            match endless {
                true => {
                    let what = "the number of bytes of a line";
                    TableError::TooLarge { file, line, what, most: MOST_LINE }
                }
                false => TableError::Read { file, why },
            }
        })?;
        let number = self.record.position().map_or(line, csv::Position::line);
        Ok(there.then_some(Line { record: &self.record, number }))
    }
}

/// A file's bytes, unpacked where its name says that they are packed.
fn plain(file: &Path) -> io::Result<Box<dyn Read>> {
    let opened = BufReader::new(File::open(file)?);
    let ending = file.extension().unwrap_or_default();
    Ok(if ending.eq_ignore_ascii_case("gz") {
        Box::new(flate2::bufread::MultiGzDecoder::new(opened))
    } else if ending.eq_ignore_ascii_case("zst") {
        Box::new(zstd::stream::read::Decoder::with_buffer(opened)?)
    } else {
        Box::new(opened)
    })
}

/// What stands between fields: that of tab, semicolon and comma which the first line has most of.
fn separator(file: &Path) -> Result<u8, TableError> {
    let why = |error: io::Error| TableError::Read { file: owned(file), why: error.to_string() };
    let mut first = Vec::new();
    let bytes = plain(file).map_err(why)?.take(MOST_LINE);
    BufReader::new(bytes).read_until(b'\n', &mut first).map_err(why)?;
    let count = |separator: u8| first.iter().filter(|byte| **byte == separator).count();
    let most = [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator));
    Ok(most.unwrap_or(b','))
}

impl Line<'_> {
    pub(super) fn len(&self) -> usize {
        self.record.len()
    }

    /// Whether it has as many fields as the first line, and no more than are read.
    pub(super) fn check(&self, file: &Path, expected: usize) -> Result<(), TableError> {
        let (found, line) = (self.len(), self.number);
        if found as u64 > MOST_COLUMNS {
            return Err(self.too_large(file, "the number of columns", MOST_COLUMNS));
        }
        if found != expected {
            return Err(TableError::Ragged { file: owned(file), line, expected, found });
        }
        Ok(())
    }

    pub(super) fn field(&self, file: &Path, place: usize) -> Result<&str, TableError> {
        let bytes = self.record.get(place).unwrap_or_default();
        if bytes.len() as u64 > MOST_FIELD {
            return Err(self.too_large(file, "the number of bytes of a field", MOST_FIELD));
        }
        let (file, line, column) = (owned(file), self.number, place + 1);
        std::str::from_utf8(bytes).map(str::trim).map_err(|_| TableError::NotText {
            file,
            line,
            column,
        })
    }

    pub(super) fn lacks(&self, file: &Path, role: &'static str) -> TableError {
        TableError::NoValue { file: owned(file), line: self.number, role }
    }

    pub(super) fn too_large(&self, file: &Path, what: &'static str, most: u64) -> TableError {
        TableError::TooLarge { file: owned(file), line: self.number, what, most }
    }
}
