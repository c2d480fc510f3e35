//! `cargo xtask bench`: Wardwatch beside programs that others use, on the same capture and one core.
//!
//! The capture is laid end to end with shifted addresses until it has a million packets, so that the
//! start of a program does not count. All run in turn, five times over; what counts is the median of
//! user and system time. Seconds hold for this machine only; ratios hold for others too.

mod pcap;
mod repeat;
mod shift;
mod table;
mod tools;

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::demo;
use crate::run::{command, output, root, target};
use table::Row;

/// What to measure.
struct Plan {
    captures: Vec<PathBuf>,
    packets: u64,
    runs: usize,
}

impl Plan {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut plan = Self { captures: Vec::new(), packets: 1_000_000, runs: 5 };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut number = || {
                let number = rest.next().and_then(|text| text.parse::<u64>().ok());
                number.filter(|n| *n > 0).ok_or(format!("{argument} needs a whole number above 0"))
            };
            match argument.as_str() {
                "--packets" => plan.packets = number()?,
                "--runs" => plan.runs = usize::try_from(number()?).unwrap_or(usize::MAX),
                flag if flag.starts_with('-') => {
                    return Err(format!("there is no option '{flag}'"));
                }
                path => plan.captures.push(PathBuf::from(path)),
            }
        }
        Ok(plan)
    }
}

/// Builds, lays the capture, measures, prints a table.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut plan = Plan::parse(arguments)?;
    if plan.captures.is_empty() {
        plan.captures = own_captures()?;
        println!("no capture was given: the {} of testdata/ are taken", plan.captures.len());
    }
    demo::build()?;
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let long = folder.join("long.pcap");
    let size = lay(&plan, &long)?;
    println!("{}: {} packets, {} MB", long.display(), size.packets, size.bytes / 1_000_000);
    let tools = tools::all(&folder)?;
    let mut rows: Vec<Row> = tools.iter().map(|tool| Row::new(tool.name)).collect();
    for turn in 1..=plan.runs {
        for (tool, row) in tools.iter().zip(&mut rows) {
            let cost = tool.measure(&long, &folder)?;
            println!("run {turn}: {} {:.2} s, {} MiB", tool.name, cost.seconds, cost.mebibytes);
            row.costs.push(cost);
        }
    }
    println!("\n{}", table::written(&rows, size));
    Ok(())
}

/// The captures of the project's own tests.
fn own_captures() -> Result<Vec<PathBuf>, String> {
    let list = output(&mut command("find", &["testdata", "-name", "*.pcap"]))?;
    let mut out: Vec<PathBuf> = list.lines().map(|line| root().join(line)).collect();
    out.sort();
    Ok(out)
}

/// Packets of a capture, and their bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    packets: u64,
    bytes: u64,
}

fn lay(plan: &Plan, long: &Path) -> Result<Size, String> {
    let mut chain = pcap::Chain::default();
    for file in &plan.captures {
        let bytes = unpacked(file)?;
        chain.add(&bytes).map_err(|why| format!("{}: {why}", file.display()))?;
    }
    repeat::write(&chain, plan.packets, long)
        .map_err(|error| format!("{}: {error}", long.display()))
}

/// A file's bytes; gzip and zstd by their own programs.
fn unpacked(file: &Path) -> Result<Vec<u8>, String> {
    let shown = file.display().to_string();
    let program = match file.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => "gzip",
        Some("zst") => "zstd",
        _ => return std::fs::read(file).map_err(|error| format!("{shown}: {error}")),
    };
    let arguments = ["-dc", shown.as_str()];
    let done = command(program, &arguments)
        .current_dir(std::env::current_dir().unwrap_or_default())
        .output()
        .map_err(|error| format!("{program}: {error}: install it"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    if done.status.success() { Ok(done.stdout) } else { Err(format!("{shown}: {said}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_without_their_number_are_refused() {
        let parse = |words: &[&str]| {
            Plan::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        let plan = parse(&["a.pcap", "--packets", "10", "--runs", "3"]).unwrap();
        assert_eq!((plan.packets, plan.runs, plan.captures.len()), (10, 3, 1));
        assert!(parse(&["--packets"]).is_err());
        assert!(parse(&["--runs", "0"]).is_err());
        assert!(parse(&["--fast"]).is_err());
    }
}
