//! The daemon's part: records what devices say to each other, and proposes what could be done about
//! cases. It reaches no enforcer.
//!
//! It has a thread of its own. A pre-flight over two weeks of conversations, a ledger that is
//! synchronised to the disk, somebody who reads the history through the API: nothing of it holds up
//! the thread that finds, which only leaves news here.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ::respond::Office;
use ::respond::office::Ground;
use ::respond::planner::Planner;
use ::respond::recorder::Recorder;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use detect::Engine;
use model::case::CaseId;
use model::finding::Severity;
use model::{Case, Device, Finding, Observation};
use pipeline::outputs::OutputError;

use super::place::Place;

/// How often the devices are taken over from the inventory.
const DEVICES_EVERY: Duration = Duration::from_secs(2);
/// How often what was recorded is kept, and what is too old forgotten.
const KEPT_EVERY: Duration = Duration::from_secs(120);
/// How long before it was found an attack counts as having begun: a burst is found within seconds.
/// What first happened then is no normal life.
const BEFORE: Duration = Duration::from_secs(10);
/// News that may wait for the thread; more of it waits in one heap.
const QUEUE: usize = 4;
/// Observations that may wait. Beyond that they are counted, and recorded no more: a history with a
/// hole is shorter, and detection that waits is blind.
const HEAP: usize = 200_000;
/// Findings that may wait. A plan reads no more of a case than some dozen.
const FINDINGS: usize = 20_000;

/// What is new since the last time.
#[derive(Default)]
struct News {
    observations: Vec<Observation>,
    /// Observations that were not kept since too many waited.
    lost: u64,
    findings: Vec<Finding>,
    devices: Option<Vec<Device>>,
    /// Whoever acted in a false alarm.
    readmitted: Vec<IpAddr>,
    /// Cases that were opened or have changed.
    cases: BTreeMap<CaseId, Case>,
    /// Answered once everything before is done and kept.
    until: Option<Sender<()>>,
}

impl News {
    fn is_empty(&self) -> bool {
        self.observations.is_empty()
            && self.findings.is_empty()
            && self.devices.is_none()
            && self.readmitted.is_empty()
            && self.cases.is_empty()
            && self.until.is_none()
    }
}

/// The daemon's part, as the thread that finds sees it.
pub(crate) struct Responder {
    to: Option<Sender<News>>,
    news: News,
    devices_at: Option<Instant>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Goes on from what was recorded before.
    pub(crate) fn new(place: Place, office: Arc<Office>) -> anyhow::Result<Self> {
        office.learn().history = place.history()?;
        let (to, news) = bounded(QUEUE);
        let mut worker = Worker {
            place,
            office,
            planner: Planner::default(),
            recorder: Recorder::default(),
            kept_at: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("response".to_owned())
            .spawn(move || worker.work(&news))?;
        Ok(Self { to: Some(to), news: News::default(), devices_at: None, thread: Some(thread) })
    }

    pub(crate) fn observation(&mut self, o: &Observation) {
        if !(o.kind.name.starts_with("flow.") || o.kind.name == "dns.response") {
            return;
        }
        if self.news.observations.len() < HEAP {
            self.news.observations.push(o.clone());
        } else {
            self.news.lost = self.news.lost.saturating_add(1);
        }
    }

    pub(crate) fn finding(&mut self, finding: &Finding) {
        if self.news.findings.len() < FINDINGS {
            self.news.findings.push(finding.clone());
        }
    }

    /// What these did was a false alarm, and counts as normal life again.
    pub(crate) fn readmit(&mut self, addresses: Vec<IpAddr>) {
        self.news.readmitted.extend(addresses);
    }

    pub(crate) fn case(&mut self, case: &Case) {
        self.news.cases.insert(case.id.clone(), case.clone());
    }

    /// Hands over what is new. What the thread cannot take yet waits.
    ///
    /// # Errors
    /// When the thread has ended, which it does only by a fault of its own.
    pub(crate) fn chores(&mut self, engine: &Engine) -> Result<(), OutputError> {
        let due = self.devices_at.is_none_or(|at| at.elapsed() >= DEVICES_EVERY);
        // A case may be of a device that is new.
        if due || !self.news.cases.is_empty() {
            self.devices_at = Some(Instant::now());
            self.news.devices = Some(engine.inventory().devices());
        }
        if self.news.is_empty() {
            return Ok(());
        }
        let Some(to) = &self.to else { return Err(ended()) };
        match to.try_send(std::mem::take(&mut self.news)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(news)) => {
                self.news = news;
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(ended()),
        }
    }

    /// Hands over everything, and waits until it is done and what was recorded is kept.
    ///
    /// # Errors
    /// When the thread has ended.
    pub(crate) fn finish(&mut self, engine: &Engine) -> Result<(), OutputError> {
        let (done, finished) = bounded(1);
        self.news.devices = Some(engine.inventory().devices());
        self.news.until = Some(done);
        let news = std::mem::take(&mut self.news);
        self.to.as_ref().ok_or_else(ended)?.send(news).map_err(|_| ended())?;
        finished.recv().map_err(|_| ended())
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ended() -> OutputError {
    OutputError {
        what: "response".to_owned(),
        why: "its thread has ended; its last words are in the log. What is in force ends by itself, and 'wardwatch halt' works".to_owned(),
    }
}

/// What the thread works with.
struct Worker {
    place: Place,
    office: Arc<Office>,
    planner: Planner,
    recorder: Recorder,
    kept_at: Instant,
}

impl Worker {
    fn work(&mut self, news: &Receiver<News>) {
        for news in news {
            self.take(news);
        }
    }

    fn take(&mut self, news: News) {
        if let Some(devices) = &news.devices {
            let devices = self.place.devices(devices);
            self.office.learn().devices = devices;
            match self.office.believe_traffic() {
                Ok(0) => {}
                Ok(count) => tracing::warn!(count, "taken back: a device thought idle is in use"),
                Err(error) => tracing::error!(%error, "nothing can be taken back"),
            }
        }
        if !news.readmitted.is_empty() {
            self.office.learn().history.readmit(&news.readmitted);
        }
        // First what is no normal life, then what happened.
        for finding in &news.findings {
            self.finding(finding);
        }
        self.record(&news.observations, news.lost);
        for case in news.cases.into_values() {
            self.propose(&case);
        }
        if news.until.is_some() || self.kept_at.elapsed() >= KEPT_EVERY {
            self.keep();
        }
        if let Some(done) = news.until {
            // Who waited may have gone.
            let _ = done.send(());
        }
    }

    fn record(&mut self, observations: &[Observation], lost: u64) {
        if lost > 0 {
            tracing::warn!(lost, "flows were not recorded: too many at once");
        }
        if observations.is_empty() && lost == 0 {
            return;
        }
        let mut ground = self.office.learn();
        let Ground { history, names, .. } = &mut *ground;
        for o in observations {
            self.recorder.observe(o, history, names);
        }
        (0..lost).for_each(|_| history.skip());
    }

    fn finding(&mut self, finding: &Finding) {
        // What somebody does once an attack is seen is no normal life, nor what led to its being seen.
        if finding.severity >= Severity::Medium
            && finding.case.is_some()
            && let Some(address) = finding.device.ip
        {
            self.office.learn().history.exclude(&[address], finding.at.minus(BEFORE));
        }
        self.planner.finding(finding);
    }

    fn propose(&mut self, case: &Case) {
        let management = &self.office.setting().management;
        let drafted = self.office.look(|desk, _| {
            let ground = self.office.ground();
            let is_inside =
                |address| !matches!(ground.devices.at(address), ::respond::devices::Side::Outside);
            self.planner.drafts(case, desk, &is_inside, management)
        });
        let drafts = match drafted {
            Ok(drafts) => drafts,
            Err(error) => return tracing::error!(%error, "nothing can be proposed"),
        };
        for draft in drafts {
            match self.office.propose_draft(&draft) {
                Ok(Some(Ok(done))) => {
                    tracing::info!(case = %case.id, events = done.events.len(), "proposed");
                }
                Ok(Some(Err(refused))) => {
                    tracing::debug!(case = %case.id, %refused, "not proposed");
                }
                Ok(None) => tracing::debug!(case = %case.id, "no enforcer can do any of it"),
                Err(error) => tracing::error!(%error, "a proposal cannot be written down"),
            }
        }
    }

    /// Keeps what was recorded.
    fn keep(&mut self) {
        self.kept_at = Instant::now();
        let now = self.office.now().wall;
        self.office.learn().history.expire(now);
        let ground = self.office.ground();
        if let Err(error) = self.place.keep_history(&ground.history) {
            tracing::error!(%error, "the history of conversations cannot be kept");
        }
    }
}
