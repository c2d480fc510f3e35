//! Decisions about the whole site, and the one that needs no account: the code at the bedside.

use std::fs;
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::device::{DeviceId, Tier};
use respond::desk::Event;
use respond::executor::HALT;
use respond::{Ask, Level, Office};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Decided, ask, person, work};
use crate::api::App;
use crate::api::input::{Body, remark};
use crate::auth::sessions::Session;
use crate::gate::Peer;
use crate::problem::Problem;

/// The code of a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BedsideCode {
    /// Id of the device, as on its label.
    device: String,
    /// Its code; case, spaces and dashes do not matter.
    code: String,
}

/// A device was let go.
#[derive(Serialize, ToSchema)]
pub(crate) struct LetGo {
    /// Which.
    device: String,
    /// Actions that end.
    ends: Vec<String>,
}

/// A reason.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    /// Why, at most 2,000 characters.
    #[serde(default)]
    why: String,
}

/// Lets a tier be acted on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arm {
    /// T0, T0i, T1, T2, T3 or T4.
    #[schema(value_type = String)]
    tier: Tier,
    /// Up to L2, L3 or L4.
    #[schema(value_type = String)]
    level: Level,
    /// For how many hours; the policy says how many there may be.
    hours: u64,
}

/// Which tier.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disarm {
    /// T0, T0i, T1, T2, T3 or T4.
    #[schema(value_type = String)]
    tier: Tier,
}

/// A policy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPolicy {
    /// As TOML; what is left out is as in the default.
    toml: String,
}

/// A right code lets go at once, whatever else came from this address: whoever guesses beside it
/// must not keep a patient's device restricted. Wrong ones are slowed down, so that nobody fills the
/// ledger with them; 40 bits are what guards the code itself.
pub(crate) async fn bedside(
    State(app): State<App>,
    Extension(Peer(address)): Extension<Peer>,
    Body(given): Body<BedsideCode>,
) -> Result<Json<LetGo>, Problem> {
    let office = app.config.response.as_ref().ok_or_else(super::none)?;
    let plain = given.device.len() <= 128 && !given.device.chars().any(char::is_control);
    let device = DeviceId(given.device);
    if !plain || !office.codes().is_right(&device, &given.code) {
        app.bedside.begin(address, Instant::now()).map_err(|wait| {
            let seconds = wait.as_secs().max(1);
            let detail =
                format!("That is not the code, and too many were wrong. Wait {seconds} s.");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", detail)
                .retry_after(seconds)
        })?;
        tracing::warn!(%address, "a wrong bedside code");
    }
    if !plain {
        return Err(wrong());
    }
    let of = device.clone();
    let ended = work(&app, move |office| office.release_at_bedside(&of, &given.code)).await?;
    let events = ended.ok_or_else(wrong)?;
    let ends = events.into_iter().filter_map(|event| match event {
        Event::Leaving { action, .. } | Event::Ended { action, .. } => Some(action),
        _ => None,
    });
    tracing::warn!(%address, %device, "let go at the bedside");
    Ok(Json(LetGo { device: device.0, ends: ends.collect() }))
}

/// The same words for a device that nobody knows.
fn wrong() -> Problem {
    let detail = "That is not the code of this device; it stands on the device's label.";
    Problem::new(StatusCode::FORBIDDEN, "wrong-code", detail)
}

/// First the file, which whoever enforces sees even where the ledger is broken; then the ledger.
pub(crate) async fn halt(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Body(new): Body<Why>,
) -> Result<Json<Decided>, Problem> {
    let (by, why) = (person(&session)?.to_string(), remark("why", &new.why)?);
    tracing::warn!(%by, %why, "halt");
    let answer = work(&app, move |office| {
        let file = fs::write(office.folder().join(HALT), why.as_bytes());
        let asked = office.ask(&Ask::Halt { by, why });
        let trouble = |done: &str, cause: &dyn std::fmt::Display| {
            tracing::error!(%cause, "a halt is not complete");
            let detail = format!(
                "The halt is not complete: {done}. Use 'wardwatch halt' on the machine; what is in \
                 force runs out by itself."
            );
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "half-halted", detail)
        };
        match (file, asked) {
            (Ok(()), Ok(answer)) => Ok(answer),
            (Ok(()), Err(error)) => {
                Err(trouble("its file is there, and the ledger cannot be written", &error))
            }
            (Err(error), Ok(_)) => {
                Err(trouble("it is in the ledger, and its file cannot be written", &error))
            }
            (Err(error), Err(_)) => {
                Err(trouble("neither its file nor the ledger can be written", &error))
            }
        }
    })
    .await?;
    Ok(Json(answer?.into()))
}

pub(crate) async fn resume(
    State(app): State<App>,
    Extension(session): Extension<Session>,
) -> Result<Json<Decided>, Problem> {
    let by = person(&session)?;
    let answer = work(&app, move |office| -> Result<_, Problem> {
        let answer = office.ask(&Ask::Resume { by })?;
        if answer.as_ref().is_ok_and(|done| done.events.contains(&Event::Resumed)) {
            forget_halt(office)?;
        }
        Ok(answer)
    })
    .await?;
    Ok(Json(answer?.into()))
}

/// Whoever enforces would halt again for as long as the file is there.
fn forget_halt(office: &Office) -> Result<(), Problem> {
    match fs::remove_file(office.folder().join(HALT)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Problem::internal(&error))
        }
        _ => Ok(()),
    }
}

pub(crate) async fn arm(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Body(new): Body<Arm>,
) -> Result<Json<Decided>, Problem> {
    let by = person(&session)?;
    ask(&app, Ask::Arm { tier: new.tier, level: new.level, hours: new.hours, by }).await
}

pub(crate) async fn disarm(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Body(new): Body<Disarm>,
) -> Result<Json<Decided>, Problem> {
    let by = person(&session)?;
    ask(&app, Ask::Disarm { tier: new.tier, by }).await
}

pub(crate) async fn adopt(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Body(new): Body<NewPolicy>,
) -> Result<Json<Decided>, Problem> {
    let by = person(&session)?;
    ask(&app, Ask::Adopt { policy: new.toml, by }).await
}
