//! Fuzz targets. Each takes bytes and must neither panic nor hang nor grow without bound; some also
//! hold what comes out against a simpler way to the same answer.
//!
//! Every protocol of `protocols::ALL` is a target by its name, every format of `logs::formats::ALL` by
//! `log_` and its name; the others are in [`OTHERS`].
#![forbid(unsafe_code)]

mod chain;
mod format;
mod packets;
mod protocol;
mod reassembly;

use std::sync::OnceLock;

use logs::LogFormat;
use protocols::Protocol;

/// What the environment variable is called that says which target to run.
const CHOICE: &str = "WARDWATCH_FUZZ_TARGET";

/// Targets that are neither a protocol nor a log format.
pub const OTHERS: &[(&str, fn(&[u8]))] = &[
    ("arp", protocol::arp),
    ("capture", chain::capture),
    ("packets", packets::run),
    ("pipeline", chain::pipeline),
    ("reassembly", reassembly::run),
    ("records", format::records),
];

/// One target.
enum Target {
    Protocol(&'static dyn Protocol),
    Format(&'static dyn LogFormat),
    Other(fn(&[u8])),
}

/// Runs the chosen target once.
pub fn run(input: &[u8]) {
    static TARGET: OnceLock<Target> = OnceLock::new();
    match TARGET.get_or_init(chosen) {
        Target::Protocol(protocol) => protocol::run(*protocol, input),
        Target::Format(format) => format::run(*format, input),
        Target::Other(run) => run(input),
    }
}

fn chosen() -> Target {
    let name = std::env::var(CHOICE).unwrap_or_default();
    if let Some(protocol) = protocols::ALL.iter().find(|p| p.spec().name == name) {
        return Target::Protocol(*protocol);
    }
    if let Some(format) = name.strip_prefix("log_").and_then(logs::formats::by_name) {
        return Target::Format(format);
    }
    if let Some((_, run)) = OTHERS.iter().find(|(other, _)| *other == name) {
        return Target::Other(*run);
    }
    eprintln!("{CHOICE}='{name}' is no target; targets are:");
    for protocol in protocols::ALL {
        eprintln!("  {}", protocol.spec().name);
    }
    for format in logs::formats::ALL {
        eprintln!("  log_{}", format.spec().name);
    }
    for (name, _) in OTHERS {
        eprintln!("  {name}");
    }
    std::process::exit(2)
}
