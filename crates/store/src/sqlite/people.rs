//! What people said, and saved state.

use model::case::{Case, CaseId};
use model::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::error::StoreError;
use crate::sqlite::{SqliteStore, bound};
use crate::word::{About, CaseRecord, CaseStatus, Feedback, StatusChange, Verdict};

/// A case with where people left it.
pub(super) fn with_status(
    store: &SqliteStore,
    connection: &Connection,
    case: Case,
) -> Result<CaseRecord, StoreError> {
    let history = connection
        .prepare_cached(
            "SELECT status, who, at, note FROM case_status WHERE case_id = ?1 ORDER BY seq",
        )
        .and_then(|mut statement| statement.query_map([&case.id.0], change)?.collect())
        .map_err(|error| store.fail(error))?;
    let history: Vec<StatusChange> = history;
    let status = history.last().map_or(CaseStatus::Open, |last| last.status);
    Ok(CaseRecord { case, status, history })
}

fn change(row: &Row<'_>) -> rusqlite::Result<StatusChange> {
    let status: String = row.get(0)?;
    Ok(StatusChange {
        status: CaseStatus::from_name(&status).unwrap_or_default(),
        who: row.get(1)?,
        at: Timestamp::from_nanos(row.get(2)?),
        note: row.get(3)?,
    })
}

pub(super) fn set_status(
    store: &SqliteStore,
    id: &CaseId,
    change: &StatusChange,
) -> Result<bool, StoreError> {
    let mut connection = store.writer()?;
    bound::within(store, &mut connection, (1, change.note.len()), |transaction| {
        let added = transaction.execute(
            "INSERT INTO case_status (case_id, status, who, at, note)
             SELECT id, ?2, ?3, ?4, ?5 FROM cases WHERE id = ?1",
            (&id.0, change.status.name(), &change.who, change.at.nanos(), &change.note),
        )?;
        Ok(added > 0)
    })
}

pub(super) fn add_feedback(
    store: &SqliteStore,
    about: About,
    id: &str,
    word: &Feedback,
) -> Result<bool, StoreError> {
    let table = match about {
        About::Finding => "findings",
        About::Case => "cases",
    };
    let sql = format!(
        "INSERT INTO feedback (about, id, verdict, who, at, note)
         SELECT ?1, id, ?3, ?4, ?5, ?6 FROM {table} WHERE id = ?2"
    );
    let mut connection = store.writer()?;
    bound::within(store, &mut connection, (1, word.note.len()), |transaction| {
        let values =
            (about.name(), id, word.verdict.name(), &word.who, word.at.nanos(), &word.note);
        Ok(transaction.execute(&sql, values)? > 0)
    })
}

pub(super) fn feedback(
    store: &SqliteStore,
    about: About,
    id: &str,
) -> Result<Vec<Feedback>, StoreError> {
    let read = |row: &Row<'_>| {
        let verdict: String = row.get(0)?;
        Ok(Feedback {
            verdict: Verdict::from_name(&verdict).unwrap_or(Verdict::Unsure),
            who: row.get(1)?,
            at: Timestamp::from_nanos(row.get(2)?),
            note: row.get(3)?,
        })
    };
    store
        .reader()
        .prepare_cached(
            "SELECT verdict, who, at, note FROM feedback WHERE about = ?1 AND id = ?2 ORDER BY seq",
        )
        .and_then(|mut statement| statement.query_map((about.name(), id), read)?.collect())
        .map_err(|error| store.fail(error))
}

pub(super) fn state(store: &SqliteStore, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    store
        .reader()
        .prepare_cached("SELECT bytes FROM state WHERE name = ?1")
        .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
        .map_err(|error| store.fail(error))
}

pub(super) fn set_state(store: &SqliteStore, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let mut connection = store.writer()?;
    bound::within(store, &mut connection, (1, bytes.len()), |transaction| {
        transaction
            .execute(
                "INSERT INTO state VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bytes = ?2",
                (name, bytes),
            )
            .map(|_| ())
    })
}

pub(super) fn remove_state(store: &SqliteStore, name: &str) -> Result<bool, StoreError> {
    let mut connection = store.writer()?;
    bound::within(store, &mut connection, (1, 0), |transaction| {
        Ok(transaction.execute("DELETE FROM state WHERE name = ?1", [name])? > 0)
    })
}

pub(super) fn state_names(store: &SqliteStore, prefix: &str) -> Result<Vec<String>, StoreError> {
    store
        .reader()
        .prepare_cached(
            "SELECT name FROM state WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
        )
        .and_then(|mut statement| statement.query_map([prefix], |row| row.get(0))?.collect())
        .map_err(|error| store.fail(error))
}
