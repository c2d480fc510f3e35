//! Reads what a request brings: JSON bodies and query parameters. Strict: what is not known is
//! refused by name, so that a misspelt filter never passes as no filter.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query as UrlQuery, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use model::finding::Severity;
use model::time::Timestamp;
use serde::de::DeserializeOwned;
use store::{CaseStatus, MAX_LIMIT, Query};

use crate::gate;
use crate::problem::Problem;

/// Longest text of a parameter, in bytes.
const MAX_VALUE: usize = 512;

/// Longest remark of a person, in characters.
const MAX_NOTE: usize = 2_000;

/// A JSON body of a known shape.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| gate::is_json(kind.as_bytes())) {
            let detail = "Send JSON, with the content type application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| Problem::of_status(rejection.status()))?;
        serde_json::from_slice(&bytes).map(Body).map_err(|error| {
            // The place is told, the words of the parser are not: they quote the body, which may
            // hold a password.
            let place = format!("line {}, column {}", error.line(), error.column());
            if error.is_data() {
                Problem::invalid(format!(
                    "The JSON has not the fields that this takes (see {place}, and /api/v1/openapi.json)."
                ))
            } else {
                Problem::bad_request(format!("The body is no JSON: {place}."))
            }
        })
    }
}

/// The parameters of a list.
pub(crate) struct List(pub(crate) Query);

impl<S: Send + Sync> FromRequestParts<S> for List {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(&parts.uri).map(Self)
    }
}

fn query(uri: &Uri) -> Result<Query, Problem> {
    let mut query = Query::default();
    for (name, value) in pairs(uri)? {
        match name.as_str() {
            "kind" => query.kind = Some(value),
            "device" => query.device = Some(value),
            "case" => query.case = Some(value),
            "text" => query.text = Some(value),
            "since" => query.since = Some(time(&name, &value)?),
            "until" => query.until = Some(time(&name, &value)?),
            "severity" => {
                let names = Severity::ALL.map(Severity::name);
                query.severity = Some(one_of(&name, Severity::from_name(&value), &names)?);
            }
            "status" => {
                let names = CaseStatus::ALL.map(CaseStatus::name);
                query.status = Some(one_of(&name, CaseStatus::from_name(&value), &names)?);
            }
            "limit" => query.limit = Some(limit(&value)?),
            "cursor" => {
                let cursor = value.parse().map_err(store::StoreError::from)?;
                query.cursor = Some(cursor);
            }
            other => return Err(unknown(other)),
        }
    }
    Ok(query)
}

/// Parameters of these names only, each at most once.
pub(crate) fn only(uri: &Uri, names: &[&str]) -> Result<BTreeMap<String, String>, Problem> {
    let pairs = pairs(uri)?;
    match pairs.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        Some((other, _)) => Err(unknown(other)),
        None => Ok(pairs.into_iter().collect()),
    }
}

fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    let pairs = UrlQuery::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Problem::bad_request("The parameters after '?' cannot be read."))?;
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (name, value) in &pairs.0 {
        if value.is_empty() || value.len() > MAX_VALUE {
            let detail = format!("'{}' has 1 to {MAX_VALUE} bytes.", shown(name));
            return Err(Problem::bad_request(detail));
        }
        if !seen.insert(name) {
            return Err(Problem::bad_request(format!("'{}' is there twice.", shown(name))));
        }
    }
    Ok(pairs.0)
}

fn unknown(name: &str) -> Problem {
    let name = shown(name);
    Problem::bad_request(format!("There is no parameter '{name}'; see /api/v1/openapi.json."))
}

/// Most items of a page.
pub(crate) fn limit(value: &str) -> Result<usize, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    let refuse = || format!("'limit' is a number from 1 to {MAX_LIMIT}.");
    limit.ok_or_else(|| Problem::bad_request(refuse()))
}

pub(crate) fn time(name: &str, value: &str) -> Result<Timestamp, Problem> {
    value.parse().map_err(|_| {
        Problem::bad_request(format!(
            "'{name}' is RFC 3339 (2026-11-23T12:10:09Z) or Unix seconds."
        ))
    })
}

fn one_of<T>(name: &str, value: Option<T>, names: &[&str]) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::bad_request(format!("'{name}' is one of {}.", names.join(", "))))
}

/// A name of the caller's, short and without control characters.
fn shown(name: &str) -> String {
    model::text::clean_str(name).chars().take(64).collect()
}

/// A remark, as it may be kept: line ends stay, other control characters go.
pub(crate) fn note(text: Option<String>) -> Result<String, Problem> {
    remark("note", &text.unwrap_or_default())
}

/// The same of a field with another name.
pub(crate) fn remark(name: &str, text: &str) -> Result<String, Problem> {
    if text.chars().count() > MAX_NOTE {
        return Err(Problem::invalid(format!("'{name}' has at most {MAX_NOTE} characters.")));
    }
    Ok(text.chars().filter(|c| *c == '\n' || !c.is_control()).collect::<String>().trim().to_owned())
}
