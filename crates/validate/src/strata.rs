//! Cutting an evaluation into its strata: the same rows by device class, by shift, by site.
//!
//! Strata are whatever names the rows carry; nothing here knows what a class is. Every incident and
//! false alert also has its `site`. A [`View`] borrows: cutting copies no row.

use std::collections::BTreeMap;

use crate::evaluation::{Evaluation, Example, FalseAlert, Incident};

/// Values of one stratum that are told apart; beyond, the rarest are left out and counted.
const VALUES: usize = 100;

/// Seconds of a week.
const WEEK: f64 = 7.0 * 86_400.0;

/// Name of the stratum that every incident, false alert and exposure has.
pub const SITE: &str = "site";

/// A part of an evaluation.
#[derive(Clone, Debug, Default)]
pub struct View<'a> {
    /// Examples of this part.
    pub examples: Vec<&'a Example>,
    /// Incidents of this part.
    pub incidents: Vec<&'a Incident>,
    /// False alerts of this part.
    pub false_alerts: Vec<&'a FalseAlert>,
    /// Weeks watched, summed over the devices of this part; 0 where that is not known.
    pub device_weeks: f64,
    /// Seconds watched, summed over the sites that have such devices.
    pub seconds: f64,
}

impl<'a> View<'a> {
    /// All of it.
    pub fn whole(evaluation: &'a Evaluation) -> Self {
        let exposure = evaluation.exposure.iter();
        Self {
            examples: evaluation.examples.iter().collect(),
            incidents: evaluation.incidents.iter().collect(),
            false_alerts: evaluation.false_alerts.iter().collect(),
            device_weeks: exposure.clone().map(|e| weeks(e.seconds, e.devices)).sum(),
            seconds: exposure.map(|e| e.seconds).sum(),
        }
    }
}

/// Every stratum, and every value that it has, with its part. The second is how many values were
/// left out, by stratum.
pub type Strata<'a> = (BTreeMap<String, BTreeMap<String, View<'a>>>, BTreeMap<String, usize>);

/// Cuts an evaluation into all its strata.
pub fn cut(evaluation: &Evaluation) -> Strata<'_> {
    let mut all: BTreeMap<&str, BTreeMap<&str, View<'_>>> = BTreeMap::new();
    for example in &evaluation.examples {
        for (name, value) in &example.strata {
            part(&mut all, name, value).examples.push(example);
        }
    }
    for incident in &evaluation.incidents {
        for (name, value) in &incident.strata {
            part(&mut all, name, value).incidents.push(incident);
        }
        part(&mut all, SITE, &incident.site).incidents.push(incident);
    }
    for alert in &evaluation.false_alerts {
        for (name, value) in &alert.strata {
            part(&mut all, name, value).false_alerts.push(alert);
        }
        part(&mut all, SITE, &alert.site).false_alerts.push(alert);
    }
    for exposure in &evaluation.exposure {
        for (name, values) in &exposure.strata {
            for (value, devices) in values {
                let part = part(&mut all, name, value);
                part.device_weeks += weeks(exposure.seconds, *devices);
                part.seconds += exposure.seconds;
            }
        }
        let part = part(&mut all, SITE, &exposure.site);
        part.device_weeks += weeks(exposure.seconds, exposure.devices);
        part.seconds += exposure.seconds;
    }
    let mut left_out = BTreeMap::new();
    let kept = all.into_iter().map(|(name, values)| {
        let mut values: Vec<_> = values.into_iter().collect();
        // The largest are kept; equal ones by name.
        values.sort_by_key(|(_, view)| {
            std::cmp::Reverse(view.examples.len() + view.incidents.len() + view.false_alerts.len())
        });
        if values.len() > VALUES {
            left_out.insert(name.to_owned(), values.len() - VALUES);
            values.truncate(VALUES);
        }
        (
            name.to_owned(),
            values.into_iter().map(|(value, view)| (value.to_owned(), view)).collect(),
        )
    });
    (kept.collect(), left_out)
}

fn part<'m, 'a>(
    all: &'m mut BTreeMap<&'a str, BTreeMap<&'a str, View<'a>>>,
    name: &'a str,
    value: &'a str,
) -> &'m mut View<'a> {
    all.entry(name).or_default().entry(value).or_default()
}

/// Not a number and less than nothing are nothing.
fn weeks(seconds: f64, devices: u64) -> f64 {
    seconds.max(0.0) * devices as f64 / WEEK
}
