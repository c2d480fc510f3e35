//! Where a score lies among others.

/// Scores of rows that nothing was learned from, normal ones and attacks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Places {
    /// From the smallest up.
    sorted: Vec<f32>,
}

impl Places {
    /// Takes scores; those that are no number are left out.
    pub(super) fn new(mut scores: Vec<f32>) -> Self {
        scores.retain(|score| score.is_finite());
        scores.sort_unstable_by(f32::total_cmp);
        Self { sorted: scores }
    }

    /// The share of scores below this one, half of the equal ones among them, and in between in
    /// proportion. What is above all is told apart by a trifle.
    pub(super) fn of(&self, score: f32) -> f64 {
        let below = self.sorted.partition_point(|kept| *kept < score);
        let upto = self.sorted.partition_point(|kept| *kept <= score);
        let last = self.sorted.len().saturating_sub(1);
        let all = self.sorted.len().max(1) as f64;
        if upto > below || below == 0 {
            return (below + upto) as f64 / 2.0 / all;
        }
        let low = f64::from(self.sorted[below - 1]);
        let over = f64::from(score) - low;
        if below > last {
            let over = over.min(1e30);
            return 1.0 + 1e-3 * over / (1.0 + over);
        }
        let gap = f64::from(self.sorted[below]) - low;
        (below as f64 - 0.5 + over / gap) / all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_never_fall_as_scores_rise_and_go_on_beyond_all_that_was_seen() {
        let scores = [3.0, 1.0, 1.0, 2.0, f32::NAN, 9.0];
        let places = Places::new(scores.to_vec());
        let steps: Vec<f64> = (-10..120_i16).map(|at| places.of(f32::from(at) / 10.0)).collect();
        assert!(steps.is_sorted(), "{steps:?}");
        assert_eq!([places.of(0.0), places.of(1.0), places.of(2.0)], [0.0, 0.2, 0.5]);
        assert!((places.of(6.0) - 0.8).abs() < 1e-9);
        assert!(places.of(1e30) > places.of(10.0) && places.of(1e30) < 1.01);
    }

    #[test]
    fn any_score_has_a_place_among_none_and_among_equals() {
        for scores in [vec![], vec![3.0; 50], vec![f32::MIN, f32::MAX]] {
            let places = Places::new(scores);
            for score in [f32::MIN, -1.0, 3.0, 4.0, f32::MAX, f32::INFINITY, f32::NAN] {
                assert!(places.of(score).is_finite(), "{score} of {places:?}");
            }
        }
    }
}
