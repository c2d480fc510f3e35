//! What rules found about the devices of past windows: whether a label would lose a detection that
//! something else confirms.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use assets::DeviceIx;
use detect::Engine;
use learn::behaviour::COVERS_SECONDS;
use model::finding::FindingKind;
use model::{Severity, Timestamp};
use store::{Query, SqliteStore, Store, StoreError};

/// From when to when, and what.
type Found = Vec<(Timestamp, Timestamp, String)>;

/// What rules found, by device; asked of the store when it is needed.
pub(super) struct Covers<'a> {
    store: &'a SqliteStore,
    engine: &'a Engine,
    found: RefCell<BTreeMap<DeviceIx, Found>>,
    failed: RefCell<Option<StoreError>>,
}

impl<'a> Covers<'a> {
    pub(super) fn new(store: &'a SqliteStore, engine: &'a Engine) -> Self {
        let (found, failed) = (RefCell::default(), RefCell::default());
        Self { store, engine, found, failed }
    }

    /// What a rule found about a device about the end of a window.
    pub(super) fn about(&self, device: DeviceIx, end: Timestamp) -> Option<String> {
        let mut all = self.found.borrow_mut();
        let found = all.entry(device).or_insert_with(|| {
            self.on(device).unwrap_or_else(|error| {
                *self.failed.borrow_mut() = Some(error);
                Found::new()
            })
        });
        let covers = found.iter().find(|(from, to, _)| (*from..=*to).contains(&end));
        covers.map(|(.., what)| what.clone())
    }

    /// Whether the store answered all that was asked.
    pub(super) fn whole(self) -> Result<()> {
        self.failed.into_inner().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Findings of rules in which a device takes part; those of one case are one.
    fn on(&self, device: DeviceIx) -> Result<Found, StoreError> {
        let mut query = Query {
            device: Some(self.engine.inventory().device_id(device).0),
            severity: Some(Severity::Low),
            limit: Some(store::MAX_LIMIT),
            ..Query::default()
        };
        let room = Duration::from_secs_f64(COVERS_SECONDS);
        let mut found = BTreeMap::new();
        loop {
            let page = self.store.findings(&query)?;
            for finding in page.items.iter().filter(|one| one.kind != FindingKind::Model) {
                let of = finding.case.as_ref().map_or(&finding.id.0, |case| &case.0).clone();
                let (from, to) = (finding.at.minus(room), finding.at.plus(room));
                let what = format!("{} ({}): {}", finding.id, finding.detector, finding.title);
                let one = found.entry(of).or_insert_with(|| (from, to, what.clone()));
                if from < one.0 {
                    (one.0, one.2) = (from, what);
                }
                one.1 = one.1.max(to);
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(found.into_values().collect()),
            }
        }
    }
}
