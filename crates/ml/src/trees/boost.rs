//! Tree after tree down the slope of the loss.

use super::bins::Binned;
use super::flat::{Node, Trees};
use super::grow::{Grower, Grown, Slope};
use super::settings::{TreeError, TreeSettings, check_weights};
use super::{Early, Rows};
use crate::Chance;

/// Scores of a row: one for two classes, else one a class.
const fn outputs(classes: u32) -> usize {
    if classes == 2 { 1 } else { classes as usize }
}

pub(super) fn train(
    rows: Rows<'_>,
    labels: &[u32],
    weights: Option<&[f32]>,
    settings: &TreeSettings,
) -> Result<Trees, TreeError> {
    let weights = weigh(rows, labels, weights, settings)?;
    let mut chance = Chance::new(settings.seed);
    let binned = Binned::new(rows, settings.bins, &mut chance);
    let (learned, aside) = apart(labels.len(), settings.early, &mut chance);
    let mut course = Course::new(labels, &weights, settings, &learned);
    let mut trees = Trees::begun(rows, settings.classes, course.base.clone());
    let mut grower = Grower::new(&binned, settings);
    let (mut best, mut best_round) = (f64::INFINITY, 0);
    for round in 1..=settings.rounds as usize {
        course.slopes();
        let mut bag = sampled(&learned, settings.row_share, &mut chance);
        for output in 0..course.outputs {
            let columns = some_columns(rows.width(), settings.column_share, &mut chance);
            let (nodes, ends) = grower.grow(&mut bag, &columns, &course.slopes[output]);
            course.take(output, &nodes, &ends, &bag, &binned);
            let nodes = nodes.iter().enumerate().map(|(at, node)| flat(at, *node, &binned));
            trees.push(nodes);
            // The next class sees the same rows in the same order.
            bag.sort_unstable();
        }
        if let Some(early) = settings.early {
            let loss = course.loss(&aside);
            if loss < best {
                (best, best_round) = (loss, round);
            } else if round - best_round >= early.patience.max(1) as usize {
                trees.cut(best_round * course.outputs);
                break;
            }
        }
    }
    Ok(trees)
}

/// The weight of each row, with that of its class.
fn weigh(
    rows: Rows<'_>,
    labels: &[u32],
    weights: Option<&[f32]>,
    settings: &TreeSettings,
) -> Result<Vec<f32>, TreeError> {
    let (count, classes) = (rows.count(), settings.classes);
    if count == 0 {
        return Err(TreeError::NoRows);
    }
    if labels.len() != count {
        return Err(TreeError::Labels { rows: count, labels: labels.len() });
    }
    if let Some(row) = labels.iter().position(|label| *label >= classes) {
        return Err(TreeError::BadLabel { row, label: labels[row], classes });
    }
    if let Some(weights) = weights {
        if weights.len() != count {
            let weights = weights.len();
            return Err(TreeError::Weights { what: "rows", of: count, weights });
        }
        check_weights(weights)?;
    }
    let of_class = |label: u32| settings.class_weights.get(label as usize).copied().unwrap_or(1.0);
    let out: Vec<f32> = labels
        .iter()
        .enumerate()
        .map(|(row, label)| weights.map_or(1.0, |weights| weights[row]) * of_class(*label))
        .collect();
    let mut counted = labels.iter().zip(&out).filter(|(_, weight)| **weight > 0.0);
    let first = counted.next().map(|(label, _)| *label);
    if counted.all(|(label, _)| Some(*label) == first) {
        return Err(TreeError::OneClass);
    }
    Ok(out)
}

/// Rows to learn from, and rows to stop by.
fn apart(count: usize, early: Option<Early>, chance: &mut Chance) -> (Vec<u32>, Vec<u32>) {
    let share = early.map_or(0.0, |early| f64::from(early.share));
    let (mut learned, mut aside) = (Vec::new(), Vec::new());
    for row in 0..count as u32 {
        if early.is_some() && chance.unit() < share { aside.push(row) } else { learned.push(row) }
    }
    if learned.is_empty() {
        std::mem::swap(&mut learned, &mut aside);
    }
    (learned, aside)
}

fn sampled(rows: &[u32], share: f32, chance: &mut Chance) -> Vec<u32> {
    if share >= 1.0 {
        return rows.to_vec();
    }
    let bag: Vec<u32> = rows.iter().copied().filter(|_| chance.unit() < f64::from(share)).collect();
    if bag.is_empty() { rows.to_vec() } else { bag }
}

fn some_columns(width: usize, share: f32, chance: &mut Chance) -> Vec<usize> {
    let mut columns: Vec<usize> = (0..width).collect();
    let taken = ((width as f64 * f64::from(share)).round() as usize).clamp(1, width);
    if taken < width {
        chance.shuffle(&mut columns);
        columns.truncate(taken);
        columns.sort_unstable();
    }
    columns
}

fn flat(at: usize, node: Grown, binned: &Binned) -> (Node, f32) {
    let threshold = if usize::from(node.left) == at {
        f32::INFINITY
    } else {
        binned.threshold(node.column.into(), node.bin)
    };
    (Node { threshold, column: node.column, left: node.left }, node.value)
}

/// How far the scores of all rows have come.
struct Course<'a> {
    labels: &'a [u32],
    weights: &'a [f32],
    outputs: usize,
    base: Vec<f32>,
    /// Scores, output after output.
    scores: Vec<Vec<f64>>,
    slopes: Vec<Vec<Slope>>,
    /// Whether a row has its score already.
    met: Vec<bool>,
}

impl<'a> Course<'a> {
    fn new(
        labels: &'a [u32],
        weights: &'a [f32],
        settings: &TreeSettings,
        learned: &[u32],
    ) -> Self {
        let outputs = outputs(settings.classes);
        // A class that never occurs is given as much as a thousandth of a row.
        let mut mass = vec![1e-3_f64; settings.classes as usize];
        for row in learned {
            let row = *row as usize;
            mass[labels[row] as usize] += f64::from(weights[row]);
        }
        let all: f64 = mass.iter().sum();
        let base: Vec<f32> = if outputs == 1 {
            vec![(mass[1] / mass[0]).ln() as f32]
        } else {
            mass.iter().map(|mass| (mass / all).ln() as f32).collect()
        };
        let scores = base.iter().map(|base| vec![f64::from(*base); labels.len()]).collect();
        let slopes = vec![vec![[0.0; 2]; labels.len()]; outputs];
        let met = vec![false; labels.len()];
        Self { labels, weights, outputs, base, scores, slopes, met }
    }

    /// Derivatives of the logistic loss, or of softmax's (with Friedman's factor of K / (K - 1)).
    fn slopes(&mut self) {
        let classes = self.outputs as f64;
        let mut shares = vec![0.0; self.outputs];
        for (row, (label, weight)) in self.labels.iter().zip(self.weights).enumerate() {
            let weight = f64::from(*weight);
            if self.outputs == 1 {
                let share = logistic(self.scores[0][row]);
                let slope = (share - f64::from(*label)) * weight;
                let second = (share * (1.0 - share)).max(1e-9) * weight;
                self.slopes[0][row] = [slope as f32, second as f32];
                continue;
            }
            softmax(self.scores.iter().map(|scores| scores[row]), &mut shares);
            for (output, share) in shares.iter().enumerate() {
                let truth = f64::from(u8::from(*label as usize == output));
                let second = (share * (1.0 - share)).max(1e-9) * classes / (classes - 1.0);
                self.slopes[output][row] =
                    [((share - truth) * weight) as f32, (second * weight) as f32];
            }
        }
    }

    /// Adds a tree to the scores: rows that it was grown on are in the order of its leaves, others
    /// are sent down.
    fn take(
        &mut self,
        output: usize,
        nodes: &[Grown],
        ends: &[(usize, usize)],
        bag: &[u32],
        binned: &Binned,
    ) {
        let scores = &mut self.scores[output];
        self.met.fill(false);
        let mut begin = 0;
        for (node, end) in ends {
            for row in &bag[begin..*end] {
                scores[*row as usize] += f64::from(nodes[*node].value);
                self.met[*row as usize] = true;
            }
            begin = *end;
        }
        for (row, score) in scores.iter_mut().enumerate().filter(|(row, _)| !self.met[*row]) {
            let mut at = 0;
            while usize::from(nodes[at].left) != at {
                let node = nodes[at];
                let right = binned.column(node.column.into())[row] > node.bin;
                at = usize::from(node.left) + usize::from(right);
            }
            *score += f64::from(nodes[at].value);
        }
    }

    /// Mean loss of some rows.
    fn loss(&self, rows: &[u32]) -> f64 {
        let (mut sum, mut all) = (0.0, 0.0);
        let mut shares = vec![0.0; self.outputs];
        for row in rows {
            let row = *row as usize;
            let (label, weight) = (self.labels[row] as usize, f64::from(self.weights[row]));
            let share = if self.outputs == 1 {
                let score = self.scores[0][row];
                logistic(if label == 1 { score } else { -score })
            } else {
                softmax(self.scores.iter().map(|scores| scores[row]), &mut shares);
                shares[label]
            };
            sum -= weight * share.max(1e-15).ln();
            all += weight;
        }
        if all > 0.0 { sum / all } else { 0.0 }
    }
}

pub(super) fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

pub(super) fn softmax(scores: impl Iterator<Item = f64> + Clone, out: &mut [f64]) {
    let most = scores.clone().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for (out, score) in out.iter_mut().zip(scores) {
        *out = (score - most).exp();
        sum += *out;
    }
    out.iter_mut().for_each(|share| *share /= sum);
}
