//! The daemon's part: records what devices say to each other, and proposes what could be done about
//! cases. It reaches no enforcer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::respond::Office;
use ::respond::office::Ground;
use ::respond::planner::Planner;
use ::respond::recorder::Recorder;
use detect::Engine;
use model::case::CaseId;
use model::finding::Severity;
use model::{Case, Finding, Observation};

use super::place::Place;

/// How often the devices are taken over from the inventory.
const DEVICES_EVERY: Duration = Duration::from_secs(2);
/// How often what was recorded is kept, and what is too old forgotten.
const KEPT_EVERY: Duration = Duration::from_secs(120);
/// How long before it was found an attack counts as having begun: a burst is found within seconds.
/// What first happened then is no normal life.
const BEFORE: Duration = Duration::from_secs(10);

/// The daemon's part.
pub(crate) struct Responder {
    place: Place,
    office: Arc<Office>,
    planner: Planner,
    recorder: Recorder,
    /// Cases that were opened or have changed.
    changed: BTreeMap<CaseId, Case>,
    devices_at: Option<Instant>,
    kept_at: Instant,
}

impl Responder {
    /// Goes on from what was recorded before.
    pub(crate) fn new(place: Place, office: Arc<Office>) -> anyhow::Result<Self> {
        office.learn().history = place.history()?;
        Ok(Self {
            place,
            office,
            planner: Planner::default(),
            recorder: Recorder::default(),
            changed: BTreeMap::new(),
            devices_at: None,
            kept_at: Instant::now(),
        })
    }

    pub(crate) fn observation(&mut self, o: &Observation) {
        if o.kind.name.starts_with("flow.") || o.kind.name == "dns.response" {
            let mut ground = self.office.learn();
            let Ground { history, names, .. } = &mut *ground;
            self.recorder.observe(o, history, names);
        }
    }

    pub(crate) fn finding(&mut self, finding: &Finding) {
        // What somebody does once an attack is seen is no normal life, nor what led to its being seen.
        if finding.severity >= Severity::Medium
            && finding.case.is_some()
            && let Some(address) = finding.device.ip
        {
            self.office.learn().history.exclude(&[address], finding.at.minus(BEFORE));
        }
        self.planner.finding(finding);
    }

    pub(crate) fn case(&mut self, case: &Case) {
        self.changed.insert(case.id.clone(), case.clone());
    }

    /// Proposes what could be done about what has changed.
    pub(crate) fn chores(&mut self, engine: &Engine) {
        let due = self.devices_at.is_none_or(|at| at.elapsed() >= DEVICES_EVERY);
        if due || !self.changed.is_empty() {
            self.devices_at = Some(Instant::now());
            let devices = self.place.devices(&engine.inventory().devices());
            self.office.learn().devices = devices;
        }
        for case in std::mem::take(&mut self.changed).into_values() {
            self.propose(&case);
        }
        if self.kept_at.elapsed() >= KEPT_EVERY {
            self.keep();
        }
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
                    tracing::debug!(case = %case.id, %refused, "not proposed")
                }
                Ok(None) => tracing::debug!(case = %case.id, "nothing that harms no care is left"),
                Err(error) => tracing::error!(%error, "a proposal cannot be written down"),
            }
        }
    }

    /// Keeps what was recorded.
    pub(crate) fn keep(&mut self) {
        self.kept_at = Instant::now();
        let now = self.office.now().wall;
        self.office.learn().history.expire(now);
        let ground = self.office.ground();
        if let Err(error) = self.place.keep_history(&ground.history) {
            tracing::error!(%error, "the history of conversations cannot be kept");
        }
    }
}
