//! P-values by group, levels that follow drift, and the count of what was kept, in the right order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Adaptive, Keep, LEVELS, Mondrian, Realised};

/// Bounds of a calibrator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Scores kept in a group, 8 bytes each.
    pub kept: usize,
    /// Scores that a group needs before it no longer borrows those of a wider one.
    pub enough: usize,
    /// Groups at most, wide ones included.
    pub groups: usize,
    /// Which scores are kept.
    pub keep: Keep,
    /// Nominal levels that are followed and counted.
    pub levels: Vec<f64>,
    /// Rows of a group that "latest" means in the count of realised rates, at least.
    pub window: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kept: 8_000,
            enough: 1_000,
            groups: 256,
            keep: Keep::Latest,
            levels: LEVELS.to_vec(),
            window: 20_000,
        }
    }
}

/// What a score means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The p-value to decide with: the conformal one, carried through the group's working levels.
    pub p: f64,
    /// The conformal p-value as it was.
    pub raw: f64,
    /// Whose scores it stands on: 0 for the group's own, 1 and more for wider ones.
    pub level: usize,
    /// How many scores those are.
    pub kept: usize,
}

/// Calibration of one stream of scores, by group.
///
/// A path names the groups of a row from the narrowest to the widest. A group that borrows has working
/// levels of its own all the same: where it is unlike those it borrows from, they find out within a
/// handful of false alarms. [`Self::judge`] changes
/// nothing; [`Self::learn`] is for rows that count as normal, and only for those.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrator {
    levels: Vec<f64>,
    groups: usize,
    scores: Mondrian,
    adaptive: BTreeMap<String, Adaptive>,
    realised: Realised,
}

impl Calibrator {
    /// One that knows nothing: every p-value is 1.
    pub fn new(settings: &Settings) -> Self {
        let Settings { kept, enough, groups, keep, ref levels, window } = *settings;
        Self {
            levels: levels.clone(),
            groups,
            scores: Mondrian::new(kept, keep, enough, groups),
            adaptive: BTreeMap::new(),
            realised: Realised::new(levels, window, groups),
        }
    }

    /// What a score means for a row of these groups.
    pub fn judge(&self, path: &[&str], score: f32) -> Judged {
        let found = self.scores.p(path, score);
        let adaptive = path.first().and_then(|group| self.adaptive.get(*group));
        let p = adaptive.map_or(found.p, |adaptive| adaptive.adjust(found.p));
        Judged { p, raw: found.p, level: found.level, kept: found.kept }
    }

    /// Takes a normal row that its model had not learned when it gave the score. While there are
    /// too few scores for the smallest level, levels do not move and nothing is counted.
    pub fn learn(&mut self, path: &[&str], score: f32) {
        let judged = self.judge(path, score);
        let smallest = self.levels.iter().copied().fold(1.0, f64::min);
        if let Some(group) = path.first()
            && (judged.kept + 1) as f64 * smallest >= 1.0
        {
            self.realised.take(group, judged.p);
            if let Some(adaptive) = self.adaptive.get_mut(*group) {
                adaptive.take(judged.raw);
            } else if self.adaptive.len() < self.groups {
                let mut adaptive = Adaptive::new(&self.levels);
                adaptive.take(judged.raw);
                self.adaptive.insert((*group).to_owned(), adaptive);
            }
        }
        self.scores.learn(path, score);
    }

    /// What was promised and what was kept, by group.
    pub const fn realised(&self) -> &Realised {
        &self.realised
    }

    /// The kept scores, by group.
    pub const fn scores(&self) -> &Mondrian {
        &self.scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chance;

    #[test]
    fn p_values_to_decide_with_keep_the_promise_under_drift_in_every_group() {
        for (what, drift) in [
            ("none", (|_| 1.0) as fn(f64) -> f64),
            ("step", |t| if t < 0.4 { 1.0 } else { 3.0 }),
            ("ramp", |t| 1.0 + 4.0 * t),
            ("waves", |t| 1.0 + 0.6 * (t * 40.0 * std::f64::consts::TAU).sin()),
        ] {
            let mut chance = Chance::new(21);
            let settings = Settings { kept: 4_000, ..Settings::default() };
            let mut calibrator = Calibrator::new(&settings);
            let rows = 60_000_u32;
            for i in 0..rows {
                let factor = drift(f64::from(i) / f64::from(rows));
                for (group, scale, each) in [("pump/busy", 1.0, 1), ("pump/quiet", 30.0, 3)] {
                    if i % each == 0 {
                        let score = scale * factor * (0.8 * chance.normal()).exp();
                        calibrator.learn(&[group, "pump", ""], score as f32);
                    }
                }
            }
            for level in [0.01, 0.001] {
                let ratio = |group| calibrator.realised().ratio(group, level).unwrap();
                let [busy, quiet] = ["pump/busy", "pump/quiet"].map(|g| ratio(g).value().unwrap());
                assert!(busy <= 1.2 && quiet <= 1.2, "{what} {level}: {busy} {quiet}");
                assert!(busy.max(quiet) / busy.min(quiet) <= 2.0, "{what} {level}: {busy} {quiet}");
            }
        }
    }

    #[test]
    fn a_new_group_unlike_those_it_borrows_from_soon_raises_no_more_than_it_may() {
        // The trap: a quiet device held against busy ones, nearly all of whose windows look strange.
        let mut chance = Chance::new(22);
        let mut calibrator = Calibrator::new(&Settings::default());
        let mut score = |scale: f64| (scale * (0.8 * chance.normal()).exp()) as f32;
        (0..8_000).for_each(|_| calibrator.learn(&["pump/busy", "pump"], score(1.0)));
        let (mut raw, mut alarms) = (0, 0);
        for _ in 0..900 {
            let new = score(30.0);
            let judged = calibrator.judge(&["pump/quiet", "pump"], new);
            assert_eq!(judged.level, 1, "it borrows");
            raw += u32::from(judged.raw <= 0.01);
            alarms += u32::from(judged.p <= 0.01);
            calibrator.learn(&["pump/quiet", "pump"], new);
        }
        assert!(raw > 90, "the trap is one: {raw} of 900");
        assert!(alarms <= 18, "{alarms} of 900");
    }

    #[test]
    fn judging_changes_nothing_and_a_new_group_borrows() {
        let mut calibrator = Calibrator::new(&Settings::default());
        assert_eq!(calibrator.judge(&["a", ""], 5.0).p, 1.0);
        let mut chance = Chance::new(3);
        (0..3_000).for_each(|_| calibrator.learn(&["a", ""], chance.unit() as f32));
        let before = calibrator.clone();
        let judged = calibrator.judge(&["b", ""], 2.0);
        assert_eq!((judged.level, judged.kept), (1, 3_000));
        assert!(judged.raw < 0.001 && judged.p == judged.raw, "{judged:?}");
        assert_eq!(calibrator, before);
        let text = serde_json::to_string(&calibrator).unwrap();
        let read: Calibrator = serde_json::from_str(&text).unwrap();
        assert_eq!(read.judge(&["b", ""], 2.0), judged);
    }
}
