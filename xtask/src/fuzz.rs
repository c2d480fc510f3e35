//! `cargo xtask fuzz`: libFuzzer on the stable compiler.
//!
//! cargo-fuzz wants a nightly compiler, for AddressSanitizer. This code has next to no unsafe in
//! what is fuzzed, so that coverage is enough: LLVM's pass for it can be asked for on stable. The
//! target triple is named so that build scripts and macros are compiled without.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Outcome;
use crate::run::{cargo, command, output, root, run as run_command};

/// Seconds for each target where nobody says.
const SECONDS: u32 = 30;

/// What LLVM puts into every branch and comparison, and what Rust checks beside.
const FLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing -Cdebug-assertions -Ccodegen-units=1";

/// Limits of one run: memory in MiB, seconds for one input, its length. The seconds are those of the
/// wall: on a machine with other work to do, a few go by without any of them being ours.
const LIMITS: [&str; 3] = ["-rss_limit_mb=1024", "-timeout=30", "-max_len=65536"];

/// Longest input that is kept, and most of them for a target.
const KEPT_LENGTH: &str = "-max_len=2048";
const KEPT: usize = 24;

/// What names of kept inputs begin with: `chores seeds` writes the others anew.
const FOUND: &str = "found-";

/// Fuzzes the targets named, or all.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (mut seconds, mut keeps) = (SECONDS, false);
    let mut targets = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let number = rest.next().and_then(|text| text.parse().ok());
            seconds = number.ok_or("--seconds needs a whole number")?;
        } else if argument == "--keep" {
            keeps = true;
        } else {
            targets.push(argument.clone());
        }
    }
    let known = known()?;
    if targets.is_empty() {
        targets.clone_from(&known);
    }
    if let Some(unknown) = targets.iter().find(|target| !known.contains(target)) {
        return Err(format!("no target '{unknown}'; there are: {}", known.join(", ")));
    }
    let program = build()?;
    let done = fuzz(&program, &targets, seconds);
    // What one target broke on is no reason to lose what the others found.
    for target in targets.iter().filter(|_| keeps) {
        let count = keep(&program, target)?;
        println!("{target:18} {count:>9} kept");
    }
    done
}

/// Fuzzes every target for so long, and says how many there are.
///
/// # Errors
/// When it cannot be built, or a target broke: which, and where the input is.
pub(crate) fn all(seconds: u32) -> Result<u64, String> {
    let targets = known()?;
    let program = build()?;
    fuzz(&program, &targets, seconds)?;
    Ok(targets.len() as u64)
}

/// Every target has a folder of inputs to begin with.
fn known() -> Result<Vec<String>, String> {
    let folder = root().join("fuzz/corpus");
    let entries = std::fs::read_dir(&folder).map_err(|error| {
        format!("{}: {error}: run 'cargo run -p chores -- seeds'", folder.display())
    })?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Builds the one program of all targets.
fn build() -> Result<PathBuf, String> {
    let about = output(&mut command("rustc", &["-vV"]))?;
    let triple = about.lines().find_map(|line| line.strip_prefix("host: "));
    let triple = triple.ok_or("rustc -vV names no host")?;
    let folder = root().join("fuzz/target");
    let manifest = root().join("fuzz/Cargo.toml");
    // Not --locked: its lock file is beside the workspace's and follows it by itself.
    let mut build = cargo(&["build", "--release", "--target", triple, "--manifest-path"]);
    build.arg(&manifest).arg("--target-dir").arg(&folder);
    // The flags of another build would be added, and the cache lost with them.
    build.env("RUSTFLAGS", FLAGS).env_remove("CARGO_ENCODED_RUSTFLAGS");
    run_command(&mut build)?;
    Ok(folder.join(triple).join("release/wardwatch-fuzz"))
}

/// Takes over what was found of a target; how many inputs.
fn keep(program: &Path, target: &str) -> Result<usize, String> {
    let place = root().join("fuzz/target").join(target);
    let (corpus, merged) = (root().join("fuzz/corpus").join(target), place.join("merged"));
    let failed = |error: std::io::Error| format!("{}: {error}", merged.display());
    let _ = std::fs::remove_dir_all(&merged);
    std::fs::create_dir_all(&merged).map_err(failed)?;
    let before = files(&corpus).map_err(failed)?;
    let kept = before.iter().filter(|name| name.starts_with(FOUND)).count();
    for name in &before {
        std::fs::copy(corpus.join(name), merged.join(name)).map_err(failed)?;
    }
    // By branches alone: how often each is taken would keep ten times as many.
    let mut merge = Command::new(program);
    merge.args(["-set_cover_merge=1", "-use_counters=0", KEPT_LENGTH]).args(LIMITS);
    merge.arg(&merged).arg(place.join("corpus"));
    merge.env("WARDWATCH_FUZZ_TARGET", target).current_dir(root());
    output(&mut merge)?;
    let mut new = Vec::new();
    for name in files(&merged).map_err(failed)?.into_iter().filter(|name| !before.contains(name)) {
        let length = std::fs::metadata(merged.join(&name)).map_err(failed)?.len();
        new.push((length, name));
    }
    new.sort();
    // Spread over all lengths.
    let room = KEPT.saturating_sub(kept);
    let step = new.len().div_ceil(room.max(1)).max(1);
    let chosen: Vec<_> = new.into_iter().rev().step_by(step).take(room).collect();
    for (_, name) in &chosen {
        let short = name.get(..12).unwrap_or(name);
        std::fs::copy(merged.join(name), corpus.join(format!("{FOUND}{short}"))).map_err(failed)?;
    }
    Ok(chosen.len())
}

/// Names of the files in a folder.
fn files(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)?.flatten();
    Ok(entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// One target that runs.
struct Running {
    target: String,
    log: PathBuf,
    child: Child,
}

/// Runs targets, as many at once as there are cores. All of them run, whatever becomes of one.
fn fuzz(program: &PathBuf, targets: &[String], seconds: u32) -> Outcome {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut broken = Vec::new();
    for some in targets.chunks(cores) {
        let running: Result<Vec<Running>, String> =
            some.iter().map(|target| start(program, target, seconds)).collect();
        for one in running? {
            broken.extend(finish(one)?);
        }
    }
    println!("{} targets, {seconds} s each", targets.len());
    if broken.is_empty() { Ok(()) } else { Err(format!("broken: {}", broken.join(", "))) }
}

fn start(program: &PathBuf, target: &str, seconds: u32) -> Result<Running, String> {
    let place = root().join("fuzz/target").join(target);
    let (found, artifacts) = (place.join("corpus"), place.join("artifacts/"));
    for folder in [&found, &artifacts] {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let log = place.join("log");
    let file = std::fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
    let mut run = Command::new(program);
    // New inputs go into the first folder; the seeds stay as they are.
    run.arg(&found).arg(root().join("fuzz/corpus").join(target));
    run.arg(format!("-max_total_time={seconds}")).args(LIMITS).arg("-print_final_stats=1");
    run.arg(format!("-artifact_prefix={}", artifacts.display()));
    run.env("WARDWATCH_FUZZ_TARGET", target).current_dir(root());
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let child = run.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(Running { target: target.to_owned(), log, child })
}

/// Waits for a target, says how it went, and hands back its name where it broke.
fn finish(mut one: Running) -> Result<Option<String>, String> {
    let status = one.child.wait().map_err(|error| error.to_string())?;
    let bytes = std::fs::read(&one.log).map_err(|e| format!("{}: {e}", one.log.display()))?;
    let said = String::from_utf8_lossy(&bytes);
    let runs = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let runs = runs.map_or("?", str::trim);
    if status.success() {
        println!("{:18} {runs:>9} inputs", one.target);
        return Ok(None);
    }
    println!("{:18} {runs:>9} inputs, BROKEN; the end of {}:", one.target, one.log.display());
    let lines: Vec<&str> = said.lines().collect();
    for line in lines.get(lines.len().saturating_sub(40)..).unwrap_or_default() {
        println!("    {line}");
    }
    Ok(Some(one.target))
}
