//! Blast radius: what a device can reach, what can reach it, and what to cut first.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::case::CaseId;
use model::device::DeviceId;
use respond::blast::{self, Blast, Graph, Limits};
use respond::{Office, essentials, segment};

use super::work;
use crate::api::App;
use crate::problem::Problem;

pub(crate) async fn device(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Blast>, Problem> {
    of(&app, DeviceId(id)).await
}

pub(crate) async fn case(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Blast>, Problem> {
    let found = app.blocking(move |store| store.case(&CaseId(id))).await?;
    let record = found.ok_or_else(|| Problem::not_found("case"))?;
    let device = record.case.devices.into_iter().next();
    of(&app, device.ok_or_else(|| Problem::not_found("device in this case"))?).await
}

async fn of(app: &App, id: DeviceId) -> Result<Json<Blast>, Problem> {
    let _place = app.blasts.acquire().await.map_err(|_| Problem::busy("Wardwatch is stopping."))?;
    work(app, move |office| work_out(office, &id)).await.map(Json)
}

/// On a copy: working it out takes longer than traffic can wait for what is known of the network.
fn work_out(office: &Office, id: &DeviceId) -> Result<Blast, Problem> {
    let ground = office.ground().clone();
    let judge = office.setting().essentials.judge(essentials::Ground {
        history: &ground.history,
        devices: &ground.devices,
        names: &ground.names,
    });
    let subject = ground.devices.get(id).ok_or_else(|| Problem::not_found("device"))?;
    let graph = Graph::new(&judge, &segment::Settings::default());
    let found =
        subject.addresses.iter().find_map(|one| blast::of(&graph, *one, &Limits::default()));
    found.ok_or_else(|| {
        let detail = format!("No address of {id} is known as yet, so nobody can tell.");
        Problem::new(StatusCode::NOT_FOUND, "no-address", detail)
    })
}
