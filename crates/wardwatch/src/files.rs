//! The files of `analyze --out`: one JSON object a line.
//!
//! Observations, findings and flows are written as they come; cases and devices in the end, as they
//! stand then. A file that cannot be written ends the run with its name and the reason.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};
use foldhash::fast::RandomState;
use model::case::{Case, CaseId};
use model::device::Device;
use model::finding::Finding;
use model::flow::{FlowContext, FlowId};
use model::json::{self, JsonLines};
use model::observation::Observation;
use pipeline::outputs::{Fact, OutputError, Outputs};
use pipeline::stats::Stats;
use pipeline::told::Told;
use serde::Serialize;

/// One file of JSON lines.
struct Lines {
    path: PathBuf,
    file: File,
    /// Lines that wait to be written together.
    waiting: Vec<u8>,
}

/// Bytes that are written at once.
const TOGETHER: usize = 1 << 16;

impl Lines {
    fn create(folder: &Path, name: &str) -> Result<Self, OutputError> {
        let path = folder.join(name);
        let file = File::create(&path).map_err(|error| failed(&path, &error))?;
        Ok(Self { path, file, waiting: Vec::with_capacity(TOGETHER + (TOGETHER >> 2)) })
    }

    /// Adds a line that `write` appends, without its end.
    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), OutputError> {
        write(&mut self.waiting);
        self.waiting.push(b'\n');
        if self.waiting.len() < TOGETHER { Ok(()) } else { self.flush() }
    }

    fn write(&mut self, item: &impl Serialize) -> Result<(), OutputError> {
        let before = self.waiting.len();
        if let Err(error) = serde_json::to_writer(&mut self.waiting, item) {
            self.waiting.truncate(before);
            return Err(failed(&self.path, &error.into()));
        }
        self.add(|_| ())
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        let written = self.file.write_all(&self.waiting);
        self.waiting.clear();
        written.map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> OutputError {
    OutputError {
        what: format!("{}: cannot be written", path.display()),
        why: format!("{error}. Free space or give another folder with --out"),
    }
}

/// All files of one run.
pub(crate) struct Files {
    folder: PathBuf,
    findings: Lines,
    facts: Writing,
    cases: BTreeMap<CaseId, Case>,
}

/// Who writes observations and flows, which is most of the text.
enum Writing {
    /// The thread that detects.
    Here(Box<Facts>),
    /// Another one, behind it.
    Behind(Sender<Told>, JoinHandle<Result<(), OutputError>>),
    /// It has failed, and said so.
    Over,
}

/// Stretches of the input that may wait to be written.
const WAITING: usize = 4;

/// The files of observations and flows.
struct Facts {
    observations: Lines,
    flows: Lines,
    summaries: FlowSummaries,
    json: JsonLines,
}

impl Facts {
    fn write(&mut self, told: &Told) -> Result<(), OutputError> {
        told.each(|o, alone| {
            let json = &mut self.json;
            if alone {
                self.observations.add(|out| json.observation(o, out))?;
            }
            match self.summaries.take(o) {
                Some(flow) => self.flows.add(|out| flow.write(json, out)),
                None => Ok(()),
            }
        })
    }

    fn finish(mut self) -> Result<(), OutputError> {
        self.observations.flush()?;
        self.flows.flush()
    }
}

impl Writing {
    fn told(&mut self, told: Told) -> Result<(), OutputError> {
        match self {
            Self::Here(facts) => facts.write(&told),
            // It is gone only where it could not write.
            Self::Behind(to, _) if to.send(told).is_err() => self.finish(),
            Self::Behind(..) | Self::Over => Ok(()),
        }
    }

    /// Everything told is written.
    fn finish(&mut self) -> Result<(), OutputError> {
        match std::mem::replace(self, Self::Over) {
            Self::Here(facts) => facts.finish(),
            Self::Behind(to, thread) => {
                drop(to);
                // A panic there is told as one here.
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }
            Self::Over => Ok(()),
        }
    }
}

impl Files {
    /// Makes the folder and its files. With several threads, facts are written by one of their own.
    pub(crate) fn create(folder: &Path, threads: usize) -> Result<Self, OutputError> {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        let mut facts = Box::new(Facts {
            observations: Lines::create(folder, "observations.jsonl")?,
            flows: Lines::create(folder, "flows.jsonl")?,
            summaries: FlowSummaries::default(),
            json: JsonLines::default(),
        });
        let facts = if threads > 1 {
            let (to, all) = bounded::<Told>(WAITING);
            let write = move || {
                all.into_iter().try_for_each(|told| facts.write(&told))?;
                facts.finish()
            };
            Writing::Behind(to, std::thread::spawn(write))
        } else {
            Writing::Here(facts)
        };
        let findings = Lines::create(folder, "findings.jsonl")?;
        Ok(Self { folder: folder.to_owned(), findings, facts, cases: BTreeMap::new() })
    }

    /// Writes what stands only in the end.
    pub(crate) fn finish(mut self, devices: &[Device], stats: &Stats) -> Result<(), OutputError> {
        self.facts.finish()?;
        self.findings.flush()?;
        let mut cases = Lines::create(&self.folder, "cases.jsonl")?;
        self.cases.values().try_for_each(|case| cases.write(case))?;
        cases.flush()?;
        let mut lines = Lines::create(&self.folder, "devices.jsonl")?;
        devices.iter().try_for_each(|device| lines.write(device))?;
        lines.flush()?;
        let mut stats_file = Lines::create(&self.folder, "stats.json")?;
        stats_file.write(stats)?;
        stats_file.flush()
    }
}

impl Outputs for Files {
    /// Facts are written in stretches.
    fn observation(&mut self, _: Fact<'_>) -> Result<(), OutputError> {
        Ok(())
    }

    fn told(&mut self, told: Told) -> Result<(), OutputError> {
        self.facts.told(told)
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError> {
        self.findings.write(finding)
    }

    fn case(&mut self, case: &Case) -> Result<(), OutputError> {
        self.cases.insert(case.id.clone(), case.clone());
        Ok(())
    }
}

/// What a flow's protocol did, until the flow ends.
#[derive(Default)]
pub(crate) struct FlowSummaries {
    open: HashMap<FlowId, Vec<(&'static str, u64)>, RandomState>,
}

/// Most open flows whose summary is kept; beyond it new ones have none.
const SUMMARIES: usize = 200_000;

/// A finished flow, as a line of `flows.jsonl`.
pub(crate) struct FlowLine<'a> {
    /// The flow.
    pub(crate) flow: &'a FlowContext,
    /// What `flow.end` says: protocol, state, packets, bytes, loss, statistics.
    end: &'a Observation,
    /// How many of each kind of observation its protocol gave, by name.
    summary: Vec<(&'static str, u64)>,
}

impl FlowSummaries {
    /// Takes an observation, and gives the line of a flow that it ends.
    pub(crate) fn take<'a>(&mut self, o: &'a Observation) -> Option<FlowLine<'a>> {
        let flow = o.flow.as_deref()?;
        if std::ptr::eq(o.kind, &wire::kinds::END) {
            let mut summary = self.open.remove(&flow.id).unwrap_or_default();
            summary.sort_unstable();
            return Some(FlowLine { flow, end: o, summary });
        }
        if o.kind.name.starts_with("flow.") {
            return None;
        }
        if self.open.len() >= SUMMARIES && !self.open.contains_key(&flow.id) {
            return None;
        }
        let counts = self.open.entry(flow.id).or_default();
        match counts.iter_mut().find(|(kind, _)| std::ptr::eq(*kind, o.kind.name)) {
            Some((_, count)) => *count += 1,
            None => counts.push((o.kind.name, 1)),
        }
        None
    }
}

impl FlowLine<'_> {
    /// Its application protocol, or what carries it.
    pub(crate) fn protocol(&self) -> &str {
        self.end.str("protocol").unwrap_or(self.flow.tuple.transport.name())
    }

    /// Appends it, without a line's end.
    pub(crate) fn write(&self, lines: &mut JsonLines, out: &mut Vec<u8>) {
        let (flow, end) = (self.flow, self.end);
        out.extend_from_slice(b"{\"community_id\":");
        lines.community_id(flow, out);
        out.extend_from_slice(b",\"id\":\"f");
        json::hex64(flow.id.0, out);
        out.extend_from_slice(b"\",\"transport\":");
        json::text(flow.tuple.transport.name(), out);
        let sides = [
            (&b",\"originator\":{\"ip\":"[..], flow.tuple.originator, flow.macs[0]),
            (b",\"responder\":{\"ip\":", flow.tuple.responder, flow.macs[1]),
        ];
        for (name, endpoint, mac) in sides {
            out.extend_from_slice(name);
            json::ip(endpoint.ip, out);
            out.extend_from_slice(b",\"port\":");
            json::uint(endpoint.port.into(), out);
            if let Some(mac) = mac {
                out.extend_from_slice(b",\"mac\":");
                json::mac(mac, out);
            }
            out.push(b'}');
        }
        if let Some(vlan) = flow.vlan {
            out.extend_from_slice(b",\"vlan\":");
            json::uint(vlan.into(), out);
        }
        let seconds = end.float("seconds").unwrap_or(0.0).clamp(0.0, 1e9);
        out.extend_from_slice(b",\"first\":");
        lines.time(flow.started, out);
        out.extend_from_slice(b",\"last\":");
        lines.time(flow.started.plus(std::time::Duration::from_secs_f64(seconds)), out);
        out.push(b',');
        let told = |name: &str| name != "transport" && !name.starts_with("delta_");
        lines.fields(end.fields().filter(|(name, _)| told(name)), out);
        if !self.summary.is_empty() {
            out.extend_from_slice(b",\"summary\":{");
            for (place, (kind, count)) in self.summary.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                json::text(kind, out);
                out.push(b':');
                json::uint(*count, out);
            }
            out.push(b'}');
        }
        out.push(b'}');
    }
}
