//! Nearest-neighbour novelty on a bounded memory: how far a row is from the normal rows most like
//! it (Ramaswamy, Rastogi and Shim, "Efficient Algorithms for Mining Outliers", 2000; the mean over
//! k neighbours: Angiulli and Pizzuti, 2002).
//!
//! What is kept is a [`Reservoir`] of rows. A column counts in units of its own spread, and at most
//! [`Settings::limit`] of them, so that one wild column cannot hide what the others say, and a
//! column that was always the same does not count without end. A column that is absent (not finite)
//! in the row that is scored counts as what the neighbour has there; in a row that is learned, as
//! the mean.
//!
//! Rows lie in blocks of 16, column by column, so that the compiler does four to sixteen rows at
//! once and a block is left as soon as all its rows are too far. Deliberately absent: an index. At
//! the few thousand rows that fit the caches, going through all of them is as fast, and exact.

use fearless_simd::{Level, dispatch};
use serde::{Deserialize, Serialize};

use crate::columns::{Columns, MAX_COLUMNS, value};
use crate::reservoir::Reservoir;
use crate::{Contribution, Model};

/// Rows of a block.
const LANES: usize = 16;
/// Columns after which a block is looked at again.
const STRETCH: usize = 16;
/// The most neighbours that are asked for.
const MAX_NEIGHBOURS: usize = 32;
/// How many columns an explanation names.
const NAMED: usize = 8;

/// How a memory is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Rows that are kept.
    pub capacity: usize,
    /// Neighbours whose mean distance is the score: 1 to 32.
    pub neighbours: usize,
    /// The most that one column counts, in spreads of that column.
    pub limit: f32,
    /// After about how many rows a row is forgotten.
    pub horizon: u64,
    /// Seed of what is kept.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { capacity: 1_024, neighbours: 5, limit: 8.0, horizon: u64::MAX, seed: 1 }
    }
}

/// A bounded memory of normal rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    neighbours: usize,
    limit: f32,
    columns: Columns,
    reservoir: Reservoir,
    /// Blocks of `LANES` rows, each column by column.
    blocks: Vec<f32>,
    /// What the caller calls each row.
    tags: Vec<u64>,
}

/// The normal row nearest to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// What the row was called when it was learned.
    pub tag: u64,
    /// How far it is, in the unit of the score.
    pub distance: f32,
    /// The row itself.
    pub row: Vec<f32>,
}

/// The nearest rows so far, by rising squared distance.
struct Best {
    wanted: usize,
    found: usize,
    squares: [f32; MAX_NEIGHBOURS],
    places: [usize; MAX_NEIGHBOURS],
}

impl Best {
    /// What a row has to be below.
    fn bar(&self) -> f32 {
        if self.found < self.wanted { f32::INFINITY } else { self.squares[self.found - 1] }
    }

    fn offer(&mut self, square: f32, place: usize) {
        let at = self.squares[..self.found].partition_point(|&s| s <= square);
        if at >= self.wanted {
            return;
        }
        self.found = (self.found + 1).min(self.wanted);
        self.squares.copy_within(at..self.found - 1, at + 1);
        self.places.copy_within(at..self.found - 1, at + 1);
        (self.squares[at], self.places[at]) = (square, place);
    }
}

impl Memory {
    /// An empty memory of rows of this width.
    pub fn new(width: usize, settings: &Settings) -> Self {
        Self {
            neighbours: settings.neighbours.clamp(1, MAX_NEIGHBOURS),
            limit: if settings.limit > 0.0 { settings.limit.min(1e9) } else { 8.0 },
            columns: Columns::new(width, settings.horizon),
            reservoir: Reservoir::new(settings.capacity, settings.horizon, settings.seed),
            blocks: vec![],
            tags: vec![],
        }
    }

    /// How many rows are kept.
    pub fn len(&self) -> usize {
        self.reservoir.len()
    }

    /// Whether nothing was learned yet.
    pub const fn is_empty(&self) -> bool {
        self.reservoir.is_empty()
    }

    /// Takes a row as normal, with what it is called: a number by which the caller finds again
    /// where it came from.
    pub fn learn_as(&mut self, row: &[f32], tag: u64) {
        self.columns.learn(row);
        let Some(place) = self.reservoir.place() else { return };
        let width = self.columns.width();
        let block = place / LANES * LANES * width;
        if block >= self.blocks.len() {
            self.blocks.resize(block + LANES * width, 0.0);
        }
        if place >= self.tags.len() {
            self.tags.resize(place + 1, 0);
        }
        self.tags[place] = tag;
        for (c, column) in self.columns.iter().enumerate() {
            let x = value(row, c).unwrap_or_else(|| column.mean());
            self.blocks[block + c * LANES + place % LANES] = x;
        }
    }

    /// The normal row that is nearest to this one.
    pub fn nearest(&self, row: &[f32]) -> Option<Nearest> {
        let best = self.best(row, 1);
        if best.found == 0 {
            return None;
        }
        let place = best.places[0];
        let row = (0..self.columns.width()).map(|c| self.kept(place, c)).collect();
        Some(Nearest { tag: self.tags[place], distance: self.unit(best.squares[0]), row })
    }

    fn kept(&self, place: usize, column: usize) -> f32 {
        let width = self.columns.width();
        self.blocks[place / LANES * LANES * width + column * LANES + place % LANES]
    }

    /// Root mean square over the columns.
    fn unit(&self, square: f32) -> f32 {
        (square / self.columns.width().max(1) as f32).sqrt()
    }

    /// The `wanted` rows nearest to a row.
    fn best(&self, row: &[f32], wanted: usize) -> Best {
        dispatch!(Level::new(), _ => self.best_in(row, wanted))
    }

    /// The same, compiled for the widest vectors that the processor has. Sums and products are those
    /// of narrower ones, in the same order: the answer is the same bit for bit.
    #[inline(always)]
    fn best_in(&self, row: &[f32], wanted: usize) -> Best {
        let width = self.columns.width();
        let mut best =
            Best { wanted, found: 0, squares: [0.0; MAX_NEIGHBOURS], places: [0; MAX_NEIGHBOURS] };
        // The row, and one over the spread of each column; 0 for a column that is absent.
        let (mut at, mut per) = ([0.0_f32; MAX_COLUMNS], [0.0_f32; MAX_COLUMNS]);
        for (c, column) in self.columns.iter().enumerate() {
            if let Some(x) = value(row, c) {
                (at[c], per[c]) = (x, 1.0 / column.spread());
            }
        }
        let most = self.limit * self.limit;
        let kept = self.len();
        for (number, block) in self.blocks.chunks_exact(LANES * width.max(1)).enumerate() {
            let mut sums = [0.0_f32; LANES];
            let columns = block.as_chunks::<LANES>().0.iter().zip(at.iter().zip(&per));
            let mut far = false;
            for (c, (lanes, (&x, &per))) in columns.enumerate() {
                for (sum, y) in sums.iter_mut().zip(lanes) {
                    let off = (x - y) * per;
                    let square = off * off;
                    *sum += if square < most { square } else { most };
                }
                if c % STRETCH == STRETCH - 1 && sums.iter().all(|&sum| sum >= best.bar()) {
                    far = true;
                    break;
                }
            }
            if far {
                continue;
            }
            let first = number * LANES;
            for (lane, &sum) in sums.iter().enumerate().take(kept - first.min(kept)) {
                if sum < best.bar() {
                    best.offer(sum, first + lane);
                }
            }
        }
        best
    }
}

impl Model for Memory {
    fn score(&self, row: &[f32]) -> f32 {
        let best = self.best(row, self.neighbours);
        let distances = best.squares[..best.found].iter().map(|&s| self.unit(s));
        distances.sum::<f32>() / best.found.max(1) as f32
    }

    fn learn(&mut self, row: &[f32]) {
        self.learn_as(row, self.reservoir.seen());
    }

    fn explain(&self, row: &[f32], out: &mut Vec<Contribution>) {
        let best = self.best(row, 1);
        if best.found == 0 || best.squares[0] <= 0.0 {
            return;
        }
        let mut parts: Vec<Contribution> = vec![];
        for (c, column) in self.columns.iter().enumerate() {
            let Some(observed) = value(row, c) else { continue };
            let expected = self.kept(best.places[0], c);
            let off = ((observed - expected) / column.spread()).abs().min(self.limit);
            let weight = off * off / best.squares[0];
            parts.push(Contribution { column: c, weight, observed, expected });
        }
        crate::model::heaviest(parts, NAMED, out);
    }
}
