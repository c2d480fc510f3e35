//! A device behaves as it never does, for several windows in a row or in one that is strange enough.
//!
//! This is what models say, and models alone: no rule was broken. The level at which they speak comes
//! from an alert budget (so many false ones in a shift), not from a score, and the p-value is
//! calibrated among windows of devices of the same kind that are as busy. What only differs from
//! normal life is told as low; it is medium where trees that learned known attacks also hold an
//! attack for more probable than not, or where an analyst called a window like it an attack. Learning
//! alone restricts nobody.

use learn::behaviour::{Behaved, Which, Why};
use learn::features::TABLE;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use model::time::Timestamp;

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "unusual_behaviour",
    doc: "A device behaves as it never does, by models of its own and its kind's normal life.",
    kind: FindingKind::Model,
    reads: &[],
    attack: &[],
    next_step: "Look at what was observed against what was expected, and at the nearest normal window. Ask whose device it is what was done with it at that time; tell the models with 'wardwatch model feedback CASE --normal' or '--attack', and look at the preview first.",
    sources: &[
        "V. Vovk et al., Algorithmic Learning in a Random World",
        "J. Shin, A. Ramdas, A. Rinaldo, E-detectors",
    ],
};

/// See the module.
#[derive(Debug, Default)]
pub struct UnusualBehaviour;

impl Detector for UnusualBehaviour {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, _: &Observation, _: &Context<'_>, _: &mut Findings) {}

    fn tick(&mut self, cx: &Context<'_>, out: &mut Findings) {
        for behaved in cx.behaved {
            if let Some(why) = &behaved.why {
                tell(behaved, why, cx, out);
            }
        }
    }
}

fn tell(behaved: &Behaved, why: &Why, cx: &Context<'_>, out: &mut Findings) {
    let label = cx.inventory.label(behaved.device);
    let known = behaved.attack.is_some_and(|attack| attack > 0.0);
    let said = behaved.word.as_ref().filter(|word| !word.normal);
    let severity = if known || said.is_some() { Severity::Medium } else { Severity::Low };
    let family = why.reasons.first().map(|reason| TABLE[reason.column].family);
    let what = family.map_or("all of it is unusual", |family| family.unusual());
    let mut title = format!("{label} behaves as it never does: {what}");
    if let Some((family, _)) = why.family.as_ref().filter(|_| known) {
        title.push_str(&format!(". It resembles {family}"));
    }
    let mut key = why.family.as_ref().map_or_else(String::new, |(family, _)| family.clone());
    if let Some(word) = said {
        title.push_str(&format!(
            ". It is like what {} called an attack on {}",
            word.by,
            day(word.at)
        ));
        key = format!("like {}", word.end);
    }
    title.push('.');
    let judged = &behaved.judged;
    let mut claim = out
        .claim_about(cx, behaved.device, behaved.with.as_ref(), &behaved.evidence, severity, title)
        .p_value(judged.p)
        .kind(FindingKind::Model)
        .score(1.0 - judged.p)
        .key(key);
    if let Some(word) = said {
        claim = claim.because(Reason::new(
            "what an analyst said",
            format!("like the window that ended {}", word.end),
            format!("{} called that an attack on {}", word.by, day(word.at)),
        ));
    }
    for reason in &why.reasons {
        let feature = &TABLE[reason.column];
        claim = claim.because(
            Reason::new(feature.name, number(reason.observed), number(reason.expected))
                .unit(feature.unit)
                .weight(f64::from(reason.weight)),
        );
    }
    let kept = words::count(judged.raw.kept as u64, "window", "windows");
    let group = ["devices of its kind that are as busy", "devices of its kind", "all devices"];
    let among = group.get(judged.raw.level).copied().unwrap_or("all devices");
    claim = claim.because(Reason::new(
        "how rare this is",
        format!("p = {:.2e}", judged.p),
        format!("among {kept} of {among}"),
    ));
    if let Some((evidence, since)) = judged.sustained {
        let seconds = (since as f64 + 1.0) * learn::features::WINDOW.as_secs_f64();
        claim = claim.because(Reason::new(
            "for how long",
            words::span(seconds),
            format!("evidence e^{evidence:.1} against chance"),
        ));
    }
    if let Some((device, end)) = why.nearest.filter(|_| why.model != Which::Trees) {
        claim = claim.because(
            Reason::new("nearest normal window", cx.inventory.label(device), end).weight(0.0),
        );
    }
    claim.make();
}

/// The day of a time: "2026-11-23".
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

fn number(value: f32) -> String {
    format!("{value:.2}")
}

#[cfg(test)]
mod tests {
    use model::finding::{Finding, FindingKind, Severity};

    use super::SPEC;
    use crate::Settings;
    use crate::fixture::{DESK, INTRUDER, PUMPS, SERVER, Ward};

    /// Hours of a desk and a pump that do the same every ten seconds.
    fn steady(ward: &mut Ward, windows: usize) {
        for _ in 0..windows {
            drop(ward.call(DESK, SERVER, 443));
            drop(ward.call(PUMPS[0], SERVER, 8_080));
            ward.pass(10.0);
        }
    }

    #[test]
    fn what_goes_on_as_ever_is_not_told() {
        let mut ward = Ward::peopled();
        steady(&mut ward, 40);
        ward.watch();
        steady(&mut ward, 1_200);
        assert!(ward.findings().iter().all(|finding| finding.detector != SPEC.name));
    }

    /// A ward that knows its life, then a pump that does a hundred things, with a scan of ports.
    fn burst(ward: &mut Ward) {
        for _ in 0..30 {
            (0..60).for_each(|_| drop(ward.call(PUMPS[0], SERVER, 8_080)));
            (1..30).for_each(|port| drop(ward.knock(INTRUDER, PUMPS[1], port, "refused")));
            ward.pass(10.0);
        }
    }

    #[test]
    fn what_was_called_normal_is_quiet_for_the_models_and_told_by_rules_all_the_same() {
        let mut ward = Ward::peopled();
        steady(&mut ward, 40);
        ward.watch();
        steady(&mut ward, 1_200);
        let saved = ward.engine.save().unwrap();
        let from = ward.seen().len();
        burst(&mut ward);
        let said = |engine: &mut crate::Engine| {
            let findings = engine.take_findings();
            let claim = |one: &Finding| (one.at, one.detector.clone(), one.title.clone());
            let (models, rules): (Vec<_>, Vec<_>) =
                findings.iter().partition(|one| one.kind == FindingKind::Model);
            (
                models.into_iter().map(claim).collect::<Vec<_>>(),
                rules.into_iter().map(claim).collect::<Vec<_>>(),
            )
        };
        let again = |ward: &Ward, normal: Option<bool>| {
            let mut engine = crate::Engine::new(Settings::default(), assets::Settings::default());
            engine.load(&saved).unwrap();
            let labels: Vec<_> = ward.engine.behaviour().past().cloned().collect();
            for past in labels.iter().filter(|_| normal.is_some()) {
                let label = past.verdict(normal == Some(true), "Ada", past.end, "");
                engine.behaviour_mut().enter(label);
            }
            for o in &ward.seen()[from..] {
                engine.observe(o);
            }
            said(&mut engine)
        };
        let (told, rules) = again(&ward, None);
        assert!(!told.is_empty() && !rules.is_empty(), "{told:?} {rules:?}");
        let (quiet, same) = again(&ward, Some(true));
        assert_eq!((quiet.len(), &same), (0, &rules), "a label spoke to rules");
        let (loud, same) = again(&ward, Some(false));
        assert_eq!(same, rules);
        assert!(
            loud.iter()
                .any(|(.., title)| title.contains("like what Ada called an attack on 2027-01-1")),
            "{loud:?}"
        );
    }

    #[test]
    fn a_pump_that_suddenly_does_a_hundred_things_is_told_of_with_its_reasons_and_a_p_value() {
        let mut ward = Ward::peopled();
        steady(&mut ward, 40);
        ward.watch();
        steady(&mut ward, 1_200);
        for _ in 0..30 {
            (0..60).for_each(|_| drop(ward.call(PUMPS[0], SERVER, 8_080)));
            ward.pass(10.0);
        }
        let findings = ward.findings();
        let told: Vec<_> = findings.iter().filter(|one| one.detector == SPEC.name).collect();
        let [first, ..] = told.as_slice() else { panic!("{findings:?}") };
        assert_eq!(first.severity, Severity::Low, "models alone accuse nobody");
        assert!(first.p_value.is_some_and(|p| p < 0.05));
        assert!(first.because.iter().any(|reason| reason.what == "flows_out"), "{first:?}");
    }
}
