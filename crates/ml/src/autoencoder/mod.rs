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
//! For a row once the groups are known, room is taken for its numbers once, and for nothing else.

mod mapper;
mod sigmoid;
mod small;

use serde::{Deserialize, Serialize};

use self::mapper::Mapper;
use self::sigmoid::sigmoid;
use self::small::Small;
use crate::columns::{Column, Columns, MAX_COLUMNS, value};
use crate::{Chance, Contribution, Model};

/// How many columns an explanation names.
const NAMED: usize = 8;
/// The most columns of one autoencoder.
const MAX_GROUP: usize = 64;

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

/// Room for one row: its numbers and hidden units, those of one group after the other, and at last
/// those of the autoencoder over all. So the logistic function is taken of all at once.
struct Desk {
    row: Vec<f32>,
    there: Vec<bool>,
    back: Vec<f32>,
    units: Vec<f32>,
}

impl Desk {
    fn new(ensemble: &Ensemble) -> Self {
        let all = || ensemble.smalls.iter().chain([&ensemble.over]);
        let visible = all().map(Small::visible).sum();
        let hidden = all().map(Small::room).sum();
        Self {
            row: vec![0.0; visible],
            there: vec![true; visible],
            back: vec![0.0; visible],
            units: vec![0.0; hidden],
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

    /// Where the numbers and the hidden units of the autoencoder over all begin on the desk.
    fn over_at(&self, desk: &Desk) -> (usize, usize) {
        (desk.row.len() - self.over.visible(), desk.units.len() - self.over.room())
    }

    /// Puts the numbers of all groups on the desk, and through their autoencoders.
    fn lay(&self, row: &[f32], settings: &Settings, desk: &mut Desk) {
        let (end, units_end) = self.over_at(desk);
        let places = desk.row[..end].iter_mut().zip(&mut desk.there[..end]);
        for (&c, (x, there)) in self.groups.iter().flatten().zip(places) {
            let Some(column) = self.columns.column(c) else { continue };
            let given = value(row, c);
            *there = given.is_some() && column.count() > 0;
            *x = scaled(given.unwrap_or_else(|| column.mean()), column, settings);
        }
        let (mut from, mut units_from) = (0, 0);
        for small in &self.smalls {
            let (to, units_to) = (from + small.visible(), units_from + small.room());
            small.hidden(&desk.row[from..to], &mut desk.units[units_from..units_to]);
            (from, units_from) = (to, units_to);
        }
        sigmoid(&mut desk.units[..units_end]);
        let (mut from, mut units_from) = (0, 0);
        for small in &self.smalls {
            let (to, units_to) = (from + small.visible(), units_from + small.room());
            small.back(&desk.units[units_from..units_to], &mut desk.back[from..to]);
            (from, units_from) = (to, units_to);
        }
        sigmoid(&mut desk.back[..end]);
    }

    /// Puts the errors of all groups where the autoencoder over all sees them, as they are.
    fn sum_up(&self, desk: &mut Desk) {
        let (end, _) = self.over_at(desk);
        let (rows, over) = desk.row.split_at_mut(end);
        let mut from = 0;
        for (small, sum) in self.smalls.iter().zip(over) {
            let to = from + small.visible();
            *sum = small::error(&rows[from..to], &desk.there[from..to], &desk.back[from..to]);
            from = to;
        }
    }

    /// Scales the errors of all groups and puts them through the autoencoder over all. Hands back
    /// its error.
    fn judge(&self, settings: &Settings, desk: &mut Desk) -> f32 {
        let (end, units_end) = self.over_at(desk);
        for (x, column) in desk.row[end..].iter_mut().zip(self.errors.iter()) {
            *x = scaled(*x, column, settings);
        }
        self.over.hidden(&desk.row[end..], &mut desk.units[units_end..]);
        sigmoid(&mut desk.units[units_end..]);
        self.over.back(&desk.units[units_end..], &mut desk.back[end..]);
        sigmoid(&mut desk.back[end..]);
        small::error(&desk.row[end..], &desk.there[end..], &desk.back[end..])
    }

    fn learn(&mut self, row: &[f32], settings: &Settings) {
        self.columns.learn(row);
        let desk = &mut Desk::new(self);
        self.lay(row, settings, desk);
        self.sum_up(desk);
        let (end, units_end) = self.over_at(desk);
        self.errors.learn(&desk.row[end..]);
        self.judge(settings, desk);
        small::errors(&desk.row, &desk.there, &mut desk.back);
        let (mut from, mut units_from) = (0, 0);
        for small in &mut self.smalls {
            let (to, units_to) = (from + small.visible(), units_from + small.room());
            let units = &desk.units[units_from..units_to];
            small.learn(&desk.row[from..to], &desk.back[from..to], units, settings);
            (from, units_from) = (to, units_to);
        }
        self.over.learn(&desk.row[end..], &desk.back[end..], &desk.units[units_end..], settings);
    }

    fn score(&self, row: &[f32], settings: &Settings, desk: &mut Desk) -> f32 {
        if self.errors.column(0).is_none_or(|column| column.count() == 0) {
            return 0.0;
        }
        self.lay(row, settings, desk);
        self.sum_up(desk);
        self.judge(settings, desk).min(f32::MAX)
    }

    fn explain(&self, row: &[f32], settings: &Settings, out: &mut Vec<Contribution>) {
        let desk = &mut Desk::new(self);
        if self.score(row, settings, desk) <= 0.0 {
            return;
        }
        let square = |x: f32| f64::from(x) * f64::from(x);
        let (end, _) = self.over_at(desk);
        // What each group has of the score.
        let shares = desk.row[end..].iter().zip(&desk.back[end..]);
        let shares: Vec<f64> = shares.map(|(x, back)| square(x - back)).collect();
        let whole = shares.iter().sum::<f64>();
        let off = |place: usize| {
            if desk.there[place] { square(desk.row[place] - desk.back[place]) } else { 0.0 }
        };
        let (mut parts, mut from) = (vec![], 0);
        for (group, share) in self.groups.iter().zip(shares) {
            let all = (from..from + group.len()).map(off).sum::<f64>();
            for (place, &c) in (from..).zip(group) {
                let (Some(observed), Some(column)) = (value(row, c), self.columns.column(c)) else {
                    continue;
                };
                let weight =
                    share / whole.max(f64::MIN_POSITIVE) * off(place) / all.max(f64::MIN_POSITIVE);
                let (low, high) = column.range();
                let expected = low + desk.back[place] * (high - low);
                parts.push(Contribution { column: c, weight: weight as f32, observed, expected });
            }
            from += group.len();
        }
        crate::model::heaviest(parts, NAMED, out);
    }
}

impl Model for Autoencoders {
    fn score(&self, row: &[f32]) -> f32 {
        match &self.stage {
            Stage::Mapping(_) => 0.0,
            Stage::Running(ensemble) => {
                ensemble.score(row, &self.settings, &mut Desk::new(ensemble))
            }
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
