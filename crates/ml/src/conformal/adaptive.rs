//! Levels that move, so that what is realised stays what was promised when life changes.

use serde::{Deserialize, Serialize};

/// The nominal levels that are followed unless others are asked for: one in ten, in a hundred, in a
/// thousand.
pub const LEVELS: [f64; 3] = [0.1, 0.01, 0.001];

/// How far a level moves at a miss, on the scale of logarithms. See [`Adaptive`].
pub(super) const STEP: f64 = 0.5;

/// Adaptive conformal inference (Gibbs and Candes, 2021) on the scale of logarithms, as a quantile
/// tracker (Angelopoulos, Candes and Tibshirani, 2023).
///
/// For every nominal level `a` it holds a working level `w`. After each normal row with p-value `p`
/// the logarithm of `w` goes down by `step * (1 - a)` if `p <= w` (a false alarm) and up by
/// `step * a` if not. Whatever the p-values are, in any order, chosen by anybody: since `w` cannot
/// leave the span in which p-values lie by more than a step, after `T` rows
///
/// ```text
/// | false alarms / T - a |  <=  (ln(max(1 + kept, 1 / a)) + 2 * step) / (step * T)
/// ```
///
/// where `kept` is how many scores stood behind the p-values at most. The bound holds for
/// [`Self::alarm`]; it needs no exchangeability, and says nothing of any one stretch of time.
///
/// The step is a compromise, found by simulation over steps, ramps and waves (the tests beside this
/// file). After 100,000 rows any from 0.05 to 1 brings realised over nominal to 0.98 to 1.07 at 1 %
/// and 0.1 %, where levels that stay reach 1.5. After 5,000 rows and a tripling of all scores levels
/// that stay reach 3.1 at 1 %, a step of 0.1 reaches 1.22, and 0.5 reaches 1.04. Above 0.5 little is
/// gained, and a single false alarm takes the working level to a third.
///
/// Somebody who floods it with strange rows that count as normal makes it deaf: take only rows of
/// devices without an open case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adaptive {
    step: f64,
    /// Nominal level and the logarithm of the working level, from the largest nominal level down.
    levels: Vec<(f64, f64)>,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self::new(&LEVELS)
    }
}

impl Adaptive {
    /// Follows these nominal levels, each above 0 and below 1; others are left out.
    pub fn new(nominal: &[f64]) -> Self {
        Self::with_step(nominal, STEP)
    }

    /// The same with a step of one's own, above 0.
    pub fn with_step(nominal: &[f64], step: f64) -> Self {
        let inside = nominal.iter().copied().filter(|a| *a > 0.0 && *a < 1.0);
        let mut levels: Vec<(f64, f64)> = inside.map(|a| (a, a.ln())).collect();
        levels.sort_by(|a, b| b.0.total_cmp(&a.0));
        levels.dedup_by(|a, b| a.0 == b.0);
        Self { step: step.max(f64::MIN_POSITIVE), levels }
    }

    /// Takes the p-value of a normal row. One that is not within 0 and 1 is not taken.
    pub fn take(&mut self, p: f64) {
        if !(0.0..=1.0).contains(&p) {
            return;
        }
        let p = p.ln();
        for (nominal, working) in &mut self.levels {
            let alarm = f64::from(u8::from(p <= *working));
            *working -= self.step * (alarm - *nominal);
        }
    }

    /// Whether a p-value is an alarm at a nominal level that is followed; at one that is not, it is
    /// one where it is at most the level itself.
    pub fn alarm(&self, p: f64, nominal: f64) -> bool {
        let followed = self.levels.iter().find(|level| level.0 == nominal);
        p.ln() <= followed.map_or(nominal.ln(), |level| level.1)
    }

    /// The working level of a nominal one.
    pub fn working(&self, nominal: f64) -> Option<f64> {
        self.levels.iter().find(|level| level.0 == nominal).map(|level| level.1.exp())
    }

    /// The p-value as it would be had life not changed: each working level is carried to its nominal
    /// one, what lies between by a straight line on the scale of logarithms, what lies below the
    /// smallest by the same factor as there. Rising in `p`; above 0 and at most 1.
    ///
    /// Where levels have crossed for a moment they are put back in order first (the rearrangement
    /// of Chernozhukov, Fernandez-Val and Galichon, 2010).
    pub fn adjust(&self, p: f64) -> f64 {
        let p = p.clamp(f64::MIN_POSITIVE, 1.0).ln();
        let mut working: Vec<f64> = self.levels.iter().map(|level| level.1.min(0.0)).collect();
        working.sort_by(|a, b| b.total_cmp(a));
        let mut above = (0.0, 0.0);
        for (here, (nominal, _)) in working.iter().zip(&self.levels) {
            let here = (*here, nominal.ln());
            if p > here.0 {
                let part = (p - here.0) / (above.0 - here.0);
                return (here.1 + part * (above.1 - here.1)).exp();
            }
            above = here;
        }
        (p - above.0 + above.1).exp().clamp(f64::MIN_POSITIVE, 1.0)
    }
}
