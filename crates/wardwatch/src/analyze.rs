//! `wardwatch analyze`.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use detect::Engine;
use indicatif::{ProgressBar, ProgressStyle};
use model::{Case, Finding};
use pipeline::analyze::{Plan, Progress, Summary, run};
use pipeline::outputs::{Fact, OutputError, Outputs};
use pipeline::told::Told;

use crate::cli::AnalyzeArgs;
use crate::config::Config;
use crate::files::Files;
use crate::keep::Keeper;
use crate::{exit, feedback, key, models, summary};

/// Runs it.
pub(crate) fn analyze(args: &AnalyzeArgs) -> Result<ExitCode> {
    let config = Config::load(args.config.as_deref()).map_err(exit::Usage::from_error)?;
    let key_file = config.privacy.key_file.clone().unwrap_or_else(key::default_file);
    let key = key::load_or_make(&key_file)?;
    let mut engine = Engine::new(
        detect::Settings {
            learn_until: args.learn_until,
            learning_seconds: config.learning.seconds,
            settle_days: config.learning.settle_days,
            models: config.learning.models,
            tolerance: config.tolerance(),
            case_minutes: config.learning.case_minutes,
        },
        config.inventory(),
    );
    if config.learning.models {
        models::inform(&mut engine, args.models.as_deref())?;
    }
    if let Some(file) = args.learned.as_deref().filter(|file| file.exists()) {
        load_learned(&mut engine, file)?;
    }
    if let Some(folder) = &args.models {
        feedback::enter_all(folder, &mut engine)?;
    }
    let plan = Plan {
        baselines: args.baseline.clone(),
        captures: args.captures.clone(),
        logs: args.logs.clone(),
        threads: args.threads.into(),
        wire: config.wire(),
        key,
        speed: None,
    };
    let mut outputs = Results {
        files: args.out.as_deref().map(|folder| Files::create(folder, plan.threads)).transpose()?,
        keeper: args
            .store
            .as_deref()
            .map(|file| Keeper::open(file, config.store.max_mib))
            .transpose()?,
    };
    let bar = progress_bar(args.quiet);
    let mut progress = |at: Progress| show(&bar, at);
    let summary = run(&plan, &mut engine, &mut outputs, &mut progress)?;
    bar.finish_and_clear();
    let devices = engine.inventory().devices();
    if let Some(files) = outputs.files {
        files.finish(&devices, &summary.stats)?;
    }
    if let Some(keeper) = outputs.keeper {
        keeper.finish(&devices, &summary.stats)?;
    }
    if let Some(file) = &args.learned {
        save_learned(&engine, file)?;
    }
    summary::print(args, &summary, &devices);
    Ok(status(args, &summary))
}

fn status(args: &AnalyzeArgs, summary: &Summary) -> ExitCode {
    for trouble in &summary.unreadable {
        tell(&format!("wardwatch: {trouble}"));
    }
    if !summary.unreadable.is_empty() {
        return ExitCode::from(exit::UNREADABLE);
    }
    let bad = |bound| summary.findings.range(bound..).any(|(_, count)| *count > 0);
    if args.fail_on.is_some_and(bad) {
        return ExitCode::from(exit::FINDINGS);
    }
    ExitCode::SUCCESS
}

#[allow(clippy::print_stderr, reason = "this is what a command line program says of errors")]
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}

/// Reads what was learned.
pub(crate) fn load_learned(engine: &mut Engine, file: &Path) -> Result<()> {
    let shown = file.display();
    let text = std::fs::read(file).with_context(|| format!("{shown}: cannot be read"))?;
    let saved: serde_json::Value = serde_json::from_slice(&text)
        .with_context(|| format!("{shown}: is no saved baseline: remove it and learn anew"))?;
    engine.load(&saved).with_context(|| format!("{shown}: cannot be used"))?;
    Ok(())
}

/// Writes what was learned, whole or not at all.
pub(crate) fn save_learned(engine: &Engine, file: &Path) -> Result<()> {
    let shown = file.display();
    let saved = engine.save().context("what was learned cannot be written as JSON")?;
    let beside = file.with_extension("new");
    serde_json::to_vec(&saved)
        .map_err(std::io::Error::from)
        .and_then(|text| std::fs::write(&beside, text))
        .and_then(|()| std::fs::rename(&beside, file))
        .with_context(|| format!("{shown}: what was learned cannot be written there"))
}

struct Results {
    files: Option<Files>,
    keeper: Option<Keeper>,
}

impl Outputs for Results {
    fn told(&mut self, told: Told) -> Result<(), OutputError> {
        self.files.as_mut().map_or(Ok(()), |files| files.told(told))
    }

    fn observation(&mut self, fact: Fact<'_>) -> Result<(), OutputError> {
        match &mut self.keeper {
            Some(keeper) => keeper.observation(fact),
            None => Ok(()),
        }
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError> {
        self.files.as_mut().map_or(Ok(()), |files| files.finding(finding))?;
        self.keeper.as_mut().map_or(Ok(()), |keeper| keeper.finding(finding))
    }

    fn case(&mut self, case: &Case) -> Result<(), OutputError> {
        self.files.as_mut().map_or(Ok(()), |files| files.case(case))?;
        self.keeper.as_mut().map_or(Ok(()), |keeper| keeper.case(case))
    }
}

fn progress_bar(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{bar:30} {percent:>3} %  {bytes}/{total_bytes}  {msg}  {eta} left",
    );
    let bar = ProgressBar::no_length();
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

fn show(bar: &ProgressBar, at: Progress) {
    if bar.is_hidden() {
        return;
    }
    if let Some(total) = at.total {
        bar.set_length(total);
    }
    bar.set_position(at.read);
    bar.set_message(format!("{} packets", at.packets));
}
