//! An ensemble of small autoencoders: rows that cannot be put together again from fewer numbers are
//! strange. In the manner of KitNET (Mirsky, Doitshman, Elovici and Shabtai, "Kitsune: An Ensemble of
//! Autoencoders for Online Network Intrusion Detection", NDSS 2018).
//!
//! The first [`Settings::mapping`] rows say which columns go together (`mapper.rs`). Then each such
//! group of columns has an autoencoder of its own (`small.rs`), one more stands over the errors of
//! all of them, and its error is the score. Each row that is learned is one step of gradient descent,
//! with every number scaled to the range seen so far.
//!
//! Unlike the published program: columns that move against each other go together; biases follow their own gradients, where the published code moves
//! all of them by the mean ([`BiasStep::Mean`] does as it does); a number counts at most
//! [`Settings::limit`] ranges beyond the range that was learned; and the range of a column that
//! never changed is a thousandth of its value, where there it is nought and a change counts 1e16
//! ([`Settings::published`] gives all of that back). A column that is absent (not finite) is taken
//! to be at its mean, and has no error.
//!
//! Nothing is allocated for a row once the groups are known.

mod mapper;
mod sigmoid;
mod small;

use serde::{Deserialize, Serialize};

use self::mapper::Mapper;
use self::small::{Room, Small};
use crate::columns::{Column, Columns, MAX_COLUMNS, value};
use crate::{Chance, Contribution, Model};

/// How many columns an explanation names.
const NAMED: usize = 8;
/// The most columns of one autoencoder.
const MAX_GROUP: usize = 64;
/// Room for the hidden units of the widest autoencoder, twice.
const UNITS: usize = 2 * MAX_COLUMNS;

/// What a bias is moved by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BiasStep {
    /// Its own gradient.
    #[default]
    Each,
    /// The mean gradient of all biases of the layer.
    Mean,
}

/// How an ensemble is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The most columns of one autoencoder: 1 to 64.
    pub group: usize,
    /// Rows that only teach which columns go together.
    pub mapping: u64,
    /// Which columns go together, where that is known beforehand.
    pub groups: Option<Vec<Vec<usize>>>,
    /// Whether columns that move against each other are far from each other.
    pub signed: bool,
    /// Hidden units for each visible unit, rounded up.
    pub hidden_ratio: f32,
    /// Step of gradient descent.
    pub rate: f32,
    /// What biases are moved by.
    pub bias_step: BiasStep,
    /// How far beyond the learned range a number can be, in ranges.
    pub limit: f32,
    /// The least range of a column, as a share of its largest number.
    pub floor: f32,
    /// Seed of the weights.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            group: 10,
            mapping: 500,
            groups: None,
            signed: false,
            hidden_ratio: 0.75,
            rate: 0.3,
            bias_step: BiasStep::Each,
            limit: 8.0,
            floor: 1e-3,
            seed: 1,
        }
    }
}

impl Settings {
    /// As the published program does it, oddities included.
    pub fn published(mapping: u64) -> Self {
        Self {
            mapping,
            signed: true,
            rate: 0.1,
            bias_step: BiasStep::Mean,
            limit: 1e18,
            floor: 0.0,
            ..Self::default()
        }
    }
}

/// The ensemble. See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autoencoders {
    settings: Settings,
    width: usize,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Mapping(Mapper),
    Running(Ensemble),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Ensemble {
    groups: Vec<Vec<usize>>,
    /// One for each group.
    smalls: Vec<Small>,
    /// Over the errors of all groups.
    over: Small,
    columns: Columns,
    /// What is known of the errors of each group.
    errors: Columns,
}

/// Room for one row: the numbers of a group, then of the autoencoder over all.
struct Desk {
    row: [f32; MAX_COLUMNS],
    there: [bool; MAX_COLUMNS],
    back: [f32; MAX_COLUMNS],
    units: [f32; UNITS],
    errors: [f32; MAX_COLUMNS],
}

impl Desk {
    const fn new() -> Self {
        Self {
            row: [0.0; MAX_COLUMNS],
            there: [true; MAX_COLUMNS],
            back: [0.0; MAX_COLUMNS],
            units: [0.0; UNITS],
            errors: [0.0; MAX_COLUMNS],
        }
    }

    fn room(&mut self, visible: usize) -> Room<'_> {
        Room {
            row: &self.row[..visible],
            there: &self.there[..visible],
            back: &mut self.back[..visible],
            units: &mut self.units,
        }
    }
}

impl Autoencoders {
    /// An ensemble that has learned nothing, for rows of this width.
    pub fn new(width: usize, settings: &Settings) -> Self {
        let width = width.min(MAX_COLUMNS);
        let mut settings = settings.clone();
        settings.group = settings.group.clamp(1, MAX_GROUP);
        settings.hidden_ratio = between(settings.hidden_ratio, 0.01, 1.0, 0.75);
        settings.rate = between(settings.rate, 0.0, 1.0, 0.3);
        settings.limit = between(settings.limit, 1.0, 1e18, 8.0);
        settings.floor = between(settings.floor, 0.0, 1.0, 1e-3);
        let given = settings.groups.take().filter(|groups| fit(groups, width));
        let stage = match given {
            Some(groups) => Stage::Running(Ensemble::new(width, groups, &settings)),
            None => Stage::Mapping(Mapper::new(width, settings.signed)),
        };
        Self { settings, width, stage }
    }

    /// Which columns go together; none before that is known.
    pub fn groups(&self) -> Option<&[Vec<usize>]> {
        match &self.stage {
            Stage::Mapping(_) => None,
            Stage::Running(ensemble) => Some(&ensemble.groups),
        }
    }
}

/// A setting within its bounds, or the usual one where it is no number.
fn between(x: f32, low: f32, high: f32, usual: f32) -> f32 {
    if x.is_nan() { usual } else { x.clamp(low, high) }
}

/// Whether groups name columns of such rows, and none is too large.
fn fit(groups: &[Vec<usize>], width: usize) -> bool {
    !groups.is_empty()
        && groups.len() <= MAX_COLUMNS
        && groups.iter().all(|group| {
            (1..=MAX_GROUP).contains(&group.len()) && group.iter().all(|&column| column < width)
        })
}

/// A number as a share of the range of its column.
fn scaled(x: f32, column: &Column, settings: &Settings) -> f32 {
    let (low, high) = column.range();
    let range = (high - low).max(settings.floor * high.abs().max(low.abs())) + 1e-16;
    ((x - low) / range).clamp(-settings.limit, 1.0 + settings.limit)
}

impl Ensemble {
    fn new(width: usize, groups: Vec<Vec<usize>>, settings: &Settings) -> Self {
        let mut chance = Chance::new(settings.seed);
        let mut small = |visible| Small::new(visible, settings, &mut chance);
        Self {
            smalls: groups.iter().map(|group| small(group.len())).collect(),
            over: small(groups.len()),
            columns: Columns::new(width, u64::MAX),
            errors: Columns::new(groups.len(), u64::MAX),
            groups,
        }
    }

    /// Puts the numbers of a group on the desk.
    fn lay(&self, group: &[usize], row: &[f32], settings: &Settings, desk: &mut Desk) {
        for (place, &c) in group.iter().enumerate() {
            let Some(column) = self.columns.column(c) else { continue };
            let x = value(row, c);
            let known = column.count() > 0;
            desk.there[place] = x.is_some() && known;
            desk.row[place] = scaled(x.unwrap_or_else(|| column.mean()), column, settings);
        }
    }

    /// Puts the errors of all groups on the desk.
    fn lay_errors(&self, settings: &Settings, desk: &mut Desk) {
        let count = self.groups.len();
        for (place, column) in self.errors.iter().enumerate() {
            desk.row[place] = scaled(desk.errors[place], column, settings);
        }
        desk.there[..count].fill(true);
    }

    fn learn(&mut self, row: &[f32], settings: &Settings) {
        self.columns.learn(row);
        let mut desk = Desk::new();
        for number in 0..self.groups.len() {
            self.lay(&self.groups[number], row, settings, &mut desk);
            let small = &mut self.smalls[number];
            desk.errors[number] = small.train(&mut desk.room(small.visible()), settings);
        }
        self.errors.learn(&desk.errors[..self.groups.len()]);
        self.lay_errors(settings, &mut desk);
        self.over.train(&mut desk.room(self.groups.len()), settings);
    }

    fn score(&self, row: &[f32], settings: &Settings, desk: &mut Desk) -> f32 {
        if self.errors.column(0).is_none_or(|column| column.count() == 0) {
            return 0.0;
        }
        for (number, (group, small)) in self.groups.iter().zip(&self.smalls).enumerate() {
            self.lay(group, row, settings, desk);
            desk.errors[number] = small.run(&mut desk.room(group.len()));
        }
        self.lay_errors(settings, desk);
        self.over.run(&mut desk.room(self.groups.len())).min(f32::MAX)
    }

    fn explain(&self, row: &[f32], settings: &Settings, out: &mut Vec<Contribution>) {
        let mut desk = Desk::new();
        if self.score(row, settings, &mut desk) <= 0.0 {
            return;
        }
        let square = |x: f32| f64::from(x) * f64::from(x);
        // What each group has of the score.
        let count = self.groups.len();
        let shares: Vec<f64> =
            desk.row.iter().zip(&desk.back).take(count).map(|(x, back)| square(x - back)).collect();
        let whole = shares.iter().sum::<f64>();
        let mut parts = vec![];
        for ((group, small), share) in self.groups.iter().zip(&self.smalls).zip(shares) {
            self.lay(group, row, settings, &mut desk);
            small.run(&mut desk.room(group.len()));
            let off = |place: usize, desk: &Desk| {
                if desk.there[place] { square(desk.row[place] - desk.back[place]) } else { 0.0 }
            };
            let all = (0..group.len()).map(|place| off(place, &desk)).sum::<f64>();
            for (place, &c) in group.iter().enumerate() {
                let (Some(observed), Some(column)) = (value(row, c), self.columns.column(c)) else {
                    continue;
                };
                let weight = share / whole.max(f64::MIN_POSITIVE) * off(place, &desk)
                    / all.max(f64::MIN_POSITIVE);
                let (low, high) = column.range();
                let expected = low + desk.back[place] * (high - low);
                parts.push(Contribution { column: c, weight: weight as f32, observed, expected });
            }
        }
        crate::model::heaviest(parts, NAMED, out);
    }
}

impl Model for Autoencoders {
    fn score(&self, row: &[f32]) -> f32 {
        match &self.stage {
            Stage::Mapping(_) => 0.0,
            Stage::Running(ensemble) => ensemble.score(row, &self.settings, &mut Desk::new()),
        }
    }

    fn learn(&mut self, row: &[f32]) {
        match &mut self.stage {
            Stage::Running(ensemble) => ensemble.learn(row, &self.settings),
            Stage::Mapping(mapper) => {
                mapper.learn(row);
                if mapper.rows() >= self.settings.mapping.max(2) {
                    let groups = mapper.clusters(self.settings.group);
                    self.stage = Stage::Running(Ensemble::new(self.width, groups, &self.settings));
                }
            }
        }
    }

    fn explain(&self, row: &[f32], out: &mut Vec<Contribution>) {
        if let Stage::Running(ensemble) = &self.stage {
            ensemble.explain(row, &self.settings, out);
        }
    }
}
