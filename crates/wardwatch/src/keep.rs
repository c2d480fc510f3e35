//! Results into a store, in batches.

use std::path::Path;

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
pub(crate) struct Keeper<S = SqliteStore> {
    store: S,
    observations: Vec<ObservationRow>,
    flows: Vec<FlowRow>,
    summaries: FlowSummaries,
    json: JsonLines,
}

impl Keeper<SqliteStore> {
    /// In a file, made where it is not there.
    pub(crate) fn open(file: &Path, max_mib: u64) -> Result<Self> {
        let store = SqliteStore::open(file, Options { max_bytes: max_mib << 20 })
            .with_context(|| format!("{}: the store cannot be used", file.display()))?;
        Ok(Self::new(store))
    }
}

impl Keeper<std::sync::Arc<SqliteStore>> {
    /// Into a store that others use too.
    pub(crate) fn shared(store: std::sync::Arc<SqliteStore>) -> Self {
        Self::new(store)
    }
}

impl<S> Keeper<S> {
    fn new(store: S) -> Self {
        Self {
            store,
            observations: Vec::new(),
            flows: Vec::new(),
            summaries: FlowSummaries::default(),
            json: JsonLines::default(),
        }
    }
}

/// A store, owned or shared.
pub(crate) trait AsStore {
    /// The store.
    fn store(&self) -> &dyn Store;
}

impl AsStore for SqliteStore {
    fn store(&self) -> &dyn Store {
        self
    }
}

impl AsStore for std::sync::Arc<SqliteStore> {
    fn store(&self) -> &dyn Store {
        &**self
    }
}

impl<S: AsStore> Keeper<S> {
    /// Stores everything that waits.
    pub(crate) fn flush(&mut self) -> Result<(), OutputError> {
        let store = self.store.store();
        if !self.observations.is_empty() {
            store.append(&self.observations).map_err(|error| failed(&error))?;
            self.observations.clear();
        }
        if !self.flows.is_empty() {
            store.put_flows(&self.flows).map_err(|error| failed(&error))?;
            self.flows.clear();
        }
        Ok(())
    }

    /// Stores everything, the devices and the counts.
    pub(crate) fn finish(mut self, devices: &[Device], stats: &Stats) -> Result<()> {
        self.flush()?;
        self.devices(devices)?;
        let counts = serde_json::to_vec(stats)?;
        self.store.store().set_state(STATS, &counts).map_err(|error| failed(&error))?;
        Ok(())
    }

    /// Stores devices as they stand.
    pub(crate) fn devices(&self, devices: &[Device]) -> Result<(), OutputError> {
        self.store.store().put_devices(devices).map_err(|error| failed(&error))
    }
}

fn failed(error: &StoreError) -> OutputError {
    OutputError { what: "the store".to_owned(), why: error.to_string() }
}

fn device(entity: Entity, inventory: &Inventory) -> Option<DeviceId> {
    match entity {
        Entity::Device(ix) => Some(inventory.device_id(ix)),
        _ => None,
    }
}

impl<S: AsStore> Outputs for Keeper<S> {
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
        let one = std::slice::from_ref(finding);
        self.store.store().put_findings(one).map_err(|error| failed(&error))
    }

    fn case(&mut self, case: &Case) -> Result<(), OutputError> {
        let one = std::slice::from_ref(case);
        self.store.store().put_cases(one).map_err(|error| failed(&error))
    }
}
