//! `cargo xtask bench flows`: the table of flows with a million connections open at once, and beyond
//! its limit, under a scan of ten million packets with clinical connections among them.
//!
//! The captures are made on the fly and removed afterwards, unless `--keep` is given. What is asked:
//! are all flows followed up to the limit; beyond it, is every loss counted, and are clinical
//! connections kept. How much memory that takes, and how long.

mod made;

use std::fs::File;
use std::io;
use std::path::Path;

use super::tools::{self, Cost, Tool, Who};
use super::{Size, folder};
use crate::Outcome;

/// How much to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Amounts {
    /// Connections open at once.
    open: u32,
    /// Packets of the scan, each to another door.
    scanned: u32,
    /// Clinical connections in the scan.
    clinical: u32,
}

impl Amounts {
    const WHOLE: Self = Self { open: 1_000_000, scanned: 10_000_000, clinical: 3_000 };
    /// The scan still goes beyond the table's limit.
    const QUICK: Self = Self { open: 100_000, scanned: 1_500_000, clinical: 1_000 };
}

/// Makes the captures, runs the program over them and says what came of it.
pub(super) fn run(arguments: &[String]) -> Outcome {
    let (mut amounts, mut keep) = (Amounts::WHOLE, false);
    for argument in arguments {
        match argument.as_str() {
            "--quick" => amounts = Amounts::QUICK,
            "--keep" => keep = true,
            _ => return Err("flows takes no arguments but --quick and --keep".to_owned()),
        }
    }
    tools::can_measure()?;
    tools::build()?;
    let folder = folder()?;
    let open = folder.join("open.pcap");
    let report = with_capture(
        &open,
        keep,
        |file| made::open(file, amounts.open),
        |size| of_open(&measure(&open, size, &folder)?, amounts),
    )?;
    println!("{report}");
    let scan = folder.join("scan.pcap");
    let make = |file| made::scan(file, amounts.scanned, amounts.clinical);
    let report =
        with_capture(&scan, keep, make, |size| of_scan(&measure(&scan, size, &folder)?, amounts))?;
    println!("{report}");
    Ok(())
}

/// One packet, for measuring how long the program takes to start.
pub(super) fn one_packet(path: &Path) -> io::Result<()> {
    made::open(File::create(path)?, 0).map(|_| ())
}

/// Makes a capture for as long as it is worked with.
fn with_capture<T>(
    path: &Path,
    keep: bool,
    make: impl FnOnce(File) -> io::Result<Size>,
    work: impl FnOnce(Size) -> Result<T, String>,
) -> Result<T, String> {
    let size = File::create(path)
        .and_then(make)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}: {} packets, {} MB", path.display(), size.packets, size.bytes / 1_000_000);
    let done = work(size);
    if !keep {
        let _ = std::fs::remove_file(path);
    }
    done
}

/// What runs over one capture cost and counted.
struct Measured {
    size: Size,
    ours: Cost,
    floor: Cost,
    counts: Counts,
}

/// What the program says of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    packets: u64,
    opened: u64,
    peak: u64,
    single_packet: u64,
    idle: u64,
    kept: u64,
    hl7: u64,
}

impl Counts {
    fn read(json: &str) -> Result<Self, String> {
        let stats = json.split_once("\"stats\":").ok_or("the summary has no stats")?.1;
        let number = |name: &str| {
            let after = stats.split_once(&format!("\"{name}\":"))?.1;
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            after.get(..end)?.parse().ok()
        };
        let must = |name| number(name).ok_or(format!("the summary does not say '{name}'"));
        Ok(Self {
            packets: must("packets")?,
            opened: must("flows")?,
            peak: must("flows_peak")?,
            single_packet: must("flows_evicted_single_packet")?,
            idle: must("flows_evicted_idle")?,
            kept: must("flows_evicted_kept")?,
            hl7: number("hl7").unwrap_or(0),
        })
    }
}

/// Runs the program, and the floor, once.
fn measure(capture: &Path, size: Size, folder: &Path) -> Result<Measured, String> {
    let wardwatch = tools::wardwatch().display().to_string();
    let words = [&*wardwatch, "analyze", "--json", "--threads", "1", "CAPTURE"];
    let (ours, said) = Tool::new(Who::WithoutOut, &words).measure_and_hear(capture, folder)?;
    let floor = tools::floor().display().to_string();
    let floor = Tool::new(Who::Floor, &[&*floor, "CAPTURE"]).measure(capture, folder)?;
    Ok(Measured { size, ours, floor, counts: Counts::read(&said)? })
}

impl Measured {
    fn micros(&self, cost: Cost) -> f64 {
        cost.seconds * 1e6 / self.size.packets as f64
    }

    fn costs(&self) -> String {
        format!(
            "{:.2} µs a packet, {} MiB; physical floor {:.2} µs, {} MiB",
            self.micros(self.ours),
            self.ours.mebibytes,
            self.micros(self.floor),
            self.floor.mebibytes
        )
    }
}

const fn met(yes: bool) -> &'static str {
    if yes { "met" } else { "missed" }
}

fn of_open(measured: &Measured, amounts: Amounts) -> Result<String, String> {
    let Counts { packets, opened, peak, single_packet, idle, kept, .. } = measured.counts;
    counted(measured)?;
    let all = u64::from(amounts.open);
    let followed = all.saturating_sub(single_packet + idle + kept);
    let cheap = measured.ours.mebibytes <= 768 && measured.micros(measured.ours) <= 0.8;
    Ok(format!(
        "\n{all} connections open at once, {packets} packets: {followed} followed to their end, {peak} \
         at once (goal: all: {}), {opened} opened, {single_packet} + {idle} + {kept} thrown out (single \
         packet, idle, kept)\n{} (goal 0.8 µs in 768 MiB: {})",
        met(followed == all && peak == all && opened == all),
        measured.costs(),
        met(cheap),
    ))
}

fn of_scan(measured: &Measured, amounts: Amounts) -> Result<String, String> {
    let Counts { packets, opened, peak, single_packet, idle, kept, hl7 } = measured.counts;
    counted(measured)?;
    let (scanned, clinical) = (u64::from(amounts.scanned), u64::from(amounts.clinical));
    // A connection that was thrown out and goes on is opened, and recognised, once more.
    let again = opened.saturating_sub(scanned + clinical);
    Ok(format!(
        "\n{scanned} scanned doors beside {clinical} clinical connections, {packets} packets: {opened} \
         flows followed, {peak} at once; {single_packet} single-packet flows, {idle} idle ones and \
         {kept} kept ones thrown out; {again} clinical connections lost and taken up again, {hl7} \
         recognised (goal: none lost: {})\n{}",
        met(again == 0 && hl7 == clinical && idle + kept == 0),
        measured.costs(),
    ))
}

/// Whether every packet is in the count.
fn counted(measured: &Measured) -> Result<(), String> {
    let (counted, made) = (measured.counts.packets, measured.size.packets);
    if counted == made {
        return Ok(());
    }
    Err(format!("{made} packets were made and {counted} counted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_out_of_the_summary() {
        let json = r#"{"packets":1,"stats":{"packets":20,"flows":7,"flows_peak":5,"drops":{
            "flows_evicted_idle":3,"flows_evicted_kept":0,"flows_evicted_single_packet":12},
            "protocols":{"hl7":2}}}"#;
        let counts = Counts::read(json).unwrap();
        let expected =
            Counts { packets: 20, opened: 7, peak: 5, single_packet: 12, idle: 3, kept: 0, hl7: 2 };
        assert_eq!(counts, expected);
        assert!(Counts::read(r#"{"stats":{"packets":20}}"#).is_err());
    }

    #[test]
    fn lost_packets_and_lost_clinical_connections_are_told() {
        let cost = Cost { seconds: 0.5, wall: 0.5, mebibytes: 700 };
        let amounts = Amounts { open: 10, scanned: 10, clinical: 2 };
        let size = Size { packets: 1_000_000, ..Size::default() };
        let counts = Counts { packets: 1_000_000, opened: 10, peak: 10, ..Counts::default() };
        let mut measured = Measured { size, ours: cost, floor: cost, counts };
        let said = of_open(&measured, amounts).unwrap();
        assert!(said.contains("10 followed") && !said.contains("missed"), "{said}");
        measured.counts = Counts { opened: 12, hl7: 2, ..counts };
        assert!(of_scan(&measured, amounts).unwrap().contains("lost: met"));
        measured.counts.opened = 13;
        assert!(of_scan(&measured, amounts).unwrap().contains("lost: missed"));
        measured.counts.packets = 999_999;
        assert!(of_scan(&measured, amounts).is_err());
    }
}
