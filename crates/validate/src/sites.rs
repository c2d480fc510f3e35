//! What a site costs that nobody trained on: each site is left out of training in turn and judged by
//! what was learned from all others.
//!
//! Beside it stands the same site judged by what was learned from all of them, itself among them: the
//! difference is what knowing a site is worth, and what figures on a site that was trained on flatter.
//! Both are put on one scale as in the product; the threshold is the one that one in a thousand normal
//! windows of the judged site is above.

use std::path::PathBuf;

use detect::Engine;
use learn::behaviour::{Knowledge, Moments};
use ml::intervals::Estimate;
use ml::metrics::Ranking;
use model::Timestamp;

use crate::evaluation::Label;
use crate::hospitals::{Hospital, Watched, watch_all, watch_folder};
use crate::lesson::{Example, Lesson};
use crate::report::Comparison;
use crate::train;
use crate::unseen::UnseenError;

/// Attacked windows of a site that are needed to say anything.
const NEEDED: u64 = 20;
/// Share of normal windows that an alarm may be of.
const FPR: f64 = 0.001;

/// How well attacks of a site are found when it was trained on and when it was not.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// The site; empty for all of them together.
    pub site: String,
    /// True positive rate at a false positive rate of 0.1 % with the site in training.
    pub learned: Estimate,
    /// The same without.
    pub left_out: Estimate,
}

/// Leaves each site out in turn. Fewer than three say nothing: what is learned then is half of all.
///
/// # Errors
/// When a site cannot be watched, or there is too little to learn from without one.
pub fn leave_out(
    hospitals: &[Hospital],
    folders: &[PathBuf],
    threads: usize,
    engine: &(dyn Fn(Timestamp) -> Engine + Sync),
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Vec<LeftOut>, UnseenError> {
    let each = |watched: Watched| {
        progress(&watched.site.name);
        let mut lesson = Lesson::default();
        lesson.add(&watched.site, &watched.seen, &watched.labels, 1);
        (watched.site.name, lesson.examples)
    };
    let mut sites = watch_all(hospitals, threads, engine, &each)?;
    for folder in folders {
        sites.push(each(watch_folder(folder, engine)?));
    }
    if sites.len() < 3 {
        return Err(UnseenError::TooFewSites(sites.len()));
    }
    let learn = |without: Option<usize>| {
        let kept = sites.iter().enumerate().filter(|(place, _)| Some(*place) != without);
        let examples = kept.flat_map(|(_, (_, examples))| examples.iter().cloned()).collect();
        train::knowledge(&Lesson { examples }, Moments::default())
    };
    let whole = learn(None)?;
    let (mut out, mut all) = (Vec::new(), [Found::default(); 2]);
    for (place, (name, examples)) in sites.iter().enumerate() {
        progress(&format!("without {name}"));
        let less = learn(Some(place))?;
        let here = [Found::of(&whole, examples), Found::of(&less, examples)];
        all.iter_mut().zip(here).for_each(|(all, here)| all.add(here));
        out.push(row(name, here));
    }
    out.push(row("", all));
    Ok(out)
}

fn row(site: &str, [learned, left_out]: [Found; 2]) -> LeftOut {
    LeftOut { site: site.to_owned(), learned: learned.share(), left_out: left_out.share() }
}

/// Attacked windows of a site, and how many of them are above its threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    above: u64,
    attacked: u64,
}

impl Found {
    fn of(knowledge: &Knowledge, examples: &[Example]) -> Self {
        let score = |one: &Example| f64::from(knowledge.score(&one.row, one.novelty));
        let normal = examples.iter().filter(|one| one.label == Label::Normal);
        let ranking = Ranking::new(normal.map(|one| (score(one), false)));
        // Without normal life there is no threshold, and nothing is above it.
        let bound = ranking.threshold_at_fpr(FPR).unwrap_or(f64::INFINITY);
        let attacked = || examples.iter().filter(|one| matches!(one.label, Label::Attack(_)));
        let above = attacked().filter(|one| score(one) >= bound).count() as u64;
        Self { above, attacked: attacked().count() as u64 }
    }

    fn add(&mut self, other: Self) {
        self.above += other.above;
        self.attacked += other.attacked;
    }

    fn share(self) -> Estimate {
        Estimate::share(self.above, self.attacked, NEEDED)
    }
}

/// As rows of a report's table.
pub fn compared(all: &[LeftOut]) -> Vec<Comparison> {
    let few = all.iter().filter(|one| one.left_out.value().is_none()).count();
    let row = |name: &str, ours, read: fn(&LeftOut) -> Estimate| Comparison {
        name: name.to_owned(),
        data: format!(
            "true positive rate at a false positive rate of 0.1 %, by site; too few attacks to say in {few}"
        ),
        figures: all
            .iter()
            .filter_map(|one| {
                let site = if one.site.is_empty() { "all sites" } else { &one.site };
                Some((site.to_owned(), read(one).value()?))
            })
            .collect(),
        ours,
    };
    vec![
        row("site in training", true, |one| one.learned),
        row("site left out of training", false, |one| one.left_out),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_with_too_few_attacks_are_left_out_of_the_table_and_counted() {
        let few = Estimate::TooFew { count: 3, needed: NEEDED };
        let known = Estimate::share(30, 40, NEEDED);
        let all = [
            LeftOut { site: "a".to_owned(), learned: known, left_out: known },
            LeftOut { site: "b".to_owned(), learned: few, left_out: few },
            LeftOut { site: String::new(), learned: known, left_out: known },
        ];
        let rows = compared(&all);
        let names: Vec<&str> = rows[1].figures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "all sites"]);
        assert!(rows[1].data.ends_with("in 1"), "{}", rows[1].data);
    }
}
