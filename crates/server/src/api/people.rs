//! Signing in and out, and accounts.

use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::input::Body;
use crate::api::{App, now};
use crate::auth::accounts::{self, Account, AccountError};
use crate::auth::role::Role;
use crate::auth::sessions::Session;
use crate::gate::Peer;
use crate::problem::Problem;

/// Name and password, or the administrator's token.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SignIn {
    /// An account.
    Password(ByPassword),
    /// The first-run administrator token.
    Token(ByToken),
}

/// An account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByPassword {
    /// Name of the account.
    name: String,
    /// Its password.
    password: String,
}

/// The first-run administrator token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByToken {
    /// As it was printed at the first start.
    token: String,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct Begun {
    /// To be sent as `Authorization: Bearer ...` by programs; browsers have the cookie.
    token: String,
    #[serde(flatten)]
    me: Me,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// Name of the account.
    name: String,
    /// What it may do.
    role: Role,
    /// Seconds until the session ends at the latest.
    ends_in: u64,
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// 1 to 64 of a-z, 0-9, '.', '_' and '-'.
    name: String,
    /// At least 12 characters, at most 256 bytes.
    password: String,
    /// What it may do.
    role: Role,
}

/// An account, without its password.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    /// Its name.
    name: String,
    /// What it may do.
    role: Role,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made: model::time::Timestamp,
}

/// All accounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct Users {
    /// By name.
    items: Vec<User>,
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

pub(crate) async fn sign_in(
    State(app): State<App>,
    Extension(Peer(address)): Extension<Peer>,
    Body(sign_in): Body<SignIn>,
) -> Result<Response, Problem> {
    let too_long = match &sign_in {
        SignIn::Password(by) => by.password.len() > accounts::MAX_PASSWORD || by.name.len() > 64,
        SignIn::Token(by) => by.token.len() > accounts::MAX_PASSWORD,
    };
    if too_long {
        return Err(refused());
    }
    app.attempts.begin(address, Instant::now()).map_err(|wait| {
        let seconds = wait.as_secs().max(1);
        tracing::warn!(%address, seconds, "too many failed sign-ins");
        let detail = format!("Too many sign-ins failed from your address. Wait {seconds} s.");
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", detail)
            .retry_after(seconds)
    })?;
    let _place =
        app.hashing.acquire().await.map_err(|_| Problem::busy("Wardwatch is stopping."))?;
    let who = app
        .blocking(move |store| match sign_in {
            SignIn::Password(by) => accounts::verify(store, &by.name, &by.password)
                .map(|account| account.map(|account| (account.name, account.role))),
            SignIn::Token(by) => accounts::verify_token(store, &by.token)
                .map(|right| right.then(|| (accounts::ADMINISTRATOR.to_owned(), Role::Admin))),
        })
        .await?;
    let Some((name, role)) = who else {
        tracing::warn!(%address, "a sign-in failed");
        return Err(refused());
    };
    app.attempts.succeeded(address);
    let (token, session) = app
        .sessions
        .begin(name, role, Instant::now())
        .map_err(|error| Problem::internal(&error))?;
    tracing::info!(%address, user = %session.user, %role, "signed in");
    let cookie = set_cookie(&app, &token, app.config.session_life.as_secs());
    let body = Begun { token, me: me_of(&session) };
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie?)], Json(body)).into_response())
}

/// The same words whatever was wrong, so that nobody learns which names there are.
fn refused() -> Problem {
    let detail = "Name and password, or token, are not right.";
    Problem::new(StatusCode::UNAUTHORIZED, "sign-in-refused", detail)
}

pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(session): Extension<Session>,
) -> Result<Response, Problem> {
    app.sessions.end(&session.digest);
    let cookie = set_cookie(&app, "", 0)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

fn set_cookie(app: &App, token: &str, seconds: u64) -> Result<HeaderValue, Problem> {
    let secure = if app.config.secure_cookie { "; Secure" } else { "" };
    let name = app.cookie;
    let text =
        format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))
}

pub(crate) async fn me(Extension(session): Extension<Session>) -> Json<Me> {
    Json(me_of(&session))
}

fn me_of(session: &Session) -> Me {
    let ends_in = session.ends.saturating_duration_since(Instant::now()).as_secs();
    Me { name: session.user.clone(), role: session.role, ends_in }
}

pub(crate) async fn users(State(app): State<App>) -> Result<Json<Users>, Problem> {
    let all = app.blocking(accounts::all).await?;
    Ok(Json(Users { items: all.into_iter().map(shown).collect() }))
}

pub(crate) async fn create_user(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    if !accounts::is_name(&new.name) {
        return Err(Problem::invalid("'name' has 1 to 64 of a-z, 0-9, '.', '_' and '-'."));
    }
    let characters = new.password.chars().count();
    if characters < accounts::MIN_PASSWORD || new.password.len() > accounts::MAX_PASSWORD {
        let detail = "'password' has at least 12 characters and at most 256 bytes.";
        return Err(Problem::invalid(detail));
    }
    let _place =
        app.hashing.acquire().await.map_err(|_| Problem::busy("Wardwatch is stopping."))?;
    let (name, role) = (new.name.clone(), new.role);
    let made = app
        .blocking(move |store| accounts::create(store, &new.name, &new.password, new.role, now()))
        .await?;
    let Some(account) = made else {
        let detail = "There is an account of this name, or there are too many.";
        return Err(Problem::new(StatusCode::CONFLICT, "name-taken", detail));
    };
    tracing::info!(by = %session.user, user = %name, %role, "made an account");
    Ok((StatusCode::CREATED, Json(shown(account))))
}

fn shown(account: Account) -> User {
    User { name: account.name, role: account.role, made: account.made }
}
