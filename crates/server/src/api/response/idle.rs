//! Whether a device serves somebody, as people say who went to look.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use model::device::DeviceId;
use respond::Ask;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Decided, ask, decide, person, work};
use crate::api::App;
use crate::api::input::Body;
use crate::auth::sessions::Session;
use crate::problem::Problem;

/// That a device serves nobody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SayIdle {
    /// For how long that counts, 1 to 120.
    minutes: u64,
    /// How they know, at most 500 bytes.
    why: String,
}

pub(crate) async fn idle(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(device): Path<String>,
    Body(new): Body<SayIdle>,
) -> Result<Json<Decided>, Problem> {
    let (by, device) = (person(&session)?, known(&app, device).await?);
    ask(&app, Ask::SayIdle { device, minutes: new.minutes, why: new.why, by }).await
}

pub(crate) async fn in_use(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(device): Path<String>,
) -> Result<Json<Decided>, Problem> {
    let (by, device) = (person(&session)?, known(&app, device).await?);
    ask(&app, Ask::SayInUse { device, by }).await
}

async fn known(app: &App, device: String) -> Result<DeviceId, Problem> {
    let device = DeviceId(decide::id(device)?);
    let wanted = device.clone();
    work(app, move |office| {
        let is_there = office.ground().devices.get(&wanted).is_some();
        if is_there { Ok(()) } else { Err(Problem::not_found("device")) }
    })
    .await?;
    Ok(device)
}
