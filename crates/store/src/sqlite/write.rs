//! Adds and replaces rows, in transactions that fit the bound.

use model::case::Case;
use model::device::Device;
use model::finding::{Finding, FindingKind, Severity};
use rusqlite::{Connection, Transaction};

use crate::error::StoreError;
use crate::row::{Appended, FlowRow, ObservationRow, json};
use crate::sqlite::SqliteStore;
use crate::sqlite::bound::{self, Bound};

/// Rows of a slot of the index of observations' ids, as a power of two: about 5 MiB of index.
const SLOT_BITS: u32 = 18;

/// Sets how the writing connection works.
pub(super) fn prepare(connection: &Connection, bound: &Bound) -> rusqlite::Result<()> {
    // Has to come before the first table; on a file that has tables it changes nothing.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Bytes, written as negative KiB.
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "wal_autocheckpoint", (bound.log / 4 / 4_096).cast_signed())?;
    connection.pragma_update(None, "journal_size_limit", (bound.log / 2).cast_signed())
}

/// Cuts rows into batches that fit the log's share of the bound, and stores each whole. Gives the
/// sum of what the batches gave.
fn batches<T>(
    store: &SqliteStore,
    rows: &[T],
    bytes: impl Fn(&T) -> usize,
    each: impl Fn(&Transaction<'_>, &[T]) -> rusqlite::Result<u64>,
) -> Result<u64, StoreError> {
    let (mut rest, mut sum) = (rows, 0);
    while !rest.is_empty() {
        let (mut count, mut total) = (0, 0);
        while let Some(row) = rest.get(count) {
            let size = bytes(row);
            if count > 0
                && (count >= store.bound.batch_rows() || total + size > store.bound.batch_bytes())
            {
                break;
            }
            count += 1;
            total += size;
        }
        let (batch, later) = rest.split_at(count);
        // The lock is taken for each batch, so that a long import lets others write between.
        let mut connection = store.writer()?;
        sum += bound::within(store, &mut connection, (count, total), |transaction| {
            each(transaction, batch)
        })?;
        rest = later;
    }
    Ok(sum)
}

pub(super) fn observations(
    store: &SqliteStore,
    rows: &[ObservationRow],
) -> Result<Appended, StoreError> {
    let new = batches(
        store,
        rows,
        |row| row.json.len(),
        |transaction, batch| {
            let last: i64 = transaction
                .prepare_cached("SELECT coalesce(max(seq), 0) FROM observations")?
                .query_row([], |row| row.get(0))?;
            let slot = last >> SLOT_BITS;
            let mut insert = transaction.prepare_cached(
                "INSERT OR IGNORE INTO observations (slot, id, at, kind, device, json)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let mut new = 0;
            for row in batch {
                let device = row.device.as_ref().map(|device| device.0.as_str());
                let id = row.id.0.cast_signed();
                let values = (slot, id, row.at.nanos(), row.kind, device, &row.json);
                new += insert.execute(values)? as u64;
            }
            bound::add(transaction, "observations", new.cast_signed())?;
            Ok(new)
        },
    )?;
    Ok(Appended { new, known: rows.len() as u64 - new })
}

pub(super) fn flows(store: &SqliteStore, rows: &[FlowRow]) -> Result<(), StoreError> {
    batches(store, rows, |row| row.json.len(), |transaction, batch| {
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO flows (id, at, kind, device, peer, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let mut update = transaction.prepare_cached(
            "UPDATE flows SET at = ?2, kind = ?3, device = ?4, peer = ?5, json = ?6 WHERE id = ?1",
        )?;
        let mut new = 0;
        for row in batch {
            let device = row.device.as_ref().map(|device| device.0.as_str());
            let peer = row.peer.as_ref().map(|device| device.0.as_str());
            let values = (&row.id, row.at.nanos(), &row.protocol, device, peer, &row.json);
            match insert.execute(values)? {
                0 => update.execute(values).map(|_| ())?,
                added => new += added,
            }
        }
        bound::add(transaction, "flows", new as i64)?;
        Ok(0)
    })
    .map(|_| ())
}

pub(super) fn findings(store: &SqliteStore, findings: &[Finding]) -> Result<(), StoreError> {
    let rows: Vec<(&Finding, String)> = findings.iter().map(|f| (f, json(f))).collect();
    batches(
        store,
        &rows,
        |(_, json)| json.len(),
        |transaction, batch| {
            let mut put = transaction.prepare_cached(
                "INSERT INTO findings (id, at, kind, device, severity, case_id, json)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET at = ?2, kind = ?3, device = ?4, severity = ?5,
                 case_id = ?6, json = ?7",
            )?;
            for (finding, json) in batch {
                put.execute((
                    &finding.id.0,
                    finding.at.nanos(),
                    kind_name(finding.kind),
                    &finding.device.id.0,
                    severity_rank(finding.severity),
                    finding.case.as_ref().map(|case| case.0.as_str()),
                    json,
                ))?;
            }
            Ok(0)
        },
    )
    .map(|_| ())
}

pub(super) fn cases(store: &SqliteStore, cases: &[Case]) -> Result<(), StoreError> {
    let rows: Vec<(&Case, String)> = cases.iter().map(|case| (case, json(case))).collect();
    batches(
        store,
        &rows,
        |(_, json)| json.len(),
        |transaction, batch| {
            let mut put = transaction.prepare_cached(
                "INSERT INTO cases (id, at, severity, json) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET at = ?2, severity = ?3, json = ?4",
            )?;
            for (case, json) in batch {
                put.execute((&case.id.0, case.opened.nanos(), severity_rank(case.severity), json))?;
            }
            Ok(0)
        },
    )
    .map(|_| ())
}

pub(super) fn devices(store: &SqliteStore, devices: &[Device]) -> Result<(), StoreError> {
    let rows: Vec<(&Device, String)> = devices.iter().map(|d| (d, json(d))).collect();
    batches(
        store,
        &rows,
        |(_, json)| json.len(),
        |transaction, batch| {
            let mut put = transaction.prepare_cached(
                "INSERT INTO devices (id, at, kind, json) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET at = ?2, kind = ?3, json = ?4",
            )?;
            for (device, json) in batch {
                put.execute((&device.id.0, device.last_seen.nanos(), device.class.name(), json))?;
            }
            Ok(0)
        },
    )
    .map(|_| ())
}

/// As `serde` writes it.
const fn kind_name(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Rule => "rule",
        FindingKind::Anomaly => "anomaly",
        FindingKind::Model => "model",
        FindingKind::Intel => "intel",
    }
}

/// Mildest 0, so that "at least" is a comparison.
pub(super) fn severity_rank(severity: Severity) -> i64 {
    severity as i64
}
