//! The wardwatch program: command line, configuration and wiring.
//!
//! The only crate that names every implementation. What it does is in the other crates; here is who
//! is put together with whom.
#![forbid(unsafe_code)]

mod analyze;
mod ask;
mod cli;
mod config;
mod demo;
mod exit;
mod feedback;
mod figures;
mod files;
mod instance;
mod keep;
mod key;
mod lab;
mod models;
mod respond;
mod run;
mod segment;
mod show;
mod status;
mod summary;
mod tables;
mod trials;
mod writer;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::ask::What;
use crate::cli::{Cli, Command, ConfigCommand};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors.
            let code = if error.use_stderr() { exit::USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_new(&cli.log)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match dispatch(&cli) {
        Ok(code) => code,
        Err(error) => {
            analyze::tell(&format!("wardwatch: {error:#}"));
            let usage = error.is::<exit::Usage>();
            ExitCode::from(if usage { exit::USAGE } else { exit::UNREADABLE })
        }
    }
}

fn dispatch(cli: &Cli) -> Result<ExitCode> {
    match &cli.command {
        Command::Analyze(args) => analyze::analyze(args),
        Command::Config { command: ConfigCommand::Init } => {
            tables::say(config::written().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Config { command: ConfigCommand::Check { config } } => {
            config::Config::load(Some(config)).map_err(exit::Usage::from_error)?;
            tables::say(&format!("{}: can be used.", config.display()));
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(args) => demo::demo(args),
        Command::Run(args) => run::run(args),
        Command::Devices(ask) => ask::list(What::Devices, ask),
        Command::Cases(ask) => ask::list(What::Cases, ask),
        Command::Findings(ask) => ask::list(What::Findings, ask),
        Command::Flows(ask) => ask::list(What::Flows, ask),
        Command::Case { id, ask } => ask::case(id, ask),
        Command::Respond(args) => respond::command(args),
        Command::Halt(args) => respond::halt(&args.office, &args.halt),
        Command::Enforce(args) => respond::enforce(args),
        Command::Segment(args) => segment::segment(args),
        Command::Blast(args) => segment::blast(args),
        Command::Ledger(args) => respond::ledger(args),
        Command::Lab(args) => lab::lab(args),
        Command::LabHost(args) => lab::host(args),
        Command::Validate(args) => trials::validate(args),
        Command::Model(args) => models::command(args),
        Command::Version => {
            version();
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn version() {
    let names = |all: Vec<&str>| all.join(", ");
    tables::say(&format!("wardwatch {}", env!("CARGO_PKG_VERSION")));
    tables::say(&format!(
        "protocols: {}",
        names(protocols::ALL.iter().map(|protocol| protocol.spec().name).collect())
    ));
    tables::say(&format!(
        "log formats: {}",
        names(logs::formats::ALL.iter().map(|format| format.spec().name).collect())
    ));
    tables::say(&format!(
        "detectors: {}",
        names(detect::detectors::ALL.iter().map(|make| make().spec().name).collect())
    ));
}
