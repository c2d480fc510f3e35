//! A full instance: store, API, and results that go to both. What `run` and `demo` share.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use assets::Inventory;
use detect::Engine;
use learn::behaviour::Behaved;
use metrics_exporter_prometheus::PrometheusHandle;
use model::{Case, Device, Finding, Timestamp};
use pipeline::live::Counters;
use pipeline::outputs::{Fact, OutputError, Outputs};
use server::{Live, Server};
use store::{Options, SqliteStore, Store};
use tokio::sync::oneshot;

use crate::feedback::{self, Desk};
use crate::figures;
use crate::keep::Keeper;
use crate::models::{Versions, now};
use crate::respond::Responder;
use crate::status::{STATUS, Status};
use crate::writer::Writer;

/// Name of the store in the folder of an instance.
pub(crate) const STORE: &str = "wardwatch.db";
/// Name under which what was learned is kept in the store.
pub(crate) const LEARNED: &str = "learned";
/// How long facts wait for others to be stored with, where nothing is found.
const FLUSHED_EVERY: Duration = Duration::from_millis(500);
/// How often devices are stored, and what was learned.
const DEVICES_EVERY: Duration = Duration::from_secs(2);
const LEARNED_EVERY: Duration = Duration::from_secs(120);

/// Store and API of an instance.
pub(crate) struct Instance {
    store: Arc<SqliteStore>,
    runtime: tokio::runtime::Runtime,
    shutdown: Option<oneshot::Sender<()>>,
    served: Option<tokio::task::JoinHandle<()>>,
    /// Where the API listens.
    pub(crate) address: SocketAddr,
    /// The administrator's token, where it was made just now.
    pub(crate) token: Option<String>,
    live: Live,
    desk: Option<Desk>,
    status: Arc<Mutex<Status>>,
}

impl Instance {
    /// Opens the store and begins to serve what `config` has, and how the instance does.
    pub(crate) fn start(
        data: &Path,
        max_mib: u64,
        listen: SocketAddr,
        counters: Arc<Counters>,
        config: server::Config,
    ) -> Result<Self> {
        let file = data.join(STORE);
        let store = SqliteStore::open(&file, Options { max_bytes: max_mib << 20 })
            .with_context(|| format!("{}: the store cannot be used", file.display()))?;
        let store = Arc::new(store);
        let token = server::create_first_token(&*store).context("no sign-in can be made")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("the API's threads cannot be started")?;
        let recorder = figures::recorder();
        let (for_metrics, for_stats) = (Arc::clone(&counters), counters);
        let status = Arc::<Mutex<Status>>::default();
        let (models, for_models) = (Arc::clone(&status), Arc::clone(&status));
        let (slot, desk) = feedback::desk(data, Arc::clone(&store));
        let cases = slot.clone();
        let config = server::Config {
            metrics: Some(Arc::new(move || {
                figures::publish(&for_metrics);
                figures::publish_models(&read(&for_models));
                recorder.as_ref().map(PrometheusHandle::render).unwrap_or_default()
            })),
            statistics: Some(Arc::new(move || figures::statistics(&for_stats, &read(&models)))),
            teach: Some(Arc::new(move |said| slot.teach(said))),
            moved: Some(Arc::new(move |case, status| cases.moved(case, status))),
            ..config
        };
        let shared: Arc<dyn Store> = Arc::<SqliteStore>::clone(&store);
        let server = runtime.block_on(Server::bind(listen, shared, config))?;
        let (address, live) = (server.address(), server.live());
        let (shutdown, stopped) = oneshot::channel::<()>();
        let served = runtime.spawn(server.run(async move {
            // The sender is dropped at the latest when the instance is.
            let _ = stopped.await;
        }));
        Ok(Self {
            store,
            runtime,
            shutdown: Some(shutdown),
            served: Some(served),
            address,
            token,
            live,
            desk: Some(desk),
            status,
        })
    }

    /// Goes on from what was learned before. Says whether there was anything.
    pub(crate) fn load(&self, engine: &mut Engine) -> Result<bool> {
        let Some(bytes) = self.store.state(LEARNED)? else { return Ok(false) };
        let saved = serde_json::from_slice(&bytes)
            .context("the saved baseline is damaged: remove it from the store and learn anew")?;
        engine.load(&saved)?;
        feedback::hold(&self.store, engine)?;
        Ok(true)
    }

    /// Enters the labels of the folder, and from then on those that come.
    pub(crate) fn labels(&mut self, data: &Path, engine: &mut Engine) -> Result<()> {
        let bytes = feedback::enter_all(data, engine)?;
        if let Some(desk) = &mut self.desk {
            desk.has_read(bytes);
        }
        Ok(())
    }

    /// Where results go, of an engine with these versions of the models. Words on cases are taken up
    /// by the first that is asked for.
    ///
    /// # Errors
    /// Where the system gives no thread that stores.
    pub(crate) fn results(&mut self, versions: Versions, engine: &Engine) -> Result<Results> {
        *write(&self.status) = Status::begin(&self.store, versions, engine.behaviour());
        let writer = Writer::start(Arc::clone(&self.store), self.live.clone());
        let writer = Arc::new(writer.context("the thread that stores cannot be started")?);
        Ok(Results {
            desk: self.desk.take(),
            judged: None,
            status: Arc::clone(&self.status),
            keeper: Keeper::new(Arc::clone(&writer)),
            writer,
            known: Vec::new(),
            devices_at: None,
            learned_at: Instant::now(),
            flushed_at: Instant::now(),
            counted: 0,
            responder: None,
            listener: None,
        })
    }

    /// Ends the API; open requests are finished.
    pub(crate) fn stop(mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(());
        }
        if let Some(served) = self.served.take() {
            let _ = self.runtime.block_on(served);
        }
    }

    /// Sets `stop` once the process is told to end.
    pub(crate) fn on_signal(&self, stop: Arc<std::sync::atomic::AtomicBool>) {
        self.runtime.spawn(async move {
            if signal().await.is_ok() {
                stop.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        });
    }
}

/// What a lock holds; whoever died with it held left it whole.
fn write(status: &Mutex<Status>) -> std::sync::MutexGuard<'_, Status> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(status: &Mutex<Status>) -> Status {
    write(status).clone()
}

/// Until the process is told to end.
pub(crate) async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Told of findings, cases and devices beside the store, for a terminal.
pub(crate) trait Listener {
    /// A device is new, or is known better.
    fn device(&mut self, device: &Device);
    /// Something was found.
    fn finding(&mut self, finding: &Finding);
    /// A case was opened or has changed.
    fn case(&mut self, case: &Case);
}

/// Results into the store and to whoever listens to the API.
pub(crate) struct Results {
    keeper: Keeper<Arc<Writer>>,
    writer: Arc<Writer>,
    known: Vec<Device>,
    devices_at: Option<Instant>,
    learned_at: Instant,
    flushed_at: Instant,
    desk: Option<Desk>,
    /// End of the last windows that were judged.
    judged: Option<Timestamp>,
    status: Arc<Mutex<Status>>,
    /// Number of the last finding that was counted.
    counted: u64,
    /// Proposes what could be done, where response is set up.
    pub(crate) responder: Option<Responder>,
    pub(crate) listener: Option<Box<dyn Listener>>,
}

impl Results {
    /// Stores everything in the end.
    pub(crate) fn finish(&mut self, engine: &Engine) -> Result<(), OutputError> {
        self.keeper.flush()?;
        self.devices(engine.inventory())?;
        self.learned(engine)?;
        self.writer.wait()?;
        match &mut self.responder {
            Some(responder) => responder.finish(engine),
            None => Ok(()),
        }
    }

    /// Only a copy is made here; its text is made where it is stored.
    fn learned(&self, engine: &Engine) -> Result<(), OutputError> {
        let saved = engine.save().map_err(|error| OutputError {
            what: "what was learned".to_owned(),
            why: error.to_string(),
        })?;
        self.writer.state(LEARNED, move || {
            serde_json::to_vec(&saved).map_err(|error| error.to_string())
        })?;
        let status = self.status(engine);
        self.writer.state(STATUS, move || status.text())
    }

    /// How the models do now.
    fn status(&self, engine: &Engine) -> Status {
        let mut status = write(&self.status);
        status.update(engine.behaviour(), now());
        status.clone()
    }

    fn devices(&mut self, inventory: &Inventory) -> Result<(), OutputError> {
        let devices = inventory.devices();
        let changed: Vec<Device> = devices
            .iter()
            .enumerate()
            .filter(|(place, device)| self.known.get(*place) != Some(device))
            .map(|(_, device)| device.clone())
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        self.keeper.devices(&changed)?;
        if let Some(listener) = &mut self.listener {
            for (place, device) in devices.iter().enumerate() {
                let before = self.known.get(place);
                if before.is_none_or(|old| old.class != device.class) {
                    listener.device(device);
                }
            }
        }
        self.known = devices;
        Ok(())
    }
}

impl Outputs for Results {
    /// Stores what waits, takes up what people said, stores devices that changed, and now and then
    /// what was learned.
    fn chores(&mut self, engine: &mut Engine) -> Result<(), OutputError> {
        if self.flushed_at.elapsed() >= FLUSHED_EVERY {
            self.flushed_at = Instant::now();
            self.keeper.flush()?;
        }
        for behaved in engine.take_behaved() {
            self.behaved(&behaved, engine.inventory());
        }
        if let Some(desk) = &mut self.desk {
            desk.serve(engine, self.judged);
            let freed = desk.take_freed();
            if let Some(responder) = &mut self.responder {
                responder.readmit(freed);
            }
        }
        if self.devices_at.is_none_or(|at| at.elapsed() >= DEVICES_EVERY) {
            self.devices_at = Some(Instant::now());
            self.devices(engine.inventory())?;
            self.status(engine);
        }
        if let Some(responder) = &mut self.responder {
            responder.chores(engine)?;
        }
        if self.learned_at.elapsed() >= LEARNED_EVERY {
            self.learned_at = Instant::now();
            self.learned(engine)?;
        }
        Ok(())
    }

    fn behaved(&mut self, behaved: &Behaved, _: &Inventory) {
        self.judged = self.judged.max(Some(behaved.end));
    }

    fn observation(&mut self, fact: Fact<'_>) -> Result<(), OutputError> {
        if let Some(responder) = &mut self.responder {
            responder.observation(fact.observation);
        }
        self.keeper.observation(fact)
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError> {
        // What is told anew has its old id, and was counted.
        let number = finding.id.0.trim_start_matches("F-").parse::<u64>().unwrap_or(0);
        if number > self.counted {
            self.counted = number;
            metrics::counter!(
                "wardwatch_findings_total",
                "detector" => finding.detector.clone(),
                "severity" => finding.severity.name()
            )
            .increment(1);
        }
        if let Some(responder) = &mut self.responder {
            responder.finding(finding);
        }
        self.keeper.finding(finding)?;
        if let Some(listener) = &mut self.listener {
            listener.finding(finding);
        }
        Ok(())
    }

    fn case(&mut self, case: &Case) -> Result<(), OutputError> {
        if let Some(responder) = &mut self.responder {
            responder.case(case);
        }
        self.keeper.case(case)?;
        if let Some(listener) = &mut self.listener {
            listener.case(case);
        }
        Ok(())
    }
}

/// Where an instance keeps its files.
pub(crate) fn data_folder(folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{}: the data folder cannot be made", folder.display()))?;
    folder.canonicalize().with_context(|| format!("{}: cannot be found", folder.display()))
}
