//! `cargo xtask bench soak`: a day of a hospital's traffic, and whether memory grows with it.
//!
//! A capture goes round without a gap, its hosts and addresses the same each time, its times going
//! on: an ordinary day, in which nothing new comes after the first round. It is streamed into
//! `wardwatch analyze -` as fast as it is taken, so that nothing large is laid on disk, and resident
//! memory is read at every minute of the capture and every second by the wall. What still rises in
//! the second half of the day would rise for ever.
//!
//! The time by the clock is of no interest here, and the figures do not depend on it.

mod memory;
mod ports;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::captures::unpacked;
use super::pcap::{Capture, Packet};
use super::tools;
use crate::Outcome;
use crate::run::{cargo, root, run as run_command, target};
use memory::Samples;

/// Unix time of the first packet.
const START: u64 = 1_700_000_000;

/// Microseconds.
const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Between two rounds, in microseconds.
const BETWEEN: u64 = 10_000;

/// Longest silence that is taken over from a capture.
const LONGEST_SILENCE: u64 = 10 * MINUTE;

/// The hospital that is made where no capture is named, and where.
const SEED: &str = "77";

/// What to run.
#[derive(Debug)]
struct Plan {
    capture: Option<PathBuf>,
    hours: u64,
    /// Clients take other ports in each round.
    ports: bool,
    store: Option<PathBuf>,
    threads: u64,
    csv: Option<PathBuf>,
}

impl Plan {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut plan =
            Self { capture: None, hours: 24, ports: false, store: None, threads: 1, csv: None };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut next = || rest.next().ok_or(format!("{argument} needs a value"));
            let number = |text: &String| {
                let number = text.parse::<u64>().ok().filter(|n| (1..=10_000).contains(n));
                number.ok_or(format!("{argument} needs a whole number from 1 to 10000"))
            };
            match argument.as_str() {
                "--hours" => plan.hours = number(next()?)?,
                "--threads" => plan.threads = number(next()?)?,
                "--ports" => plan.ports = true,
                "--store" => plan.store = Some(PathBuf::from(next()?)),
                "--csv" => plan.csv = Some(PathBuf::from(next()?)),
                flag if flag.starts_with('-') => {
                    return Err(format!("there is no option '{flag}'"));
                }
                path if plan.capture.is_none() => plan.capture = Some(PathBuf::from(path)),
                _ => return Err("soak takes one capture".to_owned()),
            }
        }
        Ok(plan)
    }
}

/// Builds, streams, samples, and says whether memory is flat.
pub(super) fn run(arguments: &[String]) -> Outcome {
    let plan = Plan::parse(arguments)?;
    run_command(&mut cargo(&["build", "--release", "--locked", "-p", "wardwatch"]))?;
    let file = match &plan.capture {
        Some(file) => file.clone(),
        None => hospital()?,
    };
    let capture = Capture::paced(&unpacked(&file)?, LONGEST_SILENCE)?;
    let round = Round::new(&capture).ok_or("there are no Ethernet packets in the capture")?;
    println!(
        "{}: {} packets, {:.1} minutes, {} times for {} hours",
        file.display(),
        capture.packets.len(),
        round.length as f64 / MINUTE as f64,
        (plan.hours * HOUR).div_ceil(round.length),
        plan.hours,
    );
    let begun = Instant::now();
    let mut child = start(&plan)?;
    let streamed = stream(&plan, &round, &mut child);
    let said = child.wait_with_output().map_err(|error| error.to_string())?;
    if !said.status.success() {
        let why = String::from_utf8_lossy(&said.stderr);
        return Err(format!("wardwatch ended with {}: {}", said.status, why.trim()));
    }
    let (samples, packets) = streamed?;
    let json = String::from_utf8_lossy(&said.stdout);
    let count = |name| counted(&json, name).ok_or(format!("the summary does not say '{name}'"));
    if count("packets")? != packets {
        return Err(format!("{packets} packets were streamed and {} read", count("packets")?));
    }
    println!(
        "{packets} packets, {} flows, at most {} at once, in {:.0} s by the wall",
        count("flows")?,
        count("flows_peak")?,
        begun.elapsed().as_secs_f64()
    );
    if let Some(csv) = &plan.csv {
        std::fs::write(csv, samples.csv()).map_err(|e| format!("{}: {e}", csv.display()))?;
    }
    let report = samples.report(plan.hours);
    println!("\n{}", report.text);
    if report.flat { Ok(()) } else { Err("memory is not flat".to_owned()) }
}

/// A count in the summary.
fn counted(json: &str, name: &str) -> Option<u64> {
    let stats = json.split_once("\"stats\":")?.1;
    let after = stats.split_once(&format!("\"{name}\":"))?.1;
    after.get(..after.find(|c: char| !c.is_ascii_digit())?)?.parse().ok()
}

/// A made-up hospital, with attacks at the end of each round.
fn hospital() -> Result<PathBuf, String> {
    let folder = target().join("bench/hospital");
    let capture = folder.join("capture.pcap");
    if !capture.is_file() {
        let example = ["run", "--release", "--locked", "-p", "drill", "--example", "generate"];
        let mut make = cargo(&example);
        make.args(["--", SEED]).arg(&folder);
        run_command(&mut make)?;
    }
    Ok(capture)
}

fn start(plan: &Plan) -> Result<Child, String> {
    let mut run = Command::new(tools::wardwatch());
    run.args(["analyze", "--json", "--log", "error", "--threads", &plan.threads.to_string()]);
    if let Some(store) = &plan.store {
        run.arg("--store").arg(store);
    }
    run.arg("-").current_dir(root());
    run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run.spawn().map_err(|error| format!("{}: {error}", tools::wardwatch().display()))
}

/// A capture that goes round.
struct Round<'a> {
    packets: &'a [Packet],
    /// Microseconds from the first packet of one round to that of the next.
    length: u64,
}

impl<'a> Round<'a> {
    fn new(capture: &'a Capture) -> Option<Self> {
        let packets = capture.packets.as_slice();
        let length = packets.last()?.at + BETWEEN;
        Some(Self { packets, length })
    }

    /// Packets of all rounds with their number and time in microseconds since the first.
    fn packets(&self) -> impl Iterator<Item = (u64, u64, &'a Packet)> {
        let (packets, length) = (self.packets, self.length);
        (0..).flat_map(move |round| {
            packets.iter().map(move |packet| (round, round * length + packet.at, packet))
        })
    }
}

/// Writes so many hours into the program's standard input and samples its memory in between.
fn stream(plan: &Plan, round: &Round<'_>, child: &mut Child) -> Result<(Samples, u64), String> {
    let pid = child.id();
    let input = child.stdin.take().ok_or("the program takes no input")?;
    let mut input = BufWriter::with_capacity(1 << 16, input);
    let status = PathBuf::from(format!("/proc/{pid}/status"));
    let written = write(plan, round, &mut input, &mut |at, samples| sample(&status, at, samples));
    let (mut samples, packets) = written.map_err(|error| format!("streaming: {error}"))?;
    input.flush().map_err(|error| format!("streaming: {error}"))?;
    sample(&status, plan.hours * HOUR, &mut samples);
    Ok((samples, packets))
}

fn sample(status: &Path, at: u64, samples: &mut Samples) {
    if let Some(kibibytes) = std::fs::read_to_string(status).ok().and_then(|s| memory::resident(&s))
    {
        samples.add(at as f64 / HOUR as f64, kibibytes);
    }
}

/// Writes the pcap file, and asks for a sample at every minute of it and every second by the wall.
fn write(
    plan: &Plan,
    round: &Round<'_>,
    out: &mut dyn Write,
    sample: &mut dyn FnMut(u64, &mut Samples),
) -> std::io::Result<(Samples, u64)> {
    out.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    out.write_all(&[0, 0, 4, 0, 1, 0, 0, 0])?;
    let (mut samples, mut packets, mut due, mut data) = (Samples::default(), 0, MINUTE, Vec::new());
    let mut last = Instant::now();
    for (number, at, packet) in round.packets() {
        if at >= plan.hours * HOUR {
            break;
        }
        let second_passed = packets % 1_024 == 0 && last.elapsed() >= Duration::from_secs(1);
        if at >= due || second_passed {
            sample(at, &mut samples);
            last = Instant::now();
            due = at - at % MINUTE + MINUTE;
        }
        data.clone_from(&packet.data);
        if plan.ports {
            ports::shift(&mut data, number);
        }
        let time = START * SECOND + at;
        let (seconds, micros) = ((time / SECOND) as u32, (time % SECOND) as u32);
        for word in [seconds, micros, data.len() as u32, packet.wire_len] {
            out.write_all(&word.to_le_bytes())?;
        }
        out.write_all(&data)?;
        packets += 1;
    }
    Ok((samples, packets))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Plan, String> {
        Plan::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn rounds_follow_each_other_without_a_gap_until_the_hours_are_over() {
        let packet = |at| Packet { at, wire_len: 14, data: vec![2; 14] };
        let packets = vec![packet(0), packet(30 * MINUTE - BETWEEN)];
        let capture = Capture { packets, left_out: 0 };
        let round = Round::new(&capture).unwrap();
        let (mut file, mut asked) = (Vec::new(), Vec::new());
        let plan = parse(&["--hours", "2"]).unwrap();
        let written = write(&plan, &round, &mut file, &mut |at, _| asked.push(at)).unwrap();
        assert_eq!((written.1, file.len()), (8, 24 + 8 * 30));
        let read = Capture::paced(&file, u64::MAX).unwrap();
        let times: Vec<u64> = read.packets.iter().map(|packet| packet.at).collect();
        let starts = [0, 30, 60, 90].map(|minutes| minutes * MINUTE);
        assert_eq!(times.iter().copied().step_by(2).collect::<Vec<_>>(), starts);
        assert_eq!(times[1] + BETWEEN, times[2]);
        assert_eq!(asked[..2], [30 * MINUTE - BETWEEN, 30 * MINUTE]);
    }

    #[test]
    fn options_are_held_to_what_they_can_be() {
        let plan = parse(&["a.pcap", "--hours", "3", "--ports", "--store", "x.db"]).unwrap();
        assert_eq!((plan.hours, plan.ports, plan.threads), (3, true, 1));
        assert_eq!(plan.capture.as_deref(), Some(Path::new("a.pcap")));
        for wrong in [&["--hours", "0"][..], &["a.pcap", "b.pcap"], &["--fast"], &["--csv"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn counts_are_those_of_the_statistics() {
        let json = r#"{"packets":1,"stats":{"flows":7,"flows_peak":5,"packets":20}}"#;
        let counts = ["packets", "flows", "flows_peak", "drops"].map(|name| counted(json, name));
        assert_eq!(counts, [Some(20), Some(7), Some(5), None]);
    }

    #[test]
    fn an_empty_capture_cannot_go_round() {
        assert!(Round::new(&Capture::default()).is_none());
    }
}
