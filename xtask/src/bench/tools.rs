//! The programs that are measured, and what a run of one costs.

use std::path::{Path, PathBuf};

use crate::run::{command, find, root, run as run_command, target};

/// What one run costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// User and system time of the whole process and its children, in seconds.
    pub(super) seconds: f64,
    /// Peak of resident memory.
    pub(super) mebibytes: u64,
}

/// One program.
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// Program and arguments; `CAPTURE` and `FOLDER` stand for their paths.
    words: Vec<String>,
}

/// nfstream with statistics of every flow, on one worker.
const NFSTREAM: &str = "import sys
from nfstream import NFStreamer

if __name__ == '__main__':
    flows = NFStreamer(source=sys.argv[1], statistical_analysis=True, n_meters=1)
    print(sum(1 for _ in flows), 'flows')
";

/// Wardwatch, and those of the others that are here or can be had.
pub(super) fn all(folder: &Path) -> Result<Vec<Tool>, String> {
    for (program, package) in [("taskset", "util-linux"), ("time", "time")] {
        if find(program).is_none() {
            return Err(format!("'{program}' is missing: apt-get install {package}"));
        }
    }
    let wardwatch = target().join("release/wardwatch").display().to_string();
    let mut out = vec![Tool::new(
        "wardwatch",
        &[&wardwatch, "analyze", "--quiet", "--out", "FOLDER", "CAPTURE"],
    )];
    match nfstream(folder) {
        Ok(tool) => out.push(tool),
        Err(why) => println!("nfstream is left out: {why}"),
    }
    if find("ndpiReader").is_some() {
        out.push(Tool::new("ndpiReader", &["ndpiReader", "-q", "-i", "CAPTURE"]));
    } else {
        println!("nDPI's reader is left out: apt-get install libndpi-bin");
    }
    Ok(out)
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
    Ok(Tool::new("nfstream", &[&python, &script.display().to_string(), "CAPTURE"]))
}

impl Tool {
    fn new(name: &'static str, words: &[&str]) -> Self {
        Self { name, words: words.iter().map(|word| (*word).to_owned()).collect() }
    }

    /// Runs it once over a capture, on one core.
    pub(super) fn measure(&self, capture: &Path, folder: &Path) -> Result<Cost, String> {
        let out = folder.join("out");
        // What another run has written is not to be written over, but made anew.
        let _ = std::fs::remove_dir_all(&out);
        std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
        let report = folder.join("cost");
        let core = std::thread::available_parallelism().map_or(0, |count| usize::from(count) - 1);
        let mut run = command(&time()?.display().to_string(), &["-f", "%U %S %M", "-o"]);
        run.arg(&report).arg("taskset").args(["-c", &core.to_string()]);
        for word in &self.words {
            match word.as_str() {
                "CAPTURE" => run.arg(capture),
                "FOLDER" => run.arg(&out),
                word => run.arg(word),
            };
        }
        let done = run.current_dir(root()).output().map_err(|error| error.to_string())?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            return Err(format!("{} ended with {}: {}", self.name, done.status, said.trim()));
        }
        let text = std::fs::read_to_string(&report).map_err(|error| error.to_string())?;
        cost(&text).ok_or_else(|| format!("'time' said something unexpected: {text}"))
    }
}

fn time() -> Result<PathBuf, String> {
    find("time").ok_or_else(|| "'time' is missing: apt-get install time".to_owned())
}

/// Reads "user system kibibytes".
fn cost(text: &str) -> Option<Cost> {
    let mut words = text.lines().last()?.split_whitespace();
    let user: f64 = words.next()?.parse().ok()?;
    let system: f64 = words.next()?.parse().ok()?;
    let kibibytes: u64 = words.next()?.parse().ok()?;
    Some(Cost { seconds: user + system, mebibytes: kibibytes.div_ceil(1024) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_add_up() {
        let read = cost("1.25 0.50 20480\n").unwrap();
        assert!((read.seconds - 1.75).abs() < 1e-9 && read.mebibytes == 20);
        assert!(cost("Command exited with non-zero status 1").is_none());
    }
}
