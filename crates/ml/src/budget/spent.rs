//! What was spent in the last shift, in a fixed number of slices of time.

use serde::{Deserialize, Serialize};

/// Slices of a shift. What was spent is forgotten a slice late: on the side of caution.
const SLICES: usize = 48;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Slice {
    number: i64,
    tests: u64,
    levels: f64,
}

/// Sums over the last shift and the running slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Spent {
    slice_seconds: f64,
    slices: Vec<Slice>,
    first: Option<i64>,
    now: i64,
    levels: f64,
    tests: u64,
}

impl Spent {
    pub(super) fn new(shift_seconds: f64) -> Self {
        Self {
            slice_seconds: (shift_seconds / SLICES as f64).max(1e-6),
            // The running slice lies over the oldest: one more holds a whole shift.
            slices: vec![Slice::default(); SLICES + 1],
            first: None,
            now: 0,
            levels: 0.0,
            tests: 0,
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, at: f64) {
        // `as` takes what is no number to 0, and infinity to the last slice there is.
        let number = (at / self.slice_seconds).floor() as i64;
        let whole = SLICES as i64;
        if self.first.is_none() {
            (self.first, self.now) = (Some(number), number);
        } else if number < self.now.saturating_sub(whole) {
            // The clock was wrong before: begin anew here, and owe what was spent.
            let owed = Slice { number, tests: self.tests, levels: self.levels };
            self.slices.fill(Slice { number, ..Slice::default() });
            let place = number.rem_euclid(self.slices.len() as i64) as usize;
            self.slices.splice(place..=place, [owed]);
            (self.first, self.now) = (Some(number), number);
        } else {
            self.now = self.now.max(number);
        }
        let oldest = self.now.saturating_sub(SLICES as i64);
        self.slices.iter_mut().filter(|slice| slice.number < oldest).for_each(|slice| {
            *slice = Slice { number: oldest, ..Slice::default() };
        });
        self.levels = self.slices.iter().map(|slice| slice.levels).sum();
        self.tests = self.slices.iter().map(|slice| slice.tests).sum();
    }

    pub(super) fn spend(&mut self, level: f64) {
        let place = self.now.rem_euclid(self.slices.len() as i64) as usize;
        if let Some(slice) = self.slices.get_mut(place) {
            slice.number = self.now;
            slice.tests += 1;
            slice.levels += level;
        }
        self.levels += level;
        self.tests += 1;
    }

    /// Sum of the levels in the last shift.
    pub(super) const fn levels(&self) -> f64 {
        self.levels
    }

    /// Tests in a shift: counted, once one has passed; `expected` or more before.
    pub(super) fn tests_a_shift(&self, expected: f64) -> f64 {
        let passed = self.now.saturating_sub(self.first.unwrap_or(self.now));
        let counted = self.tests as f64;
        if passed >= SLICES as i64 { counted.max(1.0) } else { counted.max(expected) }
    }
}
