//! `cargo xtask bench`: Wardwatch beside programs that others use, on the same captures and one core.
//!
//! Captures of a folder are laid end to end with shifted addresses until they are long enough for
//! the start of a program not to count. All run in turn, some times over; what counts is the median
//! of user and system time. Seconds hold for this machine only; ratios hold for others too.
//!
//! `cargo xtask bench flows` measures the table of flows at and beyond its limit instead, and `cargo
//! xtask bench soak` the memory of a day, `cargo xtask bench models` the models on a table.

mod captures;
mod flows;
mod link;
mod models;
mod pcap;
mod pcapng;
mod repeat;
mod shift;
mod soak;
mod table;
mod tools;

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::run::{root, target};
use captures::Kind;
use table::Row;

/// Names a folder of captures where no argument does.
const DATA: &str = "WARDWATCH_BENCH_DATA";

/// Packets of the laid captures: as many as in published measurements.
const ZOO_PACKETS: u64 = 3_000_000;
const BULK_PACKETS: u64 = 1_000_000;

/// What to measure.
#[derive(Debug, Default)]
struct Plan {
    /// Captures that were named.
    given: Vec<PathBuf>,
    /// Folders of captures.
    data: Vec<PathBuf>,
    /// Packets to lay, where somebody says.
    packets: Option<u64>,
    runs: Option<usize>,
    quick: bool,
}

impl Plan {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut plan = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut next = || rest.next().ok_or(format!("{argument} needs a value"));
            let number = |text: &String| {
                let number = text.parse::<u64>().ok().filter(|n| *n > 0);
                number.ok_or(format!("{argument} needs a whole number above 0"))
            };
            match argument.as_str() {
                "--quick" => plan.quick = true,
                "--data" => plan.data.push(PathBuf::from(next()?)),
                "--packets" => plan.packets = Some(number(next()?)?),
                "--runs" => {
                    plan.runs = Some(usize::try_from(number(next()?)?).unwrap_or(usize::MAX));
                }
                flag if flag.starts_with('-') => {
                    return Err(format!("there is no option '{flag}'"));
                }
                path => plan.given.push(PathBuf::from(path)),
            }
        }
        Ok(plan)
    }

    /// Kinds of captures to lay, and how many packets of each.
    fn kinds(&self) -> Vec<(Kind, u64)> {
        let kinds = if self.given.is_empty() {
            vec![(Kind::Zoo, ZOO_PACKETS), (Kind::Bulk, BULK_PACKETS)]
        } else {
            vec![(Kind::Given, BULK_PACKETS)]
        };
        let tenth = if self.quick { 10 } else { 1 };
        kinds.into_iter().map(|(kind, all)| (kind, self.packets.unwrap_or(all / tenth))).collect()
    }

    fn runs(&self) -> usize {
        self.runs.unwrap_or(if self.quick { 1 } else { 5 })
    }

    /// The captures to lay.
    fn files(&self) -> Result<Vec<PathBuf>, String> {
        if !self.given.is_empty() {
            return Ok(self.given.clone());
        }
        let mut folders = self.data.clone();
        if folders.is_empty() {
            folders.extend(std::env::var_os(DATA).map(PathBuf::from));
        }
        if folders.is_empty() {
            println!(
                "no captures were named (--data FOLDER or {DATA}): those of testdata/ are taken, few \
                 and small"
            );
            folders.push(root().join("testdata"));
        }
        let mut out = Vec::new();
        for folder in folders {
            out.extend(captures::below(&folder)?);
        }
        Ok(out)
    }
}

/// Builds, lays captures, measures, prints tables.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    match arguments.split_first() {
        Some((first, rest)) if first == "flows" => return flows::run(rest),
        Some((first, rest)) if first == "models" => return models::run(rest),
        Some((first, rest)) if first == "soak" => return soak::run(rest),
        _ => {}
    }
    let plan = Plan::parse(arguments)?;
    let files = plan.files()?;
    tools::can_measure()?;
    tools::build()?;
    let folder = folder()?;
    let mut report = String::new();
    for (kind, packets) in plan.kinds() {
        let (long, size) = captures::lay(kind, &files, packets, &folder)?;
        report.push_str(&compare(kind, &long, size, plan.runs(), &folder)?);
        report.push('\n');
    }
    report.push_str(&start(&folder)?);
    println!("\n{report}");
    let file = folder.join("report.md");
    std::fs::write(&file, report).map_err(|error| format!("{}: {error}", file.display()))
}

/// Captures laid end to end for others than this module, and how many packets they are.
pub(crate) fn mix(
    files: &[PathBuf],
    packets: u64,
    folder: &Path,
) -> Result<(PathBuf, u64), String> {
    let (long, size) = captures::lay(Kind::Given, files, packets, folder)?;
    Ok((long, size.packets))
}

/// Makes a capture of one packet.
pub(crate) fn one_packet(file: &Path) -> Outcome {
    flows::one_packet(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// Where captures are laid.
fn folder() -> Result<PathBuf, String> {
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Runs all programs over a capture, in turn. One that fails is left out from then on.
fn compare(
    kind: Kind,
    long: &Path,
    size: Size,
    runs: usize,
    folder: &Path,
) -> Result<String, String> {
    let mut tools: Vec<(tools::Tool, Row)> = Vec::new();
    for tool in tools::all(folder) {
        let row = Row::new(tool.who);
        tools.push((tool, row));
    }
    for turn in 1..=runs {
        let mut broken = Vec::new();
        for (tool, row) in &mut tools {
            let name = tool.who.name();
            match tool.measure(long, folder) {
                Ok(cost) => {
                    println!(
                        "{} {turn}: {name}: {:.2} s of processor, {:.2} s, {} MiB",
                        kind.name(),
                        cost.seconds,
                        cost.wall,
                        cost.mebibytes
                    );
                    row.costs.push(cost);
                }
                Err(why) if tool.who == tools::Who::Wardwatch => return Err(why),
                Err(why) => {
                    println!("{} {turn}: {name} is left out: {why}", kind.name());
                    broken.push(tool.who);
                }
            }
        }
        tools.retain(|(tool, _)| !broken.contains(&tool.who));
    }
    let rows: Vec<Row> = tools.into_iter().map(|(_, row)| row).collect();
    Ok(table::written(kind, &rows, size))
}

/// How long the program takes to read one packet.
fn start(folder: &Path) -> Result<String, String> {
    let file = folder.join("one.pcap");
    one_packet(&file)?;
    let (millis, mebibytes) = tools::start(&file, folder, 21)?;
    let met = if millis <= 30.0 { "met" } else { "missed" };
    Ok(format!(
        "Start, read one packet, end: {millis:.1} ms (goal 30: {met}), {mebibytes} MiB; median of 21.\n"
    ))
}

/// Packets of a laid capture, their captured bytes, and of how many captures they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    packets: u64,
    bytes: u64,
    captures: u64,
}

impl Size {
    fn text(&self) -> String {
        let Self { packets, bytes, captures } = self;
        format!("{packets} packets, {} MB, of {captures} captures", bytes / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_without_their_value_are_refused() {
        let parse = |words: &[&str]| {
            Plan::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        let plan = parse(&["a.pcap", "--packets", "10", "--runs", "3"]).unwrap();
        assert_eq!((plan.kinds(), plan.runs()), (vec![(Kind::Given, 10)], 3));
        let plan = parse(&["--data", "x", "--quick", "--data", "y"]).unwrap();
        assert_eq!((plan.data.len(), plan.runs()), (2, 1));
        assert_eq!(plan.kinds(), [(Kind::Zoo, 300_000), (Kind::Bulk, 100_000)]);
        assert!(parse(&["--packets"]).is_err());
        assert!(parse(&["--data"]).is_err());
        assert!(parse(&["--runs", "0"]).is_err());
        assert!(parse(&["--fast"]).is_err());
    }
}
