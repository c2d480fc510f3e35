//! What was learned elsewhere and is given to a site: what is usual for each class, and trees that
//! know attacks.
//!
//! It is made by training over many sites (`wardwatch model train`), goes through gates, and comes in
//! a signed package. Nothing of it names a device, an address or a person.

use ml::conformal::Tail;
use ml::trees::{Rows, Trees};
use serde::{Deserialize, Serialize};

use super::models::{Scores, Which};
use super::standard::Moments;
use crate::features::{self, Row, WIDTH};

/// Columns that trees see: the row in standard deviations, the scores of the models of normal life,
/// and the row as it is: a hundred addresses asked for are a sweep, whatever is usual.
pub const TREE_WIDTH: usize = PLAIN + WIDTH;

/// Where the row as it is begins.
const PLAIN: usize = WIDTH + Which::OF_NORMAL.len();

/// The feature that a column of the trees is made of; none for the scores of models.
pub fn feature_of(column: usize) -> Option<usize> {
    match column.checked_sub(PLAIN) {
        Some(feature) => (feature < WIDTH).then_some(feature),
        None => (column < WIDTH).then_some(column),
    }
}

/// Knowledge from elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knowledge {
    /// Version of the table of features that it was made with.
    pub features: u64,
    /// What is usual at a site, for the first minutes of a new one.
    pub usual: Moments,
    /// Whether a row is part of an attack.
    pub attack: Trees,
    /// Which family of attacks it is, where it is one.
    pub family: Trees,
    /// Names of the families, in the order of the classes of `family`.
    pub families: Vec<String>,
    /// Where scores of novelty lie among those of `attack`: pairs that rise in both, found on normal
    /// rows so that novelty alone is an alarm a fifth as often as the trees.
    pub novelty: Vec<(f32, f32)>,
    /// How scores of normal windows thin out, by models that had not learned from their sites.
    pub tail: Tail,
    /// The score of `attack` from which on an attack is more likely than not, were attacks as frequent
    /// as where it learned: attacks weighed more there, and normal windows were thinned out.
    pub likely: f32,
}

/// Knowledge that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Made for another table of features.
    #[error(
        "the model was trained on another table of features ({found:016x}, this program has \
         {expected:016x}): train it again, or take one for this version"
    )]
    Features {
        /// Version in the model.
        found: u64,
        /// Version of this program.
        expected: u64,
    },
    /// Damaged, or made by something else.
    #[error("the model is not whole: {0}")]
    Broken(&'static str),
}

impl Knowledge {
    /// Whether it can be used by this program.
    ///
    /// # Errors
    /// [`Unfit`], with what is wrong.
    pub fn check(&self) -> Result<(), Unfit> {
        let expected = features::version();
        if self.features != expected {
            return Err(Unfit::Features { found: self.features, expected });
        }
        let wrong = |bad: bool, what| if bad { Err(Unfit::Broken(what)) } else { Ok(()) };
        wrong(!self.usual.fits(), "what is usual has another number of columns")?;
        wrong(self.attack.width() != TREE_WIDTH, "the trees of attacks see other columns")?;
        wrong(self.attack.outputs() != 1, "the trees of attacks have more than one score")?;
        wrong(self.family.width() != TREE_WIDTH, "the trees of families see other columns")?;
        let named = self.families.len().max(1);
        let scores = if named == 2 { 1 } else { named };
        wrong(self.family.outputs() != scores, "families without a name")?;
        let rises = self.novelty.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1);
        wrong(!rises, "the scale of novelty does not rise")?;
        wrong(!self.tail.is_sound(), "the tail of scores does not fall")?;
        wrong(!self.likely.is_finite(), "nothing says from where on an attack is likely")
    }

    /// Log-odds of an attack, 0 where it cannot be told.
    pub(super) fn attack(&self, row: &[f32; TREE_WIDTH]) -> f32 {
        let mut score = Vec::with_capacity(1);
        match self.attack.score(row, &mut score) {
            Ok(()) => score.first().copied().unwrap_or(0.0),
            Err(_) => 0.0,
        }
    }

    /// The score of a row that is judged: the larger of what the trees say and of novelty on their scale.
    pub fn score(&self, row: &[f32; TREE_WIDTH], novelty: f32) -> f32 {
        self.attack(row).max(self.on_scale(novelty))
    }

    /// Log-odds of an attack of rows laid one after the other; 0 where it cannot be told.
    pub(super) fn attacks(&self, rows: &[f32]) -> Vec<f32> {
        let mut scores = Vec::new();
        match Rows::new(rows, TREE_WIDTH).and_then(|rows| self.attack.scores(rows, &mut scores)) {
            Ok(()) => scores,
            Err(_) => vec![0.0; rows.len() / TREE_WIDTH],
        }
    }

    /// The most probable family, and how probable it is given that it is an attack.
    pub(super) fn family(&self, row: &[f32; TREE_WIDTH]) -> Option<(&str, f32)> {
        let mut out = Vec::new();
        let rows = Rows::new(row, TREE_WIDTH).ok()?;
        self.family.probabilities(rows, &mut out).ok()?;
        if let [second] = out[..] {
            out = vec![1.0 - second, second];
        }
        let best = (0..out.len()).max_by(|a, b| out[*a].total_cmp(&out[*b]))?;
        Some((self.families.get(best)?.as_str(), out[best]))
    }

    /// A score of novelty on the scale of `attack`.
    pub(super) fn on_scale(&self, novelty: f32) -> f32 {
        let Some(first) = self.novelty.first() else { return f32::MIN };
        let place = self.novelty.partition_point(|pair| pair.0 < novelty);
        let Some(before) = place.checked_sub(1).map(|at| self.novelty[at]) else {
            // Below what was looked at: as far below the first.
            return first.1 + (novelty - first.0).max(-20.0);
        };
        match self.novelty.get(place) {
            Some(after) => {
                let part = (novelty - before.0) / (after.0 - before.0);
                before.1 + part * (after.1 - before.1)
            }
            None => before.1 + (novelty - before.0).min(20.0),
        }
    }
}

/// What trees see.
pub fn tree_row(standard: &Row, scores: &Scores, plain: &Row) -> [f32; TREE_WIDTH] {
    let mut out = [0.0; TREE_WIDTH];
    out[..WIDTH].copy_from_slice(standard);
    out[WIDTH..PLAIN].copy_from_slice(scores);
    out[PLAIN..].copy_from_slice(plain);
    out
}
