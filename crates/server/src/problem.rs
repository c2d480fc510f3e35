//! Errors as RFC 9457 problem documents.
//!
//! A problem says what the caller can do about it. Causes inside the program are logged and never
//! sent.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

use crate::blocklists::BLOCKLIST;

/// The media type of problem documents.
pub(crate) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// One problem document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What sort of problem: a relative reference, such as `/problems/not-found`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: Box<str>,
    /// The sort in words.
    title: &'static str,
    /// Status of the answer.
    status: u16,
    /// What happened this time and what to do.
    detail: String,
    /// Path of the request.
    #[serde(skip_serializing_if = "String::is_empty")]
    instance: String,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// Why the desk refused, for programs: `halted`, `cuts_essential`, `unsound`, `duplicate`,
    /// `too_many_waiting`, `not_waiting`, `other_plan`, `not_yours`, `not_attested`, `breaker`,
    /// `policy`, `missing`, `unknown_device` or `no_enforcer`; and `no_history` or `no_mud` of
    /// segmentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    refused: Option<Box<str>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{kind}").into(),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            retry_after: None,
            refused: None,
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("There is no such {what}."))
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    pub(crate) fn unauthenticated() -> Self {
        let detail = "Sign in first: POST /api/v1/session.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn busy(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(5)
    }

    /// Something broke in here. The cause is logged, and not sent.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        let detail = "Something broke inside Wardwatch. Its log says what.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// With the refusal's name for programs.
    pub(crate) fn refused(mut self, name: &str) -> Self {
        self.refused = Some(name.into());
        self
    }

    /// The words for a status that the framework gave without any.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (kind, detail) = match status {
            StatusCode::NOT_FOUND => ("not-found", "There is nothing at this address."),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method-not-allowed", "This address does not take this method; see 'allow'.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "The body is larger than 1 MiB."),
            StatusCode::REQUEST_TIMEOUT => ("timeout", "The request took too long."),
            StatusCode::BAD_REQUEST => ("bad-request", "The request cannot be read."),
            _ => ("error", "The request was refused."),
        };
        Self::new(status, kind, detail)
    }

    /// With the path of the request, as an answer.
    pub(crate) fn answer(mut self, path: &str) -> Response {
        self.instance = path.chars().take(512).collect();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // Firewalls wait to be asked for a name and a password; a browser would ask its user.
            let scheme =
                if path.starts_with(BLOCKLIST) { "Basic realm=\"wardwatch\"" } else { "Bearer" };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        response
    }
}

/// Leaves as a status and an extension; the outermost layer writes the body with the path in it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Cursor(_) | StoreError::Filter { .. } => {
                Self::bad_request(error.to_string())
            }
            StoreError::TooSlow { .. } => {
                let detail =
                    "The search took too long. Narrow it with since, until, kind or device.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "too-slow", detail)
            }
            StoreError::Busy { .. } => Self::busy("The store is busy. Try again."),
            StoreError::DiskFull { .. } | StoreError::Bound { .. } => {
                tracing::error!(%error, "the store cannot take more");
                let detail = "The store is full. Make room on its disk, or raise its bound.";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "full", detail)
            }
            other => Self::internal(&other),
        }
    }
}
