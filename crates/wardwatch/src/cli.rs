//! The command line.

mod lab;
mod learning;
mod responding;
mod segmenting;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::{Severity, Timestamp};

pub(crate) use lab::{LabArgs, LabHostArgs, LabHostCommand, Sends};
pub(crate) use learning::{
    FeedbackArgs, FeedbackCommand, ModelArgs, ModelCommand, ModelValidateArgs, TrainArgs,
    TrialArgs, ValidateArgs,
};

pub(crate) use responding::{
    EnforceArgs, HaltAllArgs, HaltArgs, LedgerArgs, LedgerCommand, OfficeArgs, PlanArgs,
    RespondArgs, RespondCommand,
};

pub(crate) use segmenting::{BlastArgs, GroundArgs, SegmentArgs, SegmentCommand};

/// Watches a hospital's network: recognises its devices, learns what is normal, finds attacks.
#[derive(Debug, Parser)]
#[command(name = "wardwatch", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// How much to log on standard error: error, warn, info, debug or trace.
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL")]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A hospital on this machine: makes its traffic, replays it into a full instance, and tells
    /// what it sees. Needs no root and no network.
    Demo(DemoArgs),
    /// The daemon: live capture, log listeners, detection, API.
    Run(RunArgs),
    /// Captures and logs to findings and cases.
    Analyze(AnalyzeArgs),
    /// The devices of a store, or one of them with all that is known.
    Devices(AskArgs),
    /// The cases of a store.
    Cases(AskArgs),
    /// One case with its story.
    Case {
        /// Its name, such as C-0001.
        id: String,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// The findings of a store.
    Findings(AskArgs),
    /// The flows of a store.
    Flows(AskArgs),
    /// How often it is right and how often wrong: on made-up hospitals, on captures with their truth,
    /// on labelled tables. For people (HTML) and for machines (CycloneDX ML-BOM).
    Validate(ValidateArgs),
    /// The models: train, try, promote, roll back, exchange.
    Model(ModelArgs),
    /// Response: what could be restricted, who approves it, what is in force, and letting go.
    Respond(RespondArgs),
    /// Takes every restriction back and does nothing any more. Needs no account, no store and no
    /// detection; the same as 'respond halt'.
    Halt(HaltAllArgs),
    /// The hand of response: tells enforcers what was approved, looks in traffic whether it took
    /// effect, and takes it back. Needs the rights of the enforcers, and nothing of detection.
    Enforce(EnforceArgs),
    /// The record of everything that was decided: check, show, export.
    Ledger(LedgerArgs),
    /// The network as it is used: zones, conduits, what each device may do, MUD profiles.
    Segment(SegmentArgs),
    /// Blast radius: what a device can reach, what can reach it, which care depends on it, and what
    /// to cut first.
    Blast(BlastArgs),
    /// A hospital with attackers in network namespaces of this machine, in which response is tried for
    /// real and measured. Needs root.
    Lab(LabArgs),
    /// What a host of the lab does.
    #[command(hide = true)]
    LabHost(LabHostArgs),
    /// The configuration: check a file, or write one with every key.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Version, and what it can read.
    Version,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Says whether a file can be used, and what is wrong with it.
    Check {
        /// The file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Writes every key with its unit, default and meaning to standard output.
    Init,
}

#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    /// Captures: pcap or pcapng, also .gz and .zst, read in this order. '-' is standard input.
    #[arg(required = true, value_name = "CAPTURE")]
    pub(crate) captures: Vec<PathBuf>,
    /// Capture of normal life, which only teaches. May be given several times.
    #[arg(long, value_name = "CAPTURE")]
    pub(crate) baseline: Vec<PathBuf>,
    /// Everything before this time only teaches: RFC 3339 or Unix seconds.
    #[arg(long, value_name = "TIME")]
    pub(crate) learn_until: Option<Timestamp>,
    /// Log file: syslog (RFC 5424, RFC 3164) or FHIR AuditEvents, a record a line. May be given
    /// several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) logs: Vec<PathBuf>,
    /// Configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for findings.jsonl, cases.jsonl, devices.jsonl, flows.jsonl, observations.jsonl and
    /// stats.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Store (SQLite) to keep results in, for later questions.
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Folder of an instance whose model is to be used; the built-in one where it is not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) models: Option<PathBuf>,
    /// Take what was learned from this file, where it is there, and keep it there in the end.
    #[arg(long, value_name = "FILE")]
    pub(crate) learned: Option<PathBuf>,
    /// Threads that read packets. The answers do not depend on it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) threads: u16,
    /// The summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// No summary.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Exit with status 3 when there is a finding of this severity or above.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) fail_on: Option<Severity>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Interface to listen on. May be given several times.
    #[arg(long, value_name = "IF")]
    pub(crate) interface: Vec<String>,
    /// Configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for the store, the key and what was learned.
    #[arg(long, value_name = "DIR", default_value = "wardwatch-data")]
    pub(crate) data: PathBuf,
    /// Address and port of the API.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Capture of normal life to learn from first. May be given several times.
    #[arg(long, value_name = "CAPTURE")]
    pub(crate) baseline: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How much faster than life to replay; 0 for as fast as possible.
    #[arg(long, default_value_t = 30.0, value_name = "TIMES")]
    pub(crate) speed: f64,
    /// Another hospital for another number.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Folder to keep everything in; a temporary one where it is not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Address and port of the API.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8470")]
    pub(crate) listen: SocketAddr,
    /// End when the replay ends, instead of going on serving.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// Store to ask.
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub(crate) store: Option<PathBuf>,
    /// Running instance to ask, such as http://127.0.0.1:8470.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Token for the running instance; or in the environment as WARDWATCH_TOKEN.
    #[arg(long, value_name = "TOKEN", env = "WARDWATCH_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// As JSON, one object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Only this device, by its id or address.
    #[arg(long, value_name = "ID")]
    pub(crate) device: Option<String>,
    /// Only of this severity or above.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) severity: Option<Severity>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::from_name(text).ok_or_else(|| "give info, low, medium, high or critical".to_owned())
}
