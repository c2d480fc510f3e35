//! The page holds what it has to, and nothing that a hostile name put there.

use proptest::prelude::*;

use super::html::escape;
use super::*;
use crate::evaluation::Evaluation;
use crate::gates::{Bounds, release};
use crate::measures::Settings;
use crate::measures::tests::made_up;

/// A report of everything, with hostile names.
pub(crate) fn made() -> Report {
    let measures = Measures::of(&made_up(1), &Settings::default());
    let mut less = made_up(1);
    less.incidents.iter_mut().for_each(|i| i.detectors.retain(|d| d != "models"));
    less.incidents.iter_mut().filter(|i| i.detectors.is_empty()).for_each(|i| i.seconds = None);
    let less = Measures::of(&less, &Settings::default());
    Report {
        title: "Wardwatch 0.1 <img src=x onerror=alert(1)>".to_owned(),
        made_at: "2026-11-23".to_owned(),
        data: vec![DataCard {
            name: "hospital-\u{202e}a".to_owned(),
            origin: "Made-up hospital, seed 7".to_owned(),
            licence: "Apache-2.0".to_owned(),
            ..DataCard::default()
        }],
        verdicts: release(&measures, &Bounds::default()),
        ablation: vec![Ablation::of("models", &measures, &less)],
        comparisons: vec![
            Comparison {
                name: "Wardwatch".to_owned(),
                data: "NSL-KDD Test+".to_owned(),
                figures: vec![("AUC".to_owned(), 0.978), ("rows a second".to_owned(), 1_234_567.0)],
                ours: true,
            },
            Comparison {
                name: "scikit-learn forest".to_owned(),
                data: "NSL-KDD Test+".to_owned(),
                figures: vec![("AUC".to_owned(), 0.970)],
                ours: false,
            },
        ],
        beside: vec![ByKind {
            name: "another <system>".to_owned(),
            kinds: crate::measures::beside(&measures, &less),
        }],
        drift: vec![Drift {
            group: "pump/quiet".to_owned(),
            column: "bytes_per_second".to_owned(),
            before: 1_200.0,
            after: 5_300.0,
            index: Some(0.31),
            stability: ml::drift::Stability::Different,
            changes: 1,
        }],
        notes: vec!["A note & more.".to_owned()],
        limits: vec!["Only one <site>.".to_owned()],
        measures,
    }
}

#[test]
fn the_page_holds_every_part_and_needs_nothing_from_elsewhere() {
    let page = made().html();
    for part in [
        "In short",
        "Gates",
        "Which detector found what",
        "ROC curve",
        "What was promised, and what was kept",
        "By class",
        "Drift",
        "Ablation",
        "NSL-KDD Test+",
        "1\u{202f}234\u{202f}567",
        "Limits",
        "too few to say",
        "Only one &lt;site&gt;.",
        "A note &amp; more.",
        "not stated",
        "beside another &lt;system&gt;",
        "+0.0 points",
        "vendor",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for absent in ["<script", "http://", "https://", "src=\"", "url(", "@import", "NaN", "inf<"] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(page.matches("<th scope=\"row\"").count() > 20);
    assert_eq!(page.matches("<table>").count(), page.matches("<caption>").count());
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
}

#[test]
fn hostile_names_are_text() {
    let page = made().html();
    assert!(!page.contains("<img") && !page.contains("<b>mri"));
    assert!(page.contains("&lt;b&gt;mri &amp; co&lt;/b&gt;"));
    assert!(!page.contains('\u{202e}'));
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(made().html(), made().html());
}

#[test]
fn a_report_of_nothing_says_that_nothing_was_measured() {
    let report = Report {
        title: String::new(),
        made_at: String::new(),
        data: Vec::new(),
        measures: Measures::of(&Evaluation::default(), &Settings::default()),
        verdicts: Vec::new(),
        ablation: Vec::new(),
        comparisons: Vec::new(),
        beside: Vec::new(),
        drift: Vec::new(),
        notes: Vec::new(),
        limits: Vec::new(),
    };
    let page = report.html();
    assert!(page.contains("not measured") && page.contains("No p-values"));
    assert!(!page.contains("<table>") && !page.contains("<svg"));
}

#[test]
fn leaving_a_part_out_is_told_as_a_difference() {
    let report = made();
    assert!(report.ablation[0].recall.is_some_and(|change| change < -0.2));
    assert_eq!(report.ablation[0].roc_auc, Some(0.0));
}

proptest! {
    #[test]
    fn no_text_gets_out_of_its_place(text in any::<String>()) {
        let escaped = escape(&text);
        prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
        prop_assert!(!escaped.chars().any(char::is_control));
        prop_assert!(escaped.split('&').skip(1).all(|rest| rest.contains(';')));
    }

    #[test]
    fn no_number_breaks_the_page(x in any::<f64>()) {
        let written = super::words::plain(x);
        prop_assert!(!written.is_empty() && !written.contains("inf") && !written.contains("NaN"));
    }
}

/// Writes the page where `REPORT_PAGE` says, to be looked at.
#[test]
fn the_page_can_be_written_down() {
    if let Some(path) = std::env::var_os("REPORT_PAGE") {
        std::fs::write(path, made().html()).expect("written");
    }
}
