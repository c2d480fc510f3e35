//! Trees that know attacks, and memories that know normal life, as one score.
//!
//! Four members look at a row:
//! * **known**: boosted trees of normal rows against attacks, the mean of several seeds;
//! * **mixed**: boosted trees of normal rows against attacks and against rows made up of columns of
//!   different normal rows (as in Shi and Horvath, 2006), which learn what goes together;
//! * **range** and **rank**: the distance to the fifth nearest normal row, in coordinates that keep
//!   how far off a value is, and in ones that keep how rare it is.
//!
//! Each score is placed among those of a fifth of the rows that nothing was learned from, normal
//! ones and attacks, and the mean of the four places is the score of all. The place among attacks
//! matters as well as that among normal rows: were it only the latter, whatever is stranger than
//! all normal rows would be equal. The mean is then held against further normal rows that were kept
//! aside, and what comes of that is a conformal p-value, valid whatever the members are worth.
//!
//! Deliberately absent: weights of members. They would have to be learned from the attacks that are
//! known, and are there for those that are not.

mod place;
mod space;

use ml::Chance;
use ml::conformal::{Keep, Scores};
use ml::trees::{Part, Rows, TreeSettings, Trees};

use super::TableError;
use super::column::Table;
use super::encode::Encoder;
use place::Places;
use space::{Scale, Space};

/// Normal rows, and attacks, that are kept aside for calibration at most.
const MOST_ASIDE: usize = 20_000;

/// Share of rows that are kept aside for calibration.
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
        Self { mixed: TreeSettings { rounds: 200, ..known.clone() }, known, seeds: 5, mixing: 0.3 }
    }
}

/// A trained ensemble.
#[derive(Debug)]
pub struct Ensemble {
    encoder: Encoder,
    known: Vec<Trees>,
    mixed: Trees,
    spaces: [Space; 2],
    /// What each member says of rows that were kept aside.
    members: Vec<Places>,
    /// Means of further normal rows kept aside.
    whole: Scores,
}

/// What is said of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The mean place among members, 0 to 1: the larger the stranger.
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
        let (mut attacks, mut normal): (Vec<u32>, Vec<u32>) =
            rows.iter().partition(|row| table.attack(**row));
        let lacks = |what| TableError::OneClass { place: "the rows to learn from".into(), what };
        if attacks.is_empty() {
            return Err(lacks("no row is an attack"));
        }
        if normal.len() < LEAST_NORMAL {
            return Err(lacks("fewer than 20 rows are normal"));
        }
        let aside = [aside(&mut normal, &mut chance), aside(&mut attacks, &mut chance)];
        let mut learned = [&attacks[..], &normal].concat();
        learned.sort_unstable();

        let encoder = Encoder::fit(table, &learned);
        let (known, mixed) = trees(table, &encoder, &learned, &normal, settings, &mut chance)?;
        let spaces = [Scale::Range, Scale::Rank]
            .map(|scale| Space::fit(table, &learned, &normal, scale, &mut chance));
        let whole = Scores::new(MOST_ASIDE, Keep::Sample, seed);
        let members = Vec::new();
        let mut out = Self { encoder, known, mixed, spaces, members, whole };
        out.calibrate(table, &aside)?;
        Ok(out)
    }

    /// Attacks and half of the normal rows say what each member thinks of either, the other half of
    /// the normal rows what all do.
    fn calibrate(&mut self, table: &Table, aside: &[Vec<u32>; 2]) -> Result<(), TableError> {
        let [normal, attacks] = aside;
        let (first, second) = normal.split_at(normal.len() / 2);
        let placed = [first, attacks].concat();
        self.members = self.member_scores(table, &placed)?.map(Places::new).into();
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
            let sum: f64 = parts.map(|(member, scores)| member.of(scores[at])).sum();
            // Rounded as it is kept, so that equal scores stay equal.
            let score = (sum / self.members.len().max(1) as f64) as f32;
            Verdict { score: score.into(), p: self.whole.p(score) }
        };
        Ok((0..rows.len()).map(verdict).collect())
    }

    /// The scores of each member.
    fn member_scores(&self, table: &Table, rows: &[u32]) -> Result<[Vec<f32>; 4], TableError> {
        let encoded = self.encoder.rows(table, rows);
        let encoded = Rows::new(&encoded, self.encoder.width())?;
        let (mut known, mut mixed, mut one) = (vec![0.0; rows.len()], Vec::new(), Vec::new());
        for trees in &self.known {
            trees.scores(encoded, &mut one)?;
            known.iter_mut().zip(&one).for_each(|(sum, score)| *sum += score);
        }
        self.mixed.scores(encoded, &mut mixed)?;
        let [range, rank] = self
            .spaces
            .each_ref()
            .map(|space| rows.iter().map(|row| space.nearest(table, *row).0).collect());
        Ok([known, mixed, range, rank])
    }

    /// The normal row of training that a row is nearest to.
    pub fn nearest(&self, table: &Table, row: u32) -> u32 {
        self.spaces[0].nearest(table, row).1
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

/// Takes a fifth of some rows away, and leaves one at least.
fn aside(rows: &mut Vec<u32>, chance: &mut Chance) -> Vec<u32> {
    chance.shuffle(rows);
    let taken = ((rows.len() as f64 * ASIDE) as usize).min(MOST_ASIDE);
    let out = rows.split_off(rows.len() - taken.min(rows.len() - 1));
    rows.sort_unstable();
    out
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
    for base in normal.iter().copied() {
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
