//! `cargo xtask tidy`: rules of the house that no compiler checks.
//!
//! The rules here read text: manifests and source files. Those that have to ask the product (tables
//! of fields, detectors, captures, the reference documentation) are in crate `chores`, whose tests
//! check the same.

mod arrows;
mod marks;
mod modules;
mod safety;
mod sizes;
mod source;

use std::fmt;

use crate::Outcome;
use crate::run::{cargo, root, run as run_command};

/// A rule that is broken, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// File from the root of the project.
    file: String,
    /// Line, from 1.
    line: usize,
    /// What is wrong.
    what: String,
    /// What to do.
    advice: &'static str,
}

impl Fault {
    fn new(
        file: impl Into<String>,
        line: usize,
        what: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        Self { file: file.into(), line, what: what.into(), advice }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}. {}.", self.file, self.line, self.what, self.advice)
    }
}

/// All rules, or those that need nothing built.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    match arguments {
        [] => {}
        [only] if only == "--texts" => return texts(),
        _ => return Err("takes no arguments but --texts".to_owned()),
    }
    let texts = texts();
    let tables =
        run_command(&mut cargo(&["run", "--quiet", "--locked", "-p", "chores", "--", "check"]));
    let reference = crate::docs::check_configuration();
    match [texts, tables, reference]
        .into_iter()
        .filter_map(Result::err)
        .reduce(|all, next| all + "; " + &next)
    {
        None => Ok(()),
        Some(why) => Err(why),
    }
}

/// The rules that read text.
pub(crate) fn texts() -> Outcome {
    let sources = source::all(&root()).map_err(|error| format!("sources: {error}"))?;
    let mut faults = arrows::faults(&root())?;
    faults.extend(sources.iter().flat_map(safety::faults));
    faults.extend(sources.iter().flat_map(modules::faults));
    faults.extend(sources.iter().flat_map(marks::faults));
    faults.extend(sizes::faults(&sources));
    println!("{}", sizes::summary(&sources));
    faults.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => {
            println!("{} source files: tidy", sources.len());
            Ok(())
        }
        count => Err(format!("{count} rules of the house are broken, listed above")),
    }
}
