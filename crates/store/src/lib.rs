//! Keeps observations, flows, findings, cases and devices, within a bound of bytes.
//!
//! [`Store`] is the seam: blocking calls, safe from many threads, one contract suite
//! (`tests/contract`) for every implementation. [`SqliteStore`] is the embedded one: a single file
//! beside the sensor, no server to run.
//!
//! What a person says of a case or a finding is kept apart from what the machine found: storing a
//! case again never touches its status, and nothing here changes a finding because of a word.
//!
//! Deliberately absent: payloads, and anything that names a patient (rows come from observations,
//! which hold tokens); a clock (every time is the caller's); async (callers on a runtime wrap a call
//! in a blocking task).
#![forbid(unsafe_code)]

mod cursor;
mod error;
mod query;
mod row;
mod seam;
pub mod sqlite;
mod word;

pub use cursor::Cursor;
pub use error::StoreError;
pub use query::{MAX_LIMIT, Page, Query, Table};
pub use row::{Appended, FlowRow, ObservationRow};
pub use seam::{Counts, Dropped, Store};
pub use sqlite::{Options, SqliteStore};
pub use word::{About, CaseRecord, CaseStatus, Feedback, StatusChange, Verdict};
