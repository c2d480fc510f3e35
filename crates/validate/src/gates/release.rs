//! One run against bounds.

use ml::intervals::Estimate;

use super::{Bounds, Outcome, Verdict};
use crate::measures::{Beside, COMPARABLE, Measures, level_name};

/// Which side of the bound is the good one.
#[derive(Clone, Copy)]
enum Side {
    AtLeast,
    AtMost,
}

/// Holds one run against bounds. A point figure decides; its interval is shown beside it.
///
/// What nobody measured (a table has no shifts, a run without attacks has no recall) has no verdict;
/// what was measured on too little has one that says so.
pub fn release(measures: &Measures, bounds: &Bounds) -> Vec<Verdict> {
    let mut all = Vec::new();
    for (name, kind) in &measures.kinds {
        if kind.examples > 0 && bounds.tpr_at_01_percent > 0.0 {
            let (of, bound) = (&kind.tpr_at_01_percent, bounds.tpr_at_01_percent);
            all.push(judge(
                "tpr_at_01_percent",
                name,
                of,
                Side::AtLeast,
                bound,
                "attacked examples found at a false positive rate of 0.1 %",
            ));
        }
        if kind.examples_known > 0 && bounds.tpr_at_01_percent > 0.0 {
            let what = "attacked examples of known devices found at a false positive rate of 0.1 %";
            let (of, bound) = (&kind.tpr_known_at_01_percent, bounds.tpr_at_01_percent);
            all.push(judge("tpr_known_at_01_percent", name, of, Side::AtLeast, bound, what));
        }
        if kind.recall_known.count() > 0 {
            let what = "attacks from known devices found";
            let of = &kind.recall_known;
            all.push(judge("recall_known", name, of, Side::AtLeast, bounds.recall_known, what));
        }
    }
    for (name, group) in &measures.groups {
        for level in [0.01, 0.001] {
            if let Some(of) = group.realised.get(&level_name(level)) {
                let gate = format!("realised_over_nominal_{}", level_name(level));
                let what = "false positives for each one promised";
                all.push(judge(&gate, name, of, Side::AtMost, bounds.realised_over_nominal, what));
            }
        }
    }
    for (name, group) in &measures.changed {
        for level in [0.01, 0.001] {
            if let Some(of) = group.realised.get(&level_name(level)) {
                let gate = format!("realised_after_change_{}", level_name(level));
                let what = "false positives for each one promised, after life was changed";
                all.push(judge(&gate, name, of, Side::AtMost, bounds.realised_over_nominal, what));
            }
        }
    }
    for level in [0.01, 0.001] {
        let gate = format!("between_groups_{}", level_name(level));
        let what = "times as many false positives in one group as in another";
        let bound = bounds.between_groups;
        if let Some(bias) = measures.between_groups(level) {
            let of = format!("{} against {}", bias.largest.value, bias.smallest.value);
            all.push(judge(&gate, &of, &bias.ratio, Side::AtMost, bound, what));
        } else if measures.groups.len() > 1 {
            // The second largest group is what two of them need.
            let mut expected: Vec<f64> =
                measures.compared.values().map(|group| group.normals as f64 * level).collect();
            expected.sort_unstable_by(|a, b| b.total_cmp(a));
            let count = expected.get(1).map_or(0, |count| *count as u64);
            let few = Estimate::TooFew { count, needed: COMPARABLE as u64 };
            let what = "false positives to be expected in the second largest group";
            all.push(judge(&gate, "", &few, Side::AtMost, bound, what));
        }
    }
    let overall = &measures.overall;
    if let Some(bound) = bounds.roc_auc {
        let what = "area under the ROC curve";
        all.push(judge("roc_auc", "", &overall.roc_auc, Side::AtLeast, bound, what));
    }
    if let Some(bound) = bounds.novel_at_3_percent {
        let of = &measures.novel_at_3_percent;
        let what = "attacks of kinds not learned from found at a false positive rate of 3 %";
        all.push(judge("novel_at_3_percent", "", of, Side::AtLeast, bound, what));
    }
    if overall.device_weeks > 0.0 {
        let of = &overall.false_alerts_per_shift;
        let bound = bounds.false_alerts_per_shift;
        all.push(judge(
            "false_alerts_per_shift",
            "",
            of,
            Side::AtMost,
            bound,
            "false alerts a shift",
        ));
    }
    if overall.look_alikes_flagged.count() > 0 {
        let (of, bound) = (&overall.look_alikes_flagged, bounds.look_alikes_flagged);
        let what = "look-alikes taken for attacks";
        all.push(judge("look_alikes_flagged", "", of, Side::AtMost, bound, what));
    }
    if overall.incidents > 0 {
        let what = "seconds to the first alert, for half of the attacks";
        let of = &overall.seconds_p50;
        all.push(judge("seconds_p50", "", of, Side::AtMost, bounds.seconds_p50, what));
    }
    all
}

/// Holds one run against another system on the same data, kind by kind: the true positive rate at a
/// false positive rate of 0.1 % may not be lower. A kind that either has too little data of is too
/// few to say, and so is one where ours is lower by no more than chance explains.
pub fn beside(all: &[Beside], name: &str) -> Vec<Verdict> {
    let gate = format!("beside_{name}");
    let what =
        format!("attacked examples found at a false positive rate of 0.1 %, less those of {name}");
    let of_kind = |of: &Beside| judge(&gate, &of.kind, &of.difference, Side::AtLeast, 0.0, &what);
    all.iter().map(of_kind).collect()
}

fn judge(gate: &str, of: &str, figure: &Estimate, side: Side, bound: f64, what: &str) -> Verdict {
    let word = match side {
        Side::AtLeast => "at least",
        Side::AtMost => "at most",
    };
    let (outcome, why) = match figure {
        Estimate::TooFew { count, needed } => {
            (Outcome::TooFew, format!("{what}: {count} counted, {needed} needed to say"))
        }
        Estimate::Known { value, low, high, count } => {
            let kept = match side {
                Side::AtLeast => *value >= bound,
                Side::AtMost => *value <= bound,
            };
            // A bound within the interval is neither kept nor broken for certain.
            let broken = match side {
                Side::AtLeast => *high < bound,
                Side::AtMost => *low > bound,
            };
            let outcome = match (kept, broken) {
                (true, _) => Outcome::Passed,
                (false, true) => Outcome::Failed,
                (false, false) => Outcome::TooFew,
            };
            let why = format!(
                "{what}: {value:.4} (95 %: {low:.4} to {high:.4}, of {count}); asked is {word} {bound}"
            );
            (outcome, why)
        }
    };
    Verdict {
        gate: gate.to_owned(),
        of: of.to_owned(),
        outcome,
        figure: figure.value(),
        interval: figure.interval(),
        bound,
        why,
    }
}
