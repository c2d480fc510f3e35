//! The far tail of scores, borrowed from many other places.
//!
//! A place that keeps 20,000 scores can say "one in 20,000" and nothing beyond, and a level that a
//! shift of 150,000 windows leaves to each lies beyond. Many places together have seen millions of
//! windows: not how high scores are here, but **how fast they thin out above a high one**. So a place
//! says how rare its own high scores are, the others how much rarer a still higher one is:
//!
//! ```text
//! p(s) = p_here(u) * T(s) / T(u)      u: a high score of this place, T: share of the others' rows at or above
//! ```
//!
//! (the peaks over a threshold of extreme value theory, with the excesses counted elsewhere and no
//! curve fitted to them). Where this place has itself seen a score as high, what it saw counts and
//! nothing is borrowed.
//!
//! **What it costs.** A p-value of this place alone needs exchangeability with its own past. A borrowed one needs,
//! beside that, that scores thin out here as fast as there. Nothing guarantees it: it has to be
//! measured on places that were not among the others, and it is an estimate, not a bound.
//!
//! Deliberately absent: anything rarer than the others have seen. Above their highest scores the
//! p-value stays where it is.

use serde::{Deserialize, Serialize};

use super::Scores;

/// How scores thin out: a score, and the logarithm of the share of rows at or above it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    points: Vec<(f32, f32)>,
}

/// The highest scores of the others stand for nothing beyond: so many rows have to be at or above.
const FEWEST: usize = 3;
/// Points in a halving of the share.
const POINTS: f64 = 2.0;
/// So many kept scores lie above the one that is held on to, at most a hundredth of them.
const ABOVE: usize = 20;

impl Tail {
    /// Of the scores of normal rows of many places, in any order, that the model did not learn from.
    pub fn of(mut scores: Vec<f32>) -> Self {
        scores.retain(|score| score.is_finite());
        scores.sort_by(|a, b| b.total_cmp(a));
        let (all, mut points) = (scores.len() as f64, Vec::<(f32, f32)>::new());
        for step in 0.. {
            let rank = (FEWEST as f64 * (f64::from(step) / POINTS).exp2()) as usize;
            let Some(score) = rank.checked_sub(1).and_then(|place| scores.get(place)) else {
                break;
            };
            let share = (rank as f64 / all).ln() as f32;
            if points.last().is_none_or(|(above, _)| score < above) {
                points.push((*score, share));
            }
        }
        points.reverse();
        Self { points }
    }

    /// Whether it can be used: scores rise and shares fall.
    pub fn is_sound(&self) -> bool {
        self.points.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 > two[1].1)
    }

    /// Logarithm of the share at or above a score: 0 below all points, and no less than the last.
    fn ln_share(&self, score: f32) -> f64 {
        let place = self.points.partition_point(|point| point.0 <= score);
        let Some(before) = place.checked_sub(1).and_then(|at| self.points.get(at)) else {
            return 0.0;
        };
        let Some(after) = self.points.get(place) else { return f64::from(before.1) };
        let part = (score - before.0) / (after.0 - before.0);
        f64::from(before.1 + part * (after.1 - before.1))
    }

    /// How rare a score is among kept ones, where none of them is as high; `None` where one is, or
    /// there are too few.
    pub fn beyond(&self, kept: &Scores, score: f32) -> Option<f64> {
        let (count, highest) = (kept.kept(), kept.highest(0)?);
        if score <= highest || self.points.is_empty() {
            return None;
        }
        let above = ABOVE.min(count / 100).max(1);
        let from = kept.highest(above)?;
        let here = (1 + above) as f64 / (1 + count) as f64;
        let rarer = (self.ln_share(score) - self.ln_share(from)).min(0.0);
        Some((here * rarer.exp()).min(kept.p(score)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chance;
    use crate::conformal::Keep;

    /// Scores that thin out by e for each unit.
    fn exponential(many: usize, seed: u64) -> Vec<f32> {
        let mut chance = Chance::new(seed);
        (0..many).map(|_| -chance.unit().max(1e-12).ln() as f32).collect()
    }

    fn kept(scores: &[f32]) -> Scores {
        let mut kept = Scores::new(20_000, Keep::Latest, 0);
        scores.iter().for_each(|score| kept.learn(*score));
        kept
    }

    #[test]
    fn what_is_rarer_than_a_place_has_seen_is_found_as_rare_as_it_is() {
        let tail = Tail::of(exponential(1_000_000, 1));
        assert!(tail.is_sound());
        // Another level here, the same way of thinning out.
        let here: Vec<f32> = exponential(5_000, 2).iter().map(|score| score + 2.0).collect();
        let kept = kept(&here);
        // The others have seen scores up to 12 or so, which is 10 here: beyond, nothing is said.
        for units in [9.5_f32, 10.0, 10.5] {
            let p = tail.beyond(&kept, units + 2.0).unwrap();
            let right = f64::from(-units).exp();
            assert!((right / 4.0..right * 4.0).contains(&p), "{p} {right}");
        }
    }

    #[test]
    fn what_was_seen_here_is_not_borrowed_and_nothing_is_rarer_than_the_others_have_seen() {
        let tail = Tail::of(exponential(100_000, 3));
        let kept = kept(&exponential(2_000, 4));
        assert_eq!(tail.beyond(&kept, 3.0), None);
        let (far, farther) = (tail.beyond(&kept, 30.0), tail.beyond(&kept, 300.0));
        assert!(far == farther && far > Some(1e-6), "{far:?}");
        assert_eq!(Tail::default().beyond(&kept, 30.0), None);
        assert_eq!(tail.beyond(&Scores::new(9, Keep::Latest, 0), 30.0), None);
    }

    #[test]
    fn borrowed_p_values_keep_their_promise_where_scores_thin_out_alike() {
        let tail = Tail::of(exponential(1_000_000, 5));
        let (mut reached, many) = (0, 400_000);
        let mut kept = kept(&exponential(2_000, 6));
        for score in exponential(many, 7) {
            let p = tail.beyond(&kept, score).unwrap_or_else(|| kept.p(score));
            reached += u32::from(p <= 1e-4);
            kept.learn(score);
        }
        assert!(reached <= 60, "{reached} of 40");
    }
}
