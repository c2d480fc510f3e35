//! How many standard deviations off a score would be.

/// Share of scores from which on their tail is carried on.
const TAIL: f64 = 0.02;

/// Scores of normal rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tail {
    /// From the smallest up.
    sorted: Vec<f32>,
    /// Where the tail begins, and by how much scores in it exceed that in the mean.
    begin: f64,
    excess: f64,
}

impl Tail {
    /// Takes scores of normal rows; those that are no number are left out.
    pub(super) fn new(mut scores: Vec<f32>) -> Self {
        scores.retain(|score| score.is_finite());
        scores.sort_unstable_by(f32::total_cmp);
        let inside = ((1.0 - TAIL) * scores.len().saturating_sub(1) as f64) as usize;
        let begin = scores.get(inside).map_or(0.0, |score| f64::from(*score));
        let beyond =
            scores.iter().map(|score| f64::from(*score) - begin).filter(|over| *over > 0.0);
        let (count, sum) = beyond.fold((0_u32, 0.0), |(count, sum), over| (count + 1, sum + over));
        let spread = f64::from(scores.last().copied().unwrap_or_default())
            - f64::from(scores.first().copied().unwrap_or_default());
        // Where nothing exceeds it, a tenth of all that there is has to do.
        let excess = if count > 0 { sum / f64::from(count) } else { spread / 10.0 };
        Self { sorted: scores, begin, excess: excess.max(1e-9) }
    }

    /// `sqrt(-2 ln p)`, `p` being how probable so large a score is of a normal row.
    pub(super) fn deviations(&self, score: f32) -> f64 {
        let over = f64::from(score) - self.begin;
        let logarithm = if over > 0.0 {
            (over / self.excess).min(1e6) - TAIL.ln()
        } else {
            let below = self.sorted.partition_point(|kept| *kept < score);
            let above = (self.sorted.len() - below + 1) as f64;
            (-(above / (self.sorted.len() + 1) as f64).ln()).min(-TAIL.ln())
        };
        (2.0 * logarithm.max(0.0)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_never_fall_as_scores_rise_and_go_on_beyond_all_that_was_seen() {
        let tail = Tail::new((0..1_000_u16).map(f32::from).chain([f32::NAN]).collect());
        let steps: Vec<f64> = (-5..1_500_i16).map(|at| tail.deviations(at.into())).collect();
        assert!(steps.is_sorted() && steps[0] == 0.0, "{steps:?}");
        assert!(tail.deviations(1_400.0) > tail.deviations(1_200.0) + 1.0);
        let half = tail.deviations(500.0);
        assert!((half - (2.0 * 2.0_f64.ln()).sqrt()).abs() < 0.01, "{half}");
    }

    #[test]
    fn scores_that_are_all_the_same_or_none_give_finite_deviations() {
        for scores in [vec![], vec![3.0], vec![3.0; 50], vec![f32::MIN, f32::MAX]] {
            let tail = Tail::new(scores);
            for score in [f32::MIN, 0.0, 3.0, 4.0, f32::MAX, f32::INFINITY] {
                assert!(tail.deviations(score).is_finite(), "{score} of {tail:?}");
            }
        }
    }
}
