//! A ledger in use: several processes read and write the same one, a line at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;

use super::chain::{self, Digest, from_hex, to_hex};
use super::{Body, HEAD, KEY, LEDGER, LedgerError, PUBLIC, Record};
use crate::desk::{Ask, Desk, Event, Refused};
use crate::moment::Moment;

/// Lines after which a checkpoint is written.
const CHECKPOINT_EVERY: u64 = 32;
/// Version of the format.
const FORMAT: u32 = 1;

/// What came of an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Number of the line that says so; none where a refusal was not written down.
    pub seq: Option<u64>,
    /// What was decided.
    pub events: Vec<Event>,
}

/// A ledger in use.
///
/// The desk is what the ledger says and nothing else. Each question locks the file, takes in what
/// others wrote meanwhile, decides, writes the answer down and only then counts it.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
    file: File,
    /// Bytes that were read.
    read: u64,
    lines: u64,
    last: Digest,
    since_checkpoint: u64,
    key: SigningKey,
    desk: Desk,
}

impl Book {
    /// The ledger in a folder, begun where there is none. Reads all of it.
    ///
    /// # Errors
    /// When a file cannot be used, or a line is not what was written. Half a last line (the power
    /// went, or the disk was full) is put aside beside the ledger, and noted in it.
    pub fn open(folder: &Path, now: Moment) -> Result<Self, LedgerError> {
        fs::create_dir_all(folder).map_err(|why| file_error(folder, why))?;
        let path = folder.join(LEDGER);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o640)
            .open(&path)
            .map_err(|why| file_error(&path, why))?;
        let mut book = Self {
            folder: folder.to_owned(),
            file,
            read: 0,
            lines: 0,
            last: Digest::NONE,
            since_checkpoint: 0,
            key: SigningKey::from_bytes(&[0; 32]),
            desk: Desk::default(),
        };
        book.locked(|book| {
            book.key = load_or_make_key(&book.folder)?;
            let torn = book.catch_up()?;
            if book.lines == 0 {
                let key = to_hex(book.key.verifying_key().as_bytes());
                book.write(Body::Begins { format: FORMAT, key }, now)?;
                book.checkpoint(now)?;
            }
            if let Some(text) = torn {
                book.write(Body::Note { text }, now)?;
            }
            Ok(())
        })?;
        Ok(book)
    }

    /// What was decided so far, as far as this process has read.
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Takes in what others wrote.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn refresh(&mut self, now: Moment) -> Result<&Desk, LedgerError> {
        let path = self.folder.join(LEDGER);
        let length = self.file.metadata().map_err(|why| file_error(&path, why))?.len();
        if length != self.read {
            self.locked(|book| book.current(now))?;
        }
        Ok(&self.desk)
    }

    /// Asks, and writes the answer down before it counts.
    ///
    /// # Errors
    /// When it cannot be written: then nothing was decided. A refusal is an answer.
    pub fn ask(&mut self, ask: &Ask, now: Moment) -> Result<Result<Done, Refused>, LedgerError> {
        self.ask_with(|_| Some(ask.clone()), now)
            .map(|answer| answer.unwrap_or(Ok(Done { seq: None, events: Vec::new() })))
    }

    /// Asks what is made from the desk as it stands, with nobody else in between.
    ///
    /// # Errors
    /// As [`Book::ask`].
    pub fn ask_with(
        &mut self,
        make: impl FnOnce(&Desk) -> Option<Ask>,
        now: Moment,
    ) -> Result<Option<Result<Done, Refused>>, LedgerError> {
        self.locked(|book| {
            book.current(now)?;
            let Some(ask) = make(&book.desk) else { return Ok(None) };
            let decided = book.desk.decide(&ask, now);
            let (events, refused) = match &decided {
                Ok(events) => (events.clone(), None),
                Err(refused) => (Vec::new(), Some(refused.clone())),
            };
            // Time that passes and changes nothing, and what a policy proposes again and again, are
            // not worth a line: a flood of forged alerts must not fill the disk.
            let by_machine = matches!(&ask, Ask::Propose(proposal) if proposal.by.is_none());
            if (matches!(ask, Ask::Tick) && events.is_empty()) || (by_machine && refused.is_some())
            {
                return Ok(Some(decided.map(|events| Done { seq: None, events })));
            }
            let body = Body::Decided { ask: Box::new(ask), events: events.clone(), refused };
            let seq = book.write(body, now)?;
            events.iter().for_each(|event| book.desk.apply(event, now));
            if book.since_checkpoint >= CHECKPOINT_EVERY {
                book.checkpoint(now)?;
            }
            Ok(Some(decided.map(|events| Done { seq: Some(seq), events })))
        })
    }

    /// Writes something down that decides nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&mut self, text: &str, now: Moment) -> Result<(), LedgerError> {
        self.locked(|book| {
            book.current(now)?;
            book.write(Body::Note { text: text.chars().take(4_000).collect() }, now).map(drop)
        })
    }

    /// Signs everything up to here.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn seal(&mut self, now: Moment) -> Result<(), LedgerError> {
        self.locked(|book| {
            book.current(now)?;
            if book.since_checkpoint == 0 { Ok(()) } else { book.checkpoint(now) }
        })
    }

    /// Runs `what` with nobody else writing.
    fn locked<T>(
        &mut self,
        what: impl FnOnce(&mut Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let path = self.folder.join(LEDGER);
        self.file.lock().map_err(|why| file_error(&path, why))?;
        let out = what(self);
        let unlocked = self.file.unlock().map_err(|why| file_error(&path, why));
        out.and_then(|out| unlocked.map(|()| out))
    }

    /// Takes in what others wrote, and notes what had to be put aside.
    fn current(&mut self, now: Moment) -> Result<(), LedgerError> {
        match self.catch_up()? {
            Some(text) => self.write(Body::Note { text }, now).map(drop),
            None => Ok(()),
        }
    }

    /// Reads what was written behind the last line that was read. Half a line at the end is put
    /// aside, and told.
    fn catch_up(&mut self) -> Result<Option<String>, LedgerError> {
        let path = self.folder.join(LEDGER);
        let io = |why| file_error(&path, why);
        self.file.seek(SeekFrom::Start(self.read)).map_err(io)?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).map_err(io)?;
        let mut rest = bytes.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            let (record, digest) = chain::parse(self.last, line).map_err(|why| {
                LedgerError::Damaged { path: path.clone(), line: self.lines + 1, why }
            })?;
            self.take(&record, digest, end as u64 + 1);
            rest = after.get(1..).unwrap_or_default();
        }
        if rest.is_empty() {
            return Ok(None);
        }
        // A writer holds the lock while it writes, so whoever wrote half a line is dead.
        let aside = self.folder.join(format!("ledger.torn-{}", self.lines));
        fs::write(&aside, rest).map_err(|why| file_error(&aside, why))?;
        self.file.set_len(self.read).map_err(io)?;
        let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Some(format!(
            "{} bytes of a line that was never finished were put aside in {name}",
            rest.len()
        )))
    }

    fn take(&mut self, record: &Record, digest: Digest, bytes: u64) {
        if let Body::Decided { events, .. } = &record.body {
            events.iter().for_each(|event| self.desk.apply(event, record.at));
        }
        self.since_checkpoint = match record.body {
            Body::Checkpoint(_) => 0,
            _ => self.since_checkpoint + 1,
        };
        self.read += bytes;
        self.lines += 1;
        self.last = digest;
    }

    /// Appends a line, and waits until it is on the disk.
    fn write(&mut self, body: Body, now: Moment) -> Result<u64, LedgerError> {
        let path = self.folder.join(LEDGER);
        let io = |why| file_error(&path, why);
        let seq = self.lines;
        let record = Record { seq, at: now, body };
        let (line, digest) =
            chain::line(self.last, &record).map_err(|error| io(std::io::Error::other(error)))?;
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(why) = written {
            // Half a line would stop whoever comes next; where even that fails, they mend it.
            let _ = self.file.set_len(self.read);
            return Err(io(why));
        }
        self.since_checkpoint = match record.body {
            Body::Checkpoint(_) => 0,
            _ => self.since_checkpoint + 1,
        };
        self.read += line.len() as u64;
        self.lines += 1;
        self.last = digest;
        Ok(seq)
    }

    fn checkpoint(&mut self, now: Moment) -> Result<(), LedgerError> {
        let checkpoint = chain::sign(&self.key, self.lines.saturating_sub(1), self.last);
        self.write(Body::Checkpoint(checkpoint.clone()), now)?;
        let path = self.folder.join(HEAD);
        let text = serde_json::to_vec(&checkpoint).unwrap_or_default();
        replace(&path, &text, 0o644).map_err(|why| file_error(&path, why))
    }
}

/// Writes a file anew, all of it or nothing.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn load_or_make_key(folder: &Path) -> Result<SigningKey, LedgerError> {
    let path = folder.join(KEY);
    let broken = |why: &str| LedgerError::Key { path: path.clone(), why: why.to_owned() };
    let key = match fs::read_to_string(&path) {
        Ok(text) => {
            let bytes = from_hex::<32>(text.trim())
                .ok_or_else(|| broken("it is no key: 64 hexadecimal digits are expected"))?;
            SigningKey::from_bytes(&bytes)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if fs::metadata(folder.join(LEDGER)).is_ok_and(|ledger| ledger.len() > 0) {
                return Err(broken("it is missing, and there is a ledger that was signed with it"));
            }
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(|error| broken(&error.to_string()))?;
            replace(&path, to_hex(&bytes).as_bytes(), 0o600)
                .map_err(|why| file_error(&path, why))?;
            SigningKey::from_bytes(&bytes)
        }
        Err(why) => return Err(file_error(&path, why)),
    };
    let public = folder.join(PUBLIC);
    if !public.exists() {
        let text = to_hex(key.verifying_key().as_bytes());
        replace(&public, text.as_bytes(), 0o644).map_err(|why| file_error(&public, why))?;
    }
    Ok(key)
}

fn file_error(path: &Path, why: std::io::Error) -> LedgerError {
    LedgerError::File { path: path.to_owned(), why }
}
