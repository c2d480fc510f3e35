//! The handlers, and what they share.

pub(crate) mod health;
pub(crate) mod input;
pub(crate) mod lists;
pub(crate) mod people;
pub(crate) mod response;
pub(crate) mod words;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::time::Timestamp;
use store::Store;
use tokio::sync::{Semaphore, watch};

use crate::auth::attempts::Attempts;
use crate::auth::sessions::Sessions;
use crate::config::Config;
use crate::live::Live;
use crate::problem::Problem;

/// Sign-ins that are checked at once: each takes 19 MiB and tens of milliseconds of a core.
const SIGN_INS: usize = 4;

/// What every handler may use. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) live: Live,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) attempts: Arc<Attempts>,
    /// Wrong codes at the bedside: apart from sign-ins, so that neither closes the other.
    pub(crate) bedside: Arc<Attempts>,
    /// The network is looked at for one asker at a time: it takes a copy of what is known of it.
    pub(crate) surveys: Arc<Semaphore>,
    /// Places for sign-ins.
    pub(crate) hashing: Arc<Semaphore>,
    /// Places for event streams.
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) request_timeout: Duration,
    pub(crate) cookie: &'static str,
    pub(crate) config: Arc<Config>,
}

impl App {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        live: Live,
        stopping: watch::Receiver<bool>,
        config: Arc<Config>,
    ) -> Self {
        // Browsers keep a name that begins with __Host- to this host and to TLS.
        let cookie =
            if config.secure_cookie { "__Host-wardwatch_session" } else { "wardwatch_session" };
        Self {
            store,
            live,
            sessions: Arc::new(Sessions::new(config.session_idle, config.session_life)),
            attempts: Arc::default(),
            bedside: Arc::default(),
            surveys: Arc::new(Semaphore::new(1)),
            hashing: Arc::new(Semaphore::new(SIGN_INS)),
            streams: Arc::new(Semaphore::new(config.max_streams)),
            stopping,
            request_timeout: config.request_timeout,
            cookie,
            config,
        }
    }

    /// Runs a piece of blocking work off the runtime's own threads.
    pub(crate) async fn blocking<T, E>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || work(store.as_ref())).await {
            Ok(done) => done.map_err(Into::into),
            Err(error) => Err(Problem::internal(&error)),
        }
    }
}

/// The time by this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
