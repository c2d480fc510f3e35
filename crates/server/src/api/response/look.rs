//! Looking: how the site stands, and what was proposed and done.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use model::device::{DeviceClass, DeviceId, Tier};
use model::time::Timestamp;
use respond::desk::{Action, Desk, HalfSigned, Idle, Status};
use respond::ledger::Refusal;
use respond::people::missing;
use respond::{
    Level, Moment, Office, OfficeError, Person, PlanHash, Policy, Restriction, Signature, Standing,
};
use serde::Serialize;

use super::work;
use crate::api::App;
use crate::api::input;
use crate::auth::role::Role;
use crate::auth::sessions::Session;
use crate::problem::Problem;

/// Items of a page, where nobody says.
const PAGE: usize = 100;
/// Where an action can stand, and `open`: everything that is not over.
const STATUSES: [&str; 8] =
    ["waiting", "approved", "rehearsed", "pushing", "in_force", "leaving", "ended", "open"];

/// How the site stands.
#[derive(Serialize)]
pub(crate) struct SiteStatus {
    now: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    halted: Option<String>,
    observes_only: bool,
    armed: Vec<Armed>,
    idle: Vec<IdleNow>,
    half_signed: Vec<HalfSigned>,
    counts: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Armed {
    tier: &'static str,
    level: Level,
    hours: u64,
    since: Moment,
    until: Timestamp,
    left_seconds: u64,
}

#[derive(Serialize)]
struct IdleNow {
    device: DeviceId,
    #[serde(flatten)]
    said: Idle,
    left_seconds: u64,
}

/// An action, in a line.
#[derive(Serialize)]
pub(crate) struct Line {
    id: String,
    device: DeviceId,
    name: String,
    class: DeviceClass,
    tier: Tier,
    level: Level,
    restriction: Restriction,
    #[serde(skip_serializing_if = "String::is_empty")]
    case: String,
    status: Status,
    standing: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_seconds: Option<u64>,
    missing: Vec<Signature>,
    attest: bool,
    hash: PlanHash,
    proposed: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Person>,
    because: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stuck: Option<String>,
}

/// Part of the actions.
#[derive(Serialize)]
pub(crate) struct ActionPage {
    items: Vec<Line>,
    /// How many there are in all, with this filter.
    total: usize,
    /// Name of the last of these, where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One action, whole.
#[derive(Serialize)]
pub(crate) struct WholeAction {
    #[serde(flatten)]
    action: Action,
    standing: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_seconds: Option<u64>,
    missing: Vec<Signature>,
}

/// The policy in force.
#[derive(Serialize)]
pub(crate) struct PolicyInForce {
    toml: String,
    policy: Policy,
}

impl Line {
    pub(crate) fn of(action: &Action, desk: &Desk, now: Moment) -> Self {
        let (proposal, subject) = (&action.proposal, &action.proposal.intent.subject);
        Self {
            id: action.id().to_owned(),
            device: subject.id.clone(),
            name: subject.name.clone(),
            class: subject.class,
            tier: subject.tier(),
            level: action.level(),
            restriction: proposal.intent.restriction.clone(),
            case: proposal.evidence.case.0.clone(),
            status: action.status.clone(),
            standing: action.standing(),
            left_seconds: left(action, now),
            missing: unsigned(action, desk, now),
            attest: action.attest,
            hash: action.hash.clone(),
            proposed: action.proposed,
            by: proposal.by.clone(),
            because: action.because.clone(),
            stuck: action.stuck.clone(),
        }
    }
}

/// Seconds until it is gone by itself, where it may be in force.
fn left(action: &Action, now: Moment) -> Option<u64> {
    let decided = action.decided.filter(|_| action.may_be_in_force())?;
    Some(action.proposal.intent.ttl.saturating_sub(now.since(decided)).as_secs())
}

/// Signatures that are still missing, counting those that are still good.
fn unsigned(action: &Action, desk: &Desk, now: Moment) -> Vec<Signature> {
    if action.status != Status::Waiting {
        return Vec::new();
    }
    let valid = Duration::from_secs(desk.policy().approval.valid_minutes.saturating_mul(60));
    let good = action.signatures.iter().filter(|(_, at)| now.since(*at) < valid);
    missing(&action.needs, &good.map(|(person, _)| person.clone()).collect::<Vec<_>>())
}

/// The name of how far an action has come.
pub(crate) const fn name(status: &Status) -> &'static str {
    match status {
        Status::Waiting => "waiting",
        Status::Approved => "approved",
        Status::Rehearsed => "rehearsed",
        Status::Pushing => "pushing",
        Status::InForce => "in_force",
        Status::Leaving { .. } => "leaving",
        Status::Ended { .. } => "ended",
    }
}

pub(crate) async fn status(State(app): State<App>) -> Result<Json<SiteStatus>, Problem> {
    work(&app, |office| office.look(site)).await.map(Json)
}

pub(crate) fn site(desk: &Desk, now: Moment) -> SiteStatus {
    let mut counts = BTreeMap::new();
    for action in desk.actions() {
        *counts.entry(name(&action.status)).or_default() += 1;
    }
    let armed = desk.armed(now).map(|(tier, arming)| {
        let span = Duration::from_secs(arming.hours.saturating_mul(3_600));
        Armed {
            tier,
            level: arming.level,
            hours: arming.hours,
            since: arming.since,
            until: arming.since.wall.plus(span),
            left_seconds: span.saturating_sub(now.since(arming.since)).as_secs(),
        }
    });
    let idle = desk.all_idle(now).map(|(device, said)| IdleNow {
        device: device.clone(),
        said: said.clone(),
        left_seconds: said.left(now).unwrap_or_default().as_secs(),
    });
    SiteStatus {
        now,
        halted: desk.halted().map(str::to_owned),
        observes_only: desk.observes_only(now),
        armed: armed.collect(),
        idle: idle.collect(),
        half_signed: desk.half_signed().to_vec(),
        counts,
    }
}

pub(crate) async fn actions(State(app): State<App>, uri: Uri) -> Result<Json<ActionPage>, Problem> {
    let mut given = input::only(&uri, &["device", "status", "limit", "cursor"])?;
    let limit = given.get("limit").map_or(Ok(PAGE), |value| input::limit(value))?;
    let before = given.get("cursor").map(|cursor| {
        let refuse = || Problem::bad_request("'cursor' is the 'next' of the page before.");
        number(cursor).ok_or_else(refuse)
    });
    let before = before.transpose()?;
    let (device, wanted) = (given.remove("device"), given.remove("status"));
    if wanted.as_deref().is_some_and(|wanted| !STATUSES.contains(&wanted)) {
        let detail = format!("'status' is one of {}.", STATUSES.join(", "));
        return Err(Problem::bad_request(detail));
    }
    let fits = move |action: &Action| {
        let of = &action.proposal.intent.subject.id.0;
        device.as_ref().is_none_or(|device| device == of)
            && wanted.as_deref().is_none_or(|wanted| match wanted {
                "open" => !action.is_over(),
                wanted => wanted == name(&action.status),
            })
    };
    let page = move |desk: &Desk, now| {
        let found = || desk.actions().rev().filter(|action| fits(action));
        // The latest first: what follows a page is older.
        let is_next = |action: &&Action| before.is_none_or(|end| number(action.id()) < Some(end));
        let mut rest = found().filter(is_next);
        let items: Vec<Line> =
            rest.by_ref().take(limit).map(|action| Line::of(action, desk, now)).collect();
        let more = rest.next().and(items.last());
        ActionPage { next: more.map(|last| last.id.clone()), total: found().count(), items }
    };
    work(&app, move |office| office.look(page)).await.map(Json)
}

/// Something that policy proposed, and why not.
#[derive(Serialize)]
pub(crate) struct RefusedProposal {
    seq: u64,
    at: Moment,
    #[serde(flatten)]
    refusal: Refusal,
}

/// Part of what policy was refused lately.
#[derive(Serialize)]
pub(crate) struct RefusedPage {
    items: Vec<RefusedProposal>,
    total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(crate) async fn refused(
    State(app): State<App>,
    uri: Uri,
) -> Result<Json<RefusedPage>, Problem> {
    let given = input::only(&uri, &["device", "limit", "cursor"])?;
    let limit = given.get("limit").map_or(Ok(PAGE), |value| input::limit(value))?;
    let before: Option<u64> = match given.get("cursor").map(|cursor| cursor.parse()) {
        Some(Err(_)) => {
            return Err(Problem::bad_request("'cursor' is the 'next' of the page before."));
        }
        Some(Ok(before)) => Some(before),
        None => None,
    };
    let all = work(&app, Office::refusals).await?;
    let of = given.get("device");
    let fits = |refusal: &Refusal| of.is_none_or(|device| *device == refusal.device.0);
    let found = || all.iter().rev().filter(|(.., refusal)| fits(refusal));
    let mut rest = found().filter(|(seq, ..)| before.is_none_or(|before| *seq < before));
    let items: Vec<RefusedProposal> = rest
        .by_ref()
        .take(limit)
        .map(|(seq, at, refusal)| RefusedProposal { seq, at, refusal: refusal.clone() })
        .collect();
    let next = rest.next().and(items.last()).map(|last| last.seq.to_string());
    Ok(Json(RefusedPage { total: found().count(), items, next }))
}

/// The number in `A-0001`.
fn number(id: &str) -> Option<u64> {
    id.strip_prefix("A-")?.parse().ok()
}

pub(crate) async fn action(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<WholeAction>, Problem> {
    let whole = move |desk: &Desk, now| {
        let action = desk.action(&id)?;
        Some(WholeAction {
            standing: action.standing(),
            left_seconds: left(action, now),
            missing: unsigned(action, desk, now),
            action: action.clone(),
        })
    };
    let found = work(&app, move |office| office.look(whole)).await?;
    let mut found = found.ok_or_else(|| Problem::not_found("action"))?;
    if session.role == Role::Viewer {
        // The code that ends it stands here, and who only reads ends nothing.
        found.action.proposal.card.release = String::new();
    }
    Ok(Json(found))
}

pub(crate) async fn policy(State(app): State<App>) -> Result<Json<PolicyInForce>, Problem> {
    let shown = |desk: &Desk, _| PolicyInForce {
        toml: desk.policy().to_toml(),
        policy: desk.policy().clone(),
    };
    work(&app, move |office| -> Result<_, OfficeError> { office.look(shown) }).await.map(Json)
}
