//! What a log format has to offer.

use model::emit::{Emit, Probe};
use model::field::KindSpec;

/// What there is to know of a format before a record of it is seen.
#[derive(Debug)]
pub struct FormatSpec {
    /// Lower-case name.
    pub name: &'static str,
    /// One line that says who writes it.
    pub doc: &'static str,
    /// What it can observe.
    pub kinds: &'static [&'static KindSpec],
    /// The documents it was written from.
    pub sources: &'static [&'static str],
}

/// A log format: recognises its records and reads them. Stateless.
pub trait LogFormat: Sync {
    /// What there is to know of it.
    fn spec(&self) -> &'static FormatSpec;

    /// Whether a whole record is in this format. [`Probe::Unsure`] is a record that the format can
    /// read and that another format may own.
    fn sniff(&self, record: &[u8]) -> Probe;

    /// Turns one whole record into observations. [`Emit::at`] is the time at which the record came,
    /// as near as the caller knows: for records without a time, or without a year in it.
    ///
    /// # Errors
    /// [`DecodeError`] where the record is not in this format; nothing was emitted then.
    fn decode(&self, record: &[u8], out: &mut Emit<'_>) -> Result<(), DecodeError>;
}

/// A record that is not what it should be. Never quotes the record, which may name patients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: expected {expected}")]
pub struct DecodeError {
    /// Byte of the record, from 0.
    pub at: usize,
    /// What should have been there.
    pub expected: &'static str,
}

impl DecodeError {
    /// At a byte of the record.
    pub const fn new(at: usize, expected: &'static str) -> Self {
        Self { at, expected }
    }
}
