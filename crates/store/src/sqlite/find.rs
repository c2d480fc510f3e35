//! Finds rows, a page at a time.

use std::time::{Duration, Instant};

use model::case::CaseId;
use model::device::Device;
use model::finding::Finding;
use rusqlite::{Connection, OptionalExtension, Row, types::Value as Sql};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cursor::{Cursor, ParseCursorError};
use crate::error::StoreError;
use crate::query::{DEFAULT_LIMIT, MAX_LIMIT, Page, Query, Table};
use crate::sqlite::{SqliteStore, people, write};
use crate::word::CaseRecord;

/// Longest time of a search: one over all texts of a large store reads gigabytes, and holds one
/// of few readers.
const LONGEST: Duration = Duration::from_secs(10);

/// Steps of SQLite's machine between two looks at the clock, well under a millisecond.
const STEPS: i32 = 10_000;

/// A condition under construction.
struct Where {
    sql: String,
    values: Vec<Sql>,
}

impl Where {
    fn and(&mut self, condition: &str, value: impl Into<Sql>) {
        self.values.push(value.into());
        let sql = condition.replace("?1", &format!("?{}", self.values.len()));
        self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
        self.sql.push_str(&sql);
    }
}

pub(super) fn observations(store: &SqliteStore, query: &Query) -> Result<Page<Value>, StoreError> {
    page(store, query, Table::Observations)
}

pub(super) fn flows(store: &SqliteStore, query: &Query) -> Result<Page<Value>, StoreError> {
    page(store, query, Table::Flows)
}

pub(super) fn findings(store: &SqliteStore, query: &Query) -> Result<Page<Finding>, StoreError> {
    page(store, query, Table::Findings)
}

pub(super) fn devices(store: &SqliteStore, query: &Query) -> Result<Page<Device>, StoreError> {
    page(store, query, Table::Devices)
}

pub(super) fn cases(store: &SqliteStore, query: &Query) -> Result<Page<CaseRecord>, StoreError> {
    let page = page(store, query, Table::Cases)?;
    let connection = store.reader();
    let items = page.items.into_iter().map(|case| people::with_status(store, &connection, case));
    Ok(Page { items: items.collect::<Result<_, _>>()?, next: page.next })
}

pub(super) fn case(store: &SqliteStore, id: &CaseId) -> Result<Option<CaseRecord>, StoreError> {
    let Some(case) = one(store, "cases", &id.0)? else { return Ok(None) };
    people::with_status(store, &store.reader(), case).map(Some)
}

pub(super) fn observation(store: &SqliteStore, id: &str) -> Result<Option<Value>, StoreError> {
    let digits = id.strip_prefix('o').filter(|digits| digits.len() == 16);
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let Some(number) = number else { return Ok(None) };
    let connection = store.reader();
    let json = in_slots(&connection, number.cast_signed()).map_err(|error| store.fail(error))?;
    json.map(|json| parse(store, &json)).transpose()
}

/// Looks for an observation slot by slot, from the latest on.
fn in_slots(connection: &Connection, id: i64) -> rusqlite::Result<Option<String>> {
    let (first, last): (Option<i64>, Option<i64>) = connection
        .prepare_cached(
            "SELECT (SELECT min(slot) FROM observations), (SELECT max(slot) FROM observations)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
    let mut statement =
        connection.prepare_cached("SELECT json FROM observations WHERE slot = ?1 AND id = ?2")?;
    for slot in (first..=last).rev() {
        if let Some(json) = statement.query_row((slot, id), |row| row.get(0)).optional()? {
            return Ok(Some(json));
        }
    }
    Ok(None)
}

/// The row of an id.
pub(super) fn one<T: DeserializeOwned>(
    store: &SqliteStore,
    table: &str,
    id: &str,
) -> Result<Option<T>, StoreError> {
    let connection = store.reader();
    let json: Option<String> = connection
        .prepare_cached(&format!("SELECT json FROM {table} WHERE id = ?1"))
        .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
        .map_err(|error| store.fail(error))?;
    json.map(|json| parse(store, &json)).transpose()
}

fn page<T: DeserializeOwned>(
    store: &SqliteStore,
    query: &Query,
    table: Table,
) -> Result<Page<T>, StoreError> {
    let mut condition = condition(query, table)?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    // One row more than asked for tells whether there is a next page.
    condition.values.push(Sql::Integer(limit as i64 + 1));
    let order = if table == Table::Devices { "seq" } else { "at DESC, seq DESC" };
    let (name, place) = (table.name(), condition.values.len());
    let sql = format!(
        "SELECT at, seq, json FROM {name}{} ORDER BY {order} LIMIT ?{place}",
        condition.sql
    );
    let connection = store.reader();
    let found = within(&connection, LONGEST, || rows(&connection, &sql, &condition.values));
    let mut rows = found.map_err(|error| store.fail(error))?;
    drop(connection);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|&(at, seq, _)| Cursor { table, at, seq });
    let items = rows.iter().map(|(_, _, json)| parse(store, json)).collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}

/// Ends a search that takes too long. The clock is read for nothing else: what is found does not
/// depend on it.
fn within<T>(
    connection: &Connection,
    longest: Duration,
    search: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let begun = Instant::now();
    connection.progress_handler(STEPS, Some(move || begun.elapsed() > longest))?;
    let found = search();
    connection.progress_handler(0, None::<fn() -> bool>)?;
    found
}

fn rows(
    connection: &Connection,
    sql: &str,
    values: &[Sql],
) -> rusqlite::Result<Vec<(i64, i64, String)>> {
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    statement.query_map(rusqlite::params_from_iter(values), read)?.collect()
}

fn condition(query: &Query, table: Table) -> Result<Where, StoreError> {
    let refuse = |filter| StoreError::Filter { list: table.name(), filter };
    let only = |set: bool, filter, tables: &[Table]| {
        if set && !tables.contains(&table) { Err(refuse(filter)) } else { Ok(()) }
    };
    use Table::{Cases, Devices, Findings, Flows, Observations};
    only(query.kind.is_some(), "kind", &[Observations, Flows, Findings, Devices])?;
    only(query.severity.is_some(), "severity", &[Findings, Cases])?;
    only(query.status.is_some(), "status", &[Cases])?;
    only(query.case.is_some(), "case", &[Findings])?;

    let mut condition = Where { sql: String::new(), values: Vec::new() };
    if let Some(kind) = &query.kind {
        condition.and("kind = ?1", kind.clone());
    }
    if let Some(device) = &query.device {
        let sql = match table {
            Devices => "id = ?1",
            Flows => "(device = ?1 OR peer = ?1)",
            Cases => {
                "EXISTS (SELECT 1 FROM json_each(cases.json, '$.devices') d WHERE d.value = ?1)"
            }
            Observations | Findings => "device = ?1",
        };
        condition.and(sql, device.clone());
    }
    if let Some(case) = &query.case {
        condition.and("case_id = ?1", case.clone());
    }
    if let Some(since) = query.since {
        condition.and("at >= ?1", since.nanos());
    }
    if let Some(until) = query.until {
        condition.and("at < ?1", until.nanos());
    }
    if let Some(severity) = query.severity {
        condition.and("severity >= ?1", write::severity_rank(severity));
    }
    if let Some(status) = query.status {
        condition.and(
            "coalesce((SELECT s.status FROM case_status s WHERE s.case_id = cases.id
                ORDER BY s.seq DESC LIMIT 1), 'open') = ?1",
            status.name().to_owned(),
        );
    }
    if let Some(text) = &query.text {
        condition.and("json LIKE ?1 ESCAPE '\\'", pattern(text));
    }
    if let Some(cursor) = query.cursor {
        if cursor.table != table {
            return Err(ParseCursorError.into());
        }
        if table == Devices {
            condition.and("seq > ?1", cursor.seq);
        } else {
            condition.and("at <= ?1", cursor.at);
            condition.values.push(Sql::Integer(cursor.seq));
            let (at, seq) = (condition.values.len() - 1, condition.values.len());
            condition.sql.push_str(&format!(" AND (at < ?{at} OR seq < ?{seq})"));
        }
    }
    Ok(condition)
}

/// A LIKE pattern that means the letters themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn parse<T: DeserializeOwned>(store: &SqliteStore, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt {
        path: store.path.clone(),
        detail: format!("a row is no JSON of its kind: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_without_end_is_ended_and_the_reader_works_on() {
        let connection = Connection::open_in_memory().unwrap();
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let error = within(&connection, Duration::ZERO, || count(endless)).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
        assert_eq!(count("SELECT 7"), Ok(7));
    }
}
