//! The tables, and how older files come up to date.
//!
//! Each list has a running number (`seq`, the row id, so that the oldest rows lie together and
//! dropping them frees whole pages), the columns it is found by, and the row as JSON.
//!
//! Ids of observations are hashes. An index on them alone would be written all over at every
//! batch, which costs four fifths of the pace once it has outgrown the cache. So the same
//! observation is known by time and id together (an id is made from its time), which grows at its
//! end; and to find an id alone, it is looked for in each `slot` of some hundred thousand rows,
//! of which only the last is written.

use std::path::Path;

use rusqlite::Connection;

use crate::error::StoreError;

/// Marks a file as ours in its header: "WARD".
const APPLICATION_ID: i64 = 0x5741_5244;

/// Each step from one schema to the next, with its name. A step that was released never changes.
const MIGRATIONS: &[(&str, &str)] = &[("first tables", FIRST)];

const FIRST: &str = "
CREATE TABLE observations (
    seq INTEGER PRIMARY KEY, slot INTEGER NOT NULL, id INTEGER NOT NULL, at INTEGER NOT NULL,
    kind TEXT NOT NULL, device TEXT, json TEXT NOT NULL);
CREATE UNIQUE INDEX observations_at ON observations (at, id);
CREATE INDEX observations_id ON observations (slot, id);
CREATE INDEX observations_kind ON observations (kind, at);
CREATE INDEX observations_device ON observations (device, at) WHERE device IS NOT NULL;

CREATE TABLE flows (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, kind TEXT NOT NULL,
    device TEXT, peer TEXT, json TEXT NOT NULL);
CREATE INDEX flows_at ON flows (at);
CREATE INDEX flows_kind ON flows (kind, at);
CREATE INDEX flows_device ON flows (device, at) WHERE device IS NOT NULL;
CREATE INDEX flows_peer ON flows (peer, at) WHERE peer IS NOT NULL;

CREATE TABLE findings (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, kind TEXT NOT NULL,
    device TEXT NOT NULL, severity INTEGER NOT NULL, case_id TEXT, json TEXT NOT NULL);
CREATE INDEX findings_at ON findings (at);
CREATE INDEX findings_device ON findings (device, at);
CREATE INDEX findings_case ON findings (case_id, at);

CREATE TABLE cases (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL,
    severity INTEGER NOT NULL, json TEXT NOT NULL);
CREATE INDEX cases_at ON cases (at);

CREATE TABLE devices (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, kind TEXT NOT NULL,
    json TEXT NOT NULL);

CREATE TABLE case_status (
    seq INTEGER PRIMARY KEY, case_id TEXT NOT NULL, status TEXT NOT NULL, who TEXT NOT NULL,
    at INTEGER NOT NULL, note TEXT NOT NULL);
CREATE INDEX case_status_case ON case_status (case_id, seq);

CREATE TABLE feedback (
    seq INTEGER PRIMARY KEY, about TEXT NOT NULL, id TEXT NOT NULL, verdict TEXT NOT NULL,
    who TEXT NOT NULL, at INTEGER NOT NULL, note TEXT NOT NULL);
CREATE INDEX feedback_id ON feedback (about, id, seq);

CREATE TABLE state (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE tally (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO tally VALUES ('observations', 0), ('flows', 0),
    ('dropped_observations', 0), ('dropped_flows', 0), ('dropped_findings', 0);
";

/// Looks at a file before anything in it is changed.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |error| StoreError::from_sqlite(path, error);
    let application: i64 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(fail)?;
    if application != APPLICATION_ID {
        if application == 0 && is_empty(connection, path)? {
            return Ok(());
        }
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let found = version(connection).map_err(fail)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(())
}

/// Whether a file has no tables.
pub(super) fn is_empty(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    connection
        .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| StoreError::from_sqlite(path, error))
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings a file up to date, each step whole or not at all.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |error| StoreError::from_sqlite(path, error);
    // The step is taken under the write lock, so that two processes cannot both take it.
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(fail)?;
    check(&transaction, path)?;
    let have = version(&transaction).map_err(fail)?;
    let have = usize::try_from(have).unwrap_or(0);
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        )
        .map_err(fail)?;
    for (place, (name, sql)) in MIGRATIONS.iter().enumerate().skip(have) {
        let version = place as i64 + 1;
        transaction.execute_batch(sql).map_err(fail)?;
        transaction
            .execute("INSERT INTO migration VALUES (?1, ?2)", (version, name))
            .map_err(fail)?;
        transaction.pragma_update(None, "user_version", version).map_err(fail)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(fail)?;
    transaction.commit().map_err(fail)
}
