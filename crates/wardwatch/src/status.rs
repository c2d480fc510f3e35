//! How the models of an instance do: what they promised and what came of it, who is in shadow, how
//! far life has moved. Kept in the store, so that `wardwatch model` can say so without the instance.

use std::path::Path;

use learn::behaviour::{Behaviour, Compared};
use model::Timestamp;
use pipeline::stats::Models;
use serde::{Deserialize, Serialize};
use store::{Options, SqliteStore, Store};

use crate::instance::STORE;
use crate::models::Versions;

/// Name under which it is kept in the store.
pub(crate) const STATUS: &str = "models";

/// How the models do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Status {
    /// When that was, by the clock.
    pub(crate) at: Timestamp,
    /// The version in use; 0 is the built-in one.
    pub(crate) champion: u64,
    /// The version in shadow.
    pub(crate) challenger: Option<u64>,
    /// What had been counted when this pair began.
    #[serde(default)]
    before: Compared,
    /// What they promised and what came of it.
    #[serde(flatten)]
    pub(crate) models: Models,
}

impl Status {
    /// Of an instance that begins: counts of a pair that runs on go on, others begin anew.
    pub(crate) fn begin(store: &SqliteStore, versions: Versions, behaviour: &Behaviour) -> Self {
        let Versions { champion, challenger } = versions;
        let kept = read(store).filter(|kept| {
            (kept.champion, kept.challenger) == (champion, challenger) && challenger.is_some()
        });
        let before = match kept {
            Some(kept) => kept.before,
            None => behaviour.compared().unwrap_or_default(),
        };
        Self { champion, challenger, before, ..Self::default() }
    }

    /// Brings it up to date.
    pub(crate) fn update(&mut self, behaviour: &Behaviour, at: Timestamp) {
        self.at = at;
        self.models = Models::of(behaviour);
        let less = |now: u64, before: u64| now.saturating_sub(before);
        if let Some(now) = &mut self.models.shadow {
            *now = Compared {
                windows: less(now.windows, self.before.windows),
                champion: less(now.champion, self.before.champion),
                challenger: less(now.challenger, self.before.challenger),
                both: less(now.both, self.before.both),
            };
        }
    }

    /// As it is kept.
    pub(crate) fn text(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }

    /// How a version in shadow compares with the one in use.
    pub(crate) fn beside(&self, version: u64) -> Option<Compared> {
        self.models.shadow.filter(|_| self.challenger == Some(version))
    }
}

fn read(store: &SqliteStore) -> Option<Status> {
    serde_json::from_slice(&store.state(STATUS).ok()??).ok()
}

/// Of the instance in a folder, as it last kept it.
pub(crate) fn of(data: &Path) -> Option<Status> {
    let file = data.join(STORE);
    let store = SqliteStore::open_read_only(&file, Options::default());
    file.is_file().then_some(())?;
    read(&store.ok()?)
}
