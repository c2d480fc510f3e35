//! Checking a ledger offline: the chain, the signatures, and every decision made again.

use std::fs;
use std::path::Path;

use ed25519_dalek::VerifyingKey;

use super::chain::{self, Digest, from_hex};
use super::{Body, Checkpoint, HEAD, LEDGER, LedgerError, PUBLIC, Record};
use crate::desk::Desk;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
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
/// (or with the one beside it), that it was not cut short, and that every recorded decision comes
/// out again from what was recorded before it.
///
/// # Errors
/// When a file cannot be read, or the key is none.
pub fn verify(folder: &Path, key: Option<&str>) -> Result<Report, LedgerError> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|why| LedgerError::File { path, why })
    };
    let bytes = read(LEDGER)?;
    let text = match key {
        Some(key) => key.to_owned(),
        None => String::from_utf8_lossy(&read(PUBLIC)?).trim_end_matches('\n').to_owned(),
    };
    let key = from_hex::<32>(&text).and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let Some(key) = key else {
        let path = folder.join(PUBLIC);
        return Err(LedgerError::Key {
            path,
            why: "it is no ed25519 key in hexadecimal".to_owned(),
        });
    };
    let head = read(HEAD).ok();
    Ok(Checker::new(key, &text).run(&bytes, head.as_deref()))
}

struct Checker<'a> {
    key: VerifyingKey,
    key_text: &'a str,
    desk: Desk,
    last: Digest,
    report: Report,
    /// Digest of every line, for the head.
    digests: Vec<Digest>,
}

impl<'a> Checker<'a> {
    fn new(key: VerifyingKey, key_text: &'a str) -> Self {
        Self {
            key,
            key_text,
            desk: Desk::default(),
            last: Digest::NONE,
            report: Report::default(),
            digests: Vec::new(),
        }
    }

    fn run(mut self, bytes: &[u8], head: Option<&[u8]>) -> Report {
        let mut rest = bytes;
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                self.fault(number, "the last line was cut short");
                break;
            };
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            match chain::parse(self.last, line) {
                Ok((record, digest)) => self.record(number, &record, digest),
                Err(why) => {
                    // Nothing behind it can be trusted.
                    self.fault(number, &why);
                    break;
                }
            }
        }
        self.head(number, head);
        self.report
    }

    fn record(&mut self, line: u64, record: &Record, digest: Digest) {
        if record.seq + 1 != line {
            self.fault(line, &format!("its number is {}, and not {}", record.seq, line - 1));
        }
        match &record.body {
            Body::Begins { key, .. } if line == 1 => {
                if key != self.key_text {
                    self.fault(line, "it was begun with another key");
                }
            }
            Body::Begins { .. } => self.fault(line, "it begins again"),
            _ if line == 1 => self.fault(line, "it does not begin at the beginning"),
            Body::Decided { ask, events, refused } => {
                let again = self.desk.decide(ask, record.at);
                let same = match (&again, refused) {
                    (Ok(decided), None) => decided == events,
                    (Err(why), Some(refused)) => why == refused && events.is_empty(),
                    _ => false,
                };
                self.report.decisions += 1;
                if !same {
                    self.fault(line, "the decision comes out otherwise from what was recorded");
                }
                events.iter().for_each(|event| self.desk.apply(event, record.at));
            }
            Body::Checkpoint(checkpoint) => {
                if self.is_right(checkpoint, line.saturating_sub(2)) {
                    self.report.checkpoints += 1;
                    self.report.unsigned = 0;
                } else {
                    self.fault(line, "the signature of this checkpoint is not right");
                }
            }
            Body::Note { .. } => {}
        }
        if !matches!(record.body, Body::Checkpoint(_)) {
            self.report.unsigned += 1;
        }
        self.report.records += 1;
        self.last = digest;
        self.digests.push(digest);
    }

    fn is_right(&self, checkpoint: &Checkpoint, covers: u64) -> bool {
        checkpoint.seq == covers
            && checkpoint.digest == self.last.to_string()
            && chain::is_signed(&self.key, checkpoint)
    }

    /// The newest checkpoint stands in a file of its own: what it covers has to be there.
    fn head(&mut self, line: u64, head: Option<&[u8]>) {
        let Some(head) = head else {
            self.fault(line, "the file with the newest checkpoint is missing");
            return;
        };
        let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(head) else {
            self.fault(line, "the file with the newest checkpoint cannot be read");
            return;
        };
        let there = usize::try_from(checkpoint.seq).ok().and_then(|seq| self.digests.get(seq));
        if !chain::is_signed(&self.key, &checkpoint) {
            self.fault(line, "the newest checkpoint is not signed with this key");
        } else if there.is_none_or(|digest| digest.to_string() != checkpoint.digest)
            // The line of the checkpoint itself is written before the file is.
            || self.report.records < checkpoint.seq.saturating_add(2)
        {
            self.fault(line, "lines that were signed are missing or others: it was cut short");
        }
    }

    fn fault(&mut self, line: u64, why: &str) {
        self.report.faults.push((line, why.to_owned()));
    }
}
