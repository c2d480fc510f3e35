//! The ledger, as it is in its files: whoever checks it elsewhere needs every byte.

use std::io::ErrorKind;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use respond::Office;
use respond::ledger::{Checkpoint, HEAD, LedgerError, Lines, PUBLIC};
use serde::Serialize;

use super::work;
use crate::api::{App, input};
use crate::problem::Problem;

/// Lines of a page, where nobody says.
const PAGE: usize = 100;
/// Bytes after which a page ends; a line that is longer is a page of its own.
const MOST: usize = 4 << 20;

/// Part of the ledger.
#[derive(Serialize)]
pub(crate) struct LedgerPage {
    /// Number of the first line, from 0: later than asked where older segments were moved away.
    from: u64,
    /// The lines, each a digest, a space and a JSON object.
    items: Vec<String>,
    /// Number of the line after these; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// Where the ledger stands.
#[derive(Serialize)]
pub(crate) struct LedgerHead {
    /// The newest checkpoint.
    checkpoint: Checkpoint,
    /// The public key that it is signed with, in hexadecimal.
    key: String,
}

pub(crate) async fn lines(State(app): State<App>, uri: Uri) -> Result<Json<LedgerPage>, Problem> {
    let given = input::only(&uri, &["from", "limit"])?;
    let limit = given.get("limit").map_or(Ok(PAGE), |value| input::limit(value))?;
    let from = given.get("from").map_or(Ok(0), |value| {
        let refuse = |_| Problem::bad_request("'from' is the number of a line, from 0.");
        value.parse::<u64>().map_err(refuse)
    })?;
    work(&app, move |office| page(office, from, limit)).await.map(Json)
}

/// Whole lines only: one that is just being written comes with the next page. Where older segments
/// were moved away, from the first line that is here.
fn page(office: &Office, from: u64, limit: usize) -> Result<LedgerPage, Problem> {
    let broken = |error: LedgerError| Problem::internal(&error);
    let mut lines = Lines::from(office.folder(), None, from).map_err(broken)?;
    let from = lines.seq.max(from);
    let (mut items, mut bytes) = (Vec::new(), 0_usize);
    while let Some(line) = lines.next_line().map_err(broken)? {
        bytes = bytes.saturating_add(line.len());
        if items.len() >= limit || (bytes > MOST && !items.is_empty()) {
            let next = Some(from.saturating_add(items.len() as u64));
            return Ok(LedgerPage { from, items, next });
        }
        items.push(line);
    }
    Ok(LedgerPage { from, items, next: None })
}

pub(crate) async fn head(State(app): State<App>) -> Result<Json<LedgerHead>, Problem> {
    let read = |office: &Office| {
        let text = |name: &str| {
            std::fs::read_to_string(office.folder().join(name)).map_err(|error| {
                match error.kind() {
                    ErrorKind::NotFound => Problem::not_found("checkpoint as yet"),
                    _ => Problem::internal(&error),
                }
            })
        };
        let checkpoint = serde_json::from_str(&text(HEAD)?);
        let checkpoint = checkpoint.map_err(|error| Problem::internal(&error))?;
        Ok::<_, Problem>(LedgerHead { checkpoint, key: text(PUBLIC)?.trim_end().to_owned() })
    };
    work(&app, read).await.map(Json)
}
