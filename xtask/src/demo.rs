//! `cargo xtask demo`: Wardwatch at work on a made-up hospital, from a fresh checkout.

use crate::Outcome;
use crate::run::{cargo, command, run as run_command, target};

/// Builds the program and runs its `demo` with the arguments given.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    println!("Building Wardwatch; the first time this takes some minutes.");
    build()?;
    let program = target().join("release/wardwatch");
    let given: Vec<&str> =
        std::iter::once("demo").chain(arguments.iter().map(String::as_str)).collect();
    run_command(command(&program.to_string_lossy(), &given).stdin(std::process::Stdio::inherit()))
}

/// Builds what is shown and measured.
pub(crate) fn build() -> Outcome {
    run_command(&mut cargo(&["build", "--release", "--locked", "-p", "wardwatch"]))
}
