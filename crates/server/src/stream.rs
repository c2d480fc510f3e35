//! `GET /api/v1/stream`: new findings, cases, devices and actions, and how responses stand, as
//! server-sent events.
//!
//! Each event has an id; a browser sends the last one it had when it connects again, and gets what
//! it missed. `gap` says that some of it is gone: ask the lists. `dropped` says that the client was
//! too slow and was let go.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, broadcast::error::RecvError, watch};

use crate::api::App;
use crate::auth::sessions::Session;
use crate::live::{Event, Listener, Live, Present};
use crate::problem::Problem;

/// How often a quiet stream shows that it is alive, and looks whether the session still holds.
const PULSE: Duration = Duration::from_secs(15);

/// One client's side of the stream.
struct Client {
    app: App,
    live: Live,
    listener: Listener,
    waiting: VecDeque<Arc<Event>>,
    digest: [u8; 32],
    stopping: watch::Receiver<bool>,
    ended: bool,
    _present: Present,
    _place: OwnedSemaphorePermit,
}

pub(crate) async fn stream(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Arc::clone(&app.streams)
        .try_acquire_owned()
        .map_err(|_| Problem::busy("Too many event streams are open."))?;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let live = app.live.clone();
    let mut listener = live.listen(last_id);
    let waiting = std::mem::take(&mut listener.missed).into();
    let client = Client {
        _present: live.client(),
        stopping: app.stopping.clone(),
        app,
        live,
        listener,
        waiting,
        digest: session.digest,
        ended: false,
        _place: place,
    };
    let events = stream::unfold(client, |mut client| async move {
        let event = client.next().await?;
        Some((Ok::<_, Infallible>(event), client))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(PULSE)).into_response())
}

impl Client {
    async fn next(&mut self) -> Option<SseEvent> {
        if self.ended {
            return None;
        }
        if std::mem::take(&mut self.listener.gap) {
            return Some(SseEvent::default().event("gap").data("{}"));
        }
        loop {
            if let Some(event) = self.waiting.pop_front() {
                let id = self.live.id(event.number);
                return Some(SseEvent::default().id(id).event(event.kind).data(&event.json));
            }
            tokio::select! {
                received = self.listener.receiver.recv() => match received {
                    Ok(event) => self.waiting.push_back(event),
                    Err(RecvError::Lagged(missed)) => {
                        self.ended = true;
                        self.live.dropped_client();
                        let data = format!("{{\"missed\":{missed}}}");
                        return Some(SseEvent::default().event("dropped").data(data));
                    }
                    Err(RecvError::Closed) => return None,
                },
                _ = self.stopping.changed() => return None,
                () = tokio::time::sleep(PULSE) => {}
            }
            if !self.app.sessions.holds(&self.digest, Instant::now()) {
                return None;
            }
        }
    }
}
