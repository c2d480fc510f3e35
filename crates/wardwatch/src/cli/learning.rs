//! What can be asked of models: `wardwatch validate` and `wardwatch model`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use validate::tables::Split;

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Folders with a capture and the truth beside it (truth.json, hosts.json, phases.json).
    #[arg(value_name = "FOLDER")]
    pub(crate) folders: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) on: TrialArgs,
    /// Validate this version of the shelf instead of the one in use; 0 is the built-in one.
    #[arg(long, value_name = "VERSION")]
    pub(crate) model: Option<u64>,
    /// Folder of the instance, with its shelf of models.
    #[arg(long, value_name = "DIR", default_value = "wardwatch-data")]
    pub(crate) data: PathBuf,
    /// A labelled table (CSV or TSV, also .gz or .zst) instead of hospitals.
    #[arg(long, value_name = "FILE", requires = "label")]
    pub(crate) table: Option<PathBuf>,
    /// Column of the table with the answer, by name or number from 1.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// The official half of the table to be judged by.
    #[arg(long, value_name = "FILE", requires = "table")]
    pub(crate) test: Option<PathBuf>,
    /// How to cut the table: official, random, group, time, leave-one-attack-out or
    /// leave-one-group-out.
    #[arg(long, value_name = "SPLIT", value_parser = split, requires = "table")]
    pub(crate) split: Option<Split>,
    /// Column of the table to leave out. May be given several times.
    #[arg(long, value_name = "COLUMN", requires = "table")]
    pub(crate) ignore: Vec<String>,
    /// Column of the table that names the device or the site.
    #[arg(long, value_name = "COLUMN", requires = "table")]
    pub(crate) group: Option<String>,
    /// Column of the table with the time.
    #[arg(long, value_name = "COLUMN", requires = "table")]
    pub(crate) time: Option<String>,
    /// Label of normal rows; guessed where it is not given.
    #[arg(long, value_name = "VALUE", requires = "table")]
    pub(crate) normal: Option<String>,
    /// Go on where the linter finds that the answer leaks; the report says so.
    #[arg(long, requires = "table")]
    pub(crate) allow_leaks: bool,
    /// Folder for report.html, card.json, measures.json and gates.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with status 3 when a gate fails.
    #[arg(long)]
    pub(crate) fail_on_gate: bool,
}

/// What a model is tried on.
#[derive(Debug, Args)]
pub(crate) struct TrialArgs {
    /// Sets of made-up hospitals, each of which sees every attack by a known device and by a stranger
    /// and every look-alike.
    #[arg(long, value_name = "SETS", default_value_t = 1)]
    pub(crate) hospitals: u32,
    /// Hospitals that a set is spread over.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) parts: u32,
    /// In these sets only known devices attack, so many times with every attack; no strangers, no
    /// look-alikes. For rates by kind of attacks from known devices.
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) by_known: Option<u32>,
    /// Made-up hospitals of normal life only, for false alerts and calibration.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) quiet: u32,
    /// Made-up hospitals of normal life only that changes after half of the time: more goes on,
    /// devices get new software, a server takes over from another, devices are bought.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) drift: u32,
    /// Hours of normal life in each of both.
    #[arg(long, value_name = "HOURS", default_value_t = 2.0)]
    pub(crate) hours: f64,
    /// Other hospitals for another number. The built-in model was trained on seeds below 1000.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) seed: u64,
    /// Everything once more without each model: what each is worth.
    #[arg(long)]
    pub(crate) ablation: bool,
    /// Kitsune on the same hospitals, for comparison, by kind of attack.
    #[arg(long)]
    pub(crate) kitsune: bool,
    /// Each family of attacks left out of training in turn, and looked for all the same: trains on
    /// four sets of hospitals of its own.
    #[arg(long)]
    pub(crate) unseen: bool,
    /// Each site left out of training in turn, and judged by what was learned from the others: of
    /// the folders that are given, or of eight made-up hospitals.
    #[arg(long)]
    pub(crate) left_out_sites: bool,
    /// Hospitals at once.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) threads: u16,
}

fn split(text: &str) -> Result<Split, String> {
    serde_json::from_value(text.into()).map_err(|_| {
        "give official, random, group, time, leave-one-attack-out or leave-one-group-out".to_owned()
    })
}

#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Folder of the instance, with its shelf of models.
    #[arg(long, value_name = "DIR", default_value = "wardwatch-data", global = true)]
    pub(crate) data: PathBuf,
    /// Who does it, for the history.
    #[arg(long, value_name = "NAME", default_value = "", global = true)]
    pub(crate) by: String,
    /// Why, for the history.
    #[arg(long, value_name = "TEXT", default_value = "", global = true)]
    pub(crate) why: String,
    #[command(subcommand)]
    pub(crate) command: ModelCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// The versions on the shelf, which one is in use, and what was done.
    List,
    /// One version: what it says of itself, its gates and its figures.
    Show {
        /// Which; the one in use where it is not given. 0 is the built-in one.
        version: Option<u64>,
        /// The model card (CycloneDX ML-BOM).
        #[arg(long)]
        card: bool,
    },
    /// Trains a new version on made-up hospitals and folders with truth, validates it on others, and
    /// puts it on the shelf to run in shadow.
    Train(TrainArgs),
    /// Tries a version again, as 'wardwatch validate' does, beside the one in use; its gates, cards
    /// and report are the new ones from then on.
    Validate(ModelValidateArgs),
    /// Makes a version the one in use. Refused where its gates failed or it ran in shadow for too
    /// short a time; needs --by where the change plan wants a review.
    Promote {
        /// Which.
        version: u64,
        /// Although a gate failed or its time in shadow is not over; needs --why.
        #[arg(long)]
        anyway: bool,
    },
    /// Makes the version before the one in use again.
    Rollback,
    /// Writes a version as it was signed to a file.
    Export {
        /// Which.
        version: u64,
        /// Where to.
        file: PathBuf,
    },
    /// Takes a version from a file, signed by a key that is trusted here.
    Import {
        /// From where.
        file: PathBuf,
        /// Trust this public key from now on.
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    /// What analysts say of what the models told: normal for us, or an attack. Shows first what it
    /// would have changed, and enters it as a label. No label changes what rules tell.
    Feedback(FeedbackArgs),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct FeedbackArgs {
    /// A case or a finding of the models, such as C-0001.
    #[arg(value_name = "CASE|FINDING", required = true)]
    pub(crate) about: Option<String>,
    /// It is normal for us: the models tell no more of windows like it, and learn them.
    #[arg(long, conflicts_with = "attack", required_unless_present = "attack")]
    pub(crate) normal: bool,
    /// It was an attack: windows like it are alerts at once, and nothing learns from them.
    #[arg(long)]
    pub(crate) attack: bool,
    /// The saved baseline (of 'wardwatch analyze --learned') that it goes into; that of the instance
    /// in --data where it is not given.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) learned: Option<PathBuf>,
    /// Store with the case or finding; that of the instance in --data where it is not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Only show what it would have changed.
    #[arg(long)]
    pub(crate) preview: bool,
    /// As JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Option<FeedbackCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FeedbackCommand {
    /// The labels that were given.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct ModelValidateArgs {
    /// Which; the one in shadow where it is not given, else the one in use.
    pub(crate) version: Option<u64>,
    /// Folder with captures and the truth beside them, instead of made-up hospitals. May be given
    /// several times.
    #[arg(long = "folder", value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) on: TrialArgs,
    /// Folder for report.html, card.json, measures.json and gates.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with status 3 when a gate fails.
    #[arg(long)]
    pub(crate) fail_on_gate: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Folders with captures and the truth beside them, to learn from beside made-up hospitals.
    #[arg(value_name = "FOLDER")]
    pub(crate) folders: Vec<PathBuf>,
    /// Sets of made-up hospitals to learn from.
    #[arg(long, value_name = "SETS", default_value_t = 8)]
    pub(crate) hospitals: u32,
    /// Sets of other made-up hospitals to validate on.
    #[arg(long, value_name = "SETS", default_value_t = 1)]
    pub(crate) test: u32,
    /// Seed of the first set to learn from.
    #[arg(long, value_name = "N", default_value_t = 501)]
    pub(crate) seed: u64,
    /// Hospitals at once.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) threads: u16,
    /// Write the bare model to this file and nothing else: for who builds Wardwatch itself.
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) bare: Option<PathBuf>,
}
