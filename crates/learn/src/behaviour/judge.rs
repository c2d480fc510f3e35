//! From scores to alarms that keep their promise.
//!
//! A score becomes a p-value among held-out normal windows of its own group: class of device, and how
//! busy it is. "Held out" comes for free: a window is scored before anything is learned from it. The
//! level at which a p-value is an alarm comes from an alert budget; evidence that is too weak in one
//! window adds up in an e-detector of the device. What was promised and what came of it is counted
//! all the time.

use std::collections::BTreeMap;

use ml::budget::Budget;
use ml::conformal::{Adaptive, Calibrated, Keep, Mondrian, Realised, Scores, Tail};
use ml::sequential::Evidence;
use model::device::DeviceClass;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::features::WINDOW;

/// What people can bear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerance {
    /// False alerts of the models in a shift, all devices together.
    pub false_alerts: f64,
    /// Length of a shift in hours.
    pub shift_hours: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { false_alerts: 2.0, shift_hours: 8.0 }
    }
}

/// Nominal levels at which what is realised is counted.
pub const LEVELS: [f64; 3] = [0.1, 0.01, 0.001];
/// The same of p-values that borrow the tail of other sites.
pub const FAR_LEVELS: [f64; 3] = [0.001, 1e-4, 1e-5];
/// A group with fewer scores borrows no tail.
const BORROWS: usize = 200;
/// Name of the group in which all such p-values are counted.
const ALL: &str = "all";
/// Scores kept for a group: a few hours of a busy class, two days of a quiet one.
const KEPT: usize = 20_000;
/// A group with fewer borrows: one in a thousand has to be tellable.
const ENOUGH: usize = 1_000;
const MOST_GROUPS: usize = 256;
/// Rows of what counts as "latest".
const LATEST: u64 = 10_000;
/// So many windows from its first a device is new.
pub(super) const NEW: u64 = 12;
/// Half of the budget is for single windows, half for evidence that adds up.
const HALF: f64 = 0.5;
/// Windows less strange than this are no evidence.
const WORTH: f64 = 0.05;
/// Fewer devices than this do not make the e-detector more lenient.
const LEAST_DEVICES: usize = 50;

/// How busy a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Volume {
    /// Less than a packet a second.
    Quiet,
    /// Up to ten.
    Usual,
    /// More.
    Busy,
}

impl Volume {
    /// From the mean of ln(1 + packets) in a window.
    pub(super) fn of(mean: f32) -> Self {
        match mean {
            m if m < 2.4 => Self::Quiet,
            m if m < 4.6 => Self::Usual,
            _ => Self::Busy,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Usual => "usual",
            Self::Busy => "busy",
        }
    }
}

/// How strange a window is among its like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The p-value, corrected for change.
    pub p: f64,
    /// As it came from the kept scores.
    pub raw: Calibrated,
    /// The same, with the tail of other sites where this one has never seen a score as high. It is
    /// counted beside what it realises, and no alert stands on it: it is an estimate, not a bound.
    pub far: f64,
    /// A single window that the budget lets through as an alert.
    pub alert: bool,
    /// Evidence over several windows that is enough: its logarithm, and since how many windows.
    pub sustained: Option<(f64, u64)>,
}

/// Calibration, budget and counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Judge {
    tolerance: Tolerance,
    scores: Mondrian,
    adaptive: BTreeMap<String, Adaptive>,
    realised: Realised,
    /// The same after correction.
    corrected: Realised,
    /// What came of p-values with a borrowed tail.
    far: Realised,
    budget: Budget,
}

/// What a device is judged by beside its group.
pub(super) struct Own<'a> {
    /// Its latest scores.
    pub(super) scores: &'a Scores,
    /// What has added up against it.
    pub(super) evidence: &'a mut Evidence,
}

impl Default for Judge {
    fn default() -> Self {
        Self::new(Tolerance::default())
    }
}

/// The group of a device, from the narrowest to the widest.
pub(super) fn path(class: DeviceClass, volume: Volume, windows: u64) -> [String; 3] {
    if windows < NEW {
        return [format!("new/{}", class.name()), "new".to_owned(), "new".to_owned()];
    }
    [format!("{}/{}", class.name(), volume.name()), class.name().to_owned(), "all".to_owned()]
}

impl Judge {
    pub(super) fn new(tolerance: Tolerance) -> Self {
        let seconds = tolerance.shift_hours.max(0.01) * 3_600.0;
        Self {
            tolerance,
            scores: Mondrian::new(KEPT, Keep::Latest, ENOUGH, MOST_GROUPS),
            adaptive: BTreeMap::new(),
            realised: Realised::new(&LEVELS, LATEST, MOST_GROUPS),
            corrected: Realised::new(&LEVELS, LATEST, MOST_GROUPS),
            far: Realised::new(&FAR_LEVELS, LATEST, 1),
            budget: Budget::new(
                tolerance.false_alerts * HALF,
                seconds,
                LEAST_DEVICES as f64 * seconds / WINDOW.as_secs_f64(),
            ),
        }
    }

    /// An e-detector for one device, of so many.
    pub(super) fn evidence(&self, devices: usize) -> Evidence {
        let seconds = self.tolerance.shift_hours.max(0.01) * 3_600.0;
        let windows = devices.max(LEAST_DEVICES) as f64 * seconds / WINDOW.as_secs_f64();
        Evidence::new(windows / (self.tolerance.false_alerts * HALF).max(1e-9))
    }

    /// Judges a score. `tail` is how scores thin out at other sites, where that is known; `speak`
    /// says whether an alert may come of it.
    pub(super) fn judge(
        &mut self,
        path: &[String; 3],
        score: f32,
        at: Timestamp,
        (own, tail): (Own<'_>, Option<&Tail>),
        speak: bool,
    ) -> Judged {
        let names = path.each_ref().map(String::as_str);
        let raw = self.scores.p(&names, score);
        let adaptive = self.adaptive.get(names[0]);
        let p = adaptive.map_or(raw.p, |adaptive| adaptive.adjust(raw.p));
        let group = names.get(raw.level).and_then(|name| self.scores.scores(name));
        let group = group.filter(|scores| scores.kept() >= BORROWS);
        let far = tail.zip(group).and_then(|(tail, group)| tail.beyond(group, score));
        let far = far.unwrap_or(raw.p);
        let mut judged = Judged { p, raw, far, alert: false, sustained: None };
        if speak && raw.kept > 0 {
            // A group in which nothing ever happens owes nobody an alert: here only the correction
            // upwards counts.
            judged.alert = self.budget.test(at.seconds_f64(), p.max(raw.p)).reject;
            // Windows of one device are alike: what is a little strange for its group may be what
            // this one always does. Evidence adds up only from what is strange for both, and a
            // p-value made larger is still one.
            let both = raw.p.max(own.scores.p(score));
            let weighed = if both <= WORTH { both } else { 1.0 };
            let alarm = own.evidence.take(weighed);
            judged.sustained = alarm.map(|alarm| (alarm.ln_evidence, alarm.since));
        }
        judged
    }

    /// A window was normal, as far as anybody knows.
    pub(super) fn learn(&mut self, path: &[String; 3], score: f32, judged: &Judged) {
        let names = path.each_ref().map(String::as_str);
        if judged.raw.kept >= ENOUGH {
            self.realised.take(names[0], judged.raw.p);
            self.corrected.take(names[0], judged.p);
            self.far.take(ALL, judged.far);
            if self.adaptive.len() < MOST_GROUPS || self.adaptive.contains_key(names[0]) {
                self.adaptive.entry(names[0].to_owned()).or_default().take(judged.raw.p);
            }
        }
        let mut names = names.to_vec();
        names.dedup();
        self.scores.learn(&names, score);
    }

    /// What was promised and what came of it, by group: after correction, and before.
    pub(super) fn realised(&self) -> [&Realised; 2] {
        [&self.corrected, &self.realised]
    }

    /// The same of p-values that borrow the tail of other sites, as they came.
    pub(super) fn borrowed(&self) -> &Realised {
        &self.far
    }
}
