//! The rhythm of one regular sender: when it comes too soon, and when it is overdue.
//!
//! What is kept are the logarithms of some dozens of intervals, the newer the likelier (a biased
//! [`Reservoir`]), so that a slow drift is followed and a new rhythm is learned in about as many
//! beats. An interval of several periods is told as beats that were missed (a lost packet), and
//! counts as one beat of a period. Time that goes backwards, and a silence of very many periods, say
//! nothing of the rhythm: a clock was set, or the sender was off.
//!
//! A sender whose intervals scatter as chance would have them has no rhythm, and then nothing is
//! said at all: people are not late. The logarithms of the intervals between events of a Poisson
//! process have a median absolute deviation of 0.77; a sender is called regular below 0.25, which is
//! about a fifth more or less.
//!
//! Probabilities are ranks among the learned intervals, and beyond the last of these fall
//! exponentially with the logarithm, at the rate of the spread. They are p-like, not calibrated: the
//! intervals that they come from are few and hang together.

use serde::{Deserialize, Serialize};

use crate::reservoir::Reservoir;

/// Intervals that are kept.
const KEPT: usize = 48;
/// Beats after which an interval is forgotten.
const HORIZON: u64 = 96;
/// Intervals below which nothing is said.
const LEAST: usize = 8;
/// The most that the logarithms of a rhythm scatter.
const REGULAR: f64 = 0.25;
/// The least spread: no clock is better than that, seen from here.
const FINEST: f64 = 0.005;
/// The most beats that are taken to be missed, rather than the sender off.
const MISSED: f64 = 16.0;
/// The shortest interval that is told from a shorter one, in seconds.
const SHORTEST: f64 = 1e-6;
/// Share of the probability of a missed beat that each beat renews.
const RENEW: f64 = 1.0 / 64.0;

/// What is known of a sender's rhythm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rhythm {
    /// Too few intervals yet.
    Unknown,
    /// Intervals scatter as chance has them.
    Irregular,
    /// It keeps a rhythm.
    Regular {
        /// Median interval, in seconds.
        period: f64,
        /// Median absolute deviation from it, as a share of it.
        spread: f64,
    },
}

/// The rhythm of one sender. Times are in seconds of any clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cadence {
    last: Option<f64>,
    reservoir: Reservoir,
    /// Natural logarithms of intervals.
    kept: Vec<f32>,
    /// How often a beat is missed.
    missed: f64,
}

/// The kept intervals in order, and what follows from them.
struct Sorted {
    logs: [f64; KEPT],
    count: usize,
    median: f64,
    deviation: f64,
}

impl Sorted {
    fn logs(&self) -> &[f64] {
        &self.logs[..self.count]
    }

    /// How fast probabilities fall beyond the learned intervals.
    fn scale(&self) -> f64 {
        // Half the values of a Laplace distribution are within ln 2 of its scale.
        (self.deviation / std::f64::consts::LN_2).max(FINEST)
    }
}

fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

impl Cadence {
    /// Nothing known yet. The seed decides which old intervals are forgotten first.
    pub fn new(seed: u64) -> Self {
        Self {
            last: None,
            reservoir: Reservoir::new(KEPT, HORIZON, seed),
            kept: vec![],
            missed: RENEW,
        }
    }

    /// Takes a beat.
    pub fn learn(&mut self, at: f64) {
        if !at.is_finite() {
            return;
        }
        let Some(last) = self.last.replace(at) else { return };
        let interval = at - last;
        if interval < 0.0 {
            return;
        }
        let mut log = interval.max(SHORTEST).ln();
        if let Some(sorted) = self.regular() {
            let periods = (log - sorted.median).exp();
            if periods > MISSED {
                return;
            }
            let beats = periods.round().max(1.0);
            // Several periods rather than one that is late: nearer to a whole number of them than
            // the rhythm usually is.
            let rest = (periods / beats).ln().abs();
            if beats >= 2.0 && rest <= (3.0 * sorted.scale()).max(0.02) {
                log -= beats.ln();
                self.missed += (1.0 - self.missed) * RENEW * (beats - 1.0).min(8.0);
            }
            self.missed += (RENEW / 4.0 - self.missed) * RENEW;
        }
        if let Some(place) = self.reservoir.place() {
            if place >= self.kept.len() {
                self.kept.resize(place + 1, 0.0);
            }
            self.kept[place] = log as f32;
        }
    }

    /// What is known of the rhythm.
    pub fn rhythm(&self) -> Rhythm {
        if self.kept.len() < LEAST {
            return Rhythm::Unknown;
        }
        match self.regular() {
            None => Rhythm::Irregular,
            Some(sorted) => {
                Rhythm::Regular { period: sorted.median.exp(), spread: sorted.deviation.exp_m1() }
            }
        }
    }

    /// How probable it is that a beat comes so soon after the one before; none where there is no
    /// rhythm to break.
    pub fn early(&self, at: f64) -> Option<f64> {
        let (sorted, log) = self.since_last(at)?;
        let logs = sorted.logs();
        let sooner = logs.partition_point(|&l| l <= log + FINEST);
        let p = (1.0 + sooner as f64) / (1.0 + logs.len() as f64);
        let beyond = if sooner == 0 { logs[0] - log - FINEST } else { 0.0 };
        Some(p * (-beyond / sorted.scale()).exp())
    }

    /// How probable a silence until `now` is; none where there is no rhythm to break. A beat that
    /// is missed now and then makes one that is missing more probable.
    pub fn overdue(&self, now: f64) -> Option<f64> {
        let (sorted, log) = self.since_last(now)?;
        let logs = sorted.logs();
        let later = logs.len() - logs.partition_point(|&l| l < log - FINEST);
        let p = (1.0 + later as f64) / (1.0 + logs.len() as f64);
        let beyond = if later == 0 { log - logs[logs.len() - 1] - FINEST } else { 0.0 };
        let p = p * (-beyond / sorted.scale()).exp();
        // So many beats have been missed by now, if it goes on as it was.
        let beats = ((log - sorted.median).exp() * (1.0 - 2.0 * sorted.scale()).max(0.5)).floor();
        Some(p.max(self.missed.powf(beats.max(1.0))).min(1.0))
    }

    /// The rhythm, where there is one, and the logarithm of the time since the last beat.
    fn since_last(&self, at: f64) -> Option<(Sorted, f64)> {
        let interval = at - self.last?;
        if !interval.is_finite() || interval < 0.0 {
            return None;
        }
        Some((self.regular()?, interval.max(SHORTEST).ln()))
    }

    fn regular(&self) -> Option<Sorted> {
        let count = self.kept.len().min(KEPT);
        if count < LEAST {
            return None;
        }
        let mut logs = [0.0; KEPT];
        for (to, &log) in logs.iter_mut().zip(&self.kept) {
            *to = f64::from(log);
        }
        logs[..count].sort_by(f64::total_cmp);
        let middle = median(&logs[..count]);
        let mut off = logs.map(|log| (log - middle).abs());
        off[..count].sort_by(f64::total_cmp);
        let deviation = median(&off[..count]);
        (deviation <= REGULAR).then_some(Sorted { logs, count, median: middle, deviation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chance;
    use proptest::prelude::*;

    /// A sender of this period, give or take `jitter`, after so many beats; and the time of the last.
    fn sender(period: f64, jitter: f64, beats: usize, loss: f64) -> (Cadence, f64) {
        let (mut cadence, mut chance) = (Cadence::new(3), Chance::new(9));
        let mut at = 1.7e9;
        cadence.learn(at);
        for beat in 1..=beats {
            at += period * (1.0 + jitter * (2.0 * chance.unit() - 1.0));
            if chance.unit() >= loss || beat == beats {
                cadence.learn(at);
            }
        }
        (cadence, at)
    }

    #[test]
    fn a_clock_is_regular_and_soon_says_when_a_beat_is_too_soon_or_overdue() {
        let (cadence, last) = sender(30.0, 0.03, 40, 0.0);
        let Rhythm::Regular { period, spread } = cadence.rhythm() else { panic!("no rhythm") };
        assert!((period - 30.0).abs() < 1.0 && spread < 0.03);
        assert!(cadence.early(last + 29.5).unwrap() > 0.05);
        assert!(cadence.early(last + 15.0).unwrap() < 1e-6);
        assert!(cadence.overdue(last + 20.0).unwrap() > 0.9);
        assert!(cadence.overdue(last + 45.0).unwrap() < 0.02);
        assert!(cadence.overdue(last + 95.0).unwrap() < 1e-4);
    }

    #[test]
    fn people_and_chance_have_no_rhythm_and_are_never_late() {
        let (mut cadence, mut chance) = (Cadence::new(1), Chance::new(4));
        let mut at = 0.0;
        for _ in 0..300 {
            at -= 20.0 * (1.0 - chance.unit()).ln();
            cadence.learn(at);
            assert!(!matches!(cadence.rhythm(), Rhythm::Regular { .. }));
        }
        assert_eq!((cadence.early(at + 0.001), cadence.overdue(at + 1e5)), (None, None));
    }

    #[test]
    fn lost_packets_neither_change_the_period_nor_alarm_anybody() {
        let (cadence, last) = sender(10.0, 0.02, 400, 0.15);
        let Rhythm::Regular { period, .. } = cadence.rhythm() else { panic!("no rhythm") };
        assert!((period - 10.0).abs() < 0.3, "{period}");
        // One missing beat is nothing here, many are.
        assert!(cadence.overdue(last + 15.0).unwrap() > 0.03);
        assert!(cadence.overdue(last + 95.0).unwrap() < 1e-4);
    }

    #[test]
    fn a_clock_that_is_set_or_a_sender_that_was_off_leaves_the_rhythm_as_it_is() {
        let (mut cadence, last) = sender(10.0, 0.02, 60, 0.0);
        let before = cadence.rhythm();
        cadence.learn(last - 3_600.0);
        cadence.learn(last + 86_400.0);
        assert_eq!(cadence.rhythm(), before);
        assert!(cadence.overdue(last + 86_411.0).unwrap() > 1e-3);
    }

    #[test]
    fn a_new_rhythm_is_learned_and_a_drift_is_followed() {
        let (mut cadence, mut at) = sender(10.0, 0.02, 100, 0.0);
        assert!(cadence.early(at + 4.0).unwrap() < 1e-6);
        for _ in 0..200 {
            at += 4.0;
            cadence.learn(at);
        }
        let Rhythm::Regular { period, .. } = cadence.rhythm() else { panic!("no rhythm") };
        assert!((period - 4.0).abs() < 0.1, "{period}");
        assert!(cadence.early(at + 4.0).unwrap() > 0.2);
        let mut step = 4.0;
        for _ in 0..2_000 {
            step *= 1.001;
            at += step;
            if cadence.early(at).is_some_and(|p| p < 1e-3) {
                panic!("a drift of a thousandth a beat is an alarm");
            }
            cadence.learn(at);
        }
    }

    proptest! {
        #[test]
        fn times_of_any_kind_give_probabilities_and_bounded_memory(
            times in prop::collection::vec(prop_oneof![any::<f64>(), 0.0..1e4_f64], 1..200)
        ) {
            let mut cadence = Cadence::new(1);
            for &at in &times {
                for p in [cadence.early(at), cadence.overdue(at)].into_iter().flatten() {
                    prop_assert!((0.0..=1.0).contains(&p), "{p}");
                }
                cadence.learn(at);
                prop_assert!(cadence.kept.len() <= KEPT && cadence.kept.iter().all(|l| l.is_finite()));
            }
            let bytes = postcard::to_stdvec(&cadence).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Cadence>(&bytes).unwrap(), cadence);
        }

        #[test]
        fn sooner_is_never_more_probable_and_longer_silence_neither(a in 0.0..100.0_f64, b in 0.0..100.0_f64) {
            let (cadence, last) = sender(10.0, 0.1, 50, 0.05);
            let (a, b) = (last + a.min(b), last + a.max(b));
            prop_assert!(cadence.early(a) <= cadence.early(b));
            prop_assert!(cadence.overdue(a) >= cadence.overdue(b));
        }
    }
}
