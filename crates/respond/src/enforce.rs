//! The seam to whatever enforces a restriction.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::plan::{Approved, Intent, Plan};

/// A place that can enforce. One file each in `enforcers/`.
///
/// An enforcer never decides: it turns an intent into the exact change, applies what was approved,
/// says what it finds in its own state, and undoes. It never makes more of an intent than
/// [`crate::Restriction::drops`] says.
pub trait Enforcer: Send + Sync {
    /// Its name, as in the configuration.
    fn name(&self) -> &'static str;

    /// What it can enforce.
    fn can(&self, level: Level, intent: &Intent) -> bool;

    /// The exact change. Sends nothing anywhere: this is the dry run.
    ///
    /// # Errors
    /// Where the intent cannot be expressed exactly here: what is missing.
    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError>;

    /// The handle that a receipt for this plan has: whoever pushed it may die before it is written
    /// down, and then it has to be found all the same.
    fn handle(&self, plan: &Plan) -> String {
        plan.intent.id.clone()
    }

    /// Makes the change, all of it or nothing, with its expiry in the enforcer's own state.
    ///
    /// # Errors
    /// When it was refused or nobody answered. Nothing is in force then, as far as can be told;
    /// [`Enforcer::state`] says.
    fn apply(&self, plan: &Approved) -> Result<Receipt, EnforceError>;

    /// What the enforcer's own state says of it.
    ///
    /// # Errors
    /// When its state cannot be read.
    fn state(&self, receipt: &Receipt) -> Result<State, EnforceError>;

    /// Takes it back. Doing so twice is no error, nor is it when it has expired.
    ///
    /// # Errors
    /// When it is still in force afterwards, or nobody can tell.
    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError>;

    /// Takes back everything that Wardwatch ever put here, known or not: what `halt` does. Needs no
    /// receipt, no store and no network beyond the enforcer itself.
    ///
    /// # Errors
    /// When something is still in force afterwards, or nobody can tell.
    fn revert_all(&self, receipts: &[Receipt]) -> Result<(), EnforceError>;
}

/// What an enforcer answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Name of the action.
    pub action: String,
    /// Name of the enforcer.
    pub enforcer: String,
    /// What the enforcer needs to find it again, in its own words.
    pub handle: String,
    /// What is needed to undo it.
    pub undo: Vec<String>,
    /// The expiry that was set where it is enforced.
    pub ttl: Duration,
    /// Whether the far end said yes. A file that somebody has to fetch says nothing.
    pub acknowledged: bool,
}

/// What an enforcer's own state says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In force, and for how long at most.
    InForce(Duration),
    /// Not there: expired, taken back, or never made.
    Gone,
    /// The far end cannot be asked.
    Unknown,
}

/// Something went wrong at an enforcer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnforceError {
    /// It cannot be expressed here without cutting more or less than was meant.
    #[error("{enforcer} cannot do this exactly: {why}")]
    Inexpressible {
        /// Which.
        enforcer: &'static str,
        /// What is missing.
        why: String,
    },
    /// The far end said no.
    #[error("{enforcer} refused: {why}")]
    Refused {
        /// Which.
        enforcer: &'static str,
        /// What it said.
        why: String,
    },
    /// Nobody answered, or it could not be reached.
    #[error("{enforcer} cannot be reached: {why}")]
    Unreachable {
        /// Which.
        enforcer: &'static str,
        /// What was tried.
        why: String,
    },
}
