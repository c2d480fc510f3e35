//! The pipeline as a sensor has it: packets to a worker, observations to detection, findings.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use capture::{LinkType, Packet};
use detect::{Engine, Settings};
use model::{Finding, Observation, SiteKey, Timestamp};
use pipeline::stats::memory_peak;
use pipeline::worker::Worker;

use crate::network::{Frame, attack};

/// Most memory of the whole program, with what it sends.
const MOST_BYTES: u64 = 160 << 20;

/// Most memory of one worker's tables of flows and streams.
const MOST_FLOW_BYTES: u64 = 32 << 20;

/// Packets after which observations are told: few, so that they take no memory that counts.
const BLOCK: u64 = 16;

/// One test at a time, so that memory is its own.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Sensor {
    _alone: MutexGuard<'static, ()>,
    worker: Worker,
    engine: Engine,
    number: u64,
    /// Most bytes that the worker's tables took.
    most: u64,
    pub(crate) protocols: BTreeSet<String>,
    pub(crate) findings: Vec<Finding>,
    /// Observations of these kinds are kept.
    wanted: &'static [&'static str],
    pub(crate) kept: Vec<Observation>,
}

impl Sensor {
    pub(crate) fn new() -> Self {
        Self::keeping(&[])
    }

    /// One that keeps observations of some kinds.
    pub(crate) fn keeping(wanted: &'static [&'static str]) -> Self {
        Self {
            _alone: alone(),
            worker: worker(),
            engine: Engine::new(Settings::default(), assets::Settings::default()),
            number: 0,
            most: 0,
            protocols: BTreeSet::new(),
            findings: Vec::new(),
            wanted,
            kept: Vec::new(),
        }
    }

    pub(crate) fn packet(&mut self, at: i64, link: u32, wire_len: u32, data: &[u8]) {
        let at = Timestamp::from_nanos(at);
        let packet = Packet { at, link: LinkType(link), wire_len, interface: 0, data };
        self.worker.packet(self.number, &packet);
        self.number += 1;
        if self.number.is_multiple_of(BLOCK) {
            self.tell();
        }
    }

    pub(crate) fn frames<'a>(&mut self, frames: impl IntoIterator<Item = &'a Frame>) {
        for frame in frames {
            self.packet(frame.at, 1, frame.bytes.len() as u32, &frame.bytes);
        }
    }

    /// The flows are over, and the next ones are followed by a new worker: detection goes on.
    pub(crate) fn next_worker(&mut self) {
        self.worker.finish(self.number);
        self.tell();
        self.worker = worker();
    }

    fn tell(&mut self) {
        for o in self.worker.take() {
            if o.is("flow.protocol")
                && let Some(protocol) = o.str("protocol")
            {
                self.protocols.insert(protocol.to_owned());
            }
            self.engine.observe(&o);
            if self.wanted.contains(&o.kind.name) {
                self.kept.push(o);
            }
        }
        self.findings.extend(self.engine.take_findings());
        self.most = self.most.max(self.worker.stats().memory);
    }

    /// Ends all flows.
    pub(crate) fn finish(&mut self) {
        self.worker.finish(self.number);
        self.tell();
    }

    /// An attack comes, is found, and memory was bounded all the time.
    pub(crate) fn still_finds_an_attack(&mut self, at: i64) {
        let before = self.web_attacks();
        self.frames(&attack(at));
        self.finish();
        assert_eq!(self.web_attacks(), before + 1, "the attack afterwards was not found");
        assert!(self.most < MOST_FLOW_BYTES, "{} bytes in tables of flows", self.most);
        is_within_memory();
    }

    fn web_attacks(&self) -> usize {
        let by = |finding: &&Finding| finding.detector.as_str() == "web_attack";
        self.findings.iter().filter(by).count()
    }
}

fn worker() -> Worker {
    Worker::new(wire::Config::default(), SiteKey::new(&[7; 32]))
}

/// The whole program has not held more than it may.
pub(crate) fn is_within_memory() {
    assert!(memory_peak() < MOST_BYTES, "{} MiB", memory_peak() >> 20);
}

/// Bytes of memory that the program has now; zero where the system does not tell.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}
