//! By kind of attack and of look-alike.

use std::collections::BTreeMap;

use ml::intervals::Estimate;
use ml::metrics::Ranking;
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::evaluation::{Incident, Label};
use crate::strata::View;

/// Name of the stratum that says who attacked, and its values.
const ACTOR: &str = "actor";
const KNOWN: &str = "known";
const STRANGER: &str = "stranger";

/// One kind of attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kind {
    /// Attacked examples.
    pub examples: u64,
    /// Share of them above the threshold that 1 % of all normal examples pass.
    pub tpr_at_1_percent: Estimate,
    /// Share of them above the threshold that 0.1 % of all normal examples pass.
    pub tpr_at_01_percent: Estimate,
    /// Attacked examples of devices that belong there alone.
    #[serde(default)]
    pub examples_known: u64,
    /// Share of those above the threshold that 0.1 % of all normal examples pass.
    #[serde(default = "unmeasured")]
    pub tpr_known_at_01_percent: Estimate,
    /// Incidents.
    pub incidents: u64,
    /// Of these, how many an alert told of.
    pub found: u64,
    /// Share of incidents that an alert told of.
    pub recall: Estimate,
    /// The same of attacks from a device that belongs there.
    pub recall_known: Estimate,
    /// The same of attacks from one that does not.
    pub recall_stranger: Estimate,
    /// Median seconds to the first alert.
    pub seconds_p50: Estimate,
    /// 95th percentile of the same.
    pub seconds_p95: Estimate,
}

/// What older files do not have.
const fn unmeasured() -> Estimate {
    super::nothing(0)
}

/// One kind of look-alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookAlike {
    /// Examples of it.
    pub examples: u64,
    /// Share of them above the threshold that 1 % of all normal examples pass.
    pub above_1_percent: Estimate,
    /// Share of them above the threshold that 0.1 % of all normal examples pass.
    pub above_01_percent: Estimate,
    /// How often it happened.
    pub incidents: u64,
    /// How often an alert told of it as if it were an attack.
    pub flagged: u64,
    /// The share of that.
    pub flagged_share: Estimate,
}

/// Name of the stratum that says whether a kind was learned from, and the value that says not.
const NOVELTY: &str = "novelty";
const NEW: &str = "new";

/// Of all attacked examples of kinds that were not learned from, how many are above the threshold
/// of 3 %.
pub(super) fn novel(view: &View<'_>, ranking: &Ranking, settings: &Settings) -> Estimate {
    let of = view.examples.iter().filter(|example| {
        matches!(example.truth, Label::Attack(_))
            && example.strata.get(NOVELTY).is_some_and(|is| is == NEW)
    });
    let scores: Vec<f64> = of.map(|example| example.score).collect();
    if scores.is_empty() {
        return super::nothing(settings.attacks);
    }
    above(&scores, ranking, 0.03, settings)
}

#[derive(Default)]
struct Rows<'a> {
    scores: Vec<f64>,
    /// Those of devices that belong there.
    known: Vec<f64>,
    incidents: Vec<&'a Incident>,
}

/// The share of scores above the threshold of a false positive rate.
fn above(scores: &[f64], ranking: &Ranking, fpr: f64, settings: &Settings) -> Estimate {
    let needed = settings.normals.max((1.0 / fpr).ceil() as u64);
    match ranking.threshold_at_fpr(fpr) {
        Some(threshold) if ranking.negatives() >= needed => {
            let above = scores.iter().filter(|score| **score >= threshold).count();
            Estimate::share(above as u64, scores.len() as u64, settings.attacks)
        }
        _ => Estimate::TooFew { count: ranking.negatives(), needed },
    }
}

impl Rows<'_> {
    fn recall(&self, actor: Option<&str>, settings: &Settings) -> Estimate {
        let is = |i: &&&Incident| {
            actor.is_none_or(|actor| i.strata.get(ACTOR).is_some_and(|is| is == actor))
        };
        let of: Vec<_> = self.incidents.iter().filter(is).collect();
        let found = of.iter().filter(|i| i.seconds.is_some()).count();
        Estimate::share(found as u64, of.len() as u64, settings.incidents)
    }

    fn found(&self) -> u64 {
        self.incidents.iter().filter(|i| i.seconds.is_some()).count() as u64
    }
}

fn rows<'a>(view: &View<'a>, malicious: bool) -> BTreeMap<&'a str, Rows<'a>> {
    let mut by_kind: BTreeMap<&str, Rows<'_>> = BTreeMap::new();
    for example in &view.examples {
        let kind = match &example.truth {
            Label::Attack(kind) if malicious => kind,
            Label::LookAlike(kind) if !malicious => kind,
            _ => continue,
        };
        let rows = by_kind.entry(kind).or_default();
        rows.scores.push(example.score);
        if example.strata.get(ACTOR).is_some_and(|who| who == KNOWN) {
            rows.known.push(example.score);
        }
    }
    for incident in view.incidents.iter().filter(|i| i.malicious == malicious) {
        by_kind.entry(&incident.kind).or_default().incidents.push(incident);
    }
    by_kind
}

pub(super) fn attacks(
    view: &View<'_>,
    ranking: &Ranking,
    settings: &Settings,
) -> BTreeMap<String, Kind> {
    let kind = |(name, rows): (&str, Rows<'_>)| {
        let seconds: Vec<f64> = rows.incidents.iter().filter_map(|i| i.seconds).collect();
        let kind = Kind {
            examples: rows.scores.len() as u64,
            tpr_at_1_percent: above(&rows.scores, ranking, 0.01, settings),
            tpr_at_01_percent: above(&rows.scores, ranking, 0.001, settings),
            examples_known: rows.known.len() as u64,
            tpr_known_at_01_percent: above(&rows.known, ranking, 0.001, settings),
            incidents: rows.incidents.len() as u64,
            found: rows.found(),
            recall: rows.recall(None, settings),
            recall_known: rows.recall(Some(KNOWN), settings),
            recall_stranger: rows.recall(Some(STRANGER), settings),
            seconds_p50: Estimate::quantile(&seconds, 0.5, settings.incidents, 1),
            seconds_p95: Estimate::quantile(&seconds, 0.95, settings.incidents, 2),
        };
        (name.to_owned(), kind)
    };
    rows(view, true).into_iter().map(kind).collect()
}

pub(super) fn look_alikes(
    view: &View<'_>,
    ranking: &Ranking,
    settings: &Settings,
) -> BTreeMap<String, LookAlike> {
    let kind = |(name, rows): (&str, Rows<'_>)| {
        let kind = LookAlike {
            examples: rows.scores.len() as u64,
            above_1_percent: above(&rows.scores, ranking, 0.01, settings),
            above_01_percent: above(&rows.scores, ranking, 0.001, settings),
            incidents: rows.incidents.len() as u64,
            flagged: rows.found(),
            flagged_share: rows.recall(None, settings),
        };
        (name.to_owned(), kind)
    };
    rows(view, false).into_iter().map(kind).collect()
}
