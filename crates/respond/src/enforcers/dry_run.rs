//! A dry run: the exact plan, and nothing else.
//!
//! It stands at the last place before the wire, so that no way leads around it. Only planning is
//! handed on, and plans send nothing; a receipt made here says so and is known again. What was really
//! put in force before can still be taken back: letting go is never dry.

use std::time::Duration;

use crate::enforce::{EnforceError, Enforcer, Receipt, State};
use crate::level::Level;
use crate::plan::{Approved, Intent, Plan};

/// The handle of everything that was only tried.
const HANDLE: &str = "dry run: nothing was sent";

/// An enforcer that only says what it would do.
pub struct DryRun<'a>(pub &'a dyn Enforcer);

impl DryRun<'_> {
    /// Whether a receipt is of a dry run.
    pub fn made(receipt: &Receipt) -> bool {
        receipt.handle == HANDLE
    }
}

impl Enforcer for DryRun<'_> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn can(&self, level: Level, intent: &Intent) -> bool {
        self.0.can(level, intent)
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        self.0.plan(intent)
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        let plan = approved.plan();
        Ok(Receipt {
            action: plan.intent.id.clone(),
            enforcer: self.name().to_owned(),
            handle: HANDLE.to_owned(),
            undo: Vec::new(),
            ttl: Duration::ZERO,
            acknowledged: false,
        })
    }

    fn state(&self, receipt: &Receipt) -> Result<State, EnforceError> {
        if Self::made(receipt) { Ok(State::Gone) } else { self.0.state(receipt) }
    }

    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        if Self::made(receipt) { Ok(()) } else { self.0.revert(receipt) }
    }

    fn revert_all(&self, receipts: &[Receipt]) -> Result<(), EnforceError> {
        let real: Vec<Receipt> =
            receipts.iter().filter(|receipt| !Self::made(receipt)).cloned().collect();
        self.0.revert_all(&real)
    }
}
