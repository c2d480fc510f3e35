//! Validates on a table from the command line and prints the figures as JSON.
//!
//!     cargo run --release -p validate --example table -- LABEL TRAIN [--test TEST] [--split NAME]
//!         [--ignore COLUMN]... [--group COLUMN] [--time COLUMN] [--normal VALUE] [--seed N]
//!         [--allow-leaks]
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as Unknown;
use validate::tables::ensemble::EnsembleSettings;
use validate::tables::{Split, TableOptions, TableRun, run};

fn main() -> ExitCode {
    let done = task().and_then(|task| {
        run(&task, &mut |doing| eprintln!("{doing}")).map_err(|error| error.to_string())
    });
    let outcome = match done {
        Ok(outcome) => outcome,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for finding in &outcome.findings {
        eprintln!("{}: {}", if finding.refused { "LEAK" } else { "note" }, finding.says);
    }
    eprintln!("{:?}", outcome.timing);
    println!("{}", serde_json::to_string_pretty(&outcome.summary).unwrap_or_default());
    ExitCode::SUCCESS
}

fn task() -> Result<TableRun, String> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let mut options = TableOptions::new(&next("the column of the label")?);
    let file = next("the table")?.into();
    let (settings, split) = (EnsembleSettings::default(), Split::default());
    let mut task = TableRun {
        file,
        test: None,
        options: options.clone(),
        split,
        allow_leaks: false,
        settings,
        seed: 1,
    };
    while let Some(flag) = arguments.next() {
        if flag == "--allow-leaks" {
            task.allow_leaks = true;
            continue;
        }
        let value = arguments.next().ok_or(format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--test" => task.test = Some(value.into()),
            "--ignore" => options.ignore.push(value.as_str().into()),
            "--group" => options.group = Some(value.as_str().into()),
            "--time" => options.time = Some(value.as_str().into()),
            "--normal" => options.normal = Some(value),
            "--seed" => task.seed = value.parse().map_err(|_| "--seed needs a number")?,
            "--split" => {
                let name = IntoDeserializer::<Unknown>::into_deserializer(value.as_str());
                task.split = Split::deserialize(name).map_err(|error| error.to_string())?;
            }
            _ => return Err(format!("there is no option '{flag}'")),
        }
    }
    task.options = options;
    Ok(task)
}
