//! The embedded store: one SQLite file in WAL mode.
//!
//! One connection writes, a few read; readers never wait for the writer. Every transaction is
//! synchronised to the disk before it is acknowledged (`synchronous=FULL`): a killed process loses
//! nothing acknowledged, and neither does a power cut. That costs one sync a batch, not one a row.

mod bound;
mod find;
mod people;
mod schema;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use model::case::{Case, CaseId};
use model::device::{Device, DeviceId};
use model::finding::{Finding, FindingId};
use model::time::Timestamp;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::error::StoreError;
use crate::query::{Page, Query};
use crate::row::{Appended, FlowRow, ObservationRow};
use crate::seam::{Counts, Dropped, Store};
use crate::word::{About, CaseRecord, Feedback, StatusChange};

/// Connections that read.
const READERS: usize = 4;

/// How long a call waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// How the store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most bytes on disk, log and index of the log included. At least 4 MiB.
    pub max_bytes: u64,
}

impl Default for Options {
    /// 2 GiB.
    fn default() -> Self {
        Self { max_bytes: 2 << 30 }
    }
}

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    bound: bound::Bound,
    /// None where the store was opened for reading only.
    writer: Option<Mutex<Connection>>,
    readers: [Mutex<Connection>; READERS],
}

impl SqliteStore {
    /// Opens the store, and makes it where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be opened, is another program's, damaged, or newer.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let bound = bound::Bound::new(options.max_bytes);
        let fail = |error| StoreError::from_sqlite(path, error);
        let mut writer =
            connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::check(&writer, path)?;
        write::prepare(&writer, &bound).map_err(fail)?;
        schema::migrate(&mut writer, path)?;
        bound::fit(&mut writer, &bound).map_err(fail)?;
        let readers = readers(path)?;
        Ok(Self { path: path.to_owned(), bound, writer: Some(Mutex::new(writer)), readers })
    }

    /// Opens a store that is there, beside a running instance, to read it.
    ///
    /// # Errors
    /// [`StoreError`] where there is none, or it is another program's, damaged, or newer.
    pub fn open_read_only(path: &Path, options: Options) -> Result<Self, StoreError> {
        let readers = readers(path)?;
        let reader = readers[0].lock().unwrap_or_else(PoisonError::into_inner);
        schema::check(&reader, path)?;
        if schema::is_empty(&reader, path)? {
            return Err(StoreError::Open {
                path: path.to_owned(),
                detail: "it is empty".to_owned(),
            });
        }
        drop(reader);
        let bound = bound::Bound::new(options.max_bytes);
        Ok(Self { path: path.to_owned(), bound, writer: None, readers })
    }

    /// Reads the whole file and says whether it is sound. Takes seconds a gigabyte.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first damage.
    pub fn check(&self) -> Result<(), StoreError> {
        let verdict: String = self
            .reader()
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|error| self.fail(error))?;
        if verdict == "ok" {
            return Ok(());
        }
        Err(StoreError::Corrupt { path: self.path.clone(), detail: verdict })
    }

    fn writer(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        let writer = self.writer.as_ref();
        let writer = writer.ok_or_else(|| StoreError::ReadOnly { path: self.path.clone() })?;
        // A thread that panicked has rolled its transaction back by dropping it.
        Ok(writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A reader that nobody uses, or else the first to come free.
    fn reader(&self) -> MutexGuard<'_, Connection> {
        for reader in &self.readers {
            match reader.try_lock() {
                Ok(reader) => return reader,
                Err(TryLockError::Poisoned(reader)) => return reader.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.readers[0].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, error: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.path, error)
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let fail = |error| StoreError::from_sqlite(path, error);
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    connection.busy_timeout(BUSY).map_err(fail)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn readers(path: &Path) -> Result<[Mutex<Connection>; READERS], StoreError> {
    let mut all = Vec::with_capacity(READERS);
    for _ in 0..READERS {
        all.push(Mutex::new(connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?));
    }
    all.try_into().map_err(|_| StoreError::Busy { path: path.to_owned() })
}

impl Store for SqliteStore {
    fn append(&self, rows: &[ObservationRow]) -> Result<Appended, StoreError> {
        write::observations(self, rows)
    }

    fn put_flows(&self, rows: &[FlowRow]) -> Result<(), StoreError> {
        write::flows(self, rows)
    }

    fn put_findings(&self, findings: &[Finding]) -> Result<(), StoreError> {
        write::findings(self, findings)
    }

    fn put_cases(&self, cases: &[Case]) -> Result<(), StoreError> {
        write::cases(self, cases)
    }

    fn put_devices(&self, devices: &[Device]) -> Result<(), StoreError> {
        write::devices(self, devices)
    }

    fn observations(&self, query: &Query) -> Result<Page<Value>, StoreError> {
        find::observations(self, query)
    }

    fn flows(&self, query: &Query) -> Result<Page<Value>, StoreError> {
        find::flows(self, query)
    }

    fn findings(&self, query: &Query) -> Result<Page<Finding>, StoreError> {
        find::findings(self, query)
    }

    fn cases(&self, query: &Query) -> Result<Page<CaseRecord>, StoreError> {
        find::cases(self, query)
    }

    fn devices(&self, query: &Query) -> Result<Page<Device>, StoreError> {
        find::devices(self, query)
    }

    fn observation(&self, id: &str) -> Result<Option<Value>, StoreError> {
        find::observation(self, id)
    }

    fn finding(&self, id: &FindingId) -> Result<Option<Finding>, StoreError> {
        find::one(self, "findings", &id.0)
    }

    fn case(&self, id: &CaseId) -> Result<Option<CaseRecord>, StoreError> {
        find::case(self, id)
    }

    fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError> {
        find::one(self, "devices", &id.0)
    }

    fn set_case_status(&self, id: &CaseId, change: &StatusChange) -> Result<bool, StoreError> {
        people::set_status(self, id, change)
    }

    fn add_feedback(&self, about: About, id: &str, word: &Feedback) -> Result<bool, StoreError> {
        people::add_feedback(self, about, id, word)
    }

    fn feedback(&self, about: About, id: &str) -> Result<Vec<Feedback>, StoreError> {
        people::feedback(self, about, id)
    }

    fn state(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        people::state(self, name)
    }

    fn set_state(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        people::set_state(self, name, bytes)
    }

    fn remove_state(&self, name: &str) -> Result<bool, StoreError> {
        people::remove_state(self, name)
    }

    fn state_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        people::state_names(self, prefix)
    }

    fn counts(&self) -> Result<Counts, StoreError> {
        bound::counts(self)
    }

    fn expire(&self, before: Option<Timestamp>) -> Result<Dropped, StoreError> {
        bound::expire(self, before)
    }
}

#[cfg(test)]
mod tests;
