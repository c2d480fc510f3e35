//! Bedside codes, to be printed on labels before anything happens.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use respond::Office;
use serde::Serialize;

use super::work;
use crate::api::{App, input};
use crate::problem::Problem;

/// The code of a device.
#[derive(Serialize)]
pub(crate) struct DeviceCode {
    device: String,
    name: String,
    code: String,
}

/// Codes of devices.
#[derive(Serialize)]
pub(crate) struct DeviceCodes {
    /// By device.
    items: Vec<DeviceCode>,
}

pub(crate) async fn codes(State(app): State<App>, uri: Uri) -> Result<Json<DeviceCodes>, Problem> {
    let wanted = input::only(&uri, &["device"])?.remove("device");
    work(&app, move |office| of(office, wanted.as_deref())).await.map(Json)
}

fn of(office: &Office, wanted: Option<&str>) -> Result<DeviceCodes, Problem> {
    let ground = office.ground();
    let all = ground.devices.all().filter(|one| wanted.is_none_or(|wanted| one.id.0 == wanted));
    let items: Vec<DeviceCode> = all
        .map(|one| DeviceCode {
            device: one.id.0.clone(),
            name: one.name.clone(),
            code: office.codes().of(&one.id),
        })
        .collect();
    if wanted.is_some() && items.is_empty() {
        return Err(Problem::not_found("device"));
    }
    Ok(DeviceCodes { items })
}
