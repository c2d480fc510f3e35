//! Plans that wait or stand: approving, denying, letting go.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use model::device::DeviceId;
use respond::desk::{Releaser, Whom};
use respond::{Action, Ask, PlanHash};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Decided, ask, person, work};
use crate::api::App;
use crate::api::input::{Body, remark};
use crate::auth::sessions::Session;
use crate::problem::Problem;

/// A yes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    /// Hash of the plan, whole, as the action shows it.
    plan: String,
    /// Somebody clinical has looked at the patient, and says that they are safe.
    #[serde(default)]
    patient_safe: bool,
}

/// A no.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Denial {
    /// Why, at most 2,000 characters.
    why: String,
}

pub(crate) async fn approve(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(action): Path<String>,
    Body(new): Body<Approval>,
) -> Result<Json<Decided>, Problem> {
    let by = person(&session)?;
    let plan = PlanHash(new.plan.to_ascii_lowercase());
    ask(&app, Ask::Approve { action: id(action)?, plan, by, patient_safe: new.patient_safe }).await
}

pub(crate) async fn deny(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(action): Path<String>,
    Body(new): Body<Denial>,
) -> Result<Json<Decided>, Problem> {
    let (by, why) = (person(&session)?, remark("why", &new.why)?);
    if why.is_empty() {
        return Err(Problem::invalid("'why' is wanted: say why not."));
    }
    ask(&app, Ask::Deny { action: id(action)?, by, why }).await
}

/// What nobody knows cannot be let go: whoever mistyped a name has to hear of it.
pub(crate) async fn release_action(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(action): Path<String>,
) -> Result<Json<Decided>, Problem> {
    let by = Releaser::Person(person(&session)?);
    let (wanted, action) = (action.clone(), id(action)?);
    let is_there = work(&app, move |office| office.look(|desk, _| desk.action(&wanted).is_some()));
    if !is_there.await? {
        return Err(Problem::not_found("action"));
    }
    ask(&app, Ask::Release { whom: Whom::Action(action), by }).await
}

pub(crate) async fn release_device(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(device): Path<String>,
) -> Result<Json<Decided>, Problem> {
    let by = Releaser::Person(person(&session)?);
    let device = DeviceId(id(device)?);
    let (store, wanted) = (Arc::clone(&app.store), device.clone());
    let is_there = work(&app, move |office| -> Result<_, Problem> {
        let is_of = |action: &Action| action.proposal.intent.subject.id == wanted;
        Ok(office.look(|desk, _| desk.actions().any(is_of))?
            || store.device(&wanted)?.is_some()
            || office.ground().devices.get(&wanted).is_some())
    });
    if !is_there.await? {
        return Err(Problem::not_found("device"));
    }
    ask(&app, Ask::Release { whom: Whom::Device(device), by }).await
}

/// A name out of a path, which goes into the ledger with what is asked.
pub(super) fn id(text: String) -> Result<String, Problem> {
    let plain = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
    if plain { Ok(text) } else { Err(Problem::not_found("action or device")) }
}
