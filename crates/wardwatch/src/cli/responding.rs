//! What can be asked of response: `wardwatch respond`, `enforce`, `halt` and `ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where response is kept, and who asks.
#[derive(Debug, Args)]
pub(crate) struct OfficeArgs {
    /// Folder of the instance.
    #[arg(long, value_name = "DIR", default_value = "wardwatch-data", global = true)]
    pub(crate) data: PathBuf,
    /// Configuration of the instance.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Your account, for what has to be signed. The password comes from WARDWATCH_PASSWORD, or is
    /// asked for.
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) user: Option<String>,
    /// As JSON, one object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RespondArgs {
    #[command(flatten)]
    pub(crate) office: OfficeArgs,
    #[command(subcommand)]
    pub(crate) command: RespondCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RespondCommand {
    /// Writes response.toml and an example of a profile, with every key explained.
    Init,
    /// What is armed, what waits, whether everything is halted.
    Status,
    /// Actions that wait or are in force.
    List {
        /// Those that are over, too.
        #[arg(long)]
        all: bool,
        /// What policy proposed by itself lately and was refused, instead.
        #[arg(long, conflicts_with = "all")]
        refused: bool,
    },
    /// One action: evidence, pre-flight, the exact change, who signed, what was seen.
    Show {
        /// Its name, such as A-0001.
        action: String,
        /// Only the card for the bedside.
        #[arg(long)]
        card: bool,
    },
    /// Weighs a restriction of a device: what it would cut, and the exact change. Does nothing, unless
    /// '--propose' is given: then it waits for others to approve it.
    Plan(PlanArgs),
    /// Says yes to exactly the plan that 'show' printed.
    Approve {
        /// Its name.
        action: String,
        /// The plan's hash, or its first 12 digits or more.
        #[arg(long, value_name = "HASH")]
        plan: String,
        /// You are clinical staff, looked at the patient, and the patient is safe.
        #[arg(long)]
        patient_safe: bool,
    },
    /// Says no.
    Deny {
        /// Its name.
        action: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Lets go, at once. One person is enough; at the bedside the device's code is.
    Release {
        /// An action (A-0001) or a device (D-17, or its address).
        what: String,
        /// The code at the bedside, instead of an account.
        #[arg(long, value_name = "CODE")]
        code: Option<String>,
    },
    /// Takes everything back and does nothing any more. Needs no account, no store and no detection.
    Halt(HaltArgs),
    /// Lets things begin again after a halt. Needs two people in two roles.
    Resume,
    /// Allows restrictions of a tier for a while. Needs two people in two roles; until then
    /// everything is a rehearsal.
    Arm {
        /// T0, T0i, T1, T2, T3 or T4.
        tier: String,
        /// Up to this level: L2, L3 or L4.
        #[arg(long, value_name = "LEVEL", default_value = "L2")]
        level: String,
        /// For how long.
        #[arg(long, value_name = "HOURS", default_value_t = 8)]
        hours: u64,
    },
    /// Ends that. One person is enough.
    Disarm {
        /// Which tier.
        tier: String,
    },
    /// Says, having looked, that a device serves nobody for some minutes. Policy may then block single
    /// flows of it, where that is armed. For the clinical side.
    Idle {
        /// Device, by its id or one of its addresses.
        device: String,
        /// For how long that counts, at most 120.
        #[arg(long, value_name = "MINUTES", default_value_t = 30)]
        minutes: u64,
        /// How you know.
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Says that it may serve a patient after all. What policy did because it was idle is taken back.
    InUse {
        /// Device, by its id or one of its addresses.
        device: String,
    },
    /// The policy: shows it, or adopts another.
    Policy {
        /// A policy to adopt (TOML). Needs a second signature where it is looser anywhere.
        #[arg(long, value_name = "FILE")]
        adopt: Option<PathBuf>,
    },
    /// The bedside code of a device, to be printed on its label. Needs the site's key.
    Code {
        /// Device, by its id; all that are known without it.
        device: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Device, by its id or address.
    pub(crate) device: String,
    /// Cut this flow: 'to 10.0.0.5 tcp 445', 'from 10.0.0.0/24', 'to 10.0.0.5'. May be given several
    /// times.
    #[arg(long, value_name = "FLOW", num_args = 1)]
    pub(crate) block: Vec<String>,
    /// Cut off an address, a range or a domain outside, for everybody.
    #[arg(long, value_name = "INDICATOR", conflicts_with = "block")]
    pub(crate) perimeter: Option<String>,
    /// Allow what care needs, and nothing else.
    #[arg(long, conflicts_with_all = ["block", "perimeter"])]
    pub(crate) essentials: bool,
    /// Allow management, and nothing else.
    #[arg(long, conflicts_with_all = ["block", "perimeter", "essentials"])]
    pub(crate) quarantine: bool,
    /// For so many minutes; as long as the policy allows without it.
    #[arg(long, value_name = "MINUTES")]
    pub(crate) minutes: Option<u64>,
    /// Why, in a sentence.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) why: String,
    /// The case it is about.
    #[arg(long, value_name = "CASE", default_value = "")]
    pub(crate) case: String,
    /// Put it before others, who have to approve it. Needs '--user'.
    #[arg(long)]
    pub(crate) propose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HaltArgs {
    /// Why, for the record.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) why: String,
}

/// `wardwatch halt`.
#[derive(Debug, Args)]
pub(crate) struct HaltAllArgs {
    #[command(flatten)]
    pub(crate) office: OfficeArgs,
    #[command(flatten)]
    pub(crate) halt: HaltArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EnforceArgs {
    #[command(flatten)]
    pub(crate) office: OfficeArgs,
    /// Do what is to be done now, and end.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    /// Folder of the instance.
    #[arg(long, value_name = "DIR", default_value = "wardwatch-data", global = true)]
    pub(crate) data: PathBuf,
    /// Folder with closed segments that were moved away.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) archive: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Checks every byte, every signature, and makes every decision again. Works offline.
    Verify {
        /// The public key that it has to be signed with, in hexadecimal; the one beside it without.
        #[arg(long, value_name = "HEX")]
        key: Option<String>,
    },
    /// Shows what was decided, and why.
    Show {
        /// Only this action.
        #[arg(long, value_name = "ACTION")]
        action: Option<String>,
    },
    /// Writes the ledger, its newest checkpoint and its public key to a folder, for an auditor.
    Export {
        /// Folder, made where it is not there.
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
}
