//! What people say: where a case stands, and what they think of a finding or a case.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::case::CaseId;
use serde::Deserialize;
use store::{About, CaseRecord, CaseStatus, Feedback, StatusChange, Verdict};
use utoipa::ToSchema;

use crate::api::input::{Body, note};
use crate::api::{App, now};
use crate::auth::sessions::Session;
use crate::problem::Problem;
use crate::schema;

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
    let id = CaseId(id);
    let record = app
        .blocking(move |store| {
            if !store.set_case_status(&id, &change)? {
                return Ok(None);
            }
            store.case(&id)
        })
        .await?;
    let record = record.ok_or_else(|| Problem::not_found("case"))?;
    app.live.publish("case", &record);
    Ok(Json(record))
}

pub(crate) async fn finding_word(
    app: State<App>,
    session: Extension<Session>,
    id: Path<String>,
    word: Body<NewWord>,
) -> Result<(StatusCode, Json<Feedback>), Problem> {
    add(About::Finding, app, session, id, word).await
}

pub(crate) async fn case_word(
    app: State<App>,
    session: Extension<Session>,
    id: Path<String>,
    word: Body<NewWord>,
) -> Result<(StatusCode, Json<Feedback>), Problem> {
    add(About::Case, app, session, id, word).await
}

async fn add(
    about: About,
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Body(new): Body<NewWord>,
) -> Result<(StatusCode, Json<Feedback>), Problem> {
    let word =
        Feedback { verdict: new.verdict, who: session.user, at: now(), note: note(new.note)? };
    let kept = word.clone();
    let found = app.blocking(move |store| store.add_feedback(about, &id, &kept)).await?;
    let what = if about == About::Finding { "finding" } else { "case" };
    if found { Ok((StatusCode::CREATED, Json(word))) } else { Err(Problem::not_found(what)) }
}
