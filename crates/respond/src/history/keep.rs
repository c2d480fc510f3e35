//! A history on disk: a line that says what it is and the digest of the rest, then a line for each
//! conversation. A history that was damaged is refused whole: a pre-flight over half of it would
//! not see what it cuts.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{History, Record};
use crate::restriction::Conversation;

const WHAT: &str = "wardwatch history";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    what: String,
    version: u32,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Body {
    cap: usize,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    forgotten: u64,
    skipped: u64,
    conversations: usize,
    excluded: BTreeMap<IpAddr, Timestamp>,
}

/// A history cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is something else.
    #[error("this is no history of Wardwatch: its first line says something else")]
    NotHistory,
    /// It was written by another version.
    #[error(
        "this history has version {0} and version {VERSION} is read: record anew, or use the program that wrote it"
    )]
    Version(u32),
    /// It was cut off or changed.
    #[error("this history is damaged ({0}): restore it from a copy, or record anew")]
    Damaged(String),
}

impl History {
    /// Writes it. The same history gives the same bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, mut to: impl Write) -> io::Result<()> {
        let body = Body {
            cap: self.cap,
            first: self.first,
            last: self.last,
            forgotten: self.forgotten,
            skipped: self.skipped,
            conversations: self.records.len(),
            excluded: self.excluded.clone(),
        };
        let mut text = serde_json::to_vec(&body)?;
        for line in &self.records {
            text.push(b'\n');
            serde_json::to_writer(&mut text, &line)?;
        }
        text.push(b'\n');
        let head = Head { what: WHAT.to_owned(), version: VERSION, sha256: digest(&text) };
        serde_json::to_writer(&mut to, &head)?;
        to.write_all(b"\n")?;
        to.write_all(&text)?;
        to.flush()
    }

    /// Reads what [`History::save`] wrote.
    ///
    /// # Errors
    /// Where it is something else, of another version, or damaged.
    pub fn load(from: &[u8]) -> Result<Self, LoadError> {
        let end = from.iter().position(|byte| *byte == b'\n').ok_or(LoadError::NotHistory)?;
        let head: Head = serde_json::from_slice(&from[..end]).map_err(|_| LoadError::NotHistory)?;
        if head.what != WHAT {
            return Err(LoadError::NotHistory);
        }
        if head.version != VERSION {
            return Err(LoadError::Version(head.version));
        }
        let text = &from[end + 1..];
        if digest(text) != head.sha256 {
            return Err(LoadError::Damaged("its digest is another".to_owned()));
        }
        let mut lines = text.split(|byte| *byte == b'\n').zip(2_u64..);
        let damaged = |line: u64, why: &str| LoadError::Damaged(format!("line {line}: {why}"));
        let (first, _) = lines.next().ok_or_else(|| damaged(2, "is missing"))?;
        let body: Body =
            serde_json::from_slice(first).map_err(|error| damaged(2, &error.to_string()))?;
        let mut history = Self {
            excluded: body.excluded,
            first: body.first,
            last: body.last,
            forgotten: body.forgotten,
            skipped: body.skipped,
            ..Self::new(body.cap)
        };
        for (text, line) in lines.filter(|(text, _)| !text.is_empty()) {
            let (key, record): (Conversation, Record) =
                serde_json::from_slice(text).map_err(|error| damaged(line, &error.to_string()))?;
            if !record.is_whole() {
                return Err(damaged(line, "says what cannot be"));
            }
            history.callers.entry(key.server).or_default().insert(key.client);
            history.records.insert(key, record);
        }
        if history.records.len() != body.conversations || history.records.len() > history.cap {
            return Err(damaged(2, "counts other conversations than there are"));
        }
        Ok(history)
    }
}

fn digest(text: &[u8]) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
