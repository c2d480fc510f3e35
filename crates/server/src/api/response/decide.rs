//! Plans: proposing, approving, denying, letting go.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use model::device::DeviceId;
use respond::desk::{Releaser, Whom};
use respond::office::Wish;
use respond::{Ask, Evidence, Indicator, Office, PlanHash, Restriction};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Decided, ask, person, work};
use crate::api::App;
use crate::api::input::{Body, remark};
use crate::auth::sessions::Session;
use crate::problem::Problem;
use crate::schema::response as schema;

/// Most conversations that one wish names, and most claims.
const MOST: usize = 256;
/// Longest text in a wish, in characters.
const LONGEST: usize = 2_000;

/// What somebody wants done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWish {
    /// Id of the device.
    #[schema(value_type = String)]
    device: DeviceId,
    /// What. An allow-list that is empty is filled with what care needs, management that is empty
    /// with the site's.
    #[schema(value_type = schema::Restriction)]
    restriction: Restriction,
    /// For how long; as long as the policy allows where absent.
    #[schema(value_type = Option<schema::Span>)]
    ttl: Option<Duration>,
    /// Why; whoever has to sign wants at least one claim.
    #[schema(value_type = schema::Evidence)]
    evidence: Evidence,
    /// Only weigh it: nothing is asked for, and the answer is the proposal.
    #[serde(default)]
    dry: bool,
}

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

pub(crate) async fn propose(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Body(new): Body<NewWish>,
) -> Result<Response, Problem> {
    let by = person(&session)?;
    let wish = Wish {
        device: new.device,
        restriction: plain(new.restriction)?,
        ttl: new.ttl,
        evidence: new.evidence,
        by: Some(by),
    };
    sound(&wish, new.dry)?;
    let dry = new.dry;
    work(&app, move |office| if dry { weigh(office, &wish) } else { put(office, &wish) }).await
}

/// Weighs it, as the desk stands, and asks for nothing.
fn weigh(office: &Office, wish: &Wish) -> Result<Response, Problem> {
    let wish = managed(office, wish);
    let proposal = office.look(|desk, now| office.weigh(&wish, desk, now))??;
    Ok(Json(proposal).into_response())
}

fn put(office: &Office, wish: &Wish) -> Result<Response, Problem> {
    let done = office.propose(&managed(office, wish))???;
    Ok((StatusCode::CREATED, Json(Decided::from(done))).into_response())
}

/// Who may reach a device in quarantine is the site's, where the wish does not say.
fn managed(office: &Office, wish: &Wish) -> Wish {
    let mut wish = wish.clone();
    if let Restriction::Quarantine { management } = &mut wish.restriction
        && management.is_empty()
    {
        management.clone_from(&office.setting().management);
    }
    wish
}

/// A domain as enforcers write it: lower case, without a dot at its end.
fn plain(mut restriction: Restriction) -> Result<Restriction, Problem> {
    if let Restriction::Perimeter { indicator: Indicator::Domain(name) } = &mut restriction {
        *name = name.trim_end_matches('.').to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if name.len() > 253 || !name.contains('.') || !name.split('.').all(label) {
            return Err(Problem::invalid("'restriction.indicator.domain' is no domain."));
        }
    }
    Ok(restriction)
}

/// What goes into the ledger, and before people who have to sign, is bounded and readable.
fn sound(wish: &Wish, dry: bool) -> Result<(), Problem> {
    let (named, evidence) = match &wish.restriction {
        Restriction::Block { flows } => (flows.len(), &wish.evidence),
        Restriction::Essentials { allow } => (allow.len(), &wish.evidence),
        Restriction::Quarantine { management } => (management.len(), &wish.evidence),
        Restriction::Perimeter { .. } => (1, &wish.evidence),
    };
    if named > MOST || evidence.claims.len() > MOST {
        let detail = format!("A wish names at most {MOST} conversations and {MOST} claims.");
        return Err(Problem::invalid(detail));
    }
    let of_claims = evidence.claims.iter().flat_map(|c| [&c.finding.0, &c.detector, &c.title]);
    let mut texts = of_claims.chain([&wish.device.0, &evidence.case.0]).chain(&evidence.doubt);
    if texts.any(|text| text.chars().count() > LONGEST || text.chars().any(char::is_control)) {
        let detail = format!("Texts have at most {LONGEST} characters, and no control characters.");
        return Err(Problem::invalid(detail));
    }
    if !dry && evidence.claims.is_empty() {
        let detail = "Whoever has to sign wants to know why: give 'evidence' at least one claim.";
        return Err(Problem::invalid(detail));
    }
    Ok(())
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

pub(crate) async fn release_action(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(action): Path<String>,
) -> Result<Json<Decided>, Problem> {
    let by = Releaser::Person(person(&session)?);
    ask(&app, Ask::Release { whom: Whom::Action(id(action)?), by }).await
}

pub(crate) async fn release_device(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(device): Path<String>,
) -> Result<Json<Decided>, Problem> {
    let by = Releaser::Person(person(&session)?);
    ask(&app, Ask::Release { whom: Whom::Device(DeviceId(id(device)?)), by }).await
}

/// A name out of a path, which goes into the ledger with what is asked.
pub(super) fn id(text: String) -> Result<String, Problem> {
    let plain = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
    if plain { Ok(text) } else { Err(Problem::not_found("action or device")) }
}
