//! One small autoencoder: one hidden layer, tied weights, logistic units, trained row by row by
//! gradient descent on the squared error.

use serde::{Deserialize, Serialize};

use super::{BiasStep, Settings};
use crate::Chance;

/// Hidden units are padded to a multiple of this, so that loops over them come in whole vectors.
const LANES: usize = 8;

/// Weights of one autoencoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Small {
    hidden: usize,
    /// For each visible unit, its weights to the hidden units; the padding is 0 and stays 0.
    weights: Vec<f32>,
    visible_bias: Vec<f32>,
    hidden_bias: Vec<f32>,
}

impl Small {
    /// Untrained, for so many visible units.
    pub(super) fn new(visible: usize, settings: &Settings, chance: &mut Chance) -> Self {
        let hidden = hidden_units(visible, settings);
        let stride = hidden.next_multiple_of(LANES);
        let mut weights = vec![0.0; visible * stride];
        let most = 1.0 / visible.max(1) as f64;
        for unit in weights.chunks_exact_mut(stride) {
            for weight in &mut unit[..hidden] {
                *weight = ((2.0 * chance.unit() - 1.0) * most) as f32;
            }
        }
        Self { hidden, weights, visible_bias: vec![0.0; visible], hidden_bias: vec![0.0; stride] }
    }

    /// How many visible units.
    pub(super) fn visible(&self) -> usize {
        self.visible_bias.len()
    }

    /// Room that its hidden units take, padding included.
    pub(super) fn room(&self) -> usize {
        self.hidden_bias.len()
    }

    /// The sums of a row's hidden units, before the logistic function.
    ///
    /// Units come in groups of `LANES`, nearly always one: what is summed for one group stays in
    /// registers.
    pub(super) fn hidden(&self, row: &[f32], units: &mut [f32]) {
        let (weights, groups) = (self.weights.as_chunks::<LANES>().0, self.groups());
        let each = units.as_chunks_mut::<LANES>().0.iter_mut();
        for (group, (units, bias)) in each.zip(self.hidden_bias.as_chunks().0).enumerate() {
            let mut sums: [f32; LANES] = *bias;
            for (&x, weights) in row.iter().zip(weights[group..].iter().step_by(groups)) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += x * weight;
                }
            }
            *units = sums;
        }
    }

    /// What the hidden units make of the row, before the logistic function.
    pub(super) fn back(&self, units: &[f32], back: &mut [f32]) {
        let weights = self.weights.as_chunks::<LANES>().0.chunks_exact(self.groups());
        let units = units.as_chunks::<LANES>().0;
        for ((back, bias), weights) in back.iter_mut().zip(&self.visible_bias).zip(weights) {
            let mut sums = [0.0_f32; LANES];
            for (units, weights) in units.iter().zip(weights) {
                for ((sum, unit), weight) in sums.iter_mut().zip(units).zip(weights) {
                    *sum += unit * weight;
                }
            }
            *back = bias + sums.iter().sum::<f32>();
        }
    }

    /// Takes one step of gradient descent from a row, its hidden units and its errors.
    pub(super) fn learn(&mut self, row: &[f32], off: &[f32], units: &[f32], settings: &Settings) {
        let (groups, rate) = (self.groups(), settings.rate);
        let weights = self.weights.as_chunks_mut::<LANES>().0;
        let each = self.hidden_bias.as_chunks_mut::<LANES>().0.iter_mut();
        let mut whole = 0.0;
        for (group, (bias, units)) in each.zip(units.as_chunks::<LANES>().0).enumerate() {
            let real = self.hidden.saturating_sub(group * LANES);
            let mut units = *units;
            units.iter_mut().skip(real).for_each(|padding| *padding = 0.0);
            let mut steps = [0.0_f32; LANES];
            for (off, weights) in off.iter().zip(weights[group..].iter().step_by(groups)) {
                for (step, weight) in steps.iter_mut().zip(weights) {
                    *step += off * weight;
                }
            }
            for (step, unit) in steps.iter_mut().zip(&units) {
                *step *= unit * (1.0 - unit);
            }
            let each = weights[group..].iter_mut().step_by(groups);
            for ((x, off), weights) in row.iter().zip(off).zip(each) {
                let x = x.clamp(-MOST_STEP, MOST_STEP);
                for ((weight, step), unit) in weights.iter_mut().zip(&steps).zip(&units) {
                    *weight += rate * (x * step + off * unit);
                }
            }
            match settings.bias_step {
                BiasStep::Each => add(bias, &steps, rate),
                BiasStep::Mean => steps.iter().for_each(|step| whole += step),
            }
        }
        match settings.bias_step {
            BiasStep::Each => add(&mut self.visible_bias, off, rate),
            BiasStep::Mean => {
                let hidden = whole / self.hidden as f32;
                let visible = off.iter().sum::<f32>() / self.visible() as f32;
                self.hidden_bias[..self.hidden].iter_mut().for_each(|b| *b += rate * hidden);
                self.visible_bias.iter_mut().for_each(|b| *b += rate * visible);
            }
        }
    }

    /// Groups of hidden units.
    fn groups(&self) -> usize {
        self.hidden_bias.len() / LANES
    }
}

/// Beyond the range a row may be anything; a step must not throw all weights away.
const MOST_STEP: f32 = 1e3;

/// Root mean square of what an autoencoder did not put together again; an absent number has no error.
pub(super) fn error(row: &[f32], there: &[bool], back: &[f32]) -> f32 {
    let mut square = 0.0;
    for ((x, back), there) in row.iter().zip(back).zip(there) {
        let off = if *there { x - back } else { 0.0 };
        square += off * off;
    }
    (square / row.len().max(1) as f32).sqrt()
}

/// Puts the errors in the place of what came back.
pub(super) fn errors(row: &[f32], there: &[bool], back: &mut [f32]) {
    for ((back, x), there) in back.iter_mut().zip(row).zip(there) {
        *back = if *there { (x - *back).clamp(-MOST_STEP, MOST_STEP) } else { 0.0 };
    }
}

fn hidden_units(visible: usize, settings: &Settings) -> usize {
    ((visible as f32 * settings.hidden_ratio).ceil() as usize).clamp(1, visible.max(1))
}

fn add(to: &mut [f32], steps: &[f32], rate: f32) {
    for (to, step) in to.iter_mut().zip(steps) {
        *to += rate * step;
    }
}
