//! Where results go: files, a store, a terminal, or several of them.

use assets::{Inventory, Who};
use detect::Engine;
use model::case::Case;
use model::finding::Finding;
use model::observation::Observation;

/// Takes results in order.
pub trait Outputs {
    /// A fact, and who takes part in it.
    ///
    /// # Errors
    /// When it cannot be kept; the run ends with that error.
    fn observation(
        &mut self,
        o: &Observation,
        who: Who,
        inventory: &Inventory,
    ) -> Result<(), OutputError>;

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

    /// Called now and then, at least twice a second while anything happens: time to store what
    /// waits.
    ///
    /// # Errors
    /// When something cannot be kept; the run ends with that error.
    fn chores(&mut self, _engine: &Engine) -> Result<(), OutputError> {
        Ok(())
    }
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
    fn observation(&mut self, _: &Observation, _: Who, _: &Inventory) -> Result<(), OutputError> {
        Ok(())
    }

    fn finding(&mut self, _: &Finding) -> Result<(), OutputError> {
        Ok(())
    }

    fn case(&mut self, _: &Case) -> Result<(), OutputError> {
        Ok(())
    }
}
