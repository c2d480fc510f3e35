//! The ledger: everything that was asked and decided, in a chain that shows any change.
//!
//! A line is the SHA-256 of the line before it and of its own text, a space, and that text: a JSON
//! object. Every so often a line is a checkpoint, signed with the ledger's ed25519 key; the newest
//! one also stands in a file of its own, so that a ledger that was cut short is found out. Nothing
//! is ever rewritten.
//!
//! It is in segments: when the newest file is large enough it is closed and the next one begun, with
//! a line that says which segment comes before it, the digest that that one came to, and how the desk
//! stands. So a segment can be checked, and gone on from, without those before it; with them, the
//! chain goes through. Nothing is ever deleted: people move old segments away.
//!
//! [`verify`](fn@verify) needs the files and the public key, and nothing else.

mod book;
mod chain;
pub mod refusals;
pub mod segments;
mod verify;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use book::{Book, Done};
pub use chain::Digest;
pub use refusals::{Refusal, Refusals};
pub use segments::{Limits, Lines, export};
pub use verify::{Report, verify, verify_with};

use crate::desk::{Ask, Desk, Event, Refused};
use crate::moment::Moment;

/// Name of the ledger's newest file.
pub const LEDGER: &str = "ledger.jsonl";
/// Name of the file with the newest checkpoint.
pub const HEAD: &str = "ledger.head";
/// Name of the file with the secret key, mode 0600.
pub const KEY: &str = "ledger.key";
/// Name of the file with the public key, in hexadecimal.
pub const PUBLIC: &str = "ledger.pub";

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 0.
    pub seq: u64,
    /// When it was written.
    pub at: Moment,
    /// What it is.
    pub body: Body,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Body {
    /// The first line.
    Begins {
        /// Version of the format.
        format: u32,
        /// The key that signs its checkpoints, in hexadecimal.
        key: String,
    },
    /// The first line of every further segment.
    Continues(Box<Continues>),
    /// Something was asked, and decided.
    Decided {
        /// What was asked.
        ask: Box<Ask>,
        /// What came of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        events: Vec<Event>,
        /// Why nothing did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Refused>,
    },
    /// Policy proposed something and was refused. Changes nothing.
    Refused(Refusal),
    /// Everything up to here is signed.
    Checkpoint(Checkpoint),
    /// Something for the record, that decides nothing.
    Note {
        /// What.
        text: String,
    },
}

/// What a segment begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continues {
    /// Version of the format.
    pub format: u32,
    /// The key that signs its checkpoints, in hexadecimal.
    pub key: String,
    /// Its number; the first is 1.
    pub segment: u64,
    /// The one before.
    pub after: Closed,
    /// How the desk stands.
    pub desk: Desk,
    /// What policy was refused lately.
    pub refusals: Refusals,
}

/// A segment that was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Name of its file.
    pub name: String,
    /// Number of its last line.
    pub seq: u64,
    /// Digest of that line, in hexadecimal.
    pub digest: String,
}

/// A signature over everything before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Number of the last line that it covers.
    pub seq: u64,
    /// Digest of that line, in hexadecimal.
    pub digest: String,
    /// ed25519 over `wardwatch-ledger`, the number and the digest, in hexadecimal.
    pub signature: String,
}

/// The ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// A line is not what was written.
    #[error("{}: line {line}: {why}. Keep the file as it is for whoever investigates, and begin another folder", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The key cannot be used.
    #[error("{}: {why}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

fn file_error(path: &Path, why: std::io::Error) -> LedgerError {
    LedgerError::File { path: path.to_owned(), why }
}
