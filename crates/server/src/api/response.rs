//! Responses: what is proposed, who signed, what is in force, and everything that a person can
//! decide about it.
//!
//! The desk decides and the ledger keeps; a handler only asks, in the name of whoever is signed in.
//! A refusal is a problem document with the desk's own sentence.

pub(crate) mod blast;
pub(crate) mod codes;
pub(crate) mod decide;
pub(crate) mod idle;
pub(crate) mod ledger;
pub(crate) mod look;
pub(crate) mod segment;
pub(crate) mod site;
mod survey;
pub(crate) mod wish;

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use respond::desk::{Event, Refused};
use respond::ledger::Done;
use respond::office::NoProposal;
use respond::{Ask, Office, OfficeError, Person};
use serde::Serialize;

use crate::api::App;
use crate::auth::sessions::Session;
use crate::problem::Problem;

/// What was decided.
#[derive(Serialize)]
pub(crate) struct Decided {
    /// Number of the ledger's line that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    events: Vec<Event>,
}

impl From<Done> for Decided {
    fn from(done: Done) -> Self {
        Self { seq: done.seq, events: done.events }
    }
}

impl From<OfficeError> for Problem {
    fn from(error: OfficeError) -> Self {
        Self::internal(&error)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::Unsound { .. } | Refused::Policy { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::CONFLICT,
        };
        let name = serde_json::to_value(&refused).unwrap_or_default();
        let name = name["refused"].as_str().unwrap_or("refused");
        Self::new(status, &name.replace('_', "-"), refused.to_string()).refused(name)
    }
}

impl From<NoProposal> for Problem {
    fn from(why: NoProposal) -> Self {
        let (status, kind, name) = match why {
            NoProposal::UnknownDevice(_) => (StatusCode::NOT_FOUND, "not-found", "unknown_device"),
            NoProposal::NoEnforcer(_) => (StatusCode::CONFLICT, "no-enforcer", "no_enforcer"),
        };
        Self::new(status, kind, why.to_string()).refused(name)
    }
}

/// Does something with the office, off the runtime's own threads: the ledger waits for the disk.
async fn work<T, E>(
    app: &App,
    what: impl FnOnce(&Office) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let office = Arc::clone(app.config.response.as_ref().ok_or_else(none)?);
    app.blocking(move |_| what(&office)).await
}

fn none() -> Problem {
    let detail = "Nothing is decided about responses here: this instance has no ledger. \
                  'wardwatch run' keeps one.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no-response", detail)
}

/// Whoever is signed in, as the desk knows people.
fn person(session: &Session) -> Result<Person, Problem> {
    let role = session.role.decides_as();
    let role = role.ok_or_else(|| Problem::forbidden("A viewer decides nothing."))?;
    Ok(Person::new(&session.user, role))
}

/// Asks, and answers what came of it.
async fn ask(app: &App, ask: Ask) -> Result<Json<Decided>, Problem> {
    let answer = work(app, move |office| office.ask(&ask)).await?;
    Ok(Json(answer?.into()))
}
