//! The files of `analyze --out`: one JSON object a line.
//!
//! Observations, findings and flows are written as they come; cases and devices in the end, as they
//! stand then. A file that cannot be written ends the run with its name and the reason.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use assets::{Inventory, Who};
use model::case::{Case, CaseId};
use model::device::Device;
use model::finding::Finding;
use model::flow::FlowId;
use model::observation::Observation;
use pipeline::outputs::{OutputError, Outputs};
use pipeline::stats::Stats;
use serde::Serialize;

/// One file of JSON lines.
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    fn create(folder: &Path, name: &str) -> Result<Self, OutputError> {
        let path = folder.join(name);
        let file = File::create(&path).map_err(|error| failed(&path, &error))?;
        Ok(Self { path, file: BufWriter::with_capacity(1 << 16, file) })
    }

    fn write(&mut self, item: &impl Serialize) -> Result<(), OutputError> {
        let written = serde_json::to_writer(&mut self.file, item)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| failed(&self.path, &error))
    }

    fn finish(mut self) -> Result<(), OutputError> {
        self.file.flush().map_err(|error| failed(&self.path, &error))
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
    observations: Lines,
    findings: Lines,
    flows: Lines,
    summaries: FlowSummaries,
    cases: BTreeMap<CaseId, Case>,
}

impl Files {
    /// Makes the folder and its files.
    pub(crate) fn create(folder: &Path) -> Result<Self, OutputError> {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
            observations: Lines::create(folder, "observations.jsonl")?,
            findings: Lines::create(folder, "findings.jsonl")?,
            flows: Lines::create(folder, "flows.jsonl")?,
            summaries: FlowSummaries::default(),
            cases: BTreeMap::new(),
        })
    }

    /// Writes what stands only in the end.
    pub(crate) fn finish(self, devices: &[Device], stats: &Stats) -> Result<(), OutputError> {
        self.observations.finish()?;
        self.findings.finish()?;
        self.flows.finish()?;
        let mut cases = Lines::create(&self.folder, "cases.jsonl")?;
        self.cases.values().try_for_each(|case| cases.write(case))?;
        cases.finish()?;
        let mut lines = Lines::create(&self.folder, "devices.jsonl")?;
        devices.iter().try_for_each(|device| lines.write(device))?;
        lines.finish()?;
        let mut stats_file = Lines::create(&self.folder, "stats.json")?;
        stats_file.write(stats)?;
        stats_file.finish()
    }
}

impl Outputs for Files {
    fn observation(&mut self, o: &Observation, _: Who, _: &Inventory) -> Result<(), OutputError> {
        self.observations.write(o)?;
        if let Some(flow) = self.summaries.take(o) {
            self.flows.write(&flow)?;
        }
        Ok(())
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
    open: BTreeMap<FlowId, BTreeMap<&'static str, u64>>,
}

/// Most open flows whose summary is kept; beyond it new ones have none.
const SUMMARIES: usize = 200_000;

/// A finished flow, as a line of `flows.jsonl`.
#[derive(Serialize)]
pub(crate) struct FlowLine {
    /// The flow in other tools.
    pub(crate) community_id: String,
    pub(crate) id: String,
    pub(crate) transport: &'static str,
    originator: SideLine,
    responder: SideLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    vlan: Option<u16>,
    pub(crate) first: model::Timestamp,
    pub(crate) last: model::Timestamp,
    /// What `flow.end` says: protocol, state, packets, bytes, loss, statistics.
    #[serde(flatten)]
    pub(crate) fields: BTreeMap<&'static str, model::Value>,
    /// How many of each kind of observation its protocol gave.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    summary: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct SideLine {
    ip: std::net::IpAddr,
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<model::Mac>,
}

impl FlowSummaries {
    /// Takes an observation, and gives the line of a flow that it ends.
    pub(crate) fn take(&mut self, o: &Observation) -> Option<FlowLine> {
        let flow = o.flow.as_ref()?;
        if !o.is("flow.end") {
            if !o.kind.name.starts_with("flow.")
                && (self.open.len() < SUMMARIES || self.open.contains_key(&flow.id))
            {
                *self.open.entry(flow.id).or_default().entry(o.kind.name).or_insert(0) += 1;
            }
            return None;
        }
        let side =
            |endpoint: model::Endpoint, mac| SideLine { ip: endpoint.ip, port: endpoint.port, mac };
        let seconds = o.float("seconds").unwrap_or(0.0).max(0.0);
        let ended = flow.started.plus(std::time::Duration::from_secs_f64(seconds.min(1e9)));
        Some(FlowLine {
            community_id: flow.tuple.community_id().to_string(),
            id: flow.id.to_string(),
            transport: flow.tuple.transport.name(),
            originator: side(flow.tuple.originator, flow.macs[0]),
            responder: side(flow.tuple.responder, flow.macs[1]),
            vlan: flow.vlan,
            first: flow.started,
            last: ended,
            fields: o
                .fields()
                .filter(|(name, _)| *name != "transport" && !name.starts_with("delta_"))
                .map(|(name, value)| (name, value.clone()))
                .collect(),
            summary: self.open.remove(&flow.id).unwrap_or_default(),
        })
    }
}
