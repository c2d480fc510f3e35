//! The trial of a model: hospitals and captures watched with it, everything measured, held against the
//! gates, and put into a report.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use detect::Engine;
use drill::Layout;
use learn::behaviour::{Knowledge, Tolerance, Unfit, Which};
use model::Timestamp;

use crate::card::DataCard;
use crate::drift::Halves;
use crate::evaluation::{Evaluation, Example, Label};
use crate::gates::{self, Bounds};
use crate::hospitals::{Hospital, HospitalError, Watched, in_turn, watch_all, watch_folder};
use crate::kitsune::{self, By, device_windows};
use crate::measures::{self, Beside, Measures, Settings};
use crate::report::{Ablation, ByKind, Comparison, Report};
use crate::scored::{self, Kind};

/// What a model is tried on, and how.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Seeds of hospitals that together see every attack and every look-alike.
    pub seeds: Vec<u64>,
    /// How many hospitals for each seed.
    pub parts: u32,
    /// Only known devices attack there, so many times with every attack.
    pub by_known: Option<u32>,
    /// Seeds of hospitals in which nothing happens.
    pub quiet_seeds: Vec<u64>,
    /// Seeds of hospitals in which nothing happens but that life changes after half of the time.
    pub changing_seeds: Vec<u64>,
    /// Hours that nothing happens in either.
    pub quiet_hours: f64,
    /// Folders with captures and the truth beside them.
    pub sites: Vec<PathBuf>,
    /// Hospitals at once.
    pub threads: usize,
    /// What is tried; without it only what a site learns by itself.
    pub knowledge: Option<Arc<Knowledge>>,
    /// What people can bear.
    pub tolerance: Tolerance,
    /// Whether to run everything again without each model.
    pub ablation: bool,
    /// Whether to run Kitsune on the same hospitals.
    pub kitsune: bool,
}

/// Why a trial failed.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// A hospital could not be watched.
    #[error(transparent)]
    Hospital(#[from] HospitalError),
    /// The model cannot be used.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// There is nothing to try it on.
    #[error("there is nothing to validate on: give hospitals (--hospitals), folders or a table")]
    Nothing,
}

impl Trial {
    fn engine(&self, without: &[Which], until: Timestamp) -> Engine {
        let settings = detect::Settings {
            learn_until: Some(until),
            tolerance: self.tolerance,
            ..detect::Settings::default()
        };
        let mut engine = Engine::new(settings, assets::Settings::default());
        engine.behaviour_mut().without(without);
        let knowledge = self.knowledge.clone().filter(|_| !without.contains(&Which::Trees));
        // It was checked before the trial began.
        let _ = engine.behaviour_mut().inform(knowledge);
        engine
    }

    /// The hospitals that see attacks.
    fn attacked(&self) -> Vec<Hospital> {
        let (seeds, parts) = (self.seeds.iter().copied(), self.parts.max(1));
        match self.by_known {
            Some(times) => Hospital::by_known(seeds, parts, times),
            None => Hospital::coverage(seeds, parts),
        }
    }

    /// Watches everything with the models but some.
    fn watch(
        &self,
        without: &[Which],
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(Evaluation, Halves), TrialError> {
        let engine = |until| self.engine(without, until);
        let (mut whole, mut halves) = (Evaluation::default(), Halves::default());
        let mut add = |(one, half): (Evaluation, Option<Halves>)| {
            half.into_iter().for_each(|half| halves.add(half));
            whole.examples.extend(one.examples);
            whole.incidents.extend(one.incidents);
            whole.false_alerts.extend(one.false_alerts);
            whole.exposure.extend(one.exposure);
        };
        let mut hospitals = self.attacked();
        hospitals.extend(Hospital::quiet(self.quiet_seeds.iter().copied(), self.quiet_hours));
        hospitals.extend(Hospital::changing(self.changing_seeds.iter().copied(), self.quiet_hours));
        let each = |watched: Watched| {
            let plan = hospitals.iter().find(|one| one.name == watched.site.name);
            let kind = Kind {
                layout: plan.map(|one| layout(one.plan.layout).to_owned()),
                encrypted: plan.map(|one| one.plan.encrypted_share > 0.0),
                changes: plan.and_then(|one| one.changes()),
            };
            progress(&watched.site.name);
            // Where attacks are packed together, the second half is no ordinary day; where life was
            // changed on purpose it is another.
            let quiet = watched.site.truth.is_empty() && kind.changes.is_none();
            let quiet = quiet.then(|| Halves::of(&watched));
            (scored::score(&watched, &kind), quiet)
        };
        watch_all(&hospitals, self.threads, &engine, &each)?.into_iter().for_each(&mut add);
        for folder in &self.sites {
            let watched = watch_folder(folder, &engine)?;
            progress(&watched.site.name);
            add((scored::score(&watched, &Kind::default()), Some(Halves::of(&watched))));
        }
        if whole.exposure.is_empty() {
            return Err(TrialError::Nothing);
        }
        Ok((whole, halves))
    }

    /// Tries the model, and gives the report and what it stands on.
    ///
    /// # Errors
    /// When there is nothing to try it on, or something of it cannot be read.
    pub fn run(
        &self,
        bounds: &Bounds,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(Report, Evaluation), TrialError> {
        if let Some(knowledge) = &self.knowledge {
            knowledge.check()?;
        }
        let (evaluation, halves) = self.watch(&[], progress)?;
        let settings = Settings {
            shift_hours: self.tolerance.shift_hours,
            alerts_a_shift: self.tolerance.false_alerts,
            ..Settings::default()
        };
        let measures = Measures::of(&evaluation, &settings);
        let mut report = Report {
            title: "Wardwatch: validation".to_owned(),
            made_at: String::new(),
            data: self.data(&evaluation),
            verdicts: gates::release(&measures, bounds),
            ablation: Vec::new(),
            comparisons: Vec::new(),
            beside: Vec::new(),
            drift: halves.table(),
            notes: notes(),
            limits: limits(),
            measures,
        };
        if self.ablation {
            let parts = [Which::Trees].into_iter().chain(Which::OF_NORMAL);
            for part in parts.filter(|part| self.knowledge.is_some() || *part != Which::Trees) {
                progress(&format!("without {}", part.name()));
                let less = Measures::of(&self.watch(&[part], &|_| {})?.0, &settings);
                report.ablation.push(Ablation::of(part.name(), &report.measures, &less));
            }
        }
        if self.kitsune {
            let (comparisons, kinds) = self.kitsune(&evaluation, &settings, progress)?;
            report.comparisons.extend(comparisons);
            report.verdicts.extend(gates::beside(&kinds, "kitsune"));
            report.beside.push(ByKind { name: "Kitsune".to_owned(), kinds });
        }
        Ok((report, evaluation))
    }

    /// Kitsune on the same hospitals, with the same units. How large its scores are differs from
    /// hospital to hospital; each is therefore put as the share of normal units of the same hospital
    /// that lie below it, which needs to know the truth and is kinder to it than any threshold
    /// could be.
    fn kitsune(
        &self,
        ours: &Evaluation,
        settings: &Settings,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(Vec<Comparison>, Vec<Beside>), TrialError> {
        let examples = in_turn(&self.attacked(), self.threads, &|hospital| {
            let run = device_windows(&hospital.plan, By::Initiator)?;
            progress(&format!("Kitsune in {}: {:.0} packets a second", hospital.name, run.rate()));
            let mut examples = kitsune::examples(&run);
            kitsune::rank(&mut examples);
            Ok(examples.into_iter().filter(by_known).collect::<Vec<_>>())
        })?;
        let theirs = Evaluation { examples: examples.concat(), ..Evaluation::default() };
        let all = Measures::of(&theirs, settings);
        let attacked: BTreeSet<String> =
            self.attacked().into_iter().map(|hospital| hospital.name).collect();
        let mine = Measures::of(
            &Evaluation {
                examples: ours
                    .examples
                    .iter()
                    .filter(|one| one.strata.get("site").is_some_and(|s| attacked.contains(s)))
                    .filter(|one| by_known(one))
                    .cloned()
                    .collect(),
                ..Evaluation::default()
            },
            settings,
        );
        let data =
            "attacks by known devices in the hospitals of this report, by device in ten seconds"
                .to_owned();
        let figures = |measures: &Measures| {
            let mut out = Vec::new();
            let mut put = |name: &str, value: Option<f64>| {
                out.extend(value.map(|value| (name.to_owned(), value)));
            };
            put("ROC AUC", measures.overall.roc_auc.value());
            put("TPR at FPR 1 %", measures.overall.tpr_at_1_percent.value());
            put("TPR at FPR 0.1 %", measures.overall.tpr_at_01_percent.value());
            let kinds = measures.kinds.values();
            let rates: Vec<f64> = kinds.filter_map(|kind| kind.tpr_at_01_percent.value()).collect();
            if !rates.is_empty() {
                let mean = rates.iter().sum::<f64>() / rates.len() as f64;
                put("mean of kinds at 0.1 %", Some(mean));
                let good = rates.iter().filter(|rate| **rate >= 0.8).count();
                put("kinds of 0.8 or more", Some(good as f64));
            }
            out
        };
        let kinds = measures::beside(&mine, &all);
        let comparisons = vec![
            Comparison {
                name: "Wardwatch".to_owned(),
                data: data.clone(),
                figures: figures(&mine),
                ours: true,
            },
            Comparison {
                name: "Kitsune (our implementation of AfterImage and KitNET)".to_owned(),
                data,
                figures: figures(&all),
                ours: false,
            },
        ];
        Ok((comparisons, kinds))
    }

    fn data(&self, evaluation: &Evaluation) -> Vec<DataCard> {
        let mut cards = Vec::new();
        let made = [&self.seeds, &self.quiet_seeds, &self.changing_seeds];
        if made.iter().any(|seeds| !seeds.is_empty()) {
            let attacks = |one: &&Example| matches!(one.truth, Label::Attack(_));
            cards.push(DataCard {
                name: "Made-up hospitals".to_owned(),
                origin: format!(
                    "Made by Wardwatch's own drill generator: seeds {:?} in {} hospitals each, {}; \
                     seeds {:?} with {} hours of normal life only; seeds {:?} with as many hours of \
                     normal life that changes after half of them",
                    self.seeds,
                    self.parts,
                    match self.by_known {
                        Some(times) => format!("every attack {times} times by a known device"),
                        None => "every attack by a known device and by a stranger, every look-alike"
                            .to_owned(),
                    },
                    self.quiet_seeds,
                    self.quiet_hours,
                    self.changing_seeds
                ),
                devices: "Patient monitors, pumps, ventilators, imaging, laboratory, workstations, \
                          servers, building control: made up, with the protocols of real ones"
                    .to_owned(),
                attack_tools: "Scenarios of the generator; no real tool".to_owned(),
                label_method: "Every packet of an attack carries its label".to_owned(),
                licence: "Apache-2.0".to_owned(),
                known_errors: "Normal life is simpler than in a hospital; weekdays and seasons are \
                               missing, and it changes only where that is said"
                    .to_owned(),
                privacy: "No data of any person".to_owned(),
                used_for: "Test. Models were trained on other seeds".to_owned(),
                size: format!(
                    "{} windows, {} of attacks",
                    evaluation.examples.len(),
                    evaluation.examples.iter().filter(attacks).count()
                ),
                sha256: String::new(),
            });
        }
        for folder in &self.sites {
            cards.push(DataCard {
                name: folder.display().to_string(),
                origin: "A folder with a capture and the truth beside it".to_owned(),
                label_method: "truth.json beside the capture".to_owned(),
                used_for: "Test".to_owned(),
                ..DataCard::default()
            });
        }
        cards
    }
}

/// Whether it is normal life, or the deed of a device that was there from the first day.
fn by_known(example: &Example) -> bool {
    match example.truth {
        Label::Attack(_) => example.strata.get("actor").is_none_or(|who| who == "known"),
        _ => true,
    }
}

fn layout(layout: Layout) -> &'static str {
    match layout {
        Layout::Flat => "flat",
        Layout::Routed => "routed",
        Layout::Tagged => "tagged",
    }
}

fn notes() -> Vec<String> {
    [
        "The unit of scores is one device in ten seconds. A window is an attack's where a packet of \
         the attack itself is to or from the attacker in it; victims and bystanders whom it touches are \
         left out.",
        "Rates by kind of attack stand on few windows each: read them with their intervals.",
        "P-values are conformal, among windows of the same class and volume, and corrected towards what \
         was promised as windows come.",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn limits() -> Vec<String> {
    [
        "No hospital's own traffic over weeks is in this report: run it on captures of yours.",
        "Attacks were made by the makers of the detectors. A kind that nobody thought of is in no \
         table; the figure for attacks left out of training says how much that costs.",
    ]
    .map(str::to_owned)
    .to_vec()
}
