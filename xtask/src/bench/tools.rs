//! The programs that are measured, and what a run of one costs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::run::{cargo, command, find, root, run as run_command, target};

/// What one run costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// User and system time of the whole process and its children, in seconds.
    pub(super) seconds: f64,
    /// From start to end, in seconds.
    pub(super) wall: f64,
    /// Peak of resident memory.
    pub(super) mebibytes: u64,
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Everything, with results as JSON.
    Wardwatch,
    /// Everything, results dropped.
    WithoutOut,
    /// As the first, on two cores.
    TwoThreads,
    /// Five-tuple and table of flows only.
    Floor,
    /// Reads and writes packets.
    Tcpdump,
    /// Flows and protocol names.
    Ndpi,
    /// Statistics of flows.
    Nfstream,
}

impl Who {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Wardwatch => "wardwatch, JSON out",
            Self::WithoutOut => "wardwatch without --out",
            Self::TwoThreads => "wardwatch, JSON out, 2 threads",
            Self::Floor => "physical floor",
            Self::Tcpdump => "tcpdump -w /dev/null",
            Self::Ndpi => "ndpiReader",
            Self::Nfstream => "nfstream with statistics",
        }
    }

    /// On how many cores it may run.
    const fn cores(self) -> usize {
        if matches!(self, Self::TwoThreads) { 2 } else { 1 }
    }
}

/// One program.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) who: Who,
    /// Program and arguments; `CAPTURE` and `FOLDER` stand for their paths.
    words: Vec<String>,
}

/// nfstream with statistics of every flow, on one meter.
const NFSTREAM: &str = "import sys
from nfstream import NFStreamer

if __name__ == '__main__':
    flows = NFStreamer(source=sys.argv[1], statistical_analysis=True, n_meters=1)
    print(sum(1 for _ in flows), 'flows')
";

/// The program that is measured.
pub(super) fn wardwatch() -> PathBuf {
    target().join("release/wardwatch")
}

/// The floor.
pub(super) fn floor() -> PathBuf {
    target().join("release/floor")
}

/// Builds what is ours.
pub(super) fn build() -> Result<(), String> {
    run_command(&mut cargo(&["build", "--release", "--locked", "-p", "wardwatch"]))?;
    let floor = ["build", "--release", "--locked", "-p", "xtask", "--bin", "floor"];
    run_command(&mut cargo(&floor))
}

/// Whether runs can be measured at all.
pub(super) fn can_measure() -> Result<(), String> {
    for (program, package) in [("taskset", "util-linux"), ("time", "time")] {
        if find(program).is_none() {
            return Err(format!("'{program}' is missing: apt-get install {package}"));
        }
    }
    Ok(())
}

/// Wardwatch, and those of the others that are here or can be had.
pub(super) fn all(folder: &Path) -> Vec<Tool> {
    let wardwatch = wardwatch().display().to_string();
    let ours = |who, threads, rest: &[&str]| {
        let words = [&*wardwatch, "analyze", "--quiet", "--threads", threads];
        Tool::new(who, &[&words[..], rest].concat())
    };
    let out = ["--out", "FOLDER", "CAPTURE"];
    let mut all = vec![
        ours(Who::Wardwatch, "1", &out),
        ours(Who::WithoutOut, "1", &["CAPTURE"]),
        Tool::new(Who::Floor, &[&floor().display().to_string(), "CAPTURE"]),
    ];
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        all.push(ours(Who::TwoThreads, "2", &out));
    } else {
        println!("two threads are left out: there is one core");
    }
    if find("tcpdump").is_some() {
        let words = ["tcpdump", "-r", "CAPTURE", "-w", "/dev/null"];
        all.push(Tool::new(Who::Tcpdump, &words));
    } else {
        println!("tcpdump is left out: apt-get install tcpdump");
    }
    if find("ndpiReader").is_some() {
        all.push(Tool::new(Who::Ndpi, &["ndpiReader", "-q", "-i", "CAPTURE"]));
    } else {
        println!("nDPI's reader is left out: apt-get install libndpi-bin");
    }
    match nfstream(folder) {
        Ok(tool) => all.push(tool),
        Err(why) => println!("nfstream is left out: {why}; it needs python3-venv and PyPI"),
    }
    all
}

/// nfstream from PyPI, in a virtual environment of its own.
fn nfstream(folder: &Path) -> Result<Tool, String> {
    let place = folder.join("venv");
    let python = place.join("bin/python").display().to_string();
    if !Path::new(&python).exists() {
        run_command(&mut command("python3", &["-m", "venv", &place.display().to_string()]))?;
    }
    let there = command(&python, &["-c", "import nfstream"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        run_command(&mut command(&python, &["-m", "pip", "install", "--quiet", "nfstream"]))?;
    }
    let script = folder.join("flows.py");
    std::fs::write(&script, NFSTREAM).map_err(|e| format!("{}: {e}", script.display()))?;
    Ok(Tool::new(Who::Nfstream, &[&python, &script.display().to_string(), "CAPTURE"]))
}

impl Tool {
    pub(super) fn new(who: Who, words: &[&str]) -> Self {
        Self { who, words: words.iter().map(|word| (*word).to_owned()).collect() }
    }

    /// Runs it once over a capture.
    pub(super) fn measure(&self, capture: &Path, folder: &Path) -> Result<Cost, String> {
        self.measure_and_hear(capture, folder).map(|(cost, _)| cost)
    }

    /// Runs it once over a capture, pinned to its cores, and hands back what it wrote to standard
    /// output as well.
    pub(super) fn measure_and_hear(
        &self,
        capture: &Path,
        folder: &Path,
    ) -> Result<(Cost, String), String> {
        let out = folder.join("out");
        // What another run has written is not to be written over, but made anew.
        let _ = std::fs::remove_dir_all(&out);
        std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
        let report = folder.join("cost");
        let mut run = command(&find("time").unwrap_or_default().display().to_string(), &[]);
        run.args(["-f", "%U %S %M", "-o"]).arg(&report);
        run.args(["taskset", "-c", &cores(self.who.cores())]);
        for word in &self.words {
            match word.as_str() {
                "CAPTURE" => run.arg(capture),
                "FOLDER" => run.arg(&out),
                word => run.arg(word),
            };
        }
        let begun = Instant::now();
        let done = run.current_dir(root()).output().map_err(|error| error.to_string())?;
        let wall = begun.elapsed().as_secs_f64();
        let _ = std::fs::remove_dir_all(&out);
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let said: Vec<&str> = said.lines().rev().take(3).collect();
            return Err(format!("ended with {}: {}", done.status, said.join(" / ")));
        }
        let text = std::fs::read_to_string(&report).map_err(|error| error.to_string())?;
        let cost = cost(&text, wall).ok_or_else(|| format!("'time' said: {text}"))?;
        Ok((cost, String::from_utf8_lossy(&done.stdout).into_owned()))
    }
}

/// The last cores, as `taskset` wants them: the first one has the interrupts.
fn cores(count: usize) -> String {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}-{}", all.saturating_sub(count), all - 1)
}

/// Median milliseconds from starting `wardwatch analyze` on a capture to its end, and its peak of
/// memory in MiB.
pub(super) fn start(capture: &Path, folder: &Path, runs: usize) -> Result<(f64, u64), String> {
    let mut walls = Vec::new();
    for _ in 0..runs {
        let mut run = Command::new(wardwatch());
        run.args(["analyze", "--quiet"]).arg(capture).current_dir(root());
        let begun = Instant::now();
        run.output().map_err(|error| error.to_string())?;
        walls.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let words = [&*wardwatch().display().to_string(), "analyze", "--quiet", "CAPTURE"];
    let cost = Tool::new(Who::WithoutOut, &words).measure(capture, folder)?;
    Ok((super::table::median(walls), cost.mebibytes))
}

/// Reads "user system kibibytes".
fn cost(text: &str, wall: f64) -> Option<Cost> {
    let mut words = text.lines().last()?.split_whitespace();
    let user: f64 = words.next()?.parse().ok()?;
    let system: f64 = words.next()?.parse().ok()?;
    let kibibytes: u64 = words.next()?.parse().ok()?;
    // 'time' counts in hundredths; less than half of one is shown as none.
    let seconds = (user + system).max(0.005);
    Some(Cost { seconds, wall, mebibytes: kibibytes.div_ceil(1024) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_add_up() {
        let read = cost("1.25 0.50 20480\n", 2.0).unwrap();
        assert!((read.seconds - 1.75).abs() < 1e-9 && read.mebibytes == 20);
        assert!(cost("Command exited with non-zero status 1", 2.0).is_none());
    }
}
