//! Results into a store, in batches.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use assets::{Entity, Inventory};
use model::device::{Device, DeviceId};
use model::json::JsonLines;
use model::{Case, Finding};
use pipeline::outputs::{Fact, OutputError, Outputs};
use pipeline::stats::Stats;
use store::{FlowRow, ObservationRow, Options, SqliteStore, Store, StoreError};

use crate::files::FlowSummaries;

/// Rows that are stored at once.
const BATCH: usize = 2_000;

/// Name under which the counts of the last run are kept.
pub(crate) const STATS: &str = "stats";

/// Puts results into a store. Findings and cases go in at once, with everything before them.
pub(crate) struct Keeper<S = Arc<SqliteStore>> {
    store: S,
    observations: Vec<ObservationRow>,
    flows: Vec<FlowRow>,
    summaries: FlowSummaries,
    json: JsonLines,
}

impl Keeper<Arc<SqliteStore>> {
    /// In a file, made where it is not there.
    pub(crate) fn open(file: &Path, max_mib: u64) -> Result<Self> {
        let store = SqliteStore::open(file, Options { max_bytes: max_mib << 20 })
            .with_context(|| format!("{}: the store cannot be used", file.display()))?;
        Ok(Self::new(Arc::new(store)))
    }
}

impl<S> Keeper<S> {
    /// Into something that stores.
    pub(crate) fn new(store: S) -> Self {
        Self {
            store,
            observations: Vec::new(),
            flows: Vec::new(),
            summaries: FlowSummaries::default(),
            json: JsonLines::default(),
        }
    }
}

/// Where rows go: a store itself, or the thread that stores.
pub(crate) trait Rows {
    fn observations(&self, rows: Vec<ObservationRow>) -> Result<(), OutputError>;
    fn flows(&self, rows: Vec<FlowRow>) -> Result<(), OutputError>;
    fn finding(&self, finding: &Finding) -> Result<(), OutputError>;
    fn case(&self, case: &Case) -> Result<(), OutputError>;
    fn devices(&self, devices: &[Device]) -> Result<(), OutputError>;
}

impl Rows for Arc<SqliteStore> {
    fn observations(&self, rows: Vec<ObservationRow>) -> Result<(), OutputError> {
        self.append(&rows).map(|_| ()).map_err(|error| failed(&error))
    }

    fn flows(&self, rows: Vec<FlowRow>) -> Result<(), OutputError> {
        self.put_flows(&rows).map_err(|error| failed(&error))
    }

    fn finding(&self, finding: &Finding) -> Result<(), OutputError> {
        self.put_findings(std::slice::from_ref(finding)).map_err(|error| failed(&error))
    }

    fn case(&self, case: &Case) -> Result<(), OutputError> {
        self.put_cases(std::slice::from_ref(case)).map_err(|error| failed(&error))
    }

    fn devices(&self, devices: &[Device]) -> Result<(), OutputError> {
        self.put_devices(devices).map_err(|error| failed(&error))
    }
}

impl<S: Rows> Keeper<S> {
    /// Stores everything that waits.
    pub(crate) fn flush(&mut self) -> Result<(), OutputError> {
        if !self.observations.is_empty() {
            self.store.observations(std::mem::take(&mut self.observations))?;
        }
        if !self.flows.is_empty() {
            self.store.flows(std::mem::take(&mut self.flows))?;
        }
        Ok(())
    }

    /// Stores devices as they stand.
    pub(crate) fn devices(&self, devices: &[Device]) -> Result<(), OutputError> {
        self.store.devices(devices)
    }
}

impl Keeper<Arc<SqliteStore>> {
    /// Stores everything, the devices and the counts.
    pub(crate) fn finish(mut self, devices: &[Device], stats: &Stats) -> Result<()> {
        self.flush()?;
        self.devices(devices)?;
        let counts = serde_json::to_vec(stats)?;
        self.store.set_state(STATS, &counts).map_err(|error| failed(&error))?;
        Ok(())
    }
}

/// In the words of outputs.
pub(crate) fn failed(error: &StoreError) -> OutputError {
    OutputError { what: "the store".to_owned(), why: error.to_string() }
}

fn device(entity: Entity, inventory: &Inventory) -> Option<DeviceId> {
    match entity {
        Entity::Device(ix) => Some(inventory.device_id(ix)),
        _ => None,
    }
}

impl<S: Rows> Outputs for Keeper<S> {
    fn observation(&mut self, fact: Fact<'_>) -> Result<(), OutputError> {
        let Fact { observation: o, who, inventory, .. } = fact;
        if let Some(line) = self.summaries.take(o) {
            let mut json = Vec::new();
            line.write(&mut self.json, &mut json);
            self.flows.push(FlowRow {
                id: line.flow.id.to_string(),
                at: line.flow.started,
                protocol: line.protocol().to_owned(),
                device: device(who.subject, inventory),
                peer: device(who.peer, inventory),
                json: String::from_utf8(json).unwrap_or_default(),
            });
        }
        if fact.stands_alone() {
            self.observations.push(ObservationRow::new(o, device(who.subject, inventory)));
        }
        if self.observations.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError> {
        self.flush()?;
        self.store.finding(finding)
    }

    fn case(&mut self, case: &Case) -> Result<(), OutputError> {
        self.store.case(case)
    }
}
