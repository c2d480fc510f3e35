//! Segmentation: zones and conduits as normal life has them, the allow-list of a device with what it
//! would have blocked, its text to paste, and MUD files (RFC 8520), written and checked.
//!
//! Nothing here is enforced or kept. What comes in is one MUD file to be checked: from outside, and
//! so bounded and read like any hostile input.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use model::time::Timestamp;
use respond::Proto;
use respond::essentials::Judge;
use respond::mud::MudError;
use respond::segment::asked::{self, Checked, Language, NOWHERE, Paste, Weighed};
use respond::segment::{self, Conduit, PolicyDiff, Proposal, Settings, Zone, ZoneId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::survey;
use crate::api::{App, input};
use crate::gate;
use crate::problem::Problem;

/// Items of a page, where nobody says.
const PAGE: usize = 100;
/// The media type of MUD files.
pub(crate) const MUD: &str = "application/mud+json";

/// Part of the zones.
#[derive(Serialize)]
pub(crate) struct ZonePage {
    items: Vec<Zone>,
    total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Part of the conduits.
#[derive(Serialize)]
pub(crate) struct ConduitPage {
    items: Vec<Conduit>,
    total: usize,
    /// Conversations that were too rare for a conduit.
    rare: u64,
    /// Conversations that began in the middle of a case.
    suspect: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The texts of a policy.
#[derive(Serialize)]
pub(crate) struct Pastes {
    items: Vec<Paste>,
}

/// What makes a conduit one, in their order.
type Between = (ZoneId, ZoneId, Proto, u16);

pub(crate) async fn zones(State(app): State<App>, uri: Uri) -> Result<Json<ZonePage>, Problem> {
    let (limit, after) = page_of::<ZoneId>(&uri)?;
    let Proposal { zones, .. } = proposal(&app).await?;
    let total = zones.len();
    let (items, next) = page(zones, limit, after, |zone| zone.id);
    Ok(Json(ZonePage { items, total, next }))
}

pub(crate) async fn conduits(
    State(app): State<App>,
    uri: Uri,
) -> Result<Json<ConduitPage>, Problem> {
    let (limit, after) = page_of::<Between>(&uri)?;
    let Proposal { conduits, rare, suspect, .. } = proposal(&app).await?;
    let total = conduits.len();
    let (items, next) = page(conduits, limit, after, |one| (one.from, one.to, one.proto, one.port));
    Ok(Json(ConduitPage { items, total, rare, suspect, next }))
}

async fn proposal(app: &App) -> Result<Proposal, Problem> {
    survey::survey(app, |_, _, judge| {
        recorded(judge)?;
        Ok(segment::propose(judge, &Settings::default()))
    })
    .await
}

/// Page by page in their order: what comes or goes between two pages moves no other.
fn page_of<K: DeserializeOwned>(uri: &Uri) -> Result<(usize, Option<K>), Problem> {
    let given = input::only(uri, &["limit", "cursor"])?;
    let limit = given.get("limit").map_or(Ok(PAGE), |value| input::limit(value))?;
    let after = given.get("cursor").map(|cursor| {
        let key = BASE64.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
        key.ok_or_else(|| Problem::bad_request("'cursor' is the 'next' of the page before."))
    });
    Ok((limit, after.transpose()?))
}

fn page<T, K: Ord + Serialize>(
    all: Vec<T>,
    limit: usize,
    after: Option<K>,
    key: impl Fn(&T) -> K,
) -> (Vec<T>, Option<String>) {
    let is_next = |one: &T| after.as_ref().is_none_or(|end| key(one) > *end);
    let mut rest = all.into_iter().filter(is_next);
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let last = rest.next().and(items.last()).map(|last| serde_json::to_vec(&key(last)));
    let next = last.and_then(Result::ok).map(|json| BASE64.encode(json));
    (items, next)
}

/// Without a recording an empty policy would look like a finding.
fn recorded(judge: &Judge<'_>) -> Result<(), Problem> {
    if !judge.ground().history.is_empty() {
        return Ok(());
    }
    let detail = "No conversation was recorded as yet, so nothing is known of normal life.";
    Err(Problem::new(StatusCode::CONFLICT, "no-history", detail).refused("no_history"))
}

pub(crate) async fn policy(
    State(app): State<App>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<Weighed>, Problem> {
    let until = time(&uri, "until")?;
    let made = survey::of_device(&app, id, move |_, judge, device| {
        recorded(judge)?;
        Ok(asked::policy(device, judge, &Settings::default(), until))
    });
    made.await.map(Json)
}

pub(crate) async fn diff(
    State(app): State<App>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<PolicyDiff>, Problem> {
    let wanted = || Problem::bad_request("'since' is wanted: from when on changes are shown.");
    let since = time(&uri, "since")?.ok_or_else(wanted)?;
    let diff = survey::of_device(&app, id, move |_, judge, device| {
        recorded(judge)?;
        Ok(asked::diff(device, judge, &Settings::default(), since))
    });
    diff.await.map(Json)
}

fn time(uri: &Uri, name: &str) -> Result<Option<Timestamp>, Problem> {
    let given = input::only(uri, &[name])?.remove(name);
    given.map(|value| input::time(name, &value)).transpose()
}

pub(crate) async fn paste(
    State(app): State<App>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<Pastes>, Problem> {
    let language = match input::only(&uri, &["language"])?.get("language") {
        None => Language::Enforcers,
        Some(name) => Language::from_name(name).ok_or_else(|| {
            Problem::bad_request(format!("'language' is one of {}.", Language::NAMES))
        })?,
    };
    let items = survey::of_device(&app, id, move |office, judge, device| {
        recorded(judge)?;
        Ok(asked::paste(office, device, judge, &Settings::default(), language)?)
    });
    Ok(Json(Pastes { items: items.await? }))
}

pub(crate) async fn mud(
    State(app): State<App>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<([(HeaderName, &'static str); 1], String), Problem> {
    let url = input::only(&uri, &["url"])?.remove("url");
    let file = survey::of_device(&app, id, move |_, judge, device| {
        recorded(judge)?;
        asked::mud(device, judge, &Settings::default(), url.as_deref().unwrap_or(NOWHERE))
            .map_err(|error| Problem::invalid(error.to_string()).refused("no_mud"))
    });
    Ok(([(header::CONTENT_TYPE, MUD)], file.await?))
}

/// The body is the file itself.
pub(crate) struct MudFile(Bytes);

impl<S: Send + Sync> FromRequest<S> for MudFile {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_mud(request.headers()) {
            let detail = format!("Send a MUD file, with the content type {MUD}.");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "no-mud", detail));
        }
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|rejection| Problem::of_status(rejection.status()))
    }
}

fn is_mud(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes()) else {
        return false;
    };
    let bare = kind.split(|&byte| byte == b';').next().unwrap_or_default();
    gate::is_json(kind) || bare.trim_ascii().eq_ignore_ascii_case(MUD.as_bytes())
}

pub(crate) async fn check(
    State(app): State<App>,
    Path(id): Path<String>,
    MudFile(file): MudFile,
) -> Result<Json<Checked>, Problem> {
    let checked = survey::of_device(&app, id, move |_, judge, device| {
        recorded(judge)?;
        asked::check(&file, device, judge).map_err(|error| match error {
            MudError::Json(_) => Problem::bad_request(error.to_string()),
            _ => Problem::invalid(error.to_string()).refused("no_mud"),
        })
    });
    checked.await.map(Json)
}
