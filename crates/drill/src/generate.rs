//! Lets a hospital live: wakes each activity in its time, plays the events of the plan, and hands
//! out packets and log lines in order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use model::Timestamp;

use crate::activity::Activity;
use crate::catalogue;
use crate::change;
use crate::hospital;
use crate::labels::Labels;
use crate::net::queue::Item;
use crate::normal;
use crate::pcap;
use crate::plan::Plan;
use crate::scenario::{How, Scenario, Scene, Story};
use crate::time::{Nanos, SEC, seconds};
use crate::truth::{self, HostEntry, Phases, Truth};
use crate::world::{HostId, World};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The plan names a scenario that does not exist.
    #[error("there is no scenario '{0}'; drill::catalogue() lists them all")]
    NoScenario(String),
    /// A file could not be written.
    #[error("{path}: {source}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Something that a sensor or a log collector would have seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// An Ethernet frame.
    Packet {
        /// When it passed the sensor.
        at: Timestamp,
        /// From the destination address to the end of the payload.
        frame: Vec<u8>,
        /// The event that it belongs to, be it of the actor or an answer: its place in
        /// [`Hospital::truth`]. None in normal life.
        event: Option<u32>,
    },
    /// A line of the device log (RFC 5424), without a newline.
    Syslog {
        /// When it was written.
        at: Timestamp,
        /// The line.
        line: String,
    },
    /// A FHIR AuditEvent on one line, without a newline.
    Audit {
        /// When it was written.
        at: Timestamp,
        /// The line.
        line: String,
    },
}

impl Happening {
    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Packet { at, .. } | Self::Syslog { at, .. } | Self::Audit { at, .. } => *at,
        }
    }
}

/// A hospital that lives as long as it is asked for the next happening.
///
/// Happenings come in time order. Memory is bounded by what is in flight: one scenario and the
/// open conversations.
pub struct Hospital {
    world: World,
    activities: Vec<(HostId, Activity)>,
    events: std::vec::IntoIter<(&'static Scenario, How)>,
    gap: Nanos,
    /// How often an event that did not come about is tried again.
    retries: u32,
    baseline_end: Nanos,
    /// When it ends at the earliest.
    until: Nanos,
    /// Where in time the events have got to; none when all are over.
    next_event: Option<Nanos>,
    truth: Vec<Truth>,
    skipped: Vec<String>,
}

/// The place of the events among the activities.
const EVENTS: usize = usize::MAX;

impl Hospital {
    /// Builds the hospital of a plan.
    ///
    /// # Errors
    ///
    /// The plan names a scenario that does not exist.
    pub fn new(plan: &Plan) -> Result<Self, DrillError> {
        let mut events = vec![];
        for event in &plan.events {
            let scenario = catalogue::ALL
                .iter()
                .find(|s| s.name == event.scenario)
                .ok_or_else(|| DrillError::NoScenario(event.scenario.clone()))?;
            events.push((scenario, How { who: event.who, speed: event.speed }));
        }
        let mut world = hospital::build(plan);
        let start = world.start;
        let baseline_end = start + seconds(plan.baseline_minutes.max(0.0) * 60.0);
        let mut this = Self {
            activities: vec![],
            events: events.into_iter(),
            gap: seconds(plan.gap_seconds.max(0.0)),
            retries: plan.retries,
            baseline_end,
            until: baseline_end + seconds(plan.attack_minutes.max(0.0) * 60.0),
            next_event: Some(baseline_end + SEC),
            truth: vec![],
            skipped: vec![],
            world: {
                for host in 0..world.hosts.len() {
                    world.newborn.push(host);
                }
                world
            },
        };
        this.world.queue.push(baseline_end + SEC, Item::Wake(EVENTS));
        this.start_lives(start);
        if let Some(changes) = change::of_plan(plan, &this.world) {
            this.world.queue.push(start + changes.first, Item::Wake(this.activities.len()));
            this.activities.push((this.world.gateway, changes));
        }
        Ok(this)
    }

    /// Gives hosts that have just come their habits.
    fn start_lives(&mut self, now: Nanos) {
        for host in std::mem::take(&mut self.world.newborn) {
            for activity in normal::life(&mut self.world, host) {
                let at = now + activity.first;
                self.world.queue.push(at, Item::Wake(self.activities.len()));
                self.activities.push((host, activity));
            }
        }
    }

    fn wake(&mut self, at: Nanos, who: usize) {
        if who == EVENTS {
            self.play(at);
        } else if at < self.until || self.next_event.is_some() {
            let (host, activity) = &mut self.activities[who];
            let next = match self.world.away.get(host) {
                Some(&back) if back > at => back + SEC,
                _ => {
                    let next = activity.go(&mut self.world, at);
                    self.world.changes.next(*host, activity.by_chance, at, next)
                }
            };
            self.world.queue.push(next.max(at + 1), Item::Wake(who));
        }
        self.start_lives(at);
    }

    /// Plays the next event, and says when the one after it begins.
    fn play(&mut self, at: Nanos) {
        let Some((scenario, how)) = self.events.next() else {
            self.next_event = None;
            return;
        };
        let mut next = at;
        let told = (0..=self.retries).find_map(|retry| self.perform(at, scenario, how, retry));
        match told {
            Some((story, span)) => {
                self.truth.push(truth::tell(&self.world, scenario, &story, span));
                next = span.1 + self.gap;
            }
            None => self.skipped.push(scenario.name.to_owned()),
        }
        self.until = self.until.max(next - self.gap + 20 * SEC);
        self.next_event = Some(next);
        self.world.queue.push(next, Item::Wake(EVENTS));
    }

    /// Plays a scenario; none where this hospital has not what it takes, or chance chose badly: a
    /// device as the victim of itself, say.
    fn perform(
        &mut self,
        at: Nanos,
        scenario: &Scenario,
        how: How,
        retry: u32,
    ) -> Option<(Story, (Nanos, Nanos))> {
        self.world.queue.record(u32::try_from(self.truth.len()).ok());
        let mut rng = match retry {
            0 => self.world.rng.fork(scenario.name),
            _ => self.world.rng.fork(&format!("{} {retry}", scenario.name)),
        };
        std::mem::swap(&mut self.world.rng, &mut rng);
        let mut scene = Scene { w: &mut self.world, now: at, who: how.who, speed: how.speed };
        let story = (scenario.play)(&mut scene);
        std::mem::swap(&mut self.world.rng, &mut rng);
        let span = self.world.queue.record(None);
        story.zip(span)
    }

    /// What has really happened so far; whole once the last happening has come out.
    pub fn truth(&self) -> &[Truth] {
        &self.truth
    }

    /// Events of the plan that this hospital has not the devices for.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The hosts inside, by name.
    pub fn hosts(&self) -> BTreeMap<String, HostEntry> {
        truth::hosts(&self.world)
    }

    /// When normal life alone ends.
    pub fn phases(&self) -> Phases {
        Phases { baseline_end_epoch: truth::epoch(self.baseline_end) }
    }
}

impl Iterator for Hospital {
    type Item = Happening;

    fn next(&mut self) -> Option<Happening> {
        loop {
            let (nanos, event, item) = self.world.queue.pop()?;
            let at = Timestamp::from_nanos(nanos);
            match item {
                Item::Wake(who) => self.wake(nanos, who),
                Item::Frame(frame) => return Some(Happening::Packet { at, frame, event }),
                Item::Syslog(line) => return Some(Happening::Syslog { at, line }),
                Item::Audit(line) => return Some(Happening::Audit { at, line }),
            }
        }
    }
}

/// What was generated.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Frames in `capture.pcap`.
    pub packets: u64,
    /// Bytes of these frames.
    pub bytes: u64,
    /// First and last frame.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Hosts inside.
    pub hosts: usize,
    /// What befell them.
    pub truth: Vec<Truth>,
    /// Events of the plan that this hospital has not the devices for.
    pub skipped: Vec<String>,
}

/// Generates a hospital into files in `out`, which is made if need be: `capture.pcap`,
/// `packets.labels` ([`labels`](crate::labels)), `truth.json`, `hosts.json`, `phases.json`,
/// `syslog.log` and `audit.ndjson`.
///
/// # Errors
///
/// The plan names a scenario that does not exist, or a file cannot be written.
pub fn generate(plan: &Plan, out: &Path) -> Result<Summary, DrillError> {
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |source| DrillError::Write { path, source }
    };
    let mut hospital = Hospital::new(plan)?;
    std::fs::create_dir_all(out).map_err(wrong(out))?;
    let open = |name: &str| {
        let path = out.join(name);
        let file = File::create(&path).map_err(wrong(&path))?;
        Ok::<_, DrillError>((path, BufWriter::with_capacity(1 << 18, file)))
    };
    let (capture_path, mut capture) = open("capture.pcap")?;
    let (syslog_path, mut syslog) = open("syslog.log")?;
    let (audit_path, mut audit) = open("audit.ndjson")?;
    let (labels_path, labels) = open("packets.labels")?;
    let mut labels = Labels::new(labels);
    pcap::header(&mut capture).map_err(wrong(&capture_path))?;
    let (mut packets, mut bytes, mut span) = (0, 0, None);
    for happening in &mut hospital {
        match happening {
            Happening::Packet { at, frame, event } => {
                labels.packet(event).map_err(wrong(&labels_path))?;
                packets += 1;
                bytes += frame.len() as u64;
                span = Some((span.map_or(at, |(first, _)| first), at));
                pcap::packet(&mut capture, at, &frame).map_err(wrong(&capture_path))?;
            }
            Happening::Syslog { line, .. } => {
                writeln!(syslog, "{line}").map_err(wrong(&syslog_path))?;
            }
            Happening::Audit { line, .. } => {
                writeln!(audit, "{line}").map_err(wrong(&audit_path))?;
            }
        }
    }
    for (path, file) in
        [(capture_path, &mut capture), (syslog_path, &mut syslog), (audit_path, &mut audit)]
    {
        file.flush().map_err(wrong(&path))?;
    }
    labels.finish().map_err(wrong(&labels_path))?;
    let hosts = hospital.hosts();
    let json = |name: &str, text: serde_json::Result<String>| {
        let path = out.join(name);
        let text = text.map_err(|e| DrillError::Write { path: path.clone(), source: e.into() })?;
        std::fs::write(&path, text + "\n").map_err(wrong(&path))
    };
    json("truth.json", serde_json::to_string_pretty(hospital.truth()))?;
    json("hosts.json", serde_json::to_string_pretty(&hosts))?;
    json("phases.json", serde_json::to_string(&hospital.phases()))?;
    let (truth, skipped) = (hospital.truth, hospital.skipped);
    Ok(Summary { packets, bytes, span, hosts: hosts.len(), truth, skipped })
}
