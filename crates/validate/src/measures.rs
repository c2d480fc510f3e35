//! How good and how bad it was: every measure, overall and by stratum, with its interval.
//!
//! The unit is the scored example (a device in a stretch of time, a row of a table) for measures of
//! scores, and the incident for measures of alerts; never the packet. Every figure is an
//! [`Estimate`]: with a 95 % interval, or "too few to say" and no figure at all.
//!
//! A true positive rate "at a false positive rate of 0.1 %" stands on the threshold that the normal
//! examples of the same part give; its interval is that of a share of the attacks and leaves out how
//! sure the threshold is. Look-alikes are neither normal life nor attacks: they have their own
//! table and no part in rates of scores. Neutral examples are not scored.
//!
//! Deliberately absent: opinions. What is good enough is said in [`crate::gates`].

mod beside;
mod bias;
mod curves;
mod detectors;
mod kinds;
mod slice;

use std::collections::{BTreeMap, BTreeSet};

use ml::intervals::Estimate;
use serde::{Deserialize, Serialize};

pub use beside::{Beside, beside};
pub(crate) use bias::missed;
pub use bias::{Bias, COMPARABLE, Extreme, Group, level_name};
pub use curves::Curves;
pub use detectors::Detector;
pub use kinds::{Kind, LookAlike};
pub use slice::Slice;

use crate::evaluation::{Evaluation, Example};
use crate::strata::{self, View};

/// Nominal levels at which p-values are held against what they promise.
pub const LEVELS: [f64; 5] = [0.1, 0.03, 0.01, 0.003, 0.001];

/// Name of the stratum that says whether life was changed on purpose in a made-up hospital, and its
/// values: before that, and after it.
pub const LIFE: &str = "life";
/// See [`LIFE`].
pub const UNCHANGED: &str = "before a change";
/// See [`LIFE`].
pub const CHANGED: &str = "after a change";

/// Name of the stratum that says whether there is a case on the device. Such a device teaches nothing,
/// so that its p-values do not follow what it does.
pub const CASE: &str = "case";
/// Value of [`CASE`] where an alert had named the device, and it had done nothing.
pub const ACCUSED: &str = "false";
/// Value of [`CASE`] where the device has attacked before: whoever finds it strange is not wrong, and
/// calibration does not count it.
pub const GUILTY: &str = "right";

fn is_guilty(example: &Example) -> bool {
    example.strata.get(CASE).is_some_and(|case| case == GUILTY)
}

/// Groups of a site that was watched for a shorter time are on the strict side yet, some more than
/// others, and comparing them says only that.
const COMPARED_SECONDS: f64 = 5_400.0;

/// Whether an example comes from one of these sites.
fn is_of(sites: &BTreeSet<&str>, example: &Example) -> bool {
    example.strata.get(strata::SITE).is_some_and(|site| sites.contains(site.as_str()))
}

fn is_changed(example: &Example) -> bool {
    example.strata.get(LIFE).is_some_and(|life| life == CHANGED)
}

/// What is enough to say something, and what a shift is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Attacked examples for a true positive rate or an area under a curve.
    pub attacks: u64,
    /// Normal examples for a false positive rate.
    pub normals: u64,
    /// Incidents for a recall or a time.
    pub incidents: u64,
    /// Device-weeks for a rate of false alerts.
    pub device_weeks: u64,
    /// Shifts for a rate of false alerts a shift.
    pub shifts: u64,
    /// Hours of a shift.
    pub shift_hours: f64,
    /// Alerts that people can look at in a shift.
    pub alerts_a_shift: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attacks: 20,
            normals: 300,
            incidents: 8,
            device_weeks: 1,
            shifts: 1,
            shift_hours: 8.0,
            alerts_a_shift: 2.0,
        }
    }
}

/// Everything that is measured of one run. The same evaluation gives the same measures, byte for
/// byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// With what they were taken.
    pub settings: Settings,
    /// Of everything.
    pub overall: Slice,
    /// By name of the stratum, by value.
    pub strata: BTreeMap<String, BTreeMap<String, Slice>>,
    /// How many values of a stratum were left out since there were too many.
    #[serde(default)]
    pub left_out: BTreeMap<String, usize>,
    /// By kind of attack.
    pub kinds: BTreeMap<String, Kind>,
    /// Attacked examples of kinds that were not learned from (stratum `novelty`, value `new`): share
    /// above the threshold that 3 % of all normal examples pass.
    pub novel_at_3_percent: Estimate,
    /// By kind of look-alike.
    pub look_alikes: BTreeMap<String, LookAlike>,
    /// By group of calibration, without devices that have attacked before. What comes after a change
    /// of life that was made on purpose is in `changed`.
    pub groups: BTreeMap<String, Group>,
    /// The same of sites that were watched for an hour and a half or more: these are compared with each other.
    #[serde(default)]
    pub compared: BTreeMap<String, Group>,
    /// By group of calibration, after such a change: stratum [`LIFE`], value [`CHANGED`].
    #[serde(default)]
    pub changed: BTreeMap<String, Group>,
    /// Largest against smallest rates within each stratum.
    pub bias: Vec<Bias>,
    /// By detector.
    pub detectors: BTreeMap<String, Detector>,
    /// To draw.
    pub curves: Curves,
}

impl Measures {
    /// Measures an evaluation.
    pub fn of(evaluation: &Evaluation, settings: &Settings) -> Self {
        let whole = View::whole(evaluation);
        let ranking = slice::ranking(&whole);
        let threshold = ranking.threshold_at_fpr(0.01);
        let short = evaluation.exposure.iter().filter(|site| site.seconds < COMPARED_SECONDS);
        let short: BTreeSet<&str> = short.map(|site| site.site.as_str()).collect();
        let (parts, left_out) = strata::cut(evaluation);
        let strata: BTreeMap<String, BTreeMap<String, Slice>> = parts
            .iter()
            .map(|(name, values)| {
                let slices = values
                    .iter()
                    .map(|(value, view)| (value.clone(), Slice::of(view, threshold, settings)));
                (name.clone(), slices.collect())
            })
            .collect();
        Self {
            settings: *settings,
            overall: Slice::of(&whole, threshold, settings),
            bias: bias::within(&strata),
            strata,
            left_out,
            kinds: kinds::attacks(&whole, &ranking, settings),
            novel_at_3_percent: kinds::novel(&whole, &ranking, settings),
            look_alikes: kinds::look_alikes(&whole, &ranking, settings),
            groups: bias::groups(&whole, |one| !is_guilty(one) && !is_changed(one)),
            compared: bias::groups(&whole, |one| {
                !is_guilty(one) && !is_changed(one) && !is_of(&short, one)
            }),
            changed: bias::groups(&whole, |one| !is_guilty(one) && is_changed(one)),
            detectors: detectors::of(&whole),
            curves: Curves::of(&whole, &ranking),
        }
    }

    /// Largest over smallest realised rate between groups of calibration with enough data, at a
    /// level of [`LEVELS`]: which is largest, which is smallest, and their ratio with its interval.
    /// `None` with fewer than two such groups. Only groups of which [`COMPARABLE`] false positives
    /// were to be expected count, and only sites that were watched for an hour and a half or more.
    pub fn between_groups(&self, level: f64) -> Option<Bias> {
        bias::between_groups(&self.compared, level)
    }
}

/// An estimate of nothing: no row at all.
pub(crate) const fn nothing(needed: u64) -> Estimate {
    Estimate::TooFew { count: 0, needed }
}

#[cfg(test)]
pub(crate) mod tests;
