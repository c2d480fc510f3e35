//! The thread that stores what an instance finds: a disk that is slow, and every finding is
//! synchronised to it, holds nothing up that finds or responds.
//!
//! What waits together is stored together, so that a flood of findings costs a few synchronisations
//! and not one each. Only so much may wait: beyond that, whoever finds waits for the disk, and the
//! kernel counts the packets that it drops meanwhile. Those who listen to the API hear of a result
//! once it is stored.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use model::{Case, Device, Finding};
use pipeline::outputs::OutputError;
use server::Live;
use store::{FlowRow, ObservationRow, SqliteStore, Store, StoreError};

use crate::keep::{Rows, failed};

/// What may wait: single results, or some thousand rows each.
const QUEUE: usize = 128;
/// Rows that are stored at once.
const TOGETHER: usize = 10_000;

/// Makes the bytes that are stored under a name; an error says why there are none.
type Bytes = Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>;

enum Job {
    Observations(Vec<ObservationRow>),
    Flows(Vec<FlowRow>),
    Finding(Box<Finding>),
    Case(Box<Case>),
    Devices(Vec<Device>),
    State(&'static str, Bytes),
    /// Everything before it is stored once this is answered.
    Until(Sender<()>),
}

/// Hands results to the thread that stores them.
pub(crate) struct Writer {
    to: Option<Sender<Job>>,
    failure: Arc<Mutex<Option<OutputError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn start(store: Arc<SqliteStore>, live: Live) -> std::io::Result<Self> {
        let (to, jobs) = bounded(QUEUE);
        let failure = Arc::<Mutex<Option<OutputError>>>::default();
        let told = Arc::clone(&failure);
        let work = move || {
            if let Err(error) = work(&jobs, &store, &live) {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(work)?;
        Ok(Self { to: Some(to), failure, thread: Some(thread) })
    }

    /// Stores bytes under a name; they are made on the thread that stores them.
    pub(crate) fn state(
        &self,
        name: &'static str,
        bytes: impl FnOnce() -> Result<Vec<u8>, String> + Send + 'static,
    ) -> Result<(), OutputError> {
        self.send(Job::State(name, Box::new(bytes)))
    }

    /// Waits until everything that was handed over is stored.
    pub(crate) fn wait(&self) -> Result<(), OutputError> {
        let (done, stored) = bounded(1);
        self.send(Job::Until(done))?;
        stored.recv().map_err(|_| self.failure())
    }

    fn send(&self, job: Job) -> Result<(), OutputError> {
        // The thread ends early only where it cannot store.
        let sent = self.to.as_ref().is_some_and(|to| to.send(job).is_ok());
        if sent { Ok(()) } else { Err(self.failure()) }
    }

    /// Why the thread ended: the same to everybody who asks.
    fn failure(&self) -> OutputError {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let (what, why) = match &*failure {
            Some(OutputError { what, why }) => (what.as_str(), why.as_str()),
            None => {
                ("the store", "the thread that stores has ended; its last words are in the log")
            }
        };
        OutputError { what: what.to_owned(), why: why.to_owned() }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Rows for Arc<Writer> {
    fn observations(&self, rows: Vec<ObservationRow>) -> Result<(), OutputError> {
        self.send(Job::Observations(rows))
    }

    fn flows(&self, rows: Vec<FlowRow>) -> Result<(), OutputError> {
        self.send(Job::Flows(rows))
    }

    fn finding(&self, finding: &Finding) -> Result<(), OutputError> {
        self.send(Job::Finding(Box::new(finding.clone())))
    }

    fn case(&self, case: &Case) -> Result<(), OutputError> {
        self.send(Job::Case(Box::new(case.clone())))
    }

    fn devices(&self, devices: &[Device]) -> Result<(), OutputError> {
        self.send(Job::Devices(devices.to_vec()))
    }
}

/// What is stored at once, in the order in which one may point to another.
#[derive(Default)]
struct Batch {
    observations: Vec<ObservationRow>,
    flows: Vec<FlowRow>,
    devices: Vec<Device>,
    findings: Vec<Finding>,
    cases: Vec<Case>,
    states: Vec<(&'static str, Bytes)>,
    waiting: Vec<Sender<()>>,
}

impl Batch {
    fn add(&mut self, job: Job) {
        match job {
            Job::Observations(rows) => self.observations.extend(rows),
            Job::Flows(rows) => self.flows.extend(rows),
            Job::Devices(devices) => self.devices.extend(devices),
            Job::Finding(finding) => self.findings.push(*finding),
            Job::Case(case) => self.cases.push(*case),
            Job::State(name, bytes) => self.states.push((name, bytes)),
            Job::Until(done) => self.waiting.push(done),
        }
    }

    fn is_full(&self) -> bool {
        self.observations.len() + self.flows.len() >= TOGETHER
    }

    fn store(self, store: &SqliteStore, live: &Live) -> Result<(), StoreError> {
        if !self.observations.is_empty() {
            store.append(&self.observations)?;
        }
        if !self.flows.is_empty() {
            store.put_flows(&self.flows)?;
        }
        if !self.devices.is_empty() {
            store.put_devices(&self.devices)?;
            self.devices.iter().for_each(|device| live.device(device));
        }
        if !self.findings.is_empty() {
            store.put_findings(&self.findings)?;
            self.findings.iter().for_each(|finding| live.finding(finding));
        }
        if !self.cases.is_empty() {
            store.put_cases(&self.cases)?;
            self.cases.iter().for_each(|case| live.case(case));
        }
        for (name, bytes) in self.states {
            match bytes() {
                Ok(bytes) => store.set_state(name, &bytes)?,
                Err(error) => tracing::error!(name, error, "cannot be kept"),
            }
        }
        for done in self.waiting {
            // Who waited may have gone.
            let _ = done.send(());
        }
        Ok(())
    }
}

fn work(jobs: &Receiver<Job>, store: &SqliteStore, live: &Live) -> Result<(), OutputError> {
    while let Ok(first) = jobs.recv() {
        let mut batch = Batch::default();
        batch.add(first);
        while !batch.is_full()
            && let Ok(next) = jobs.try_recv()
        {
            batch.add(next);
        }
        batch.store(store, live).map_err(|error| failed(&error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::{CaseId, FindingId};
    use store::{Options, Query};

    use super::*;

    fn finding(number: u32) -> Finding {
        Finding { id: FindingId(format!("F-{number:04}")), ..Finding::default() }
    }

    #[test]
    fn a_flood_of_results_is_stored_whole_and_the_last_word_on_a_case_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.db");
        let store = Arc::new(SqliteStore::open(&file, Options::default()).unwrap());
        let writer = Arc::new(Writer::start(Arc::clone(&store), Live::default()).unwrap());
        for number in 1..=1_000 {
            writer.finding(&finding(number)).unwrap();
            let case = Case {
                id: CaseId("C-0001".to_owned()),
                title: format!("{number} findings"),
                ..Case::default()
            };
            writer.case(&case).unwrap();
        }
        writer.state("word", || Ok(b"kept".to_vec())).unwrap();
        writer.state("nonsense", || Err("cannot be written".to_owned())).unwrap();
        writer.wait().unwrap();
        assert_eq!(store.counts().unwrap().findings, 1_000);
        let cases = store.cases(&Query::default()).unwrap().items;
        assert_eq!(
            cases.iter().map(|one| one.case.title.as_str()).collect::<Vec<_>>(),
            ["1000 findings"]
        );
        assert_eq!(store.state("word").unwrap(), Some(b"kept".to_vec()));
        assert_eq!(store.state("nonsense").unwrap(), None);
    }

    #[test]
    fn a_store_that_takes_nothing_ends_the_run_and_everybody_hears_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.db");
        drop(SqliteStore::open(&file, Options::default()).unwrap());
        let store = SqliteStore::open_read_only(&file, Options::default()).unwrap();
        let writer = Arc::new(Writer::start(Arc::new(store), Live::default()).unwrap());
        let _ = writer.finding(&finding(1));
        for _ in 0..2 {
            let why = writer.wait().unwrap_err().to_string();
            assert!(why.starts_with("the store: ") && why.contains("s.db"), "{why}");
        }
    }
}
