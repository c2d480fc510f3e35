//! Checks and chores of the project: `cargo xtask` lists them.
//!
//! This crate stands on the standard library alone, so that the first `cargo xtask` on a fresh
//! machine starts within seconds. What has to ask the product itself (its tables of fields, its
//! captures) is in crate `chores`, next door.
#![forbid(unsafe_code)]

mod bench;
mod counts;
mod demo;
mod docs;
mod fuzz;
mod instructions;
mod needs;
mod new;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

/// A chore that could not be done, in words for the person who asked for it.
type Outcome = Result<(), String>;

/// One chore.
struct Task {
    name: &'static str,
    arguments: &'static str,
    doc: &'static str,
    run: fn(&[String]) -> Outcome,
}

static TASKS: &[Task] = &[
    Task {
        name: "demo",
        arguments: "[ARGUMENTS OF wardwatch demo]",
        doc: "Builds Wardwatch and shows it at work on a made-up hospital.",
        run: demo::run,
    },
    Task {
        name: "test",
        arguments: "[--no-install]",
        doc: "Everything that has to pass: format, lints, tidy, tests, documentation, instruction counts, a little fuzzing.",
        run: test::run,
    },
    Task {
        name: "tidy",
        arguments: "[--texts]",
        doc: "The rules of the house: who depends on whom, file sizes, tables of fields, captures.",
        run: tidy::run,
    },
    Task {
        name: "fuzz",
        arguments: "[--seconds N] [--keep] [TARGET]...",
        doc: "Feeds mutated input to parsers and to the whole pipeline; all targets where none is named.",
        run: fuzz::run,
    },
    Task {
        name: "new",
        arguments: "protocol|detector|format NAME",
        doc: "Writes a working start: file, table, test, entry in the list.",
        run: new::run,
    },
    Task {
        name: "docs",
        arguments: "",
        doc: "Writes docs/reference/ from the tables.",
        run: docs::run,
    },
    Task {
        name: "bench",
        arguments: "[--data FOLDER]... [CAPTURE]... [--packets N] [--runs N] [--quick]",
        doc: "Wardwatch beside nfstream, nDPI's reader, tcpdump and the physical floor on one core: \
              medians, ratios and goals. 'bench flows [--quick] [--keep]': the flow table at its limit and beyond. \
              'bench soak [CAPTURE] [--hours N] [--ports] [--store FILE] [--threads N] [--csv FILE]': memory over a \
              day of a capture's traffic.",
        run: bench::run,
    },
    Task {
        name: "counts",
        arguments: "[--renew]",
        doc: "Instructions a packet of every stage under valgrind, against xtask/counts.toml.",
        run: instructions::run,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next().filter(|name| name != "help" && name != "--help") else {
        list();
        return ExitCode::SUCCESS;
    };
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("xtask: there is no task '{name}'; there are:");
        list();
        return ExitCode::from(2);
    };
    let rest: Vec<String> = arguments.collect();
    match (task.run)(&rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            if !why.is_empty() {
                eprintln!("xtask {name}: {why}");
            }
            ExitCode::FAILURE
        }
    }
}

fn list() {
    println!("cargo xtask TASK\n");
    for Task { name, arguments, doc, .. } in TASKS {
        println!("  {name} {arguments}\n      {doc}");
    }
}
