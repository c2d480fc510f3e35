//! Checking a ledger offline: the chain through all segments, the signatures, and every decision
//! made again.
//!
//! Where the oldest segments are somewhere else, it begins with the first that is there, from how the
//! desk stood then; the report says from which entry on it could look.

use std::fs;
use std::path::Path;

use ed25519_dalek::VerifyingKey;

use super::chain::{self, Digest, from_hex};
use super::segments::{self, Segment};
use super::{Body, Checkpoint, Continues, HEAD, LedgerError, PUBLIC, Record, Refusals, file_error};
use crate::desk::Desk;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The first entry that it looked at, from 1.
    pub from: u64,
    /// Segments that it looked at.
    pub segments: u64,
    /// Segments before those, which are not there.
    pub elsewhere: u64,
    /// Lines.
    pub records: u64,
    /// Checkpoints whose signature is right.
    pub checkpoints: u64,
    /// Lines behind the last checkpoint: chained, and not signed as yet.
    pub unsigned: u64,
    /// Decisions that were made again.
    pub decisions: u64,
    /// What is wrong, by line (from 1). Empty where nothing is.
    pub faults: Vec<(u64, String)>,
}

/// Checks the ledger in a folder: that no byte was changed, that checkpoints are signed with `key`
/// (or with the one beside it), that no segment is missing between two, that it was not cut short,
/// and that every recorded decision comes out again from what was recorded before it.
///
/// # Errors
/// When a file cannot be read, or the key is none.
pub fn verify(folder: &Path, key: Option<&str>) -> Result<Report, LedgerError> {
    verify_with(folder, None, key)
}

/// The same, with closed segments that were moved to an archive.
///
/// # Errors
/// As [`verify`].
pub fn verify_with(
    folder: &Path,
    archive: Option<&Path>,
    key: Option<&str>,
) -> Result<Report, LedgerError> {
    let text = match key {
        Some(key) => key.to_owned(),
        None => {
            let path = folder.join(PUBLIC);
            let text = fs::read(&path).map_err(|why| file_error(&path, why))?;
            String::from_utf8_lossy(&text).trim_end_matches('\n').to_owned()
        }
    };
    let key = from_hex::<32>(&text).and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let Some(key) = key else {
        let path = folder.join(PUBLIC);
        return Err(LedgerError::Key {
            path,
            why: "it is no ed25519 key in hexadecimal".to_owned(),
        });
    };
    // Before the lines: those that it covers were written before it was.
    let head = fs::read(folder.join(HEAD)).ok();
    Checker::new(key, &text).run(segments::all(folder, archive)?, head.as_deref())
}

struct Checker<'a> {
    key: VerifyingKey,
    key_text: &'a str,
    desk: Desk,
    refusals: Refusals,
    last: Digest,
    /// Which segment it is in.
    segment: u64,
    /// Lines before the next one, with those that are elsewhere.
    lines: u64,
    report: Report,
    /// Digest of every line that was looked at, for the head.
    digests: Vec<Digest>,
}

impl<'a> Checker<'a> {
    fn new(key: VerifyingKey, key_text: &'a str) -> Self {
        Self {
            key,
            key_text,
            desk: Desk::default(),
            refusals: Refusals::default(),
            last: Digest::NONE,
            segment: 0,
            lines: 0,
            report: Report::default(),
            digests: Vec::new(),
        }
    }

    fn run(mut self, all: Vec<Segment>, head: Option<&[u8]>) -> Result<Report, LedgerError> {
        let count = all.len();
        for (place, mut segment) in all.into_iter().enumerate() {
            if !self.segment(&mut segment, place + 1 == count)? {
                // Nothing behind it can be trusted.
                break;
            }
        }
        self.report.from = self.first() + 1;
        self.head(head);
        Ok(self.report)
    }

    /// Number of the first line that was looked at, from 0.
    const fn first(&self) -> u64 {
        self.lines - self.digests.len() as u64
    }

    /// Checks a file to its end; whether what comes behind it can be trusted.
    fn segment(&mut self, segment: &mut Segment, newest: bool) -> Result<bool, LedgerError> {
        let mut is_first = true;
        while let Some((line, whole)) = segment.line()? {
            if !whole {
                self.fault(&format!("the last line of {} was cut short", segment.name));
                return Ok(false);
            }
            let read = if is_first { self.begin(segment, &line) } else { Ok(()) };
            let parsed = read.and_then(|()| chain::parse(self.last, &line));
            match parsed {
                Ok((record, digest)) => self.record(segment, &record, digest),
                Err(why) => {
                    self.fault(&why);
                    return Ok(false);
                }
            }
            if is_first {
                self.named(segment);
            }
            is_first = false;
        }
        if is_first && !newest {
            self.fault(&format!("{} is empty", segment.name));
        } else if !is_first {
            self.report.segments += 1;
        }
        Ok(true)
    }

    /// The first line of a file: whether it goes on where the file before ended. Where it is the
    /// first of all, or one before it is missing, it is gone on from what it says itself.
    fn begin(&mut self, segment: &Segment, line: &[u8]) -> Result<(), String> {
        if chain::parse(self.last, line).is_ok() {
            return Ok(());
        }
        let (record, before, _) =
            chain::first(line).map_err(|why| format!("{}: {why}", segment.name))?;
        let Body::Continues(continues) = record.body else {
            return Err(format!("{} begins again: it was put in another's place", segment.name));
        };
        let Continues { segment: number, .. } = *continues;
        if self.segment == 0 {
            self.report.elsewhere = number.saturating_sub(1);
        } else if number > self.segment + 1 {
            let missing: Vec<_> = (self.segment + 1..number).map(segments::name).collect();
            self.fault(&format!("missing between two segments: {}", missing.join(", ")));
            self.digests.clear();
        } else {
            return Err(format!(
                "{} is segment {number} and does not follow segment {}: they are others, or in \
                 another order",
                segment.name, self.segment
            ));
        }
        self.last = before;
        self.lines = continues.after.seq.saturating_add(1);
        self.segment = number - 1;
        self.desk = continues.desk;
        self.refusals = continues.refusals;
        Ok(())
    }

    /// A closed segment has its number in its name.
    fn named(&mut self, segment: &Segment) {
        if let Some(number) = segment.number
            && number != self.segment
        {
            self.fault(&format!("{} is segment {}: it was renamed", segment.name, self.segment));
        }
    }

    fn record(&mut self, segment: &Segment, record: &Record, digest: Digest) {
        if record.seq != self.lines {
            self.fault(&format!("its number is {}, and not {}", record.seq, self.lines));
        }
        match &record.body {
            Body::Begins { key, .. } if self.lines == 0 => {
                self.segment = 1;
                if key != self.key_text {
                    self.fault("it was begun with another key");
                }
            }
            Body::Begins { .. } => self.fault("it begins again"),
            Body::Continues(continues) if self.lines > 0 => self.continues(segment, continues),
            _ if self.lines == 0 => self.fault("it does not begin at the beginning"),
            Body::Continues(_) => self.fault("it continues nothing"),
            Body::Decided { ask, events, refused } => {
                let again = self.desk.decide(ask, record.at);
                let same = match (&again, refused) {
                    (Ok(decided), None) => decided == events,
                    (Err(why), Some(refused)) => why == refused && events.is_empty(),
                    _ => false,
                };
                self.report.decisions += 1;
                if !same {
                    self.fault("the decision comes out otherwise from what was recorded");
                }
                events.iter().for_each(|event| self.desk.apply(event, record.at));
            }
            Body::Refused(refusal) => self.refusals.take(record.seq, record.at, refusal),
            Body::Checkpoint(checkpoint) => {
                if self.is_right(checkpoint) {
                    self.report.checkpoints += 1;
                    self.report.unsigned = 0;
                } else {
                    self.fault("the signature of this checkpoint is not right");
                }
            }
            Body::Note { .. } => {}
        }
        if !matches!(record.body, Body::Checkpoint(_)) {
            self.report.unsigned += 1;
        }
        self.report.records += 1;
        self.lines += 1;
        self.last = digest;
        self.digests.push(digest);
    }

    /// What is handed on has to be what the lines before come to.
    fn continues(&mut self, segment: &Segment, continues: &Continues) {
        if continues.key != self.key_text {
            self.fault("it goes on with another key");
        }
        let after = &continues.after;
        if continues.segment != self.segment + 1
            || after.name != segments::name(self.segment)
            || after.seq.saturating_add(1) != self.lines
            || after.digest != self.last.to_string()
        {
            self.fault(&format!("{} does not follow the segment before it", segment.name));
        }
        let handed_on = self.desk.handed_on();
        if continues.desk != handed_on || continues.refusals != self.refusals {
            self.fault("what it was handed on is not what the lines before it come to");
        }
        self.segment = continues.segment;
        self.desk = handed_on;
    }

    fn is_right(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.seq == self.lines.saturating_sub(1)
            && checkpoint.digest == self.last.to_string()
            && chain::is_signed(&self.key, checkpoint)
    }

    /// The newest checkpoint stands in a file of its own: what it covers has to be there.
    fn head(&mut self, head: Option<&[u8]>) {
        let place = self.lines.saturating_sub(1);
        let Some(head) = head else {
            return self.fault_at(place, "the file with the newest checkpoint is missing");
        };
        let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(head) else {
            return self.fault_at(place, "the file with the newest checkpoint cannot be read");
        };
        if !chain::is_signed(&self.key, &checkpoint) {
            return self.fault_at(place, "the newest checkpoint is not signed with this key");
        }
        // The checkpoint that closed the segment before the first that is here.
        if self.report.elsewhere > 0 && checkpoint.seq.saturating_add(2) == self.first() {
            return;
        }
        let there = checkpoint.seq.checked_sub(self.first());
        let there = there.and_then(|seq| self.digests.get(usize::try_from(seq).ok()?));
        if there.is_none_or(|digest| digest.to_string() != checkpoint.digest)
            // The line of the checkpoint itself is written before the file is.
            || self.lines < checkpoint.seq.saturating_add(2)
        {
            self.fault_at(place, "lines that were signed are missing or others: it was cut short");
        }
    }

    /// Of the line that comes next, or that is being looked at.
    fn fault(&mut self, why: &str) {
        self.fault_at(self.lines, why);
    }

    fn fault_at(&mut self, place: u64, why: &str) {
        self.report.faults.push((place + 1, why.to_owned()));
    }
}
