//! A ledger in use: several processes read and write the same one, a line at a time.
//!
//! The lock is on the newest file. Whoever got it looks whether that file is still the newest, since
//! another process may have closed it meanwhile. Closing is one rename; the next file is begun by
//! whoever comes first, so dying in between costs nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;

use super::chain::{self, Digest, from_hex, to_hex};
use super::refusals::{Counted, Refusal, Refusals};
use super::segments::{self, Limits};
use super::{Body, Closed, Continues, HEAD, KEY, LEDGER, LedgerError, PUBLIC, Record, file_error};
use crate::desk::{Ask, Desk, Event, Refused};
use crate::moment::Moment;

/// Lines after which a checkpoint is written.
const CHECKPOINT_EVERY: u64 = 32;
/// Version of the format.
const FORMAT: u32 = 2;
/// How often the newest file is looked for while others close it.
const TRIES: usize = 64;
/// Lines that a segment begins with: what it continues, and a checkpoint.
const FIRST: u64 = 2;

/// What came of an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Number of the line that says so; none where a refusal was not written down.
    pub seq: Option<u64>,
    /// What was decided.
    pub events: Vec<Event>,
}

/// What the lines that were read come to.
#[derive(Clone, Debug, Default)]
struct State {
    /// Which segment; 0 before any line.
    segment: u64,
    /// Lines of all segments.
    lines: u64,
    /// Lines of this segment.
    here: u64,
    last: Digest,
    since_checkpoint: u64,
    desk: Desk,
    refusals: Refusals,
    /// Lines that were known when another file came, and what they came to, until it has them.
    known: Option<(u64, Digest)>,
}

impl State {
    /// Takes in the next line of a segment: its first where `is_first`.
    fn line(&mut self, line: &[u8], is_first: bool) -> Result<(), String> {
        let (record, digest) = if is_first {
            let (record, before, digest) = chain::first(line)?;
            if self.lines > 0 {
                self.known = Some((self.lines, self.last));
            }
            (self.lines, self.last) = (record.seq, before);
            (record, digest)
        } else {
            chain::parse(self.last, line)?
        };
        self.remembers()?;
        self.take(&record, digest);
        Ok(())
    }

    /// Whoever puts another file in the place of the newest has to bring all that was known.
    fn remembers(&mut self) -> Result<(), String> {
        let Some((lines, last)) = self.known else { return Ok(()) };
        if self.lines < lines {
            return Ok(());
        }
        if self.lines == lines && self.last != last {
            return Err("other lines were put in the place of those that were there".to_owned());
        }
        self.known = None;
        Ok(())
    }

    fn take(&mut self, record: &Record, digest: Digest) {
        match &record.body {
            Body::Begins { .. } => {
                *self = Self { segment: 1, known: self.known, ..Self::default() };
            }
            Body::Continues(continues) => {
                self.segment = continues.segment;
                self.here = 0;
                self.desk = continues.desk.clone();
                self.refusals = continues.refusals.clone();
            }
            Body::Decided { events, .. } => {
                events.iter().for_each(|event| self.desk.apply(event, record.at));
            }
            Body::Refused(refusal) => self.refusals.take(record.seq, record.at, refusal),
            Body::Checkpoint(_) | Body::Note { .. } => {}
        }
        self.since_checkpoint = match record.body {
            Body::Checkpoint(_) => 0,
            _ => self.since_checkpoint + 1,
        };
        self.lines += 1;
        self.here += 1;
        self.last = digest;
    }
}

/// A ledger in use.
///
/// The desk is what the ledger says and nothing else. Each question locks the file, takes in what
/// others wrote meanwhile, decides, writes the answer down and only then counts it.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    /// Bytes of the newest file that were read.
    read: u64,
    /// Bytes of its first line.
    first: u64,
    state: State,
    counted: Counted,
    limits: Limits,
    /// A segment could not be closed: that is tried again by another process.
    stays: bool,
    key: SigningKey,
}

impl Book {
    /// The ledger in a folder, begun where there is none. Reads its newest segment.
    ///
    /// # Errors
    /// When a file cannot be used, or a line is not what was written. Half a last line (the power
    /// went, or the disk was full) is put aside beside the ledger, and noted in it.
    pub fn open(folder: &Path, now: Moment) -> Result<Self, LedgerError> {
        Self::open_with(folder, Limits::default(), now)
    }

    /// The same, with segments of another size.
    ///
    /// # Errors
    /// As [`Book::open`].
    pub fn open_with(folder: &Path, limits: Limits, now: Moment) -> Result<Self, LedgerError> {
        fs::create_dir_all(folder).map_err(|why| file_error(folder, why))?;
        let path = folder.join(LEDGER);
        let mut book = Self {
            folder: folder.to_owned(),
            file: segments::newest(&path)?,
            path,
            read: 0,
            first: 0,
            state: State::default(),
            counted: Counted::default(),
            limits,
            stays: false,
            key: SigningKey::from_bytes(&[0; 32]),
        };
        book.locked(|book| {
            book.key = load_or_make_key(&book.folder)?;
            book.current(now)
        })?;
        Ok(book)
    }

    /// What was decided so far, as far as this process has read.
    pub const fn desk(&self) -> &Desk {
        &self.state.desk
    }

    /// What policy proposed lately and was refused.
    pub const fn refusals(&self) -> &Refusals {
        &self.state.refusals
    }

    /// Takes in what others wrote.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn refresh(&mut self, now: Moment) -> Result<&Desk, LedgerError> {
        let length = self.file.metadata().map_err(|why| file_error(&self.path, why))?.len();
        if length != self.read || !segments::is_still(&self.file, &self.path)? {
            self.locked(|book| book.current(now))?;
        }
        Ok(&self.state.desk)
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
            if book.is_full() {
                book.close(now)?;
            }
            let Some(ask) = make(&book.state.desk) else { return Ok(None) };
            let decided = book.state.desk.decide(&ask, now);
            let (events, refused) = match &decided {
                Ok(events) => (events.clone(), None),
                Err(refused) => (Vec::new(), Some(refused.clone())),
            };
            let unwritten = |events| Done { seq: None, events };
            // Time that passes and changes nothing is not worth a line, and of what a policy proposes
            // again and again only some are: a flood of forged alerts must not fill the disk.
            match (&ask, &refused) {
                (Ask::Tick, _) if events.is_empty() => {
                    if let Some(due) = book.counted.due(&book.state.refusals, now) {
                        book.write(Body::Refused(due), now)?;
                    }
                    return Ok(Some(decided.map(unwritten)));
                }
                (Ask::Propose(proposal), Some(refused)) if proposal.by.is_none() => {
                    if let Some(refusal) = Refusal::of(proposal, refused) {
                        book.refused(refusal, now)?;
                    }
                    return Ok(Some(decided.map(unwritten)));
                }
                _ => {}
            }
            let body = Body::Decided { ask: Box::new(ask), events, refused };
            let seq = book.write(body, now)?;
            if book.state.since_checkpoint >= CHECKPOINT_EVERY {
                book.checkpoint(now)?;
            }
            Ok(Some(decided.map(|events| Done { seq: Some(seq), events })))
        })
    }

    /// Writes down that policy was refused something before it came to the desk, as far as there is
    /// place for that.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn refuse(&mut self, refusal: Refusal, now: Moment) -> Result<(), LedgerError> {
        self.locked(|book| {
            book.current(now)?;
            book.refused(refusal, now)
        })
    }

    fn refused(&mut self, refusal: Refusal, now: Moment) -> Result<(), LedgerError> {
        let Some(refusal) = self.counted.refused(refusal, &self.state.refusals, now) else {
            return Ok(());
        };
        self.write(Body::Refused(refusal), now)?;
        if self.state.since_checkpoint >= CHECKPOINT_EVERY { self.checkpoint(now) } else { Ok(()) }
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
            if book.state.since_checkpoint == 0 { Ok(()) } else { book.checkpoint(now) }
        })
    }

    /// Runs `what` with nobody else writing.
    fn locked<T>(
        &mut self,
        what: impl FnOnce(&mut Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        self.hold()?;
        let out = what(self);
        let unlocked = self.file.unlock().map_err(|why| file_error(&self.path, why));
        out.and_then(|out| unlocked.map(|()| out))
    }

    /// Holds the file that is the newest, and is written to by nobody else.
    fn hold(&mut self) -> Result<(), LedgerError> {
        for _ in 0..TRIES {
            self.file.lock().map_err(|why| file_error(&self.path, why))?;
            if segments::is_still(&self.file, &self.path)? {
                return Ok(());
            }
            // Closed by somebody meanwhile: dropping it lets go of it.
            self.file = segments::newest(&self.path)?;
            self.read = 0;
        }
        let why = std::io::Error::other("it is put in another place again and again");
        Err(file_error(&self.path, why))
    }

    /// Takes in what others wrote, begins what is empty, and notes what had to be put aside.
    fn current(&mut self, now: Moment) -> Result<(), LedgerError> {
        let torn = self.catch_up()?;
        if self.read == 0 {
            self.begin(now)?;
        }
        match torn {
            Some(text) => self.write(Body::Note { text }, now).map(drop),
            None => Ok(()),
        }
    }

    /// Reads what was written behind the last line that was read. Half a line at the end is put
    /// aside, and told.
    fn catch_up(&mut self) -> Result<Option<String>, LedgerError> {
        let path = &self.path;
        let io = |why| file_error(path, why);
        self.file.seek(SeekFrom::Start(self.read)).map_err(io)?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).map_err(io)?;
        let mut rest = bytes.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            let is_first = self.read == 0;
            self.state.line(line, is_first).map_err(|why| LedgerError::Damaged {
                path: path.clone(),
                line: if is_first { 1 } else { self.state.lines + 1 },
                why,
            })?;
            self.read += end as u64 + 1;
            if is_first {
                self.first = self.read;
            }
            rest = after.get(1..).unwrap_or_default();
        }
        let whole = self.state.remembers().and(match self.state.known {
            Some((lines, _)) if self.read > 0 => Err(format!("{lines} lines were there before")),
            _ => Ok(()),
        });
        whole.map_err(|why| LedgerError::Damaged {
            path: path.clone(),
            line: self.state.lines,
            why,
        })?;
        if rest.is_empty() {
            return Ok(None);
        }
        // A writer holds the lock while it writes, so whoever wrote half a line is dead.
        let aside = |n: u64| self.folder.join(format!("ledger.torn-{}-{n}", self.state.lines));
        let aside = (0..).map(aside).find(|path| !path.exists()).unwrap_or_default();
        fs::write(&aside, rest).map_err(|why| file_error(&aside, why))?;
        self.file.set_len(self.read).map_err(io)?;
        let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Some(format!(
            "{} bytes of a line that was never finished were put aside in {name}",
            rest.len()
        )))
    }

    /// Writes the first lines of a file that is empty: of a ledger that begins, or of the segment
    /// after the last that was closed.
    fn begin(&mut self, now: Moment) -> Result<(), LedgerError> {
        let closed = segments::closed(&self.folder).map_err(|why| file_error(&self.folder, why))?;
        let Some((number, path)) = closed.last_key_value() else {
            if self.folder.join(HEAD).exists() {
                let why = "it is empty, and lines of it were signed; put back the newest segment";
                let (path, why) = (self.path.clone(), why.to_owned());
                return Err(LedgerError::Damaged { path, line: 1, why });
            }
            let key = to_hex(self.key.verifying_key().as_bytes());
            self.write(Body::Begins { format: FORMAT, key }, now)?;
            return self.checkpoint(now);
        };
        // Whoever closed it died before they began the next one.
        let bytes = fs::read(path).map_err(|why| file_error(path, why))?;
        let damaged = |line, why| LedgerError::Damaged { path: path.clone(), line, why };
        let mut state = State::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let place = state.here + 1;
            let whole = line.strip_suffix(b"\n").ok_or_else(|| "it was cut short".to_owned());
            whole
                .and_then(|line| state.line(line, place == 1))
                .map_err(|why| damaged(place, why))?;
        }
        if state.segment != *number {
            let why = format!("it is segment {}: it was renamed", state.segment);
            return Err(damaged(1, why));
        }
        if self.state.lines > 0 {
            state.known = Some((self.state.lines, self.state.last));
        }
        state.remembers().map_err(|why| damaged(state.here, why))?;
        if state.known.is_some() {
            return Err(damaged(state.here, "lines that were there are missing".to_owned()));
        }
        self.state = state;
        self.go_on(now)
    }

    /// Whether the newest file is large enough.
    fn is_full(&self) -> bool {
        let bytes = self.read.saturating_sub(self.first);
        let lines = self.state.here.saturating_sub(FIRST);
        lines > 0 && !self.stays && (bytes >= self.limits.bytes || lines >= self.limits.lines)
    }

    /// Closes the newest segment, signed to its end, and begins the next one. Where it cannot be
    /// renamed, the ledger goes on in it.
    fn close(&mut self, now: Moment) -> Result<(), LedgerError> {
        if self.state.since_checkpoint > 0 {
            self.checkpoint(now)?;
        }
        let to = self.folder.join(segments::name(self.state.segment));
        let renamed = if to.exists() {
            Err(std::io::ErrorKind::AlreadyExists.into())
        } else {
            fs::rename(&self.path, &to)
        };
        if let Err(error) = renamed {
            tracing::error!(%error, to = %to.display(), "a segment of the ledger cannot be closed");
            self.stays = true;
            return Ok(());
        }
        segments::sync(&self.folder);
        self.file = segments::newest(&self.path)?;
        self.read = 0;
        self.hold()?;
        let length = self.file.metadata().map_err(|why| file_error(&self.path, why))?.len();
        // Somebody else may have begun it already.
        if length == 0 { self.go_on(now) } else { self.current(now) }
    }

    /// Begins the segment after the one that was read to its end.
    fn go_on(&mut self, now: Moment) -> Result<(), LedgerError> {
        let state = &self.state;
        let continues = Continues {
            format: FORMAT,
            key: to_hex(self.key.verifying_key().as_bytes()),
            segment: state.segment + 1,
            after: Closed {
                name: segments::name(state.segment),
                seq: state.lines.saturating_sub(1),
                digest: state.last.to_string(),
            },
            desk: state.desk.handed_on(),
            refusals: state.refusals.clone(),
        };
        self.write(Body::Continues(Box::new(continues)), now)?;
        self.first = self.read;
        self.checkpoint(now)?;
        segments::sync(&self.folder);
        Ok(())
    }

    /// Appends a line, and waits until it is on the disk; then it counts.
    fn write(&mut self, body: Body, now: Moment) -> Result<u64, LedgerError> {
        let path = &self.path;
        let io = |why| file_error(path, why);
        let seq = self.state.lines;
        let record = Record { seq, at: now, body };
        let (line, digest) = chain::line(self.state.last, &record)
            .map_err(|error| io(std::io::Error::other(error)))?;
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(why) = written {
            // Half a line would stop whoever comes next; where even that fails, they mend it.
            let _ = self.file.set_len(self.read);
            return Err(io(why));
        }
        self.read += line.len() as u64;
        self.state.take(&record, digest);
        Ok(seq)
    }

    fn checkpoint(&mut self, now: Moment) -> Result<(), LedgerError> {
        let checkpoint =
            chain::sign(&self.key, self.state.lines.saturating_sub(1), self.state.last);
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
            let newest = fs::metadata(folder.join(LEDGER)).is_ok_and(|ledger| ledger.len() > 0);
            if newest || segments::closed(folder).is_ok_and(|closed| !closed.is_empty()) {
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
