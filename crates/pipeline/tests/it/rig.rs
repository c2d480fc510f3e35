//! Runs captures through the pipeline and keeps everything that it tells.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use detect::Engine;
use model::{Case, CaseId, Finding, Observation, SiteKey};
use pipeline::analyze::{Plan, Summary, run};
use pipeline::outputs::{Fact, OutputError, Outputs};

/// Everything that was told, in order; cases as they stood in the end.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) observations: Vec<Observation>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) cases: BTreeMap<CaseId, Case>,
}

impl Outputs for Told {
    fn observation(&mut self, fact: Fact<'_>) -> Result<(), OutputError> {
        self.observations.push(fact.observation.clone());
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError> {
        self.findings.push(finding.clone());
        Ok(())
    }

    fn case(&mut self, case: &Case) -> Result<(), OutputError> {
        self.cases.insert(case.id.clone(), case.clone());
        Ok(())
    }
}

/// A finished run.
pub(crate) struct Ran {
    pub(crate) told: Told,
    pub(crate) summary: Summary,
    /// Every answer as JSON lines: observations, findings, cases, devices.
    pub(crate) lines: Vec<String>,
}

/// Runs captures, in order.
pub(crate) fn analyze(captures: &[PathBuf], threads: usize) -> Ran {
    analyze_with(captures, threads, detect::Settings::default())
}

/// The same with another way to learn.
pub(crate) fn analyze_with(
    captures: &[PathBuf],
    threads: usize,
    settings: detect::Settings,
) -> Ran {
    let plan = Plan {
        baselines: Vec::new(),
        captures: captures.to_vec(),
        logs: Vec::new(),
        threads,
        wire: wire::Config::default(),
        key: SiteKey::new(&[7; 32]),
        speed: None,
    };
    let mut engine = Engine::new(settings, assets::Settings::default());
    let mut told = Told::default();
    let summary = run(&plan, &mut engine, &mut told, &mut |_| {}).unwrap();
    let mut lines: Vec<String> = told.observations.iter().map(json).collect();
    lines.extend(told.findings.iter().map(json));
    lines.extend(told.cases.values().map(json));
    lines.extend(engine.inventory().devices().iter().map(json));
    Ran { told, summary, lines }
}

fn json(item: &impl serde::Serialize) -> String {
    serde_json::to_string(item).unwrap()
}

/// Every recorded capture of the project, by protocol and name.
pub(crate) fn recorded() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let mut found: Vec<PathBuf> = entries(&root)
        .filter(|path| path.is_dir())
        .flat_map(|folder| entries(&folder).collect::<Vec<_>>())
        .filter(|path| path.extension().is_some_and(|ending| ending == "pcap"))
        .collect();
    found.sort();
    assert!(found.len() > 20, "the recorded captures are not in {}", root.display());
    found
}

/// "dicom-store" for `testdata/dicom/store.pcap`.
pub(crate) fn label(capture: &Path) -> String {
    let part = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    format!("{}-{}", part(capture.parent().unwrap()), part(capture))
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
}
