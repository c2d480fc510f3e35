//! A device has come to behave in another way, and goes on so: drift.
//!
//! No attack by itself: an update, a new job, another ward. But what was learned of it fits no longer,
//! so that who looks after the models has to know, with what changed. The windows' p-values are watched
//! by ADWIN, which speaks when their mean has changed and stays changed.

use learn::features::TABLE;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};

static SPEC: DetectorSpec = DetectorSpec {
    name: "changed_behaviour",
    doc: "What a device does has changed for good: what was learned of it fits no longer.",
    kind: FindingKind::Anomaly,
    reads: &[],
    attack: &[],
    next_step: "Ask whether the device was updated, moved or given another job. If so, nothing is to be done: the models follow. If nobody knows of a change, treat it as an anomaly.",
    sources: &["A. Bifet, R. Gavalda, Learning from Time-Changing Data with Adaptive Windowing"],
};

/// See the module.
#[derive(Debug, Default)]
pub struct ChangedBehaviour;

impl Detector for ChangedBehaviour {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, _: &Observation, _: &Context<'_>, _: &mut Findings) {}

    fn tick(&mut self, cx: &Context<'_>, out: &mut Findings) {
        let changed = cx.behaved.iter().filter(|behaved| !behaved.changed.is_empty());
        for behaved in changed {
            let label = cx.inventory.label(behaved.device);
            let title =
                format!("{label} has come to behave in another way than was learned of it.");
            let mut claim = out
                .claim_about(cx, behaved.device, None, &behaved.evidence, Severity::Info, title)
                .p_value(behaved.judged.p);
            for reason in &behaved.changed {
                let feature = &TABLE[reason.column];
                claim = claim.because(
                    Reason::new(
                        feature.name,
                        format!("{:.2}", reason.observed),
                        format!("{:.2}", reason.expected),
                    )
                    .unit(feature.unit)
                    .weight(f64::from(reason.weight)),
                );
            }
            claim.make();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SPEC;
    use crate::fixture::{DESK, PUMPS, SERVER, Ward};

    #[test]
    fn a_pump_that_does_more_from_some_day_on_has_changed_and_is_told_of_once() {
        let mut ward = Ward::peopled();
        let mut steady = |calls: usize, windows: usize, watch: bool| {
            if watch {
                ward.watch();
            }
            for _ in 0..windows {
                drop(ward.call(DESK, SERVER, 443));
                (0..calls).for_each(|_| drop(ward.call(PUMPS[0], SERVER, 8_080)));
                ward.pass(10.0);
            }
            ward.findings()
        };
        steady(1, 40, false);
        steady(1, 900, true);
        let findings = steady(6, 600, false);
        let told: Vec<_> = findings.iter().filter(|one| one.detector == SPEC.name).collect();
        assert_eq!(told.len(), 1, "{findings:?}");
        assert!(told[0].because.iter().any(|reason| reason.what == "flows_out"));
    }
}
