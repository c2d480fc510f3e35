//! What there is: devices, cases, findings, observations and flows.

use axum::Json;
use axum::extract::{Path, State};
use model::case::CaseId;
use model::device::{Device, DeviceId};
use model::finding::{Finding, FindingId};
use serde::Serialize;
use serde_json::Value;
use store::{About, CaseRecord, Feedback, Page};

use crate::api::App;
use crate::api::input::List;
use crate::problem::Problem;

type Answer<T> = Result<Json<T>, Problem>;

/// A finding or a case with what people thought of it.
#[derive(Serialize)]
pub(crate) struct WithWords<T> {
    #[serde(flatten)]
    thing: T,
    feedback: Vec<Feedback>,
}

pub(crate) async fn devices(State(app): State<App>, List(query): List) -> Answer<Page<Device>> {
    app.blocking(move |store| store.devices(&query)).await.map(Json)
}

pub(crate) async fn cases(State(app): State<App>, List(query): List) -> Answer<Page<CaseRecord>> {
    app.blocking(move |store| store.cases(&query)).await.map(Json)
}

pub(crate) async fn findings(State(app): State<App>, List(query): List) -> Answer<Page<Finding>> {
    app.blocking(move |store| store.findings(&query)).await.map(Json)
}

pub(crate) async fn observations(State(app): State<App>, List(query): List) -> Answer<Page<Value>> {
    app.blocking(move |store| store.observations(&query)).await.map(Json)
}

pub(crate) async fn flows(State(app): State<App>, List(query): List) -> Answer<Page<Value>> {
    app.blocking(move |store| store.flows(&query)).await.map(Json)
}

pub(crate) async fn device(State(app): State<App>, Path(id): Path<String>) -> Answer<Device> {
    let found = app.blocking(move |store| store.device(&DeviceId(id))).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("device"))
}

pub(crate) async fn observation(State(app): State<App>, Path(id): Path<String>) -> Answer<Value> {
    let found = app.blocking(move |store| store.observation(&id)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("observation"))
}

pub(crate) async fn finding(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Answer<WithWords<Finding>> {
    let found = app
        .blocking(move |store| {
            let Some(thing) = store.finding(&FindingId(id.clone()))? else { return Ok(None) };
            let feedback = store.feedback(About::Finding, &id)?;
            Ok::<_, store::StoreError>(Some(WithWords { thing, feedback }))
        })
        .await?;
    found.map(Json).ok_or_else(|| Problem::not_found("finding"))
}

pub(crate) async fn case(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Answer<WithWords<CaseRecord>> {
    let found = app
        .blocking(move |store| {
            let Some(thing) = store.case(&CaseId(id.clone()))? else { return Ok(None) };
            let feedback = store.feedback(About::Case, &id)?;
            Ok::<_, store::StoreError>(Some(WithWords { thing, feedback }))
        })
        .await?;
    found.map(Json).ok_or_else(|| Problem::not_found("case"))
}
