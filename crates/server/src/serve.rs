//! Listens, and serves each connection within its bounds until it is told to stop.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use store::Store;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch as channel};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::api::App;
use crate::auth::secret::{self, NoRandomness};
use crate::config::Config;
use crate::gate::Peer;
use crate::live::Live;
use crate::routes;
use crate::stall::Stalling;
use crate::watch;

/// Longest time for the head of a request, and for a connection to be idle between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Most bytes of the head of a request.
const MAX_HEAD: usize = 32 << 10;

/// Most headers of a request.
const MAX_HEADERS: usize = 64;

/// Wait after the system refuses a connection, for want of file descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}. Is another Wardwatch running, or may this user not use the port?"
    )]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// No random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    store: Arc<dyn Store>,
    config: Arc<Config>,
    live: Live,
}

impl Server {
    /// Begins to listen; connections wait until [`Server::run`].
    ///
    /// # Errors
    /// [`ServeError`] where the address cannot be had.
    pub async fn bind(
        address: SocketAddr,
        store: Arc<dyn Store>,
        config: Config,
    ) -> Result<Self, ServeError> {
        let refuse = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let run = secret::token()?.chars().take(8).collect();
        Ok(Self { listener, address, store, config: Arc::new(config), live: Live::new(run) })
    }

    /// The address that it listens on, with the port that was given where it asked for any.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle through which findings, cases and devices become known to clients.
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Serves until `shutdown` is done; then takes no more connections, ends the streams, and
    /// waits for open requests as long as the configuration says.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (stop, stopping) = channel::channel(false);
        let mut chores = JoinSet::new();
        if let Some(office) = &self.config.response {
            let watching = watch::actions(Arc::clone(office), self.live.clone(), stopping.clone());
            chores.spawn(watching);
        }
        let app = App::new(self.store, self.live, stopping.clone(), Arc::clone(&self.config));
        let router = routes::router(app);
        let places = Arc::new(Semaphore::new(self.config.max_connections));
        let by_address = ByAddress::default();
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            // A place is taken before a connection is: those beyond wait outside.
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = &mut shutdown => break,
                accepted = accepted => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let ip = address.ip().to_canonical();
            let Some(present) = by_address.enter(ip, self.config.max_connections_per_address)
            else {
                tracing::warn!(address = %ip, "too many connections of one address");
                continue;
            };
            let (router, stopping) = (router.clone(), stopping.clone());
            let stall_timeout = self.config.stall_timeout;
            connections.spawn(async move {
                let _kept = (place, present);
                connection(stream, ip, router, stopping, stall_timeout).await;
            });
        }
        drop(self.listener);
        // Whoever holds a receiver may be gone already.
        let _ = stop.send(true);
        let all = async {
            while connections.join_next().await.is_some() {}
            while chores.join_next().await.is_some() {}
        };
        if tokio::time::timeout(self.config.shutdown_grace, all).await.is_err() {
            tracing::warn!("open requests were cut off at shutdown");
        }
    }
}

async fn connection(
    stream: TcpStream,
    ip: IpAddr,
    router: axum::Router,
    mut stopping: channel::Receiver<bool>,
    stall_timeout: Duration,
) {
    // Events are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(ip));
        router.clone().oneshot(request)
    });
    let io = TokioIo::new(Stalling::new(stream, stall_timeout));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(io, service);
    tokio::pin!(serving);
    let mut told = *stopping.borrow();
    if told {
        serving.as_mut().graceful_shutdown();
    }
    loop {
        tokio::select! {
            served = &mut serving => {
                if let Err(error) = served {
                    tracing::debug!(address = %ip, %error, "a connection ended early");
                }
                return;
            }
            _ = stopping.changed(), if !told => {
                told = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// How many connections each address has.
#[derive(Clone, Debug, Default)]
struct ByAddress(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl ByAddress {
    fn enter(&self, ip: IpAddr, most: usize) -> Option<Present> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = table.entry(ip).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Present { table: self.clone(), ip })
    }
}

/// A connection of an address, until it is dropped.
struct Present {
    table: ByAddress,
    ip: IpAddr,
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut table = self.table.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = table.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                table.remove(&self.ip);
            }
        }
    }
}
