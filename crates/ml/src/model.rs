//! What every model of normal rows can do.

/// Says how strange a row is, learns from rows, and explains itself.
pub trait Model: Send {
    /// How strange: the larger the stranger, 0 or more and always finite, in a unit of the model's
    /// own. Only calibration makes scores of different models comparable. A model that
    /// has learned nothing yet says 0.
    fn score(&self, row: &[f32]) -> f32;

    /// Takes a row as normal.
    fn learn(&mut self, row: &[f32]);

    /// Adds the columns that made the score what it is, the heaviest first, with what was expected
    /// in their place.
    fn explain(&self, row: &[f32], out: &mut Vec<Contribution>);
}

/// One column's part in a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contribution {
    /// Which column.
    pub column: usize,
    /// Its share of the score, 0 to 1; the shares of all columns add up to at most 1.
    pub weight: f32,
    /// What the row has there.
    pub observed: f32,
    /// What is normal there: of the nearest normal example, or the mean.
    pub expected: f32,
}

/// Adds the `most` heaviest of some contributions, the heaviest first. Those of weight 0 are left
/// out, and weights are made to add up to no more than 1.
pub(crate) fn heaviest(mut parts: Vec<Contribution>, most: usize, out: &mut Vec<Contribution>) {
    parts.retain(|part| part.weight > 0.0);
    let sum = parts.iter().map(|part| f64::from(part.weight)).sum::<f64>().max(1.0);
    // Rounded sums may exceed 1 by a little.
    let scale = (1.0 / sum * (1.0 - 1e-6)) as f32;
    parts.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.column.cmp(&b.column)));
    out.extend(
        parts.into_iter().take(most).map(|p| Contribution { weight: p.weight * scale, ..p }),
    );
}
