//! What every request passes: who asks, whether they may, and what every answer carries.

use std::net::IpAddr;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::App;
use crate::auth::role::Role;
use crate::auth::sessions::Session;
use crate::blocklists;
use crate::problem::{MEDIA_TYPE, Problem};
use crate::routes::{self, Access};

/// Shows that a request was made by a script of the page and not by a form of another.
pub(crate) const SCRIPT: HeaderName = HeaderName::from_static("x-wardwatch");

/// The address that a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Lets a request through to its route, where the table of routes says so.
pub(crate) async fn check(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let access = path.and_then(|path| routes::access(request.method(), &path));
    if matches!(access, Some(Access::Open)) {
        return next.run(request).await;
    }
    if matches!(access, Some(Access::Lists)) {
        let lists = app.config.blocklists.as_ref();
        return match lists.is_some_and(|lists| lists.admits(request.headers())) {
            true => next.run(request).await,
            false => blocklists::refused().into_response(),
        };
    }
    match admit(&app, request.method(), request.headers(), access) {
        Ok(session) => {
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The session of a request, where it may do what it asks. What is in no table (no such route, no
/// such method) may be asked by everybody who is signed in.
fn admit(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    access: Option<Access>,
) -> Result<Session, Problem> {
    let now = Instant::now();
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let (token, by_cookie) = match bearer {
        Some(token) => (token, false),
        None => (cookie(headers, app.cookie).ok_or_else(Problem::unauthenticated)?, true),
    };
    let session = app.sessions.of_token(token, now).ok_or_else(Problem::unauthenticated)?;
    let writes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if by_cookie && writes && !is_from_script(headers) {
        return Err(Problem::forbidden(
            "A change with the session's cookie needs the header 'x-wardwatch: 1'.",
        ));
    }
    let allowed = match access {
        Some(Access::Roles(roles)) => roles,
        Some(Access::Open | Access::Lists) | None => Role::ALL,
    };
    if !allowed.contains(&session.role) {
        let roles: Vec<&str> = allowed.iter().map(|role| role.name()).collect();
        let detail =
            format!("This needs the role {}; yours is {}.", roles.join(" or "), session.role);
        return Err(Problem::forbidden(detail));
    }
    Ok(session)
}

/// A form of another page can send neither without this server's leave.
fn is_from_script(headers: &HeaderMap) -> bool {
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes()));
    json || headers.get(SCRIPT).is_some_and(|value| value == "1")
}

/// Whether a content type is JSON.
pub(crate) fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// Bounds the time of a request, writes the body of each problem, and sets the headers that every
/// answer carries.
pub(crate) async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let is_api = !routes::is_page(&path);
    let answered = tokio::time::timeout(app.request_timeout, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response());
    if response.status().is_client_error() || response.status().is_server_error() {
        response = as_problem(response, &path);
    }
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn as_problem(response: Response, path: &str) -> Response {
    if response.headers().get(header::CONTENT_TYPE) == Some(&MEDIA_TYPE) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let problem = parts.extensions.remove::<Problem>();
    let problem = problem.unwrap_or_else(|| Problem::of_status(parts.status));
    let mut answer = problem.answer(path);
    if let Some(allow) = parts.headers.remove(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    answer
}

const SECURITY: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
