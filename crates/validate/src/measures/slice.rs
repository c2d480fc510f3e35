//! All measures of one part of an evaluation.

use std::collections::BTreeMap;

use ml::intervals::Estimate;
use ml::metrics::{Ranking, brier, ece};
use serde::{Deserialize, Serialize};

use super::bias::realised;
use super::{Settings, nothing};
use crate::evaluation::Label;
use crate::strata::View;

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// Measures of a part: of one value of a stratum, or of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Normal examples.
    pub normals: u64,
    /// Attacked examples.
    pub attacks: u64,
    /// Attacks as a whole.
    pub incidents: u64,
    /// False alerts.
    pub false_alerts: u64,
    /// Weeks watched, summed over devices.
    pub device_weeks: f64,
    /// Area under the ROC curve of scores.
    pub roc_auc: Estimate,
    /// Area under the curve of precision over recall (average precision) of scores.
    pub average_precision: Estimate,
    /// Share of attacked examples above the threshold that 1 % of normal ones pass.
    pub tpr_at_1_percent: Estimate,
    /// Share of attacked examples above the threshold that 0.1 % of normal ones pass.
    pub tpr_at_01_percent: Estimate,
    /// Share of normal examples at or above the threshold that 1 % of *all* normal examples pass.
    pub false_positive_rate: Estimate,
    /// Share of attacks among the highest scores, as many as people can look at.
    pub precision_at_budget: Estimate,
    /// Mean squared error of probabilities, where a model gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brier: Option<f64>,
    /// Expected calibration error of probabilities, where a model gives them; 10 bins of equal mass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ece: Option<f64>,
    /// Mean distance of the p-values of normal examples from what they would be were they exact, 0
    /// to 0.5: the expected calibration error of p-values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_error: Option<f64>,
    /// Realised over nominal rate of p-values of normal examples, by nominal level; 1 is right.
    pub realised: BTreeMap<String, Estimate>,
    /// Share of attacks (incidents) that an alert told of.
    pub recall: Estimate,
    /// Share of look-alikes that an alert told of as if they were attacks.
    pub look_alikes_flagged: Estimate,
    /// Median seconds from the start of an attack to the first alert, of those that were found.
    pub seconds_p50: Estimate,
    /// 95th percentile of the same.
    pub seconds_p95: Estimate,
    /// False alerts per week and device.
    pub false_alerts_per_device_week: Estimate,
    /// False alerts per shift and site.
    pub false_alerts_per_shift: Estimate,
    /// Share of alerts that are right: attacks found, of those and false alerts.
    pub alert_precision: Estimate,
}

impl Slice {
    pub(super) fn of(view: &View<'_>, threshold: Option<f64>, settings: &Settings) -> Self {
        let ranking = ranking(view);
        let (attacks, normals) = (ranking.positives(), ranking.negatives());
        let malicious: Vec<_> = view.incidents.iter().filter(|i| i.malicious).collect();
        let found = malicious.iter().filter(|i| i.seconds.is_some()).count() as u64;
        let harmless = view.incidents.iter().filter(|i| !i.malicious);
        let flagged = harmless.clone().filter(|i| i.seconds.is_some()).count() as u64;
        let seconds: Vec<f64> = malicious.iter().filter_map(|i| i.seconds).collect();
        let false_alerts = view.false_alerts.len() as u64;
        let shifts = view.seconds / (settings.shift_hours * 3_600.0);
        let above = threshold.map_or(0, |t| ranking.at(t).false_positives);
        Self {
            normals,
            attacks,
            incidents: malicious.len() as u64,
            false_alerts,
            device_weeks: view.device_weeks,
            roc_auc: Estimate::roc_auc(&ranking, settings.attacks),
            average_precision: if normals == 0 {
                nothing(settings.normals)
            } else {
                Estimate::average_precision(&ranking, settings.attacks)
            },
            tpr_at_1_percent: tpr(&ranking, 0.01, settings),
            tpr_at_01_percent: tpr(&ranking, 0.001, settings),
            false_positive_rate: Estimate::share(above, normals, settings.normals),
            precision_at_budget: at_budget(&ranking, shifts, settings),
            brier: probabilities(view).and_then(|(given, truth)| brier(&given, &truth)),
            ece: probabilities(view).and_then(|(given, truth)| ece(&given, &truth, BINS)),
            p_error: p_error(view),
            realised: realised(view.examples.iter().copied()),
            recall: Estimate::share(found, malicious.len() as u64, settings.incidents),
            look_alikes_flagged: Estimate::share(
                flagged,
                harmless.count() as u64,
                settings.incidents,
            ),
            seconds_p50: Estimate::quantile(&seconds, 0.5, settings.incidents, 1),
            seconds_p95: Estimate::quantile(&seconds, 0.95, settings.incidents, 2),
            false_alerts_per_device_week: Estimate::rate(
                false_alerts,
                view.device_weeks,
                settings.device_weeks,
            ),
            false_alerts_per_shift: Estimate::rate(false_alerts, shifts, settings.shifts),
            alert_precision: Estimate::share(found, found + false_alerts, settings.incidents),
        }
    }

    /// False alerts in a hundred weeks of one device: easier to read than a small number.
    pub const fn false_alerts_per_100_device_weeks(&self) -> Estimate {
        self.false_alerts_per_device_week.times(100.0)
    }
}

/// Scores of normal and attacked examples.
pub(super) fn ranking(view: &View<'_>) -> Ranking {
    Ranking::new(view.examples.iter().filter_map(|example| match example.truth {
        Label::Normal => Some((example.score, false)),
        Label::Attack(_) => Some((example.score, true)),
        Label::LookAlike(_) | Label::Neutral => None,
    }))
}

/// A true positive rate needs enough attacks, and so many normal examples that one of them may be
/// above the threshold.
fn tpr(ranking: &Ranking, fpr: f64, settings: &Settings) -> Estimate {
    let needed = settings.normals.max((1.0 / fpr).ceil() as u64);
    if ranking.negatives() < needed {
        return Estimate::TooFew { count: ranking.negatives(), needed };
    }
    let found = ranking.step_at_fpr(fpr).map_or(0, |step| step.true_positives);
    Estimate::share(found, ranking.positives(), settings.attacks)
}

fn at_budget(ranking: &Ranking, shifts: f64, settings: &Settings) -> Estimate {
    let budget = (shifts * settings.alerts_a_shift) as u64;
    let looked = budget.min(ranking.positives() + ranking.negatives());
    match ranking.precision_at(budget) {
        Some(share) if ranking.positives() > 0 => {
            Estimate::share((share * looked as f64).round() as u64, looked, 1)
        }
        _ => nothing(1),
    }
}

fn probabilities(view: &View<'_>) -> Option<(Vec<f64>, Vec<bool>)> {
    let rows = view.examples.iter().filter(|e| e.truth != Label::Neutral);
    let given: Vec<(f64, bool)> =
        rows.filter_map(|e| Some((e.probability?, matches!(e.truth, Label::Attack(_))))).collect();
    (!given.is_empty()).then(|| given.into_iter().unzip())
}

fn p_error(view: &View<'_>) -> Option<f64> {
    let normal = view.examples.iter().filter(|e| e.truth == Label::Normal);
    let mut p: Vec<f64> = normal.filter_map(|e| e.p).filter(|p| !p.is_nan()).collect();
    p.sort_unstable_by(f64::total_cmp);
    let n = p.len() as f64;
    let apart = p.iter().enumerate().map(|(i, p)| (p - (i as f64 + 0.5) / n).abs());
    (n > 0.0).then(|| apart.sum::<f64>() / n)
}
