//! The files of a ledger: `ledger.jsonl` is the newest, in which lines are written; what was closed
//! before is `ledger-000001.jsonl` and so on, and is never written to again.
//!
//! Whoever looks opens the newest first: what is closed meanwhile is then either in their hands
//! already, or in the list that they make afterwards.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Body, HEAD, LEDGER, LedgerError, PUBLIC, Record, chain, file_error};

/// Longest line whose beginning is looked for; longer ones begin like the others.
const BEGINNING: u64 = 64 + 1 + 64;

/// When a segment is closed and the next one begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From this many bytes on, beside its first line.
    pub bytes: u64,
    /// From this many lines on, beside its first.
    pub lines: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, lines: 250_000 }
    }
}

impl Limits {
    /// As a site's file says it.
    ///
    /// # Errors
    /// Where it is out of bounds: a segment of a few lines would be all handing on.
    pub fn checked(mib: u64, lines: u64) -> Result<Self, String> {
        if !(1..=4_096).contains(&mib) || lines < 1_000 {
            return Err("a segment has 1 to 4096 MiB, and 1000 entries or more".to_owned());
        }
        Ok(Self { bytes: mib << 20, lines })
    }
}

/// The name of a closed segment.
pub fn name(number: u64) -> String {
    format!("ledger-{number:06}.jsonl")
}

fn number(name: &str) -> Option<u64> {
    let number = name.strip_prefix("ledger-")?.strip_suffix(".jsonl")?.parse().ok()?;
    (self::name(number) == name).then_some(number)
}

/// One file of a ledger, open from its beginning on.
#[derive(Debug)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its number, where its name says one: where it is closed.
    pub number: Option<u64>,
    file: BufReader<File>,
}

impl Segment {
    fn open(path: &Path, number: Option<u64>) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = BufReader::new(File::open(path)?);
        Ok(Self { name, path: path.to_owned(), number, file })
    }

    /// The next line, without its end, and whether it has one; none behind the last.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn line(&mut self) -> Result<Option<(Vec<u8>, bool)>, LedgerError> {
        let mut line = Vec::new();
        let read = self.file.read_until(b'\n', &mut line);
        if read.map_err(|why| file_error(&self.path, why))? == 0 {
            return Ok(None);
        }
        let whole = line.pop_if(|byte| *byte == b'\n').is_some();
        Ok(Some((line, whole)))
    }

    /// The number of its first line; none where it has no whole one. Reads from the beginning
    /// afterwards.
    fn first_seq(&mut self) -> io::Result<Option<u64>> {
        /// A record, as far as it is asked for.
        #[derive(Deserialize)]
        struct Numbered {
            seq: u64,
        }
        let mut begin = Vec::new();
        self.file.by_ref().take(BEGINNING).read_to_end(&mut begin)?;
        let digits = begin.get(65..).and_then(|text| text.strip_prefix(b"{\"seq\":"));
        let digits = digits.map(|d| d.split(|byte| !byte.is_ascii_digit()).next().unwrap_or(d));
        let short = digits.and_then(|d| std::str::from_utf8(d).ok()?.parse().ok());
        self.file.seek(SeekFrom::Start(0))?;
        if short.is_some() {
            return Ok(short);
        }
        let mut line = Vec::new();
        self.file.read_until(b'\n', &mut line)?;
        self.file.seek(SeekFrom::Start(0))?;
        let json = line.get(65..).and_then(|json| serde_json::from_slice::<Numbered>(json).ok());
        Ok(json.map(|record| record.seq))
    }

    /// Which segment its first line says that it is.
    fn says(&mut self) -> io::Result<Option<u64>> {
        let mut line = Vec::new();
        self.file.read_until(b'\n', &mut line)?;
        self.file.seek(SeekFrom::Start(0))?;
        let record = chain::first(line.strip_suffix(b"\n").unwrap_or(&line)).ok();
        Ok(record.and_then(|(record, ..)| match record.body {
            Body::Begins { .. } => Some(1),
            Body::Continues(continues) => Some(continues.segment),
            _ => None,
        }))
    }
}

/// Closed segments in a folder, by their number.
///
/// # Errors
/// When the folder cannot be read.
pub fn closed(folder: &Path) -> io::Result<BTreeMap<u64, PathBuf>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(number) = number(&entry.file_name().to_string_lossy()) {
            all.insert(number, entry.path());
        }
    }
    Ok(all)
}

/// All segments of a ledger, the oldest first: those in its folder, and the closed ones in an
/// archive that are not there.
///
/// # Errors
/// When a file or folder cannot be read, or there is none.
pub fn all(folder: &Path, archive: Option<&Path>) -> Result<Vec<Segment>, LedgerError> {
    let path = folder.join(LEDGER);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |why| file_error(&path, why)
    };
    let newest = match Segment::open(&path, None) {
        Ok(mut newest) => {
            let says = newest.says().map_err(io(&path))?;
            Some((newest, says))
        }
        // Somebody is about to begin it.
        Err(why) if why.kind() == io::ErrorKind::NotFound => None,
        Err(why) => return Err(file_error(&path, why)),
    };
    let mut found = match archive {
        Some(archive) => closed(archive).map_err(io(archive))?,
        None => BTreeMap::new(),
    };
    found.extend(closed(folder).map_err(io(folder))?);
    if let Some((_, Some(says))) = &newest {
        // Closed since it was opened: in hand already.
        found.retain(|number, _| number < says);
    }
    let mut segments = Vec::new();
    for (number, path) in found {
        segments.push(Segment::open(&path, Some(number)).map_err(io(&path))?);
    }
    segments.extend(newest.map(|(newest, _)| newest));
    if segments.is_empty() {
        return Err(file_error(&path, io::ErrorKind::NotFound.into()));
    }
    Ok(segments)
}

/// The lines of a ledger from a number on: where older segments are not there, from the first that
/// is. A last line that is not whole is left out.
#[derive(Debug)]
pub struct Lines {
    segments: std::iter::Peekable<std::vec::IntoIter<Segment>>,
    /// Number of the next line.
    pub seq: u64,
}

impl Lines {
    /// From line `from` on, counted from 0.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn from(folder: &Path, archive: Option<&Path>, from: u64) -> Result<Self, LedgerError> {
        let mut segments = all(folder, archive)?;
        let mut starts = Vec::new();
        for segment in &mut segments {
            let first = segment.first_seq().map_err(|why| file_error(&segment.path, why))?;
            starts.push(first.unwrap_or(u64::MAX));
        }
        let place = starts.iter().rposition(|first| *first <= from).unwrap_or(0);
        let seq = starts.get(place).copied().filter(|first| *first < u64::MAX).unwrap_or(0);
        let segments = segments.split_off(place).into_iter().peekable();
        let mut lines = Self { segments, seq };
        while lines.seq < from && lines.next_line()?.is_some() {}
        Ok(lines)
    }

    /// The next line.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn next_line(&mut self) -> Result<Option<String>, LedgerError> {
        while let Some(segment) = self.segments.peek_mut() {
            match segment.line()? {
                Some((line, true)) => {
                    self.seq += 1;
                    return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
                }
                _ => drop(self.segments.next()),
            }
        }
        Ok(None)
    }

    /// The next record, as it was written.
    ///
    /// # Errors
    /// When it cannot be read, or is no record.
    pub fn next_record(&mut self) -> Result<Option<(Record, String)>, LedgerError> {
        let (number, path) = (self.seq + 1, self.path());
        let Some(line) = self.next_line()? else { return Ok(None) };
        let json = line.get(65..).unwrap_or_default().to_owned();
        match serde_json::from_str(&json) {
            Ok(record) => Ok(Some((record, json))),
            Err(error) => Err(LedgerError::Damaged { path, line: number, why: error.to_string() }),
        }
    }

    fn path(&mut self) -> PathBuf {
        self.segments.peek().map(|segment| segment.path.clone()).unwrap_or_default()
    }
}

/// Writes a ledger to a folder: its newest checkpoint, its public key and all segments, whole lines
/// only.
///
/// # Errors
/// When a file cannot be read or written.
pub fn export(folder: &Path, archive: Option<&Path>, to: &Path) -> Result<(), LedgerError> {
    fs::create_dir_all(to).map_err(|why| file_error(to, why))?;
    // The checkpoint first: what it covers is written before it is.
    for name in [HEAD, PUBLIC] {
        let from = folder.join(name);
        fs::copy(&from, to.join(name)).map_err(|why| file_error(&from, why))?;
    }
    for mut segment in all(folder, archive)? {
        let path = to.join(&segment.name);
        let io = |why| file_error(&path, why);
        let mut out = io::BufWriter::new(File::create(&path).map_err(io)?);
        while let Some((mut line, true)) = segment.line()? {
            line.push(b'\n');
            out.write_all(&line).map_err(io)?;
        }
        out.flush().map_err(io)?;
    }
    Ok(())
}

/// The newest segment, to be read and appended to; made where it is not there.
///
/// Several processes write the ledger, and not all of them as the same user: what is made belongs to
/// whom the folder does. Only who may give it away has to.
pub(super) fn newest(path: &Path) -> Result<File, LedgerError> {
    let io = |why| file_error(path, why);
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path);
    let file = file.map_err(io)?;
    let about = file.metadata().map_err(io)?;
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    if let Some(folder) = folder
        && about.len() == 0
        && (about.uid(), about.gid()) != (folder.uid(), folder.gid())
        && let Err(error) = fchown(&file, Some(folder.uid()), Some(folder.gid()))
    {
        tracing::debug!(%error, "the ledger's newest file stays with whoever made it");
    }
    Ok(file)
}

/// Whether an open file is still the one of this name.
pub(super) fn is_still(file: &File, path: &Path) -> Result<bool, LedgerError> {
    let io = |why| file_error(path, why);
    let here = file.metadata().map_err(io)?;
    match fs::metadata(path) {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(io(why)),
    }
}

/// Makes names last. Where a folder cannot be synced, the power going at that moment takes a name
/// back, which is as harmless as dying before.
pub(super) fn sync(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
