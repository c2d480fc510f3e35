//! Which detector earns its place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::strata::View;

/// One detector's part in what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detector {
    /// Attacks it told of.
    pub found: u64,
    /// Attacks it was the first to tell of.
    pub first: u64,
    /// Attacks that no other told of: what would be missed without it.
    pub only: u64,
    /// Look-alikes it told of.
    pub look_alikes: u64,
    /// Its false alerts.
    pub false_alerts: u64,
}

pub(super) fn of(view: &View<'_>) -> BTreeMap<String, Detector> {
    let mut by_name: BTreeMap<String, Detector> = BTreeMap::new();
    for incident in &view.incidents {
        let mut names: Vec<&str> = incident.detectors.iter().map(String::as_str).collect();
        names.extend(incident.first.as_deref());
        names.sort_unstable();
        names.dedup();
        for name in &names {
            let part = by_name.entry((*name).to_owned()).or_default();
            if !incident.malicious {
                part.look_alikes += 1;
                continue;
            }
            let first =
                incident.first.as_deref().or(incident.detectors.first().map(String::as_str));
            part.found += 1;
            part.first += u64::from(first == Some(*name));
            part.only += u64::from(names.len() == 1);
        }
    }
    for alert in &view.false_alerts {
        by_name.entry(alert.detector.clone()).or_default().false_alerts += 1;
    }
    by_name
}
