//! The models that judge rows, for each class of device: two that know only normal life.
//!
//! They see rows in standard deviations ([`super::standard`]), so that a class can share one model
//! though its devices differ in volume, and a site with two ventilators has one for them all the same.
//! A class begins with the models of everybody and gets its own once it has shown enough.

use std::collections::BTreeMap;

use ml::autoencoder::{self, Autoencoders};
use ml::memory::{self, Memory};
use ml::{Contribution, Model};
use model::device::DeviceClass;
use serde::{Deserialize, Serialize};

use crate::features::{Row, WIDTH};

/// Which model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Distance from the nearest normal rows.
    Memory,
    /// What autoencoders that learned normal rows cannot reproduce.
    Autoencoders,
    /// Trees that learned known attacks elsewhere.
    Trees,
}

impl Which {
    /// The models that learn here, from normal life alone.
    ///
    /// An isolation forest stood among them and was dropped: leaving it out cost nothing on hospitals
    /// that nothing was chosen by (`docs/benchmarks.md`).
    pub const OF_NORMAL: [Self; 2] = [Self::Memory, Self::Autoencoders];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Autoencoders => "autoencoders",
            Self::Trees => "trees",
        }
    }
}

/// Scores of the models of normal life, in the order of [`Which::OF_NORMAL`].
pub type Scores = [f32; Which::OF_NORMAL.len()];

/// Rows after which a class has models of its own.
const ENOUGH: u64 = 400;
/// Of so many rows one goes to the models of everybody, once they know enough.
const THINLY: u64 = 4;
/// Rows that a reservoir keeps in mind: about a week of a class with ten devices.
const HORIZON: u64 = 500_000;

/// The models of one class.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct OfClass {
    rows: u64,
    memory: Memory,
    autoencoders: Autoencoders,
}

impl OfClass {
    fn new(seed: u64) -> Self {
        Self {
            rows: 0,
            memory: Memory::new(
                WIDTH,
                &memory::Settings { capacity: 512, horizon: HORIZON, seed, ..Default::default() },
            ),
            autoencoders: Autoencoders::new(
                WIDTH,
                &autoencoder::Settings { mapping: 300, rate: 0.1, seed, ..Default::default() },
            ),
        }
    }

    fn model(&self, which: Which) -> Option<&dyn Model> {
        match which {
            Which::Memory => Some(&self.memory),
            Which::Autoencoders => Some(&self.autoencoders),
            Which::Trees => None,
        }
    }

    fn learn(&mut self, row: &Row, tag: u64) {
        self.rows += 1;
        self.memory.learn_as(row, tag);
        self.autoencoders.learn(row);
    }
}

/// Models of all classes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Models {
    everybody: OfClass,
    classes: BTreeMap<DeviceClass, OfClass>,
    off: Vec<Which>,
    taken: u64,
}

impl Default for Models {
    fn default() -> Self {
        Self { everybody: OfClass::new(1), classes: BTreeMap::new(), off: Vec::new(), taken: 0 }
    }
}

impl Models {
    /// Leaves models out, to see what they are worth.
    pub(super) fn without(&mut self, off: &[Which]) {
        self.off = off.to_vec();
    }

    fn of(&self, class: DeviceClass) -> &OfClass {
        self.classes.get(&class).filter(|own| own.rows >= ENOUGH).unwrap_or(&self.everybody)
    }

    pub(super) fn scores(&self, class: DeviceClass, row: &Row) -> Scores {
        let models = self.of(class);
        Which::OF_NORMAL.map(|which| match models.model(which) {
            Some(model) if !self.off.contains(&which) => model.score(row),
            _ => 0.0,
        })
    }

    pub(super) fn learn(&mut self, class: DeviceClass, row: &Row, tag: u64) {
        // Who has models of its own does not ask those of everybody, and fills them only thinly.
        self.taken = self.taken.wrapping_add(1);
        if self.everybody.rows < ENOUGH || self.taken.is_multiple_of(THINLY) {
            self.everybody.learn(row, tag);
        }
        let seed = 2 + class as u64;
        self.classes.entry(class).or_insert_with(|| OfClass::new(seed)).learn(row, tag);
    }

    pub(super) fn explain(&self, class: DeviceClass, which: Which, row: &Row) -> Vec<Contribution> {
        let mut parts = Vec::new();
        if let Some(model) = self.of(class).model(which) {
            model.explain(row, &mut parts);
        }
        parts
    }

    /// What the nearest normal row was called when it was learned.
    pub(super) fn nearest(&self, class: DeviceClass, row: &Row) -> Option<u64> {
        self.of(class).memory.nearest(row).map(|nearest| nearest.tag)
    }
}
