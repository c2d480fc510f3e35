//! Live capture to findings and cases, until it is told to stop: `wardwatch run`.
//!
//! One thread a member of a fanout group does everything up to observations and hands them over in
//! batches; one thread takes all batches and log records, in the order in which they come. The
//! queue between is bounded: when detection cannot keep up, capture waits, the kernel's ring fills,
//! and what is lost is counted there and shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use capture::{Batch, CaptureError, LiveSource};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use detect::Engine;
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;

use crate::outputs::{self, OutputError, Outputs};
use crate::worker::Worker;

/// Batches that may wait between capture and detection.
const QUEUE: usize = 256;
/// Longest wait for packets before timers run.
const POLL: Duration = Duration::from_millis(50);
/// How often outputs get time for chores.
const CHORES: Duration = Duration::from_millis(500);
/// A pause after an interface went down, before it is asked again.
const DOWN: Duration = Duration::from_millis(500);

/// What all threads count together.
#[derive(Debug, Default)]
pub struct Counters {
    /// Packets taken.
    pub packets: AtomicU64,
    /// Bytes of them on the wire.
    pub bytes: AtomicU64,
    /// Packets that the kernel dropped because nobody took them in time.
    pub drops: AtomicU64,
    /// Flows open now.
    pub flows: AtomicU64,
    /// Packets that could not be read.
    pub malformed: AtomicU64,
    /// Flows let go because the table was full.
    pub evicted: AtomicU64,
    /// Log records taken.
    pub records: AtomicU64,
    /// Log records that could not be read.
    pub record_errors: AtomicU64,
}

/// What to follow, and how.
pub struct Plan {
    /// Where packets come from.
    pub sources: Vec<LiveSource>,
    /// Limits and times of the flow engine, for all sources together.
    pub wire: wire::Config,
    /// Key under which patients become tokens.
    pub key: SiteKey,
    /// Set to end the run.
    pub stop: Arc<AtomicBool>,
    /// Counts, to be shown.
    pub counters: Arc<Counters>,
}

/// The end of a live run that nobody asked for.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// No interface is left to listen on.
    #[error("no interface is left to listen on: {0}")]
    Blind(CaptureError),
    /// A result could not be kept.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// The place where other threads (log listeners) put observations.
pub type Inbox = Sender<Vec<Observation>>;

/// A queue for observations that do not come from packets.
pub fn inbox() -> (Inbox, Receiver<Vec<Observation>>) {
    bounded(QUEUE)
}

/// The machine's clock. Only live work may read it.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Runs until `plan.stop` is set.
///
/// # Errors
/// [`LiveError`] when all interfaces are gone or a result cannot be kept.
pub fn run(
    plan: Plan,
    records: &Receiver<Vec<Observation>>,
    engine: &mut Engine,
    out: &mut dyn Outputs,
) -> Result<(), LiveError> {
    let (to, batches) = bounded::<Vec<Observation>>(QUEUE);
    let share = plan.sources.len().max(1);
    let config = wire::Config {
        seed: seed(),
        max_flows: (plan.wire.max_flows / share).max(1_000),
        max_flow_bytes: plan.wire.max_flow_bytes / share,
        max_held_bytes: plan.wire.max_held_bytes / share,
        max_fragment_bytes: plan.wire.max_fragment_bytes / share,
        ..plan.wire
    };
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for source in plan.sources {
            let worker = Worker::new(config, plan.key.clone());
            let (to, stop) = (to.clone(), Arc::clone(&plan.stop));
            let counters = Arc::clone(&plan.counters);
            threads.push(scope.spawn(move || follow(source, worker, &to, &stop, &counters)));
        }
        drop(to);
        let told = tell(&batches, records, engine, out, &plan.stop);
        // Whoever waits to hand something over must not wait for ever.
        plan.stop.store(true, Ordering::Relaxed);
        while batches.recv_timeout(POLL).is_ok() {}
        let mut blind = None;
        for thread in threads {
            if let Ok(Err(error)) = thread.join() {
                blind = Some(error);
            }
        }
        told?;
        blind.map_or(Ok(()), |error| Err(LiveError::Blind(error)))
    })
}

/// A number nobody outside can know, so that nobody can make flows collide.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// One member's packets, until told to stop or the interface is gone.
fn follow(
    mut source: LiveSource,
    mut worker: Worker,
    to: &Sender<Vec<Observation>>,
    stop: &AtomicBool,
    counters: &Counters,
) -> Result<(), CaptureError> {
    let mut number = 0;
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let mut bytes = 0;
        let batch = source.poll_batch(POLL, &mut |packet| {
            bytes += u64::from(packet.wire_len);
            worker.packet(number, &packet);
            number += 1;
        });
        match batch {
            Ok(Batch::Packets(count)) => {
                counters.packets.fetch_add(count as u64, Ordering::Relaxed);
                counters.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Ok(Batch::Idle) => worker.idle(now()),
            Ok(Batch::End) => break,
            Err(error @ CaptureError::InterfaceDown { .. }) => {
                tracing::warn!(%error, "blind on this interface until it is up again");
                std::thread::sleep(DOWN);
            }
            Err(error) => {
                tracing::error!(%error, "no more packets from this interface");
                return Err(error);
            }
        }
        seen.count(&source, &worker, counters);
        let observed = worker.take();
        if !observed.is_empty() && to.send(observed).is_err() {
            break;
        }
    }
    worker.finish(number);
    let _ = to.send(worker.take());
    Ok(())
}

/// What a thread has already added to the common counts.
#[derive(Default)]
struct Seen {
    drops: u64,
    flows: u64,
    malformed: u64,
    evicted: u64,
    asked: Option<Instant>,
}

impl Seen {
    fn count(&mut self, source: &LiveSource, worker: &Worker, counters: &Counters) {
        if self.asked.is_some_and(|at| at.elapsed() < CHORES) {
            return;
        }
        self.asked = Some(Instant::now());
        let drops = source.stats().drops;
        if drops > self.drops {
            tracing::warn!(
                interface = source.interface(),
                lost = drops - self.drops,
                "packets lost before they could be looked at"
            );
        }
        let stats = worker.stats();
        let evicted = stats.evicted.single_packet + stats.evicted.idle + stats.evicted.kept;
        let steps = [
            (&counters.drops, &mut self.drops, drops),
            (&counters.malformed, &mut self.malformed, stats.malformed_packets()),
            (&counters.evicted, &mut self.evicted, evicted),
        ];
        for (counter, seen, value) in steps {
            counter.fetch_add(value.saturating_sub(*seen), Ordering::Relaxed);
            *seen = value;
        }
        // Open flows go up and down: add the difference, which wraps round to a subtraction.
        counters.flows.fetch_add(stats.open_flows.wrapping_sub(self.flows), Ordering::Relaxed);
        self.flows = stats.open_flows;
    }
}

fn tell(
    batches: &Receiver<Vec<Observation>>,
    records: &Receiver<Vec<Observation>>,
    engine: &mut Engine,
    out: &mut dyn Outputs,
    stop: &AtomicBool,
) -> Result<(), LiveError> {
    let mut done = Instant::now();
    loop {
        match batches.recv_timeout(POLL) {
            Ok(batch) => {
                for observation in batch {
                    one(&observation, engine, out)?;
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                engine.idle(now());
                let findings = engine.take_findings();
                outputs::results(&findings, engine, out, &mut |_, _| ())?;
            }
            // All capture threads have ended, and everything they saw is told.
            Err(RecvTimeoutError::Disconnected) => break,
        }
        for record in records.try_iter().flatten() {
            one(&record, engine, out)?;
        }
        if done.elapsed() >= CHORES {
            done = Instant::now();
            out.chores(engine)?;
        }
        if stop.load(Ordering::Relaxed) && batches.is_empty() {
            // One last wait for what the capture threads hand over as they end.
            while let Ok(batch) = batches.recv_timeout(Duration::from_secs(2)) {
                for observation in batch {
                    one(&observation, engine, out)?;
                }
            }
            break;
        }
    }
    out.chores(engine)?;
    Ok(())
}

fn one(o: &Observation, engine: &mut Engine, out: &mut dyn Outputs) -> Result<(), OutputError> {
    outputs::tell(o, engine, out, &mut |_, _| ()).map(|_| ())
}
