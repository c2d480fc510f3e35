//! What people say: where a case stands, and what they think of a finding or a case.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::case::CaseId;
use serde::{Deserialize, Serialize};
use store::{About, CaseRecord, CaseStatus, Feedback, StatusChange, Verdict};
use utoipa::ToSchema;

use crate::api::input::{Body, note};
use crate::api::{App, now};
use crate::auth::role::Role;
use crate::auth::sessions::Session;
use crate::problem::Problem;
use crate::schema;
use crate::teach::{Said, Taught};

/// Where a case is to stand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStatus {
    /// To where.
    #[schema(value_type = schema::CaseStatus)]
    status: CaseStatus,
    /// Why, at most 2,000 characters.
    note: Option<String>,
}

/// What somebody thinks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWord {
    /// What they think.
    #[schema(value_type = schema::Verdict)]
    verdict: Verdict,
    /// Why, at most 2,000 characters.
    note: Option<String>,
}

pub(crate) async fn set_status(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Body(new): Body<NewStatus>,
) -> Result<Json<CaseRecord>, Problem> {
    let change =
        StatusChange { status: new.status, who: session.user, at: now(), note: note(new.note)? };
    let (id, status) = (CaseId(id), new.status);
    let moved = id.clone();
    let record = app
        .blocking(move |store| {
            if !store.set_case_status(&id, &change)? {
                return Ok(None);
            }
            store.case(&id)
        })
        .await?;
    let record = record.ok_or_else(|| Problem::not_found("case"))?;
    if let Some(tell) = &app.config.moved {
        tell(moved, status);
    }
    app.live.publish("case", &record);
    Ok(Json(record))
}

/// A word that was kept, and what the models made of it.
#[derive(Serialize)]
pub(crate) struct WordKept {
    #[serde(flatten)]
    word: Feedback,
    /// Absent where nobody asks the models: without them, and where who said it is no analyst.
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<Taught>,
}

pub(crate) async fn finding_word(
    app: State<App>,
    session: Extension<Session>,
    id: Path<String>,
    word: Body<NewWord>,
) -> Result<(StatusCode, Json<WordKept>), Problem> {
    add(About::Finding, app, session, id, word).await
}

pub(crate) async fn case_word(
    app: State<App>,
    session: Extension<Session>,
    id: Path<String>,
    word: Body<NewWord>,
) -> Result<(StatusCode, Json<WordKept>), Problem> {
    add(About::Case, app, session, id, word).await
}

/// What a word would change, without it being said.
pub(crate) async fn preview(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(about): Path<String>,
    Body(new): Body<NewWord>,
) -> Result<Json<Taught>, Problem> {
    let said = Said {
        about,
        verdict: new.verdict,
        who: session.user,
        at: now(),
        note: note(new.note)?,
        preview: true,
    };
    let taught = taught(&app, said).await?;
    taught.map(Json).ok_or_else(|| Problem::busy("No models watch here."))
}

async fn taught(app: &App, said: Said) -> Result<Option<Taught>, Problem> {
    let Some(teach) = app.config.teach.clone() else { return Ok(None) };
    let taught = tokio::task::spawn_blocking(move || teach(said)).await;
    taught.map(Some).map_err(|error| Problem::internal(&error))
}

async fn add(
    about: About,
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Body(new): Body<NewWord>,
) -> Result<(StatusCode, Json<WordKept>), Problem> {
    let teaches = matches!(session.role, Role::Analyst | Role::Admin);
    let word =
        Feedback { verdict: new.verdict, who: session.user, at: now(), note: note(new.note)? };
    let said = Said {
        about: id.clone(),
        verdict: word.verdict,
        who: word.who.clone(),
        at: word.at,
        note: word.note.clone(),
        preview: false,
    };
    let kept = word.clone();
    let found = app.blocking(move |store| store.add_feedback(about, &id, &kept)).await?;
    if !found {
        return Err(Problem::not_found(if about == About::Finding { "finding" } else { "case" }));
    }
    let models = if teaches { taught(&app, said).await? } else { None };
    Ok((StatusCode::CREATED, Json(WordKept { word, models })))
}
