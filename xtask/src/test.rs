//! `cargo xtask test`: everything that has to pass, step by step.
//!
//! A failing step does not keep the later ones from running: one run shows everything that is
//! wrong. The last line is always `N passed, N failed`: tests, and the steps that are no tests one
//! each.

use std::time::Instant;

use crate::counts::{self, Counts};
use crate::run::{cargo, find, run as run_command, watched};
use crate::{Outcome, docs, fuzz, instructions, needs, tidy};

/// Seconds of fuzzing for each target: enough to see that every target runs and stands its corpus.
const FUZZ_SECONDS: u32 = 4;

/// What became of the steps so far.
#[derive(Default)]
struct Report {
    counts: Counts,
    failed: Vec<&'static str>,
    took: Vec<(&'static str, f64)>,
}

impl Report {
    /// Runs a step and notes how it went.
    fn step(&mut self, name: &'static str, run: impl FnOnce() -> Result<Counts, String>) {
        println!("\n== {name}");
        let begun = Instant::now();
        let result = run();
        let seconds = begun.elapsed().as_secs_f64();
        self.took.push((name, seconds));
        let (counts, why) = match result {
            Ok(counts) if counts.failed == 0 => (counts, None),
            Ok(counts) => (counts, Some(format!("{} failed", counts.failed))),
            Err(why) => (Counts { passed: 0, failed: 1 }, Some(why)),
        };
        self.counts += counts;
        match why {
            None => println!("== {name}: good after {seconds:.0} s"),
            Some(why) => self.fail(name, &why),
        }
    }

    fn fail(&mut self, name: &'static str, why: &str) {
        println!("== {name}: FAILED: {why}");
        self.failed.push(name);
    }
}

/// A step that is no run of tests counts as one.
fn once(result: Outcome) -> Result<Counts, String> {
    result.map(|()| Counts { passed: 1, failed: 0 })
}

/// Runs all steps.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let install = match arguments {
        [] => true,
        [only] if only == "--no-install" => false,
        _ => return Err("takes no arguments but --no-install".to_owned()),
    };
    let mut report = Report::default();
    if install {
        report.step("what the tests need", || once(needs::install()));
    }
    report.step("format", || once(run_command(&mut cargo(&["fmt", "--all", "--check"]))));
    report.step("lints", || {
        let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        once(run_command(&mut cargo(&clippy)))
    });
    report.step("tidy", || once(tidy::texts()));
    report.step("tests", tests);
    report.step("examples in the documentation", || {
        tested(&["test", "--doc", "--workspace", "--locked"], true)
    });
    report.step("reference documentation", || once(docs::check_configuration()));
    report.step("documentation", || {
        let mut doc = cargo(&["doc", "--no-deps", "--workspace", "--locked"]);
        once(run_command(doc.env("RUSTDOCFLAGS", "-D warnings")))
    });
    report.step("instruction counts", || once(instructions::run(&[])));
    report.step("fuzzing", || fuzz::all(FUZZ_SECONDS).map(|passed| Counts { passed, failed: 0 }));
    println!();
    for (name, seconds) in &report.took {
        println!("{seconds:6.0} s  {name}");
    }
    if !report.failed.is_empty() {
        println!("failed: {}", report.failed.join(", "));
    }
    println!("{} passed, {} failed", report.counts.passed, report.counts.failed);
    if report.failed.is_empty() { Ok(()) } else { Err(String::new()) }
}

/// Unit and integration tests, in one build.
fn tests() -> Result<Counts, String> {
    if find("cargo-nextest").is_some() {
        tested(&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"], false)
    } else {
        let all = ["--lib", "--bins", "--tests", "--no-fail-fast"];
        tested(&[&["test", "--workspace", "--locked"][..], &all].concat(), false)
    }
}

/// Runs a test runner. Without one test it is a mistake, unless `may_be_none`.
fn tested(arguments: &[&str], may_be_none: bool) -> Result<Counts, String> {
    let (said, good) = watched(&mut cargo(arguments))?;
    let counts = counts::read(&said);
    match (good, counts) {
        (true, Counts { passed: 0, failed: 0 }) if !may_be_none => {
            Err("no test was found".to_owned())
        }
        (false, Counts { failed: 0, .. }) => Err("the tests could not be built or run".to_owned()),
        _ => Ok(counts),
    }
}
