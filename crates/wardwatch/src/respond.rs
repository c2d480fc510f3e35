//! Response, from the command line and in the daemon.
//!
//! Everything works on one folder, `response/` in the folder of the instance. The daemon proposes,
//! `enforce` does, and these commands decide; each can be killed without the others noticing. They
//! meet in the ledger.

mod decide;
mod hand;
mod ledger;
mod place;
mod plan;
mod responder;
mod show;
mod who;

use std::process::ExitCode;

use anyhow::Result;

pub(crate) use hand::{enforce, halt};
pub(crate) use ledger::command as ledger;
pub(crate) use place::{Place, device};
pub(crate) use responder::Responder;

use crate::cli::{RespondArgs, RespondCommand};

/// Name of the folder in the folder of an instance.
pub(crate) const FOLDER: &str = "response";

/// `wardwatch respond`.
pub(crate) fn command(args: &RespondArgs) -> Result<ExitCode> {
    let office = &args.office;
    match &args.command {
        RespondCommand::Init => place::init(office),
        RespondCommand::Halt(args) => hand::halt(office, args),
        RespondCommand::Status => show::status(office),
        RespondCommand::List { refused: true, .. } => show::refused(office),
        RespondCommand::List { all, .. } => show::list(office, *all),
        RespondCommand::Show { action, card } => show::action(office, action, *card),
        RespondCommand::Plan(args) => plan::plan(office, args),
        RespondCommand::Code { device } => show::codes(office, device.as_deref()),
        RespondCommand::Policy { adopt: None } => show::policy(office),
        RespondCommand::Policy { adopt: Some(file) } => decide::adopt(office, file),
        RespondCommand::Approve { action, plan, patient_safe } => {
            decide::approve(office, action, plan, *patient_safe)
        }
        RespondCommand::Deny { action, why } => decide::deny(office, action, why),
        RespondCommand::Release { what, code } => decide::release(office, what, code.as_deref()),
        RespondCommand::Resume => decide::resume(office),
        RespondCommand::Arm { tier, level, hours } => decide::arm(office, tier, level, *hours),
        RespondCommand::Disarm { tier } => decide::disarm(office, tier),
        RespondCommand::Idle { device, minutes, why } => {
            decide::idle(office, device, *minutes, why)
        }
        RespondCommand::InUse { device: which } => decide::in_use(office, which),
    }
}
