//! Trains what a site can be given: trees that know attacks, and what is usual.

use learn::behaviour::{Knowledge, Moments, TREE_WIDTH, Unfit, feature_of};
use learn::features::{self, WIDTH};
use ml::conformal::Tail;
use ml::metrics::Ranking;
use ml::trees::{Rows, TreeError, TreeSettings, Trees};

use crate::evaluation::Label;
use crate::hospitals::Hospital;
use crate::lesson::{Example, Lesson, THIN, families};

/// Why nothing could be trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The trees could not be grown.
    #[error("trees cannot be grown: {0}; train on sites with attacks as well as normal life")]
    Trees(#[from] TreeError),
    /// What was trained does not fit.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// How trees of attacks are grown. Chosen by hospitals of seeds from 501 to 1010, which no figure in
/// the documentation stands on.
pub fn attack_settings() -> TreeSettings {
    TreeSettings {
        rounds: 500,
        leaves: 20,
        depth: 6,
        rate: 0.06,
        l2: 3.0,
        least_weight: 0.05,
        row_share: 0.7,
        column_share: 0.4,
        class_weights: vec![1.0, ATTACKS_WEIGH],
        ..TreeSettings::default()
    }
}

/// An attacked window weighs as much as so many normal ones.
const ATTACKS_WEIGH: f32 = 8.0;

fn family_settings(classes: usize) -> TreeSettings {
    TreeSettings {
        classes: u32::try_from(classes).unwrap_or(2).max(2),
        rounds: 60,
        leaves: 8,
        depth: 5,
        rate: 0.1,
        l2: 2.0,
        least_weight: 0.2,
        row_share: 0.8,
        column_share: 0.5,
        ..TreeSettings::default()
    }
}

/// Hospitals to learn from: sets of eight that together see everything, and for every three of them one
/// in which nothing happens for an hour, since that is what most hours are like.
pub fn hospitals(seed: u64, sets: u64) -> Vec<Hospital> {
    let mut all = Hospital::coverage(seed..seed + sets, 8);
    all.extend(Hospital::quiet(seed + 500..seed + 500 + sets / 3, 1.0));
    all
}

/// Trees of attacks over examples.
///
/// # Errors
/// When there are no attacks among them, or nothing else.
pub fn attack_trees<'a>(
    examples: impl Iterator<Item = &'a Example>,
    settings: &TreeSettings,
) -> Result<Trees, TreeError> {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for example in examples {
        values.extend_from_slice(&example.row);
        labels.push(u32::from(matches!(example.label, Label::Attack(_))));
    }
    Trees::train(Rows::new(&values, TREE_WIDTH)?, &labels, None, settings)
}

/// Everything that a site is given.
///
/// # Errors
/// When there is too little to learn from.
pub fn knowledge(lesson: &Lesson, usual: Moments) -> Result<Knowledge, TrainError> {
    let mut knowledge = trees(lesson, usual)?;
    knowledge.tail = tail(lesson, &knowledge)?;
    knowledge.check()?;
    Ok(knowledge)
}

/// The same without the tail of scores, for which trees have to be grown several times.
///
/// # Errors
/// As [`knowledge`].
pub fn trees(lesson: &Lesson, usual: Moments) -> Result<Knowledge, TrainError> {
    let attack = attack_trees(lesson.examples.iter(), &attack_settings())?;
    let names = families();
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for example in &lesson.examples {
        if let Some(family) = example.family {
            values.extend_from_slice(&example.row);
            labels.push(u32::try_from(family).unwrap_or(u32::MAX));
        }
    }
    let settings = family_settings(names.len());
    let family = Trees::train(Rows::new(&values, TREE_WIDTH)?, &labels, None, &settings)?;
    let novelty = scale(lesson, &attack)?;
    let knowledge = Knowledge {
        features: features::version(),
        usual,
        attack,
        family,
        families: names,
        novelty,
        tail: Tail::default(),
        likely: (ATTACKS_WEIGH * THIN as f32).ln(),
    };
    knowledge.check()?;
    Ok(knowledge)
}

/// Parts of the sites: each is judged by trees that learned from the others.
const FOLDS: u64 = 3;

/// How scores of normal windows thin out at sites that the trees have not seen. Trees that learned
/// from fewer sites are a little worse, so that the tail is rather too heavy than too light.
fn tail(lesson: &Lesson, whole: &Knowledge) -> Result<Tail, TreeError> {
    let mut scores = Vec::new();
    for fold in 0..FOLDS {
        let apart = |one: &&Example| one.site % FOLDS == fold;
        let rest = lesson.examples.iter().filter(|one| !apart(one));
        let Ok(attack) = attack_trees(rest, &attack_settings()) else { continue };
        let judge = Knowledge { attack, ..whole.clone() };
        let normal = lesson.examples.iter().filter(apart);
        let normal = normal.filter(|one| one.label == Label::Normal);
        scores.extend(normal.map(|one| judge.score(&one.row, one.novelty)));
    }
    Ok(Tail::of(scores))
}

/// Novelty alone is an alarm so many times more rarely than the trees.
const RARER: f64 = 5.0;

/// Where scores of novelty lie among those of the trees, by how rare both are on normal rows.
fn scale(lesson: &Lesson, attack: &Trees) -> Result<Vec<(f32, f32)>, TreeError> {
    let normal = || lesson.examples.iter().filter(|one| one.label == Label::Normal);
    let mut values = Vec::new();
    normal().for_each(|one| values.extend_from_slice(&one.row));
    let mut scores = Vec::new();
    attack.scores(Rows::new(&values, TREE_WIDTH)?, &mut scores)?;
    let ranked = |scores: Vec<f64>| Ranking::new(scores.into_iter().map(|score| (score, false)));
    let trees = ranked(scores.into_iter().map(f64::from).collect());
    let novelty = ranked(normal().map(|one| f64::from(one.novelty)).collect());
    let mut pairs: Vec<(f32, f32)> = Vec::new();
    for rate in [0.5, 0.1, 0.03, 0.01, 0.003, 0.001, 0.000_3, 0.000_1] {
        let of = |ranking: &Ranking, rate| ranking.threshold_at_fpr(rate).map(|at| at as f32);
        let (Some(from), Some(to)) = (of(&novelty, rate), of(&trees, (rate * RARER).min(0.9)))
        else {
            continue;
        };
        if pairs.last().is_none_or(|last| last.0 < from && last.1 <= to) {
            pairs.push((from, to));
        }
    }
    Ok(pairs)
}

/// Columns that trees see, by name; the row as it is goes by `plain_`.
pub fn column_name(column: usize) -> String {
    match (feature_of(column), column.checked_sub(WIDTH)) {
        (Some(feature), None) => features::TABLE[feature].name.to_owned(),
        (Some(feature), _) => format!("plain_{}", features::TABLE[feature].name),
        (None, model) => {
            let model = model.and_then(|place| learn::behaviour::Which::OF_NORMAL.get(place));
            model.map_or_else(String::new, |model| model.name().to_owned())
        }
    }
}
