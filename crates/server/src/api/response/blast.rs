//! Blast radius: what a device can reach, what can reach it, and what to cut first.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::case::CaseId;
use respond::blast::{self, Blast, Graph, Limits};
use respond::segment;

use super::survey;
use crate::api::App;
use crate::problem::Problem;

pub(crate) async fn device(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Blast>, Problem> {
    of(&app, id).await
}

pub(crate) async fn case(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Blast>, Problem> {
    let found = app.blocking(move |store| store.case(&CaseId(id))).await?;
    let record = found.ok_or_else(|| Problem::not_found("case"))?;
    let device = record.case.devices.into_iter().next();
    of(&app, device.ok_or_else(|| Problem::not_found("device in this case"))?.0).await
}

async fn of(app: &App, asked: String) -> Result<Json<Blast>, Problem> {
    let found = survey::of_device(app, asked, |_, judge, subject| {
        let graph = Graph::new(judge, &segment::Settings::default());
        blast::of_device(&graph, subject, &Limits::default()).ok_or_else(|| {
            let detail =
                format!("No address of {} is known as yet, so nobody can tell.", subject.id);
            Problem::new(StatusCode::NOT_FOUND, "no-address", detail)
        })
    });
    found.await.map(Json)
}
