//! Keeps the file within its bound.
//!
//! SQLite itself refuses to grow the file past `max_page_count`; before each batch the oldest rows
//! are dropped until the batch fits into free pages, which are used again. The rest of the bound is
//! kept for the write-ahead log: batches are cut so that one fits, and the log is emptied before it
//! grows past its share.

use std::path::Path;

use model::time::Timestamp;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::error::StoreError;
use crate::seam::{Counts, Dropped};
use crate::sqlite::SqliteStore;

/// Bytes of a page.
const PAGE: u64 = 4_096;

/// Smallest bound: below it the tables themselves have no room.
const LEAST: u64 = 4 << 20;

/// The shares of the bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// All of it, in bytes.
    pub(super) max_bytes: u64,
    /// Pages of the file.
    pub(super) pages: u64,
    /// Bytes of the write-ahead log.
    pub(super) log: u64,
}

impl Bound {
    pub(super) fn new(max_bytes: u64) -> Self {
        let max_bytes = max_bytes.max(LEAST);
        let log = (max_bytes / 6).min(64 << 20);
        // The log's index (-shm) takes 32 KiB for every 16 MiB of log.
        let index = (32 << 10) * (1 + log / (16 << 20));
        Self { max_bytes, pages: (max_bytes - log - index) / PAGE, log }
    }

    /// Most rows of a transaction: each may touch a page of its own in the index of devices.
    pub(super) const fn batch_rows(&self) -> usize {
        (self.log / PAGE / 2) as usize
    }

    /// Most bytes of JSON of a transaction.
    pub(super) const fn batch_bytes(&self) -> usize {
        (self.log / 8) as usize
    }
}

/// Brings a file that is larger than its bound under it, and sets the bound.
pub(super) fn fit(connection: &mut Connection, bound: &Bound) -> rusqlite::Result<()> {
    while used_pages(connection)? > bound.pages {
        let step = share(connection)?;
        if drop_oldest(connection, step)? == Dropped::default() {
            break;
        }
    }
    if pragma(connection, "page_count")? > bound.pages {
        vacuum(connection)?;
    }
    // Answers with the count now in force, which is larger where the file still is.
    connection.query_row(&format!("PRAGMA max_page_count = {}", bound.pages), [], |_| Ok(()))
}

/// Runs a piece of work in one transaction, with room made for `bytes` in `rows`.
pub(super) fn within<T>(
    store: &SqliteStore,
    connection: &mut Connection,
    (rows, bytes): (usize, usize),
    work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let fail = |error| store.fail(error);
    // Rows with their index entries take about half as much again as their JSON, and 80 bytes.
    let need = (bytes as u64 * 3 / 2 + rows as u64 * 80) / PAGE + 48;
    let step = (rows as u64 * 2).max(512);
    while free_pages(connection, &store.bound).map_err(fail)? < need {
        if drop_oldest(connection, step).map_err(fail)? == Dropped::default() {
            break;
        }
    }
    loop {
        let done = attempt(connection, &work);
        empty_log(store, connection).map_err(fail)?;
        match done {
            Ok(value) => return Ok(value),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                // Either the bound is reached or the disk is: only the first can be helped.
                if free_pages(connection, &store.bound).map_err(fail)? > need.max(256) {
                    return Err(fail(error));
                }
                if drop_oldest(connection, step).map_err(fail)? == Dropped::default() {
                    let (path, max_bytes) = (store.path.clone(), store.bound.max_bytes);
                    return Err(StoreError::Bound { path, max_bytes });
                }
            }
            Err(error) => return Err(fail(error)),
        }
    }
}

fn attempt<T>(
    connection: &mut Connection,
    work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Moves the log into the file once it has half its share; SQLite's own checkpoints keep it far
/// smaller unless a batch is large or a reader holds it.
fn empty_log(store: &SqliteStore, connection: &Connection) -> rusqlite::Result<()> {
    if size(&store.path, "-wal") <= store.bound.log / 2 {
        return Ok(());
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map(|n: i64| n.cast_unsigned())
}

fn used_pages(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "page_count")?.saturating_sub(pragma(connection, "freelist_count")?))
}

fn free_pages(connection: &Connection, bound: &Bound) -> rusqlite::Result<u64> {
    Ok(bound.pages.saturating_sub(used_pages(connection)?))
}

/// Rows to drop at a time: few enough that little more goes than has to.
fn share(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT sum(n) FROM tally WHERE name IN ('observations', 'flows')";
    let rows: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(rows.max(0).cast_unsigned() / 32 + 256)
}

/// Gives free pages back to the disk.
fn vacuum(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Drops the oldest observations; where there are none, flows; where there are none, findings of
/// closed cases.
fn drop_oldest(connection: &mut Connection, rows: u64) -> rusqlite::Result<Dropped> {
    let rows = rows.cast_signed();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut dropped = Dropped::default();
    for (table, count) in
        [("observations", &mut dropped.observations), ("flows", &mut dropped.flows)]
    {
        let sql = format!("DELETE FROM {table} WHERE seq < (SELECT min(seq) FROM {table}) + ?1");
        *count = transaction.execute(&sql, [rows])? as u64;
        if *count > 0 {
            break;
        }
    }
    if dropped == Dropped::default() {
        dropped.findings = transaction.execute(
            "DELETE FROM findings WHERE seq IN (
                SELECT f.seq FROM findings f WHERE f.case_id IS NOT NULL AND 'closed' =
                    (SELECT status FROM case_status s WHERE s.case_id = f.case_id ORDER BY s.seq DESC LIMIT 1)
                ORDER BY f.at LIMIT ?1)",
            [rows],
        )? as u64;
    }
    record(&transaction, dropped)?;
    transaction.commit()?;
    Ok(dropped)
}

/// Adds to the tallies in the transaction that changed the rows.
fn record(transaction: &Transaction<'_>, dropped: Dropped) -> rusqlite::Result<()> {
    add(transaction, "observations", -dropped.observations.cast_signed())?;
    add(transaction, "flows", -dropped.flows.cast_signed())?;
    add(transaction, "dropped_observations", dropped.observations.cast_signed())?;
    add(transaction, "dropped_flows", dropped.flows.cast_signed())?;
    add(transaction, "dropped_findings", dropped.findings.cast_signed())
}

/// Changes a tally.
pub(super) fn add(transaction: &Transaction<'_>, name: &str, by: i64) -> rusqlite::Result<()> {
    if by == 0 {
        return Ok(());
    }
    let mut statement =
        transaction.prepare_cached("UPDATE tally SET n = n + ?1 WHERE name = ?2")?;
    statement.execute((by, name)).map(|_| ())
}

/// Drops what is older than a time, and gives room back.
pub(super) fn expire(
    store: &SqliteStore,
    before: Option<Timestamp>,
) -> Result<Dropped, StoreError> {
    let fail = |error| store.fail(error);
    let mut connection = store.writer()?;
    let mut total = Dropped::default();
    if let Some(before) = before {
        total.observations = expire_table(store, &mut connection, "observations", before)?;
        total.flows = expire_table(store, &mut connection, "flows", before)?;
    }
    while used_pages(&connection).map_err(fail)? > store.bound.pages {
        let step = share(&connection).map_err(fail)?;
        let dropped = drop_oldest(&mut connection, step).map_err(fail)?;
        if dropped == Dropped::default() {
            break;
        }
        total.observations += dropped.observations;
        total.flows += dropped.flows;
        total.findings += dropped.findings;
    }
    vacuum(&connection).map_err(fail)?;
    Ok(total)
}

fn expire_table(
    store: &SqliteStore,
    connection: &mut Connection,
    table: &str,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let sql = format!(
        "DELETE FROM {table} WHERE seq IN (SELECT seq FROM {table} WHERE at < ?1 ORDER BY at LIMIT ?2)"
    );
    let (mut total, step) = (0, store.bound.batch_rows() as i64);
    loop {
        let gone = attempt(connection, |transaction| {
            let gone = transaction.execute(&sql, (before.nanos(), step))? as u64;
            add(transaction, table, -gone.cast_signed())?;
            add(transaction, &format!("dropped_{table}"), gone.cast_signed())?;
            Ok(gone)
        })
        .map_err(|error| store.fail(error))?;
        empty_log(store, connection).map_err(|error| store.fail(error))?;
        if gone == 0 {
            return Ok(total);
        }
        total += gone;
    }
}

/// How much there is.
pub(super) fn counts(store: &SqliteStore) -> Result<Counts, StoreError> {
    let connection = store.reader();
    let read = || -> rusqlite::Result<Counts> {
        let tally = |name: &str| -> rusqlite::Result<u64> {
            let mut statement = connection.prepare_cached("SELECT n FROM tally WHERE name = ?1")?;
            statement.query_row([name], |row| row.get(0)).map(|n: i64| n.max(0).cast_unsigned())
        };
        let count = |table: &str| -> rusqlite::Result<u64> {
            let mut statement =
                connection.prepare_cached(&format!("SELECT count(*) FROM {table}"))?;
            statement.query_row([], |row| row.get(0)).map(|n: i64| n.cast_unsigned())
        };
        Ok(Counts {
            observations: tally("observations")?,
            flows: tally("flows")?,
            findings: count("findings")?,
            cases: count("cases")?,
            devices: count("devices")?,
            dropped: Dropped {
                observations: tally("dropped_observations")?,
                flows: tally("dropped_flows")?,
                findings: tally("dropped_findings")?,
            },
            bytes: size(&store.path, "") + size(&store.path, "-wal") + size(&store.path, "-shm"),
            max_bytes: store.bound.max_bytes,
        })
    };
    read().map_err(|error| store.fail(error))
}

/// Bytes of the file, or of one of its companions; zero where there is none.
fn size(path: &Path, suffix: &str) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    std::fs::metadata(Path::new(&name)).map_or(0, |meta| meta.len())
}
