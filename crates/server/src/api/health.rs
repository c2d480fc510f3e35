//! Whether it lives, whether it is ready, and its figures.

use std::fmt::Write;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde::Serialize;
use store::Counts;

use crate::api::App;
use crate::openapi;
use crate::problem::Problem;

/// How much there is, and how it goes.
#[derive(Serialize)]
pub(crate) struct Stats {
    store: Counts,
    stream: StreamStats,
    sessions: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct StreamStats {
    clients: u64,
    dropped_clients: u64,
    events: u64,
}

/// The process answers. Says nothing else, since everybody may ask.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The store answers too.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    match app.blocking(|store| store.counts()).await {
        Ok(_) => Ok("ready\n"),
        Err(_) => Err(Problem::busy("The store does not answer.")),
    }
}

pub(crate) async fn stats(State(app): State<App>) -> Result<Json<Stats>, Problem> {
    let counts = app.blocking(|store| store.counts()).await?;
    let (clients, dropped_clients, events) = app.live.figures();
    Ok(Json(Stats {
        store: counts,
        stream: StreamStats { clients, dropped_clients, events },
        sessions: app.sessions.count(),
        pipeline: app.config.statistics.as_ref().map(|give| give()),
    }))
}

pub(crate) async fn metrics(
    State(app): State<App>,
) -> Result<([(HeaderName, &'static str); 1], String), Problem> {
    let counts = app.blocking(|store| store.counts()).await?;
    let (clients, dropped_clients, events) = app.live.figures();
    let mut text = app.config.metrics.as_ref().map(|give| give()).unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let figures = [
        ("store_bytes", "gauge", "Bytes of the store on disk.", counts.bytes),
        ("store_max_bytes", "gauge", "Most bytes the store may take.", counts.max_bytes),
        ("store_observations", "gauge", "Observations in the store.", counts.observations),
        ("store_findings", "gauge", "Findings in the store.", counts.findings),
        ("store_cases", "gauge", "Cases in the store.", counts.cases),
        ("store_devices", "gauge", "Devices in the store.", counts.devices),
        (
            "store_dropped_observations_total",
            "counter",
            "Observations dropped to stay within the bound.",
            counts.dropped.observations,
        ),
        (
            "store_dropped_flows_total",
            "counter",
            "Flows dropped to stay within the bound.",
            counts.dropped.flows,
        ),
        ("server_sessions", "gauge", "Sessions.", app.sessions.count() as u64),
        ("server_stream_clients", "gauge", "Clients of the event stream.", clients),
        (
            "server_stream_dropped_clients_total",
            "counter",
            "Clients of the event stream that were too slow.",
            dropped_clients,
        ),
        ("server_stream_events_total", "counter", "Events published.", events),
    ];
    for (name, kind, help, value) in figures {
        let _ = write!(
            text,
            "# HELP wardwatch_{name} {help}\n# TYPE wardwatch_{name} {kind}\nwardwatch_{name} {value}\n"
        );
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

pub(crate) async fn openapi() -> ([(HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "application/json")], openapi::document())
}
