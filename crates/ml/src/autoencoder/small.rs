//! One small autoencoder: one hidden layer, tied weights, logistic units, trained row by row by
//! gradient descent on the squared error.

use serde::{Deserialize, Serialize};

use super::sigmoid::sigmoid;
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

/// Room for the numbers of one autoencoder's row, so that nothing is allocated for a row.
pub(super) struct Room<'r> {
    /// The row, scaled.
    pub(super) row: &'r [f32],
    /// Whether each number is there; an absent one has no error.
    pub(super) there: &'r [bool],
    /// Becomes what the autoencoder makes of the row.
    pub(super) back: &'r mut [f32],
    /// For the hidden units, twice over.
    pub(super) units: &'r mut [f32],
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

    /// Puts the row through. Hands back the root mean square of the errors.
    pub(super) fn run(&self, room: &mut Room<'_>) -> f32 {
        let stride = self.hidden_bias.len();
        let units = &mut room.units[..stride];
        units.copy_from_slice(&self.hidden_bias);
        for (&x, weights) in room.row.iter().zip(self.weights.chunks_exact(stride)) {
            for (unit, weight) in units.iter_mut().zip(weights) {
                *unit += x * weight;
            }
        }
        sigmoid(units);
        units[self.hidden..].fill(0.0);
        let each = self.visible_bias.iter().zip(self.weights.chunks_exact(stride));
        for (back, (bias, weights)) in room.back.iter_mut().zip(each) {
            let mut sums = [0.0_f32; LANES];
            let pairs = units.as_chunks::<LANES>().0.iter().zip(weights.as_chunks::<LANES>().0);
            for (units, weights) in pairs {
                for ((sum, unit), weight) in sums.iter_mut().zip(units).zip(weights) {
                    *sum += unit * weight;
                }
            }
            *back = bias + sums.iter().sum::<f32>();
        }
        sigmoid(room.back);
        let mut square = 0.0;
        for ((x, back), there) in room.row.iter().zip(room.back.iter()).zip(room.there) {
            let off = if *there { x - back } else { 0.0 };
            square += off * off;
        }
        (square / self.visible().max(1) as f32).sqrt()
    }

    /// Puts the row through and takes one step of gradient descent. Hands back the error before
    /// the step.
    pub(super) fn train(&mut self, room: &mut Room<'_>, settings: &Settings) -> f32 {
        let error = self.run(room);
        let stride = self.hidden_bias.len();
        let (units, steps) = room.units.split_at_mut(stride);
        let steps = &mut steps[..stride];
        steps.fill(0.0);
        // From here on `back` holds the errors.
        for ((back, x), there) in room.back.iter_mut().zip(room.row).zip(room.there) {
            // Beyond the range a row may be anything; a step must not throw all weights away.
            *back = if *there { (x - *back).clamp(-1e3, 1e3) } else { 0.0 };
        }
        for (off, weights) in room.back.iter().zip(self.weights.chunks_exact(stride)) {
            for (step, weight) in steps.iter_mut().zip(weights) {
                *step += off * weight;
            }
        }
        for (step, unit) in steps.iter_mut().zip(units.iter()) {
            *step *= unit * (1.0 - unit);
        }
        let rate = settings.rate;
        let each = room.row.iter().zip(room.back.iter()).zip(self.weights.chunks_exact_mut(stride));
        for ((x, off), weights) in each {
            let x = x.clamp(-1e3, 1e3);
            for ((weight, step), unit) in weights.iter_mut().zip(steps.iter()).zip(units.iter()) {
                *weight += rate * (x * step + off * unit);
            }
        }
        match settings.bias_step {
            BiasStep::Each => {
                add(&mut self.hidden_bias, steps, rate);
                add(&mut self.visible_bias, room.back, rate);
            }
            BiasStep::Mean => {
                let hidden = steps.iter().sum::<f32>() / self.hidden as f32;
                let visible = room.back.iter().sum::<f32>() / self.visible() as f32;
                self.hidden_bias[..self.hidden].iter_mut().for_each(|b| *b += rate * hidden);
                self.visible_bias.iter_mut().for_each(|b| *b += rate * visible);
            }
        }
        error
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
