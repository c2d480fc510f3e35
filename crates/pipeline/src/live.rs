//! Live capture to findings and cases, until it is told to stop: `wardwatch run`.
//!
//! One thread a member of a fanout group does everything up to observations and hands them over in
//! batches; one thread takes all batches and log records, in the order in which they come. The
//! queue between is bounded: when detection cannot keep up, capture waits, the kernel's ring fills,
//! and what is lost is counted there. Every loss is counted by interface and cause, and becomes an
//! observation ([`crate::loss`]).

mod member;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use capture::{CaptureError, LinkType, LiveSource};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use detect::Engine;
use model::case::Case;
use model::finding::Finding;
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;

use crate::evidence::{self, Evidence, Recent};
use crate::loss::{self, Interface};
use crate::outputs::{self, OutputError, Outputs};
use crate::worker::Worker;
use member::{Member, Seen};

/// Batches that may wait between capture and detection.
const QUEUE: usize = 256;
/// Longest wait for packets before timers run.
const POLL: Duration = Duration::from_millis(50);
/// How often outputs get time for chores. Response is among them, and somebody waits for it.
const CHORES: Duration = Duration::from_millis(100);

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
    /// What was lost, by interface.
    pub interfaces: Vec<Arc<Interface>>,
    /// What became of evidence.
    pub evidence: Arc<evidence::Counts>,
}

impl Counters {
    /// For the sources of a run.
    pub fn of(sources: &[LiveSource]) -> Self {
        let mut interfaces: Vec<Arc<Interface>> = Vec::new();
        for source in sources {
            if interfaces.iter().all(|known| known.name() != source.interface()) {
                interfaces.push(Arc::new(Interface::new(source.interface())));
            }
        }
        Self { interfaces, ..Self::default() }
    }

    fn interface(&self, name: &str) -> Arc<Interface> {
        let known = self.interfaces.iter().find(|interface| interface.name() == name);
        known.map_or_else(|| Arc::new(Interface::new(name)), Arc::clone)
    }
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
    /// How the packets of cases are kept, where they are.
    pub evidence: Option<evidence::Plan>,
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
    let (mut evidence, mut recents) = keep_evidence(&plan);
    let told = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut heard_of: Vec<Arc<Interface>> = Vec::new();
        for source in plan.sources {
            let interface = plan.counters.interface(source.interface());
            // All members see that an interface is down; one of them says so.
            let first = heard_of.iter().all(|known| !Arc::ptr_eq(known, &interface));
            heard_of.push(Arc::clone(&interface));
            let worker = Worker::new(config, plan.key.clone());
            let (to, stop) = (to.clone(), Arc::clone(&plan.stop));
            let counters = Arc::clone(&plan.counters);
            let seen = Seen::new(interface, first);
            let mut member = Member { source, worker, seen, recent: recents.next() };
            threads.push(scope.spawn(move || member.follow(&to, &stop, &counters)));
        }
        drop(to);
        let mut teller = Teller { engine, out, evidence: evidence.as_mut() };
        let told = teller.tell(&batches, records, &plan.stop, &plan.counters);
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
    });
    // Whoever could still hand over packets is gone before the end of writing is waited for.
    drop(recents);
    if let Some(evidence) = evidence {
        evidence.finish();
    }
    told
}

/// Memory for the last packets of every capture thread, where evidence is kept.
fn keep_evidence(plan: &Plan) -> (Option<Evidence>, std::vec::IntoIter<Recent>) {
    let Some(how) = &plan.evidence else { return (None, Vec::new().into_iter()) };
    let mut interfaces: Vec<(String, LinkType)> = Vec::new();
    for source in &plan.sources {
        if interfaces.iter().all(|(name, _)| name != source.interface()) {
            interfaces.push((source.interface().to_owned(), source.link()));
        }
    }
    let counts = Arc::clone(&plan.counters.evidence);
    let (evidence, recents) = Evidence::start(how.clone(), interfaces, plan.sources.len(), counts);
    (Some(evidence), recents.into_iter())
}

/// A number nobody outside can know, so that nobody can make flows collide.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Tells the engine of observations, and the outputs of what follows from them.
struct Teller<'a> {
    engine: &'a mut Engine,
    out: &'a mut dyn Outputs,
    evidence: Option<&'a mut Evidence>,
}

impl Teller<'_> {
    fn tell(
        &mut self,
        batches: &Receiver<Vec<Observation>>,
        records: &Receiver<Vec<Observation>>,
        stop: &AtomicBool,
        counters: &Counters,
    ) -> Result<(), LiveError> {
        let mut done = Instant::now();
        loop {
            match batches.recv_timeout(POLL) {
                Ok(batch) => self.all(&batch)?,
                Err(RecvTimeoutError::Timeout) => self.idle()?,
                // All capture threads have ended, and everything they saw is told.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            for record in records.try_iter() {
                self.all(&record)?;
            }
            if done.elapsed() >= CHORES {
                done = Instant::now();
                self.losses(counters)?;
                self.out.chores(self.engine)?;
            }
            if stop.load(Ordering::Relaxed) && batches.is_empty() {
                // One last wait for what the capture threads hand over as they end.
                while let Ok(batch) = batches.recv_timeout(Duration::from_secs(2)) {
                    self.all(&batch)?;
                }
                break;
            }
        }
        self.losses(counters)?;
        self.out.chores(self.engine)?;
        Ok(())
    }

    fn all(&mut self, observations: &[Observation]) -> Result<(), OutputError> {
        let evidence = &mut self.evidence;
        let mut seen = |findings: &[Finding], _: &[Case]| ask_for(evidence, findings);
        for o in observations {
            outputs::tell(o, self.engine, self.out, &mut seen)?;
        }
        Ok(())
    }

    /// Nothing came: detectors look at what did not happen.
    fn idle(&mut self) -> Result<(), OutputError> {
        self.engine.idle(now());
        let findings = self.engine.take_findings();
        let evidence = &mut self.evidence;
        let mut seen = |findings: &[Finding], _: &[Case]| ask_for(evidence, findings);
        outputs::results(&findings, self.engine, self.out, &mut seen)
    }

    /// Tells what was lost since the last time.
    fn losses(&mut self, counters: &Counters) -> Result<(), OutputError> {
        let mut lost = Vec::new();
        counters.interfaces.iter().for_each(|interface| interface.take(now(), &mut lost));
        loss::name(&mut lost);
        self.all(&lost)
    }
}

/// Asks for the packets of findings.
fn ask_for(evidence: &mut Option<&mut Evidence>, findings: &[Finding]) {
    if let Some(evidence) = evidence {
        findings.iter().for_each(|finding| evidence.finding(finding));
    }
}
