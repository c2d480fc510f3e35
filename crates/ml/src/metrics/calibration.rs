//! Whether numbers that are meant as probabilities are any.

/// Mean squared distance between the probability given to "positive" and the truth (Brier, 1950):
/// 0 is perfect, 0.25 is what always saying one half gets. `None` without rows.
pub fn brier(probabilities: &[f64], truths: &[bool]) -> Option<f64> {
    let rows = probabilities.len().min(truths.len());
    let apart = probabilities.iter().zip(truths).map(|(p, is)| (p - f64::from(*is)).powi(2));
    (rows > 0).then(|| apart.sum::<f64>() / rows as f64)
}

/// Expected calibration error: the mean distance between the probability given and the share of
/// positives, over bins of equal mass (Naeini, Cooper and Hauskrecht, 2015; bins by rank and not by
/// value, since the probabilities of rare events crowd near nought). Equal probabilities share a
/// bin, so bins may differ where there are ties. `None` without rows or without bins.
pub fn ece(probabilities: &[f64], truths: &[bool], bins: usize) -> Option<f64> {
    let mut rows: Vec<(f64, bool)> =
        probabilities.iter().copied().zip(truths.iter().copied()).collect();
    if rows.is_empty() || bins == 0 {
        return None;
    }
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut error = 0.0;
    let mut from = 0;
    for bin in 1..=bins {
        let mut to = ((rows.len() as u128 * bin as u128) / bins as u128) as usize;
        while to > 0 && to < rows.len() && rows[to].0 == rows[to - 1].0 {
            to += 1;
        }
        if to <= from {
            continue;
        }
        let (given, positive) = rows[from..to].iter().fold((0.0, 0.0), |(given, positive), row| {
            (given + row.0, positive + f64::from(row.1))
        });
        // The distance of means times the bin's mass: its length cancels.
        error += f64::abs(given - positive);
        from = to;
    }
    Some(error / rows.len() as f64)
}

/// How many times as often as promised p-values of normal rows fall to `nominal` or below: 1 is
/// right, more is too many false alarms, less is caution. `None` without values or with a `nominal`
/// of nought.
pub fn realised(p_values: &[f64], nominal: f64) -> Option<f64> {
    let expected = p_values.len() as f64 * nominal;
    (expected > 0.0).then(|| p_values.iter().filter(|p| **p <= nominal).count() as f64 / expected)
}
