//! A full instance: store, API, and results that go to both. What `run` and `demo` share.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use assets::Inventory;
use detect::Engine;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use model::{Case, Device, Finding};
use pipeline::live::Counters;
use pipeline::loss::{Interface, Totals};
use pipeline::outputs::{Fact, OutputError, Outputs};
use server::{Live, Server};
use store::{Options, SqliteStore, Store};
use tokio::sync::oneshot;

use crate::keep::Keeper;
use crate::respond::Responder;

/// Name of the store in the folder of an instance.
pub(crate) const STORE: &str = "wardwatch.db";
/// Name under which what was learned is kept in the store.
pub(crate) const LEARNED: &str = "learned";
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
}

impl Instance {
    /// Opens the store and begins to serve.
    pub(crate) fn start(
        data: &Path,
        max_mib: u64,
        listen: SocketAddr,
        counters: Arc<Counters>,
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
        let recorder = metrics_recorder();
        let (for_metrics, for_stats) = (Arc::clone(&counters), Arc::clone(&counters));
        let config = server::Config {
            metrics: Some(Arc::new(move || {
                publish(&for_metrics);
                recorder.as_ref().map(PrometheusHandle::render).unwrap_or_default()
            })),
            statistics: Some(Arc::new(move || statistics(&for_stats))),
            ..server::Config::default()
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
        })
    }

    /// Goes on from what was learned before. Says whether there was anything.
    pub(crate) fn load(&self, engine: &mut Engine) -> Result<bool> {
        let Some(bytes) = self.store.state(LEARNED)? else { return Ok(false) };
        let saved = serde_json::from_slice(&bytes)
            .context("the saved baseline is damaged: remove it from the store and learn anew")?;
        engine.load(&saved)?;
        Ok(true)
    }

    /// Where results go.
    pub(crate) fn results(&self) -> Results {
        Results {
            keeper: Keeper::shared(Arc::clone(&self.store)),
            store: Arc::clone(&self.store),
            live: self.live.clone(),
            known: Vec::new(),
            devices_at: None,
            learned_at: Instant::now(),
            counted: 0,
            responder: None,
            listener: None,
        }
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

    /// Waits until the process is told to end.
    pub(crate) fn wait_for_signal(&self) -> Result<()> {
        self.runtime.block_on(signal()).context("signals cannot be waited for")
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

/// Until the process is told to end.
pub(crate) async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

fn metrics_recorder() -> Option<PrometheusHandle> {
    match PrometheusBuilder::new().install_recorder() {
        Ok(handle) => Some(handle),
        Err(error) => {
            tracing::warn!(%error, "metrics will be empty");
            None
        }
    }
}

fn publish(counters: &Counters) {
    use std::sync::atomic::Ordering::Relaxed;
    let totals = [
        ("wardwatch_packets_total", &counters.packets),
        ("wardwatch_bytes_total", &counters.bytes),
        ("wardwatch_kernel_dropped_packets_total", &counters.drops),
        ("wardwatch_malformed_packets_total", &counters.malformed),
        ("wardwatch_evicted_flows_total", &counters.evicted),
        ("wardwatch_log_records_total", &counters.records),
        ("wardwatch_log_errors_total", &counters.record_errors),
    ];
    for (name, counter) in totals {
        metrics::counter!(name).absolute(counter.load(Relaxed));
    }
    let evidence = &counters.evidence;
    let kept = [
        ("wardwatch_evidence_packets_total", &evidence.packets),
        ("wardwatch_evidence_bytes_total", &evidence.bytes),
        ("wardwatch_evidence_dropped_packets_total", &evidence.dropped),
        ("wardwatch_evidence_missed_packets_total", &evidence.missed),
        ("wardwatch_evidence_refused_findings_total", &evidence.refused),
        ("wardwatch_evidence_removed_files_total", &evidence.removed),
    ];
    for (name, counter) in kept {
        metrics::counter!(name).absolute(counter.load(Relaxed));
    }
    for interface in &counters.interfaces {
        publish_interface(interface.name(), &interface.totals());
    }
    metrics::gauge!("wardwatch_open_flows").set(counters.flows.load(Relaxed) as f64);
    metrics::gauge!("wardwatch_memory_peak_bytes").set(pipeline::stats::memory_peak() as f64);
}

/// What was lost on an interface, by cause.
fn publish_interface(name: &str, totals: &Totals) {
    let of = |name: &str| name.to_owned();
    metrics::gauge!("wardwatch_interface_up", "interface" => of(name)).set(if totals.up {
        1.0
    } else {
        0.0
    });
    let counts = [
        ("wardwatch_interface_packets_total", totals.packets),
        ("wardwatch_interface_lost_packets_total", totals.lost),
        ("wardwatch_interface_down_milliseconds_total", totals.down_millis),
        ("wardwatch_interface_waited_milliseconds_total", totals.waited_millis),
    ];
    for (metric, count) in counts {
        metrics::counter!(metric, "interface" => of(name)).absolute(count);
    }
    for (cause, count) in FLOW_CAUSES.into_iter().zip(totals.flows) {
        metrics::counter!(
            "wardwatch_interface_evicted_flows_total",
            "interface" => of(name),
            "cause" => cause
        )
        .absolute(count);
    }
}

/// Why flows are let go, in the order in which they are counted.
const FLOW_CAUSES: [&str; 3] = ["single_packet", "idle", "kept"];

fn statistics(counters: &Counters) -> serde_json::Value {
    use std::sync::atomic::Ordering::Relaxed;
    serde_json::json!({
        "packets": counters.packets.load(Relaxed),
        "bytes": counters.bytes.load(Relaxed),
        "drops": { "kernel": counters.drops.load(Relaxed), "flows_evicted": counters.evicted.load(Relaxed) },
        "interfaces": counters.interfaces.iter().map(|one| about(one)).collect::<Vec<_>>(),
        "evidence": {
            "packets": counters.evidence.packets.load(Relaxed),
            "bytes": counters.evidence.bytes.load(Relaxed),
            "dropped": counters.evidence.dropped.load(Relaxed),
            "missed": counters.evidence.missed.load(Relaxed),
        },
        "malformed": counters.malformed.load(Relaxed),
        "flows_open": counters.flows.load(Relaxed),
        "log_records": counters.records.load(Relaxed),
        "log_errors": counters.record_errors.load(Relaxed),
        "memory_peak": pipeline::stats::memory_peak(),
    })
}

fn about(interface: &Interface) -> serde_json::Value {
    let totals = interface.totals();
    let flows: std::collections::BTreeMap<_, _> =
        FLOW_CAUSES.into_iter().zip(totals.flows).collect();
    serde_json::json!({
        "name": interface.name(),
        "up": totals.up,
        "packets": totals.packets,
        "lost": totals.lost,
        "seconds_down": totals.down_millis as f64 / 1e3,
        "seconds_waited_for_detection": totals.waited_millis as f64 / 1e3,
        "flows_evicted": flows,
    })
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
    keeper: Keeper<Arc<SqliteStore>>,
    store: Arc<SqliteStore>,
    live: Live,
    known: Vec<Device>,
    devices_at: Option<Instant>,
    learned_at: Instant,
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
        if let Some(responder) = &mut self.responder {
            responder.chores(engine);
            responder.keep();
        }
        self.learned(engine)
    }

    fn learned(&self, engine: &Engine) -> Result<(), OutputError> {
        let failed = |why: String| OutputError { what: "what was learned".to_owned(), why };
        let saved = engine.save().map_err(|error| failed(error.to_string()))?;
        let bytes = serde_json::to_vec(&saved).map_err(|error| failed(error.to_string()))?;
        self.store.set_state(LEARNED, &bytes).map_err(|error| failed(error.to_string()))
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
        for device in &changed {
            self.live.device(device);
        }
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
    /// Stores what waits, devices that changed, and now and then what was learned.
    fn chores(&mut self, engine: &Engine) -> Result<(), OutputError> {
        self.keeper.flush()?;
        if self.devices_at.is_none_or(|at| at.elapsed() >= DEVICES_EVERY) {
            self.devices_at = Some(Instant::now());
            self.devices(engine.inventory())?;
        }
        if let Some(responder) = &mut self.responder {
            responder.chores(engine);
        }
        if self.learned_at.elapsed() >= LEARNED_EVERY {
            self.learned_at = Instant::now();
            self.learned(engine)?;
        }
        Ok(())
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
        self.keeper.finding(finding)?;
        if let Some(responder) = &mut self.responder {
            responder.finding(finding);
        }
        self.live.finding(finding);
        if let Some(listener) = &mut self.listener {
            listener.finding(finding);
        }
        Ok(())
    }

    fn case(&mut self, case: &Case) -> Result<(), OutputError> {
        self.keeper.case(case)?;
        if let Some(responder) = &mut self.responder {
            responder.case(case);
        }
        self.live.case(case);
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
