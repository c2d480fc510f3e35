//! What a host does again and again: a step, and the time until the next.

use crate::rng::Rng;
use crate::time::{Nanos, SEC, about, wait};
use crate::world::World;

/// What is done at a time; says when it is done again.
type Step = Box<dyn FnMut(&mut World, Nanos) -> Nanos + Send>;

/// One habit of a host, with chance of its own.
pub(crate) struct Activity {
    /// Time from the beginning to its first step.
    pub(crate) first: Nanos,
    pub(crate) rng: Rng,
    /// Comes by chance rather than by the clock.
    pub(crate) by_chance: bool,
    step: Step,
}

/// So long after its last step a plan is never heard of again: longer than any life.
const NEVER: Nanos = 100 * 365 * 86_400 * SEC;

impl Activity {
    /// What is planned: a step after so long from the beginning, then at the times that it says.
    pub(crate) fn planned(
        first: Nanos,
        rng: Rng,
        mut step: impl FnMut(&mut World, Nanos) -> Option<Nanos> + Send + 'static,
    ) -> Self {
        let step = Box::new(move |w: &mut World, now| step(w, now).unwrap_or(now + NEVER));
        Self { first, rng, by_chance: false, step }
    }

    /// Does the step of time `now`; says when the next is due.
    pub(crate) fn go(&mut self, w: &mut World, now: Nanos) -> Nanos {
        std::mem::swap(&mut w.rng, &mut self.rng);
        let next = (self.step)(w, now);
        std::mem::swap(&mut w.rng, &mut self.rng);
        next
    }
}

fn own(w: &mut World) -> Rng {
    let rng = w.rng.fork("activity");
    w.rng.next();
    rng
}

/// A habit that keeps a period, give or take `share` of it, from a random phase.
pub(crate) fn regular(
    w: &mut World,
    period: Nanos,
    share: f64,
    mut step: impl FnMut(&mut World, Nanos) + Send + 'static,
) -> Activity {
    let mut rng = own(w);
    let first = (period as f64 * rng.unit()) as Nanos;
    let step = Box::new(move |w: &mut World, now| {
        step(w, now);
        now + about(&mut w.rng, period, share)
    });
    Activity { first, rng, by_chance: false, step }
}

/// A habit that comes by chance, `mean` apart on average; busy hospitals do it more often.
pub(crate) fn random(
    w: &mut World,
    mean: Nanos,
    mut step: impl FnMut(&mut World, Nanos) + Send + 'static,
) -> Activity {
    let mut rng = own(w);
    let mean = (mean as f64 / w.pace) as Nanos;
    let first = wait(&mut rng, mean);
    let step = Box::new(move |w: &mut World, now| {
        step(w, now);
        now + wait(&mut w.rng, mean)
    });
    Activity { first, rng, by_chance: true, step }
}
