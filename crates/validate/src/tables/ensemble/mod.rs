//! Trees that know attacks, and memories that know normal life, as one score.
//!
//! Three members look at a row:
//! * **known**: boosted trees of normal rows against attacks, the mean of several seeds;
//! * **mixed**: boosted trees of normal rows against attacks and against rows made up of columns of
//!   different normal rows (as in Shi and Horvath, 2006), which learn what goes together;
//! * **near**: the distance to the nearest normal row.
//!
//! Each score becomes the probability `p` of so large a one among normal rows that nothing was
//! learned from, and `sqrt(-2 ln p)`, which is about how many standard deviations off it would be
//! were it normally distributed. The sum of these (as Stouffer's) is the score of all. Beyond the
//! largest fiftieth, `p` is carried on exponentially (peaks over a threshold; Pickands, 1975): among
//! rows that are all stranger than any that was kept aside, it still matters how much. Such a tail
//! is a guess, and members depend on each other; so the sum is held against other normal rows kept
//! aside, and the p-value that comes of that is a conformal one and needs neither to be true.
//!
//! Deliberately absent: weights of members. They would have to be learned from the attacks that are
//! known, and are there for those that are not.

mod space;
mod tail;

use ml::Chance;
use ml::conformal::{Keep, Scores};
use ml::trees::{Part, Rows, TreeSettings, Trees};

use super::TableError;
use super::column::Table;
use super::encode::Encoder;
use space::{Space, some};
use tail::Tail;

/// Normal rows that are kept aside for calibration at most.
const MOST_ASIDE: usize = 20_000;

/// Share of normal rows that are kept aside for calibration.
const ASIDE: f64 = 0.2;

/// Fewer normal rows cannot calibrate anything.
pub const LEAST_NORMAL: usize = 20;

/// How the ensemble is made.
#[derive(Clone, Debug, PartialEq)]
pub struct EnsembleSettings {
    /// Trees of normal rows against attacks.
    pub known: TreeSettings,
    /// So many times, with different seeds.
    pub seeds: u32,
    /// Trees of normal rows against attacks and mixed rows.
    pub mixed: TreeSettings,
    /// Share of columns that a mixed row has from other rows.
    pub mixing: f64,
}

impl Default for EnsembleSettings {
    fn default() -> Self {
        let known = TreeSettings { row_share: 0.7, column_share: 0.5, ..TreeSettings::default() };
        Self { mixed: TreeSettings { rounds: 200, ..known.clone() }, known, seeds: 3, mixing: 0.3 }
    }
}

/// A trained ensemble.
#[derive(Debug)]
pub struct Ensemble {
    encoder: Encoder,
    known: Vec<Trees>,
    mixed: Trees,
    space: Space,
    /// What each member says of normal rows that were kept aside.
    members: Vec<Tail>,
    /// Sums of other normal rows kept aside.
    whole: Scores,
}

/// What is said of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The sum over members: the larger the stranger.
    pub score: f64,
    /// How often a normal row is as strange.
    pub p: f64,
}

impl Ensemble {
    /// Learns from some rows of a table.
    ///
    /// # Errors
    /// When these rows are of one class, or are too few normal ones, or a setting is out of range.
    pub fn fit(
        table: &Table,
        rows: &[u32],
        settings: &EnsembleSettings,
        seed: u64,
    ) -> Result<Self, TableError> {
        let mut chance = Chance::new(seed);
        let (attacks, mut normal): (Vec<u32>, Vec<u32>) =
            rows.iter().partition(|row| table.attack(**row));
        let lacks = |what| TableError::OneClass { place: "the rows to learn from".into(), what };
        if attacks.is_empty() {
            return Err(lacks("no row is an attack"));
        }
        if normal.len() < LEAST_NORMAL {
            return Err(lacks("fewer than 20 rows are normal"));
        }
        chance.shuffle(&mut normal);
        let aside = ((normal.len() as f64 * ASIDE) as usize).clamp(2, MOST_ASIDE);
        let aside = normal.split_off(normal.len() - aside);
        normal.sort_unstable();
        let mut learned = [&attacks[..], &normal].concat();
        learned.sort_unstable();

        let encoder = Encoder::fit(table, &learned);
        let (known, mixed) = trees(table, &encoder, &learned, &normal, settings, &mut chance)?;
        let space = Space::fit(table, &learned, &normal, &mut chance);
        let whole = Scores::new(MOST_ASIDE, Keep::Sample, seed);
        let members = Vec::new();
        let mut out = Self { encoder, known, mixed, space, members, whole };
        out.calibrate(table, &aside)?;
        Ok(out)
    }

    /// Half of the rows say what each member thinks of normal rows, the other half what all do.
    fn calibrate(&mut self, table: &Table, aside: &[u32]) -> Result<(), TableError> {
        let (first, second) = aside.split_at(aside.len() / 2);
        self.members = self.member_scores(table, first)?.map(Tail::new).into();
        for verdict in self.verdicts(table, second)? {
            self.whole.learn(verdict.score as f32);
        }
        Ok(())
    }

    /// What is said of some rows.
    ///
    /// # Errors
    /// When the rows are of another table than what was learned from.
    pub fn verdicts(&self, table: &Table, rows: &[u32]) -> Result<Vec<Verdict>, TableError> {
        let scores = self.member_scores(table, rows)?;
        let verdict = |at: usize| {
            let parts = self.members.iter().zip(&scores);
            let score: f64 = parts.map(|(member, scores)| member.deviations(scores[at])).sum();
            // Rounded as it is kept, so that equal scores stay equal.
            let score = score as f32;
            Verdict { score: score.into(), p: self.whole.p(score) }
        };
        Ok((0..rows.len()).map(verdict).collect())
    }

    /// The scores of each member.
    fn member_scores(&self, table: &Table, rows: &[u32]) -> Result<[Vec<f32>; 3], TableError> {
        let encoded = self.encoder.rows(table, rows);
        let encoded = Rows::new(&encoded, self.encoder.width())?;
        let (mut known, mut mixed, mut one) = (vec![0.0; rows.len()], Vec::new(), Vec::new());
        for trees in &self.known {
            trees.scores(encoded, &mut one)?;
            known.iter_mut().zip(&one).for_each(|(sum, score)| *sum += score);
        }
        self.mixed.scores(encoded, &mut mixed)?;
        let near = rows.iter().map(|row| self.space.nearest(table, *row).0).collect();
        Ok([known, mixed, near])
    }

    /// The normal row of training that a row is nearest to.
    pub fn nearest(&self, table: &Table, row: u32) -> u32 {
        self.space.nearest(table, row).1
    }

    /// Which columns made the trees think of an attack, by name, the heaviest first.
    ///
    /// # Errors
    /// When the row is of another table than what was learned from.
    pub fn explain(&self, table: &Table, row: u32) -> Result<Vec<(String, Part)>, TableError> {
        let (encoded, names) = (self.encoder.rows(table, &[row]), self.encoder.names(table));
        let mut parts = Vec::new();
        if let Some(trees) = self.known.first() {
            trees.explain(&encoded, 0, &mut parts)?;
        }
        Ok(parts.into_iter().map(|part| (names[part.column].clone(), part)).collect())
    }
}

fn trees(
    table: &Table,
    encoder: &Encoder,
    learned: &[u32],
    normal: &[u32],
    settings: &EnsembleSettings,
    chance: &mut Chance,
) -> Result<(Vec<Trees>, Trees), TableError> {
    let mut encoded = encoder.rows(table, learned);
    let mut labels: Vec<u32> = learned.iter().map(|row| table.attack(*row).into()).collect();
    let rows = Rows::new(&encoded, encoder.width())?;
    let known: Result<Vec<Trees>, _> = (0..settings.seeds.max(1))
        .map(|_| {
            let settings = TreeSettings { seed: chance.bits(), ..settings.known.clone() };
            Trees::train(rows, &labels, None, &settings)
        })
        .collect();
    for base in some(normal, normal.len(), chance) {
        let mut other = |_| {
            let other = normal[chance.below(normal.len())];
            if chance.unit() < settings.mixing { other } else { base }
        };
        encoder.mixed(table, &mut other, &mut encoded);
        labels.push(1);
    }
    let rows = Rows::new(&encoded, encoder.width())?;
    let settings = TreeSettings { seed: chance.bits(), ..settings.mixed.clone() };
    Ok((known?, Trees::train(rows, &labels, None, &settings)?))
}
