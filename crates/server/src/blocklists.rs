//! Block lists over HTTP, for firewalls to pull.
//!
//! A firewall has no account: it shows a token that stands in the configuration, as
//! `Authorization: Bearer` or as the password of Basic authentication, whatever its name. Each time a
//! list is answered, its entries count as fetched, which is the only acknowledgement there is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use respond::Clock;
use respond::enforcers::Blocklist;
use respond::enforcers::blocklist::List;

use crate::api::App;
use crate::auth::secret;
use crate::problem::Problem;

/// Where they are.
pub(crate) const BLOCKLIST: &str = "/api/v1/response/blocklist/";

/// Fewest bytes of the token.
const SHORTEST: usize = 24;

/// Lists to serve, and the token that opens them.
#[derive(Clone)]
pub struct Blocklists {
    lists: Arc<Blocklist>,
    clock: Arc<Clock>,
    digest: [u8; 32],
}

/// The lists cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum BlocklistsError {
    /// Somebody would guess it.
    #[error(
        "the token of the block lists is too short: give at least {SHORTEST} random characters"
    )]
    WeakToken,
    /// What has expired could not be told from what has not.
    #[error("the clock since boot: {0}")]
    Clock(#[from] std::io::Error),
}

impl Blocklists {
    /// These lists, for whoever has the token. Only its digest is kept.
    ///
    /// # Errors
    /// When the token is too short, or there is no clock.
    pub fn new(token: &str, lists: Arc<Blocklist>) -> Result<Self, BlocklistsError> {
        if token.len() < SHORTEST {
            return Err(BlocklistsError::WeakToken);
        }
        let clock = Arc::new(Clock::open()?);
        Ok(Self { lists, clock, digest: secret::digest(token) })
    }

    /// Whether a request shows the token. Digests are compared, so that the time it takes says
    /// nothing of the token.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        shown(headers).is_some_and(|token| secret::digest(&token) == self.digest)
    }
}

fn shown(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// Whoever has no token hears the same, whether or not there are lists.
pub(crate) fn refused() -> Problem {
    let detail = "The block lists need their own token, which stands in Wardwatch's configuration.";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
}

type Text = ([(HeaderName, &'static str); 1], String);

pub(crate) async fn addresses(app: State<App>, method: Method) -> Result<Text, Problem> {
    serve(app, &method, List::Addresses).await
}

pub(crate) async fn domains(app: State<App>, method: Method) -> Result<Text, Problem> {
    serve(app, &method, List::Domains).await
}

async fn serve(State(app): State<App>, method: &Method, list: List) -> Result<Text, Problem> {
    let on = app.config.blocklists.clone().ok_or_else(refused)?;
    let fetched = *method == Method::GET;
    let text = app
        .blocking(move |_| {
            let broken = |error: &dyn std::fmt::Display| {
                tracing::error!(%error, "a block list cannot be served");
                Problem::busy("The list cannot be read just now. Keep what you have.")
            };
            let now = on.clock.now().map_err(|error| broken(&error))?;
            let text = on.lists.render(list, now).map_err(|error| broken(&error))?;
            if fetched && let Err(error) = on.lists.fetched(list, now) {
                tracing::error!(%error, "nobody will know that a block list was fetched");
            }
            Ok::<_, Problem>(text)
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}
