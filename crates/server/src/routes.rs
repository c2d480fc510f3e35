//! The table of routes: what there is, who may call it, what it takes and what it answers.
//!
//! The router, the check of roles and the OpenAPI document are made from it.

mod response;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode};
use axum::middleware;
use axum::routing::{MethodRouter, delete, get, post};

use crate::api::{App, health, lists, people, words};
use crate::auth::role::Role;
use crate::problem::Problem;
use crate::{gate, page, stream};

/// Largest body of a request, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Who may call a route.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Everybody, without a session: whether the process lives, signing in, and the files of the
    /// sign-in page, which hold no data.
    Open,
    /// Who is signed in with one of these roles.
    Roles(&'static [Role]),
    /// Firewalls that show the token of the block lists; no session opens these.
    Lists,
}

use Role::{Admin, Analyst, Clinical};

const SIGNED_IN: Access = Access::Roles(Role::ALL);

/// What a route answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// JSON of a schema.
    Json(&'static str),
    /// Text of a media type.
    Text(&'static str),
    /// Nothing.
    Empty,
}

/// One route.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) summary: &'static str,
    /// Parameters after `?`, by name; their meaning is in [`crate::openapi`].
    pub(crate) query: &'static [&'static str],
    /// Schema of the body.
    pub(crate) body: Option<&'static str>,
    pub(crate) status: u16,
    pub(crate) answer: Answer,
    handler: fn() -> MethodRouter<App>,
}

impl Route {
    const fn get(
        path: &'static str,
        summary: &'static str,
        answer: Answer,
        handler: fn() -> MethodRouter<App>,
    ) -> Self {
        Self {
            method: Method::GET,
            path,
            access: SIGNED_IN,
            summary,
            query: &[],
            body: None,
            status: 200,
            answer,
            handler,
        }
    }

    const fn post(
        path: &'static str,
        access: Access,
        summary: &'static str,
        (body, status, answer): (&'static str, u16, &'static str),
        handler: fn() -> MethodRouter<App>,
    ) -> Self {
        Self {
            method: Method::POST,
            path,
            access,
            summary,
            query: &[],
            body: Some(body),
            status,
            answer: Answer::Json(answer),
            handler,
        }
    }

    const fn to(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    const fn filters(mut self, query: &'static [&'static str]) -> Self {
        self.query = query;
        self
    }
}

const HTML: &str = "text/html; charset=utf-8";
/// The media type of MUD files.
pub(crate) const MUD: &str = crate::api::response::segment::MUD;
const PLAIN: &str = "text/plain; charset=utf-8";

/// Every route.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(response::ROUTES)
}

/// Every route but those of responses.
static ROUTES: &[Route] = &[
    Route::get("/healthz", "Whether the process answers.", Answer::Text(PLAIN), || {
        get(health::alive)
    })
    .to(Access::Open),
    Route::get("/readyz", "Whether the store answers too.", Answer::Text(PLAIN), || {
        get(health::ready)
    }),
    Route::get("/metrics", "Figures in Prometheus' text format.", Answer::Text(PLAIN), || {
        get(health::metrics)
    }),
    Route::get("/", "The page.", Answer::Text(HTML), || get(page::html)).to(Access::Open),
    Route::get("/app.js", "The page's script.", Answer::Text("text/javascript"), || {
        get(page::script)
    })
    .to(Access::Open),
    Route::get("/style.css", "The page's style.", Answer::Text("text/css"), || get(page::style))
        .to(Access::Open),
    Route::post(
        "/api/v1/session",
        Access::Open,
        "Signs in. The answer sets a cookie for browsers and holds a token for programs.",
        ("SignIn", 201, "Begun"),
        || post(people::sign_in),
    ),
    Route {
        method: Method::DELETE,
        path: "/api/v1/session",
        access: SIGNED_IN,
        summary: "Signs out.",
        query: &[],
        body: None,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(people::sign_out),
    },
    Route::get("/api/v1/me", "Who is signed in.", Answer::Json("Me"), || get(people::me)),
    Route::get("/api/v1/users", "All accounts.", Answer::Json("Users"), || get(people::users))
        .to(Access::Roles(&[Admin])),
    Route::post(
        "/api/v1/users",
        Access::Roles(&[Admin]),
        "Makes an account.",
        ("NewUser", 201, "User"),
        || post(people::create_user),
    ),
    Route::get(
        "/api/v1/devices",
        "Devices, in the order of their first storing.",
        Answer::Json("DevicePage"),
        || get(lists::devices),
    )
    .filters(&["kind", "device", "since", "until", "text", "limit", "cursor"]),
    Route::get("/api/v1/devices/{id}", "One device.", Answer::Json("Device"), || {
        get(lists::device)
    }),
    Route::get(
        "/api/v1/cases",
        "Cases, the latest opened first.",
        Answer::Json("CasePage"),
        || get(lists::cases),
    )
    .filters(&["device", "since", "until", "severity", "status", "text", "limit", "cursor"]),
    Route::get(
        "/api/v1/cases/{id}",
        "One case, with what people said of it.",
        Answer::Json("CaseWithWords"),
        || get(lists::case),
    ),
    Route::post(
        "/api/v1/cases/{id}/status",
        Access::Roles(&[Analyst, Admin]),
        "Moves a case.",
        ("NewStatus", 200, "Case"),
        || post(words::set_status),
    ),
    Route::post(
        "/api/v1/cases/{id}/feedback",
        Access::Roles(&[Analyst, Clinical, Admin]),
        "Says what somebody thinks of a case. The models learn what analysts say.",
        ("NewWord", 201, "WordKept"),
        || post(words::case_word),
    ),
    Route::post(
        "/api/v1/cases/{id}/feedback/preview",
        Access::Roles(&[Analyst, Admin]),
        "What such a word on a case would change in the models. Nothing is kept.",
        ("NewWord", 200, "Taught"),
        || post(words::preview),
    ),
    Route::get(
        "/api/v1/findings",
        "Findings, the latest first.",
        Answer::Json("FindingPage"),
        || get(lists::findings),
    )
    .filters(&["kind", "device", "case", "since", "until", "severity", "text", "limit", "cursor"]),
    Route::get(
        "/api/v1/findings/{id}",
        "One finding, with what people said of it.",
        Answer::Json("FindingWithWords"),
        || get(lists::finding),
    ),
    Route::post(
        "/api/v1/findings/{id}/feedback",
        Access::Roles(&[Analyst, Clinical, Admin]),
        "Says what somebody thinks of a finding. The models learn what analysts say.",
        ("NewWord", 201, "WordKept"),
        || post(words::finding_word),
    ),
    Route::post(
        "/api/v1/findings/{id}/feedback/preview",
        Access::Roles(&[Analyst, Admin]),
        "What such a word on a finding would change in the models. Nothing is kept.",
        ("NewWord", 200, "Taught"),
        || post(words::preview),
    ),
    Route::get(
        "/api/v1/observations",
        "Observations, the latest first.",
        Answer::Json("ObservationPage"),
        || get(lists::observations),
    )
    .filters(&["kind", "device", "since", "until", "text", "limit", "cursor"]),
    Route::get(
        "/api/v1/observations/{id}",
        "One observation.",
        Answer::Json("Observation"),
        || get(lists::observation),
    ),
    Route::get("/api/v1/flows", "Flows, the latest start first.", Answer::Json("FlowPage"), || {
        get(lists::flows)
    })
    .filters(&["kind", "device", "since", "until", "text", "limit", "cursor"]),
    Route::get(
        "/api/v1/stats",
        "How much there is, and how it goes.",
        Answer::Json("Stats"),
        || get(health::stats),
    ),
    Route::get(
        "/api/v1/stream",
        "New findings, cases, devices and actions, and how responses stand ('response'), as server-sent events; 'last-event-id' resumes.",
        Answer::Text("text/event-stream"),
        || get(stream::stream),
    ),
    Route::get("/api/v1/openapi.json", "This document.", Answer::Json("Anything"), || {
        get(health::openapi)
    }),
];

/// Who may call a route; none where there is no such route.
pub(crate) fn access(method: &Method, path: &str) -> Option<Access> {
    // Where GET is answered, HEAD is.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    all().find(|route| route.method == method && route.path == path).map(|route| route.access)
}

/// Whether a path is one of the page's files, which browsers may keep.
pub(crate) fn is_page(path: &str) -> bool {
    matches!(path, "/" | "/app.js" | "/style.css")
}

/// The router over the table.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in all() {
        router = router.route(route.path, (route.handler)());
    }
    router
        .fallback(|| async { Problem::of_status(StatusCode::NOT_FOUND) })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), gate::check))
        .layer(middleware::from_fn_with_state(app.clone(), gate::finish))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_health_sign_in_and_the_page_are_open() {
        let open: Vec<&str> = all()
            .filter(|route| matches!(route.access, Access::Open))
            .map(|route| route.path)
            .collect();
        let bedside = "/api/v1/response/bedside";
        assert_eq!(open, ["/healthz", "/", "/app.js", "/style.css", "/api/v1/session", bedside]);
    }

    #[test]
    fn nobody_who_only_reads_may_change_anything() {
        for route in all().filter(|route| route.method != Method::GET) {
            if let (Access::Roles(roles), true) = (route.access, route.method != Method::DELETE) {
                assert!(!roles.contains(&Role::Viewer), "{}", route.path);
                // Who runs Wardwatch approves no plan, proposes none, and looks after no patient.
                let actions = "/api/v1/response/actions";
                let plans = route.path.starts_with(actions) && !route.path.ends_with("/release")
                    || route.path.ends_with("/idle");
                assert_eq!(roles.contains(&Role::Admin), !plans, "{}", route.path);
            }
        }
    }
}
