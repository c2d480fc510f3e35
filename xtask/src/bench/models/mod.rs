//! `cargo xtask bench models`: the models on NSL-KDD, beside LightGBM and scikit-learn.
//!
//! NSL-KDD is for research and not part of the project: `--data FOLDER` names the folder above
//! `flows/KDDTrain+_20Percent.txt.zst` and `flows/KDDTest+.txt.zst`. All learn from the same encoded
//! rows, pinned to one core, in turn; rates are rows a second of processor time, and medians of the
//! runs count.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::table::median;
use crate::Outcome;
use crate::run::{cargo, command, find, output, run as run_command, target};

/// The column of the label; that behind it, how hard a row is, is left out.
const LABEL: &str = "42";

/// What is wanted on this table.
const LEAST_AUC: f64 = 0.975;
const LEAST_ABSENT: f64 = 0.45;
const LEAST_FASTER: f64 = 2.0;

const OTHERS: &str = include_str!("others.py");

/// One model's figures in one run.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    name: String,
    /// ROC AUC, F1, recall on absent kinds, rows a second in training and in scoring.
    figures: [f64; 5],
}

/// Builds, runs all in turn, prints a table.
pub(super) fn run(arguments: &[String]) -> Outcome {
    let (data, runs) = parse(arguments)?;
    let [train, test] =
        ["flows/KDDTrain+_20Percent.txt.zst", "flows/KDDTest+.txt.zst"].map(|name| data.join(name));
    for file in [&train, &test] {
        if !file.is_file() {
            let file = file.display();
            return Err(format!("{file} is missing: --data names the folder above 'flows'"));
        }
    }
    if find("taskset").is_none() {
        return Err("'taskset' is missing: apt-get install util-linux".to_owned());
    }
    run_command(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "-p",
        "validate",
        "--example",
        "models",
    ]))?;
    let folder = target().join("bench/models");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let python = python(&folder);
    let script = folder.join("others.py");
    std::fs::write(&script, OTHERS).map_err(|error| format!("{}: {error}", script.display()))?;
    let mut lines = Vec::new();
    for turn in 1..=runs {
        println!("run {turn} of {runs}");
        let mut ours = pinned(&target().join("release/examples/models"));
        ours.arg(LABEL).args([&train, &test, &folder]);
        lines.extend(read(&output(&mut ours)?)?);
        match &python {
            Ok(python) => {
                let mut others = pinned(python);
                others.args([&script, &folder]).env("OMP_NUM_THREADS", "1");
                lines.extend(read(&output(&mut others)?)?);
            }
            Err(why) => println!("LightGBM and scikit-learn are left out: {why}"),
        }
    }
    let report = written(&lines, runs);
    println!("\n{report}");
    let file = folder.join("report.md");
    std::fs::write(&file, report).map_err(|error| format!("{}: {error}", file.display()))
}

fn parse(arguments: &[String]) -> Result<(PathBuf, usize), String> {
    let mut data = std::env::var_os(super::DATA).map(PathBuf::from);
    let mut runs = 5;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut next = || rest.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--data" => data = Some(PathBuf::from(next()?)),
            "--runs" => {
                let number = next()?.parse().ok().filter(|number| *number > 0);
                runs = number.ok_or("--runs needs a whole number above 0")?;
            }
            other => return Err(format!("there is no option '{other}'")),
        }
    }
    let data =
        data.ok_or("--data FOLDER is missing: the folder above 'flows', with NSL-KDD in it")?;
    Ok((data, runs))
}

/// The last core: the first one has the interrupts.
fn pinned(program: &Path) -> Command {
    let last = std::thread::available_parallelism().map_or(1, usize::from) - 1;
    let mut command = command("taskset", &["-c", &last.to_string()]);
    command.arg(program);
    command
}

/// Python with the others in an environment of their own.
fn python(folder: &Path) -> Result<PathBuf, String> {
    let place = folder.join("venv");
    let python = place.join("bin/python");
    let name = python.display().to_string();
    if !python.exists() {
        run_command(&mut command("python3", &["-m", "venv", &place.display().to_string()]))?;
    }
    let there = command(&name, &["-c", "import lightgbm, sklearn"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        let packages = ["-m", "pip", "install", "--quiet", "lightgbm", "scikit-learn"];
        run_command(&mut command(&name, &packages))?;
    }
    Ok(python)
}

/// Reads lines of a name and five figures.
fn read(text: &str) -> Result<Vec<Line>, String> {
    let line = |line: &str| {
        let mut words = line.split('\t');
        let name = words.next()?.to_owned();
        let figures: Option<Vec<f64>> = words.map(|word| word.parse().ok()).collect();
        Some(Line { name, figures: figures?.try_into().ok()? })
    };
    text.lines().map(|text| line(text).ok_or(format!("not a line of figures: {text}"))).collect()
}

/// Medians of each model, and what they are beside the goals, as Markdown.
fn written(lines: &[Line], runs: usize) -> String {
    let mut out = "| NSL-KDD, 20 % of the training half to Test+ | ROC AUC | F1 | recall on absent \
                   kinds at FPR 3 % | training rows/s | scoring rows/s |\n|---|---|---|---|---|---|\n"
        .to_owned();
    let mut names: Vec<&str> = Vec::new();
    for line in lines {
        if !names.contains(&&*line.name) {
            names.push(&line.name);
        }
    }
    let figure = |name: &str, at: usize| {
        median(lines.iter().filter(|line| line.name == name).map(|line| line.figures[at]).collect())
    };
    for name in &names {
        let [auc, f1, absent, training, scoring] = [0, 1, 2, 3, 4].map(|at| figure(name, at));
        let _ = writeln!(
            out,
            "| {name} | {auc:.4} | {f1:.3} | {absent:.3} | {:.1} k | {:.1} k |",
            training / 1e3,
            scoring / 1e3
        );
    }
    let goal = |value: f64, least: f64| if value >= least { "met" } else { "missed" };
    let (auc, absent) = (figure("wardwatch, ensemble", 0), figure("wardwatch, ensemble", 2));
    let _ = writeln!(
        out,
        "\nMedians of {runs} runs in turn. The ensemble: AUC {auc:.4} (goal {LEAST_AUC}: {}), recall \
         on absent kinds {absent:.3} (goal {LEAST_ABSENT}: {}).",
        goal(auc, LEAST_AUC),
        goal(absent, LEAST_ABSENT)
    );
    if let Some(lightgbm) = names.iter().find(|name| name.starts_with("LightGBM")) {
        let faster = figure("wardwatch, trees", 4) / figure(lightgbm, 4);
        let _ = writeln!(
            out,
            "Trees of the same number and size score {faster:.1} times as many rows a second as \
             LightGBM's (goal {LEAST_FASTER}: {}).",
            goal(faster, LEAST_FASTER)
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_stand_beside_their_goals() {
        let text = "wardwatch, trees\t0.96\t0.8\t0.4\t20000\t900000\n\
                    wardwatch, ensemble\t0.98\t0.92\t0.44\t5000\t4000\n\
                    LightGBM\t0.95\t0.77\t0.3\t80000\t300000\n";
        let mut lines = read(text).unwrap();
        lines.extend(read("LightGBM\t0.95\t0.77\t0.3\t80000\t500000\n").unwrap());
        let table = written(&lines, 2);
        for part in [
            "| wardwatch, trees | 0.9600 | 0.800 | 0.400 | 20.0 k | 900.0 k |",
            "(goal 0.975: met)",
            "0.440 (goal 0.45: missed)",
            "score 2.2 times as many",
        ] {
            assert!(table.contains(part), "{part} in\n{table}");
        }
        assert!(read("LightGBM\t0.95").is_err() && read("LightGBM\ta\tb\tc\td\te").is_err());
    }

    #[test]
    fn options_without_their_value_are_refused() {
        let parse = |words: &[&str]| {
            parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(parse(&["--data", "x", "--runs", "2"]), Ok((PathBuf::from("x"), 2)));
        assert!(parse(&["--data"]).is_err() && parse(&["--data", "x", "--runs", "0"]).is_err());
        assert!(parse(&["--data", "x", "fast"]).is_err());
    }
}
