//! Where results go: files, a store, a terminal, or several of them.

use assets::{Inventory, Who};
use detect::Engine;
use learn::behaviour::Behaved;
use model::case::Case;
use model::finding::{EvidenceId, Finding};
use model::observation::Observation;

use crate::told::Told;

/// A fact, and what is known about it.
#[derive(Clone, Copy)]
pub struct Fact<'a> {
    /// What was observed.
    pub observation: &'a Observation,
    /// Who takes part.
    pub who: Who,
    /// The devices.
    pub inventory: &'a Inventory,
    /// A finding that follows rests on it.
    pub cited: bool,
}

impl Fact<'_> {
    /// Whether it is kept by itself. What is said of every flow (that it began, grew, was answered
    /// and ended) is most of all facts and stands in the flow's own record; it is kept beside that
    /// only where a finding rests on it.
    pub fn stands_alone(&self) -> bool {
        self.cited || !wire::kinds::is_of_flows(self.observation.kind)
    }
}

/// Takes results in order.
pub trait Outputs {
    /// A fact. Findings that rest on it follow.
    ///
    /// # Errors
    /// When it cannot be kept; the run ends with that error.
    fn observation(&mut self, fact: Fact<'_>) -> Result<(), OutputError>;

    /// A claim.
    ///
    /// # Errors
    /// When it cannot be kept; the run ends with that error.
    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError>;

    /// A case that was opened or has changed.
    ///
    /// # Errors
    /// When it cannot be kept; the run ends with that error.
    fn case(&mut self, case: &Case) -> Result<(), OutputError>;

    /// What a device did in a window of time, once that is over, before the next fact is told: for
    /// who validates models.
    fn behaved(&mut self, _behaved: &Behaved, _inventory: &Inventory) {}

    /// A stretch of the input of which everything was told, observations, findings and cases: for
    /// what is written down behind detection. Only `analyze` gives it.
    ///
    /// # Errors
    /// When it cannot be kept; the run ends with that error.
    fn told(&mut self, _told: Told) -> Result<(), OutputError> {
        Ok(())
    }

    /// Called now and then, at least twice a second while anything happens: time to store what
    /// waits, and to tell the engine what people said.
    ///
    /// # Errors
    /// When something cannot be kept; the run ends with that error.
    fn chores(&mut self, _engine: &mut Engine) -> Result<(), OutputError> {
        Ok(())
    }
}

/// Tells the engine of an observation, and the outputs of it and of what follows from it. `seen` is
/// shown every finding and case too. Says whether a finding rests on it.
///
/// # Errors
/// When something cannot be kept.
pub fn tell(
    o: &Observation,
    engine: &mut Engine,
    out: &mut dyn Outputs,
    seen: &mut dyn FnMut(&[Finding], &[Case]),
) -> Result<bool, OutputError> {
    let who = engine.observe(o);
    for behaved in engine.take_behaved() {
        out.behaved(&behaved, engine.inventory());
    }
    let findings = engine.take_findings();
    let cited = !findings.is_empty() && {
        let id = EvidenceId::from(o.id);
        findings.iter().any(|finding| finding.evidence.contains(&id))
    };
    out.observation(Fact { observation: o, who, inventory: engine.inventory(), cited })?;
    results(&findings, engine, out, seen)?;
    Ok(cited)
}

/// Tells the outputs of findings, and of cases that were opened or have changed.
///
/// # Errors
/// When something cannot be kept.
pub fn results(
    findings: &[Finding],
    engine: &mut Engine,
    out: &mut dyn Outputs,
    seen: &mut dyn FnMut(&[Finding], &[Case]),
) -> Result<(), OutputError> {
    let cases = engine.take_cases();
    if !findings.is_empty() || !cases.is_empty() {
        seen(findings, &cases);
    }
    findings.iter().try_for_each(|finding| out.finding(finding))?;
    cases.iter().try_for_each(|case| out.case(case))
}

/// A result could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct OutputError {
    /// What could not be kept, and where.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
}

/// Keeps nothing: for measuring.
#[derive(Debug, Default)]
pub struct Nowhere;

impl Outputs for Nowhere {
    fn observation(&mut self, _: Fact<'_>) -> Result<(), OutputError> {
        Ok(())
    }

    fn finding(&mut self, _: &Finding) -> Result<(), OutputError> {
        Ok(())
    }

    fn case(&mut self, _: &Case) -> Result<(), OutputError> {
        Ok(())
    }
}
