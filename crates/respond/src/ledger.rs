//! The ledger: everything that was asked and decided, in a chain that shows any change.
//!
//! A line is the SHA-256 of the line before it and of its own text, a space, and that text: a JSON
//! object. Every so often a line is a checkpoint, signed with the ledger's ed25519 key; the newest
//! one also stands in a file of its own, so that a ledger that was cut short is found out. Nothing
//! is ever rewritten.
//!
//! [`verify`](fn@verify) needs the file and the public key, and nothing else.

mod book;
mod chain;
mod verify;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use book::{Book, Done};
pub use chain::Digest;
pub use verify::{Report, verify};

use crate::desk::{Ask, Event, Refused};
use crate::moment::Moment;

/// Name of the ledger's file.
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
    /// Everything up to here is signed.
    Checkpoint(Checkpoint),
    /// Something for the record, that decides nothing.
    Note {
        /// What.
        text: String,
    },
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
