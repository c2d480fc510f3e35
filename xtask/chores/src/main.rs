//! Chores that have to ask the product itself: rules for its tables, the reference documentation,
//! and the inputs that fuzzing begins with. `cargo xtask` calls them; the tests run the checks too.
#![forbid(unsafe_code)]

mod captures;
mod detectors;
mod fault;
mod kinds;
mod reference;
mod samples;
mod seeds;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fault::Fault;

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let done = match task.as_str() {
        "check" => check(),
        "docs" => reference::write(&root()),
        "seeds" => seeds::write(&root()),
        _ => Err("give one of: check, docs, seeds".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("chores {task}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Everything that is wrong.
fn faults(root: &Path) -> Result<Vec<Fault>, String> {
    let mut out = kinds::faults(&kinds::all());
    out.extend(detectors::faults(&detectors::all(), &kinds::all()));
    out.extend(captures::faults(root)?);
    out.extend(reference::faults(root));
    Ok(out)
}

fn check() -> Result<(), String> {
    let faults = faults(&root())?;
    for fault in &faults {
        println!("{}", fault.placed(&root()));
    }
    match faults.len() {
        0 => {
            println!("tables, detectors, captures and reference documentation: tidy");
            Ok(())
        }
        count => Err(format!("{count} rules of the house are broken, listed above")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_keeps_the_rules_for_its_tables_captures_and_reference() {
        let found: Vec<String> =
            faults(&root()).unwrap().iter().map(|fault| fault.placed(&root())).collect();
        assert!(found.is_empty(), "\n{}", found.join("\n"));
    }
}
