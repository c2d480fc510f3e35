//! What the server is told when it starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::case::CaseId;
use store::CaseStatus;

use crate::blocklists::Blocklists;
use crate::teach::{Said, Taught};

/// Limits and hooks. The defaults are right for one hospital.
#[derive(Clone)]
pub struct Config {
    /// Most connections at once; more wait outside.
    pub max_connections: usize,
    /// Most connections of one address.
    pub max_connections_per_address: usize,
    /// Most event streams at once.
    pub max_streams: usize,
    /// Longest time for a request, from its first byte to the head of the answer.
    pub request_timeout: Duration,
    /// Longest time that a client may take no bytes.
    pub stall_timeout: Duration,
    /// A session ends when it was not used for so long.
    pub session_idle: Duration,
    /// A session ends after so long, used or not.
    pub session_life: Duration,
    /// Whether the cookie is only sent over TLS. Set it wherever TLS ends before this server.
    pub secure_cookie: bool,
    /// Longest wait for open requests at shutdown.
    pub shutdown_grace: Duration,
    /// Gives the metrics of the program in Prometheus' text format.
    pub metrics: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    /// Gives the statistics of the pipeline as JSON.
    pub statistics: Option<Arc<dyn Fn() -> serde_json::Value + Send + Sync>>,
    /// Teaches the models what an analyst said, or says what that would change. May block for some
    /// seconds.
    pub teach: Option<Arc<dyn Fn(Said) -> Taught + Send + Sync>>,
    /// Told where a person left a case.
    pub moved: Option<Arc<dyn Fn(CaseId, CaseStatus) + Send + Sync>>,
    /// The site's response. Without it, its routes say so.
    pub response: Option<Arc<respond::Office>>,
    /// Block lists for firewalls to pull. Without them nobody is let in there.
    pub blocklists: Option<Blocklists>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: 512,
            max_connections_per_address: 64,
            max_streams: 128,
            request_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            session_idle: Duration::from_secs(12 * 3_600),
            session_life: Duration::from_secs(12 * 3_600),
            secure_cookie: false,
            shutdown_grace: Duration::from_secs(10),
            metrics: None,
            statistics: None,
            teach: None,
            moved: None,
            response: None,
            blocklists: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("max_connections", &self.max_connections)
            .field("max_streams", &self.max_streams)
            .field("request_timeout", &self.request_timeout)
            .field("session_life", &self.session_life)
            .field("secure_cookie", &self.secure_cookie)
            .finish_non_exhaustive()
    }
}
