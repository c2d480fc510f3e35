//! Log records to observations: one file a format.
//!
//! A [`LogFormat`] says whether a record is in it ([`LogFormat::sniff`]) and turns it into
//! observations ([`LogFormat::decode`]). [`LogFile`] cuts a file into records and runs the right
//! format over each. A record that cannot be read is an error with its place, never the end.
//!
//! Deliberately absent: the text of a record. It may name patients, so that only a token of its
//! shape leaves this crate; errors say where and what was expected, and never quote what was there.
//! No clock is read: a record without a time of its own takes that of whoever handed it over.
//!
//! To add a format: a file in `formats` with its [`FormatSpec`], one line in [`formats::ALL`],
//! sample records with a golden.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod formats;
pub mod framing;
pub mod kinds;
mod logon;
pub mod reader;
mod seam;
mod template;

pub use reader::{LogFile, Reading};
pub use seam::{DecodeError, FormatSpec, LogFormat};
