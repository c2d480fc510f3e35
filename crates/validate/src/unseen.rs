//! What attacks cost that nobody thought of: each family of attacks is left out of training in turn,
//! and looked for all the same.
//!
//! Trees learn on some hospitals without a family, and judge others in which it happens. What they say
//! of windows and what novelty says of them are put on one scale as in the product. The threshold is
//! the one that one in a thousand normal windows of the judged hospitals is above.

use detect::Engine;
use learn::behaviour::{Knowledge, Moments};
use ml::intervals::Estimate;
use ml::metrics::Ranking;
use model::Timestamp;

use crate::evaluation::Label;
use crate::hospitals::{Hospital, HospitalError, Watched, watch_all};
use crate::lesson::{Example, Lesson, families};
use crate::report::Comparison;
use crate::train::{self, TrainError};

/// Windows of a family that are needed to say anything.
const NEEDED: u64 = 20;
/// Share of normal windows that an alarm may be of.
const FPR: f64 = 0.001;

/// How well a family is found when it was learned and when it was not.
#[derive(Clone, Debug, PartialEq)]
pub struct Unseen {
    /// Its name.
    pub family: String,
    /// True positive rate at a false positive rate of 0.1 % with it in training.
    pub learned: Estimate,
    /// The same without.
    pub unseen: Estimate,
}

/// Why it could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum UnseenError {
    /// A hospital could not be watched.
    #[error(transparent)]
    Hospital(#[from] HospitalError),
    /// Nothing could be trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Nothing is left to learn from.
    #[error("{0} sites are too few to leave one out: give at least three")]
    TooFewSites(usize),
}

/// Learns on hospitals and judges others, family by family.
///
/// # Errors
/// When a hospital cannot be watched, or there is too little to learn from.
pub fn leave_out(
    learned_from: &[Hospital],
    judged_on: &[Hospital],
    threads: usize,
    engine: &(dyn Fn(Timestamp) -> Engine + Sync),
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Unseen>, UnseenError> {
    let each = |watched: Watched| {
        progress(&watched.site.name);
        let mut lesson = Lesson::default();
        lesson.add(&watched.site, &watched.seen, &watched.labels, 1);
        lesson.examples
    };
    let watch = |hospitals: &[Hospital]| -> Result<Lesson, HospitalError> {
        let examples = watch_all(hospitals, threads, engine, &each)?;
        Ok(Lesson { examples: examples.into_iter().flatten().collect() })
    };
    let (lesson, test) = (watch(learned_from)?, watch(judged_on)?);
    let whole = train::trees(&lesson, Moments::default())?;
    let mut out = Vec::new();
    for (place, family) in families().into_iter().enumerate() {
        progress(&format!("without {family}"));
        let kept = lesson.examples.iter().filter(|one| one.family != Some(place)).cloned();
        let less = train::trees(&Lesson { examples: kept.collect() }, Moments::default())?;
        out.push(Unseen {
            family,
            learned: found(&whole, &test.examples, place),
            unseen: found(&less, &test.examples, place),
        });
    }
    Ok(out)
}

/// Share of a family's windows above what one in a thousand normal ones is above.
fn found(knowledge: &Knowledge, examples: &[Example], family: usize) -> Estimate {
    let scores: Vec<f64> =
        examples.iter().map(|one| f64::from(knowledge.score(&one.row, one.novelty))).collect();
    let normal = examples.iter().zip(&scores).filter(|(one, _)| one.label == Label::Normal);
    let ranking = Ranking::new(normal.map(|(_, score)| (*score, false)));
    let bound = ranking.threshold_at_fpr(FPR).unwrap_or(f64::INFINITY);
    let of_family = || examples.iter().zip(&scores).filter(|(one, _)| one.family == Some(family));
    let above = of_family().filter(|(_, score)| **score >= bound).count();
    Estimate::share(above as u64, of_family().count() as u64, NEEDED)
}

/// As rows of a report's table.
pub fn compared(all: &[Unseen]) -> Vec<Comparison> {
    let row = |name: &str, ours, read: fn(&Unseen) -> Estimate| Comparison {
        name: name.to_owned(),
        data: "true positive rate at a false positive rate of 0.1 %, by family".to_owned(),
        figures: all
            .iter()
            .filter_map(|one| Some((one.family.clone(), read(one).value()?)))
            .collect(),
        ours,
    };
    vec![
        row("family in training", true, |one| one.learned),
        row("family left out of training", false, |one| one.unseen),
    ]
}
