//! The sections of the page, in the order in which they are read.

use std::fmt::Write;

use ml::intervals::Estimate;

use super::html::{escape, read, section};
use super::words::{self, Unit, count, interval, name, number};
use super::{Report, plots, tables};
use crate::gates::Outcome;

/// How much realised over nominal may be where no gate says so: what is shaded in the plot.
const REALISED: f64 = 1.2;

pub(super) fn head(report: &Report) -> String {
    let sections = [
        ("short", "In short", true),
        ("gates", "Gates", !report.verdicts.is_empty()),
        ("attacks", "Attacks", !report.measures.kinds.is_empty()),
        ("false-alerts", "False alerts", true),
        ("scores", "Scores", !report.measures.curves.roc.is_empty()),
        ("calibration", "Calibration", !report.measures.groups.is_empty()),
        ("strata", "For whom", !report.measures.strata.is_empty()),
        ("drift", "Drift", !report.drift.is_empty()),
        ("ablation", "Ablation", !report.ablation.is_empty()),
        ("comparisons", "Beside others", !report.comparisons.is_empty()),
        ("data", "Data", !report.data.is_empty()),
        ("limits", "Limits", true),
        ("terms", "Terms", true),
    ];
    let mut out = format!("<header class=\"top\">\n<h1>{}</h1>\n", escape(&report.title));
    let when = if report.made_at.is_empty() {
        String::new()
    } else {
        format!("Made {}. ", escape(&report.made_at))
    };
    let all = &report.measures.overall;
    let _ = writeln!(
        out,
        "<p>Validation report. {when}Made from {} attacks, {} scored examples and {} device-weeks of \
         watching.</p>\n</header>\n<nav aria-label=\"Sections\"><ul>",
        count(all.incidents),
        count(all.normals + all.attacks),
        words::plain(all.device_weeks)
    );
    for (id, title, _) in sections.iter().filter(|section| section.2) {
        let _ = writeln!(out, "<li><a href=\"#{id}\">{title}</a></li>");
    }
    out + "</ul></nav>\n<main>\n"
}

fn tile(what: &str, figure: &Estimate, unit: Unit) -> String {
    let inner = match figure {
        Estimate::Known { value, low, high, count: of } => format!(
            "<span class=\"figure\">{}</span><span class=\"sure\">95\u{a0}%: {}; from {}</span>",
            number(*value, unit),
            interval(*low, *high, unit),
            count(*of)
        ),
        Estimate::TooFew { count: 0, .. } => "<span class=\"few\">not measured</span>".to_owned(),
        Estimate::TooFew { count: of, needed } => format!(
            "<span class=\"few\">too few to say</span><span class=\"sure\">{} of {} needed</span>",
            count(*of),
            count(*needed)
        ),
    };
    format!("<li class=\"tile\"><span class=\"name\">{what}</span>{inner}</li>\n")
}

pub(super) fn in_short(report: &Report) -> String {
    let all = &report.measures.overall;
    let tiles = [
        tile("Attacks found", &all.recall, Unit::Share),
        tile("Half of them told of within", &all.seconds_p50, Unit::Seconds),
        tile("False alerts a shift", &all.false_alerts_per_shift, Unit::Plain),
        tile(
            "False alerts in 100 device-weeks",
            &all.false_alerts_per_100_device_weeks(),
            Unit::Plain,
        ),
        tile("Attacked examples found at FPR 0.1\u{a0}%", &all.tpr_at_01_percent, Unit::Share),
        tile("Area under the ROC curve", &all.roc_auc, Unit::Area),
    ];
    let of = |outcome| report.verdicts.iter().filter(|v| v.outcome == outcome).count();
    let (passed, few, failed) = (of(Outcome::Passed), of(Outcome::TooFew), of(Outcome::Failed));
    let (class, word) = match (failed, passed, few) {
        (0, 0, 0) => ("too_few", "No gate was asked.".to_owned()),
        (0, _, 0) => ("passed", format!("All {passed} gates passed.")),
        (0, ..) => (
            "too_few",
            format!(
                "No gate failed: {passed} passed, and of {few} there is too little data to say."
            ),
        ),
        _ => (
            "failed",
            format!(
                "{failed} of {} gates failed; {passed} passed, and of {few} there is too little data to say.",
                failed + passed + few
            ),
        ),
    };
    let notes: String =
        report.notes.iter().map(|note| format!("<p>{}</p>\n", escape(note))).collect();
    let inner = format!(
        "<p class=\"verdict {class}\">{word}</p>\n<ul class=\"tiles\">\n{}</ul>\n{}{notes}",
        tiles.concat(),
        read(
            "the large figure is what was counted here; the true one lies within the interval below it in 19 of 20 such validations."
        )
    );
    section("short", "In short", &inner)
}

pub(super) fn gates(report: &Report) -> String {
    if report.verdicts.is_empty() {
        return String::new();
    }
    let inner = read(
        "a gate is a bound that was set before; \u{201c}too few to say\u{201d} is not a pass.",
    ) + &tables::gates(report);
    section("gates", "Gates", &inner)
}

pub(super) fn attacks(report: &Report) -> String {
    let measures = &report.measures;
    if measures.kinds.is_empty() {
        return String::new();
    }
    let mut inner = read(
        "an attack counts as found when any alert told of it; \u{201c}known devices\u{201d} belong to the network and are the harder ones.",
    );
    inner += &tables::kinds(measures);
    if measures.kinds.values().any(|kind| kind.examples_known > 0) {
        inner += &tables::known(measures);
    }
    let times = plots::times(measures);
    if !times.is_empty() {
        inner += "<h3>How fast</h3>\n";
        inner += &read(
            "the line rises with every attack that has been told of; it ends below 100\u{a0}% by what was missed.",
        );
        inner += &times;
    }
    if !measures.detectors.is_empty() {
        inner += "<h3>Which detector found what</h3>\n";
        inner += &read(
            "\u{201c}found by no other\u{201d} is what would be missed without the detector.",
        );
        inner += &tables::detectors(measures);
    }
    section("attacks", "Attacks", &inner)
}

pub(super) fn false_alerts(report: &Report) -> String {
    let all = &report.measures.overall;
    let mut inner = format!(
        "<p>{} false alerts in {} device-weeks: {} a shift of {} hours, {} in 100 device-weeks. Of all \
         alerts {} were right. Of the highest scores, as many as people can look at ({} a shift), {} \
         were attacks.</p>\n",
        count(all.false_alerts),
        words::plain(all.device_weeks),
        words::estimate(&all.false_alerts_per_shift, Unit::Plain),
        words::plain(report.measures.settings.shift_hours),
        words::estimate(&all.false_alerts_per_100_device_weeks(), Unit::Plain),
        words::estimate(&all.alert_precision, Unit::Share),
        words::plain(report.measures.settings.alerts_a_shift),
        words::estimate(&all.precision_at_budget, Unit::Share),
    );
    let look_alikes = tables::look_alikes(&report.measures);
    if !look_alikes.is_empty() {
        inner += &read(
            "a look-alike is harmless and made to resemble an attack; each one flagged costs somebody's time.",
        );
        inner += &look_alikes;
    }
    section("false-alerts", "False alerts", &inner)
}

pub(super) fn scores(report: &Report) -> String {
    let (roc, pr) = (plots::roc(&report.measures), plots::precision_recall(&report.measures));
    if roc.is_empty() && pr.is_empty() {
        return String::new();
    }
    let all = &report.measures.overall;
    let mut inner = format!(
        "<p>Area under the ROC curve {}, average precision {}. At a false positive rate of 1\u{a0}% the \
         scores find {} of attacked examples, at 0.1\u{a0}% {}.</p>\n",
        words::estimate(&all.roc_auc, Unit::Area),
        words::estimate(&all.average_precision, Unit::Area),
        words::estimate(&all.tpr_at_1_percent, Unit::Share),
        words::estimate(&all.tpr_at_01_percent, Unit::Share),
    );
    let novel = &report.measures.novel_at_3_percent;
    if novel.count() > 0 {
        let novel = words::estimate(novel, Unit::Share);
        let _ = writeln!(
            inner,
            "<p>Of attacks of kinds that were not learned from, they find {novel} at a false positive rate of 3\u{a0}%.</p>"
        );
    }
    if let (Some(ece), Some(brier)) = (all.ece, all.brier) {
        let (ece, brier) = (words::plain(ece), words::plain(brier));
        let _ = writeln!(
            inner,
            "<p>Probabilities are off by {ece} on average (expected calibration error); Brier score {brier}.</p>"
        );
    }
    inner += &read(
        "the more the line keeps to the upper left (ROC) or the upper right (precision), the better; the dashed curve is chance.",
    );
    let _ = write!(inner, "<div class=\"plots\">\n{roc}{pr}</div>\n");
    section("scores", "Scores", &inner)
}

pub(super) fn calibration(report: &Report) -> String {
    if report.measures.groups.is_empty() {
        return String::new();
    }
    let mut inner = read(
        "a group above the shaded area raises more false alarms than it promised; far below the dashed line it is more cautious than it need be. Whiskers are 95\u{a0}% intervals.",
    );
    inner += &plots::calibration(&report.measures, REALISED);
    if let Some(error) = report.measures.overall.p_error {
        let _ = writeln!(
            inner,
            "<p>P-values of normal life are off by {} on average, where 0 is exact.</p>",
            words::plain(error)
        );
    }
    inner += &tables::groups(
        &report.measures.groups,
        "Realised over nominal false positive rate; 1 is right",
    );
    if !report.measures.changed.is_empty() {
        inner += "<h3>After a change</h3>\n";
        inner += &read(
            "in these hospitals life was changed on purpose: more went on than before, devices got new software, a server took over from another, devices were bought. This is what came after.",
        );
        inner += &tables::groups(
            &report.measures.changed,
            "Realised over nominal false positive rate after a change; 1 is right",
        );
    }
    section("calibration", "Calibration", &inner)
}

pub(super) fn strata(report: &Report) -> String {
    if report.measures.strata.is_empty() {
        return String::new();
    }
    let mut inner = read(
        "first who has most errors against who has fewest; where the lower end of a ratio is above 1, chance does not explain it.",
    );
    inner += &tables::bias(&report.measures);
    inner += &read(
        "in each table below, bars of one column share a scale; the line is the 95\u{a0}% interval, the mark the figure.",
    );
    inner += &tables::strata(&report.measures);
    section("strata", "For whom it works, and for whom less", &inner)
}

pub(super) fn drift(report: &Report) -> String {
    if report.drift.is_empty() {
        return String::new();
    }
    let inner = read(
        "normal life only, by group, the features that moved most; below 0.1 a feature is as it was, from 0.25 on it is another population, and what was learned may not hold (Siddiqi, 2006). Devices told of are those that ADWIN found to behave in another way.",
    ) + &tables::drift(report);
    section("drift", "Drift", &inner)
}

pub(super) fn ablation(report: &Report) -> String {
    if report.ablation.is_empty() {
        return String::new();
    }
    let inner = read(
        "each row is the whole without one part; a part that changes nothing when it is left out has not earned its place.",
    ) + &tables::ablation(report);
    section("ablation", "Ablation", &inner)
}

pub(super) fn comparisons(report: &Report) -> String {
    if report.comparisons.is_empty() {
        return String::new();
    }
    let inner =
        read("all systems saw the same data; the row set off is the one this report is about.")
            + &tables::comparisons(report)
            + &report.beside.iter().map(tables::beside).collect::<String>();
    section("comparisons", "Beside others", &inner)
}

pub(super) fn data(report: &Report) -> String {
    if report.data.is_empty() {
        return String::new();
    }
    let mut inner = String::new();
    for card in &report.data {
        let _ = write!(inner, "<section class=\"data\">\n<h3>{}</h3>\n<dl>\n", name(&card.name));
        for (what, text) in card.rows() {
            let _ = writeln!(inner, "<dt>{what}</dt><dd>{}</dd>", escape(&text));
        }
        inner += "</dl>\n</section>\n";
    }
    section("data", "Data", &inner)
}

pub(super) fn terms() -> String {
    let terms = [
        ("Example", "A device in a stretch of time, or a row of a table: what gets one score."),
        (
            "Incident",
            "One attack, from its first packet to its last, however many examples it touches.",
        ),
        ("False alert", "An alert about a device that had no part in any attack."),
        ("FPR", "False positive rate: share of normal examples that raise an alarm."),
        ("p-value", "How often a normal example of the same group looks as strange as this one."),
        (
            "Realised over nominal",
            "False positives counted, for each one that the p-value promised.",
        ),
        (
            "ROC AUC",
            "Probability that an attacked example scores higher than a normal one; 0.5 is chance.",
        ),
        ("Device-week", "One device watched for one week."),
        (
            "95\u{a0}% interval",
            "Shares: Wilson; rates: Garwood; area under the ROC curve: DeLong; times: bootstrap.",
        ),
        (
            "Too few to say",
            "There was data, but less than a figure needs; the number in brackets is how much.",
        ),
    ];
    let rows: String =
        terms.iter().map(|(term, what)| format!("<dt>{term}</dt><dd>{what}</dd>\n")).collect();
    section("terms", "Terms", &format!("<dl>\n{rows}</dl>\n"))
}
