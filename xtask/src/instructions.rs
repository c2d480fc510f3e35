//! `cargo xtask counts`: instructions a packet, stage by stage, against what they were.
//!
//! Seconds depend on the machine and on what else it does; the instructions that `valgrind
//! --tool=callgrind` counts hardly do, so that a stage that became dearer is seen in continuous
//! integration. The captures of `testdata/` named in [`MIX`] are laid end to end, each stage runs
//! over them and over a single packet, and the difference is divided by the packets: what starting
//! up costs is no part of it, and a figure of its own.
//!
//! What shifts figures without any change here: another compiler, another valgrind, a processor
//! without AVX2 (libraries choose their loops by it), another C library, captures that were changed.
//! Then look at the difference, and write the new figures with `--renew` in a commit that says why.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::bench;
use crate::run::{cargo, command, find, output, root, run as run_command, shown, target};

/// Where the figures are.
const FILE: &str = "xtask/counts.toml";

/// So many per cent more are let pass.
const MOST_PERCENT: f64 = 8.0;

/// So many per cent less ask for new figures, so that what was won is not lost again unseen.
const LEAST_PERCENT: f64 = -8.0;

/// Packets that the captures are laid to.
const PACKETS: u64 = 20_000;

/// Captures of `testdata/`. Named, so that a new capture does not shift the figures.
const MIX: &[&str] = &[
    "arp/arp.pcap",
    "astm/session.pcap",
    "dhcp/dhcp.pcap",
    "dicom/associations.pcap",
    "dicom/get.pcap",
    "dicom/move.pcap",
    "dicom/query.pcap",
    "dicom/store.pcap",
    "dicom/worklist.pcap",
    "dns/dns.pcap",
    "hl7/dialects.pcap",
    "hl7/vitals.pcap",
    "http/fhir-console.pcap",
    "icmp/icmp.pcap",
    "mqtt/mosquitto.pcap",
    "ntp/ntp.pcap",
    "remote/ftp.pcap",
    "remote/rdp.pcap",
    "remote/ssh.pcap",
    "remote/telnet.pcap",
    "remote/vnc.pcap",
    "smb/smb1.pcap",
    "smb/smb2.pcap",
    "smb/smb3_encrypted.pcap",
    "syslog/logger.pcap",
    "tls/openssl.pcap",
];

/// Stages of program `stages`; each holds the ones before.
const STAGES: [&str; 6] = ["read", "decode", "flows", "streams", "parsers", "detectors"];

/// The program itself, with its results written as JSON.
const WHOLE: &str = "json";

/// All instructions of the program over one packet.
const START: &str = "start";

/// Figures by name, and what they were taken with.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    /// Compiler and valgrind.
    with: String,
    counts: BTreeMap<String, u64>,
}

/// Counts, and compares or renews.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let renew = match arguments {
        [] => false,
        [only] if only == "--renew" => true,
        _ => return Err("takes no arguments but --renew".to_owned()),
    };
    let measured = measure()?;
    let file = root().join(FILE);
    if renew {
        std::fs::write(&file, measured.text()).map_err(|error| format!("{FILE}: {error}"))?;
        println!("{FILE}");
        return Ok(());
    }
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let (lines, dearer) = compared(&Figures::read(&text), &measured);
    print!("{lines}");
    if dearer.is_empty() {
        return Ok(());
    }
    Err(format!(
        "dearer by more than {MOST_PERCENT} %: {}. If that is meant, run 'cargo xtask counts --renew' and \
         say why in the commit",
        dearer.join(", ")
    ))
}

impl Figures {
    fn read(text: &str) -> Self {
        let mut out = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.split_once(" = ") else { continue };
            if name == "with" {
                value.trim_matches('"').clone_into(&mut out.with);
            } else if let Ok(count) = value.replace('_', "").parse() {
                out.counts.insert(name.to_owned(), count);
            }
        }
        out
    }

    fn text(&self) -> String {
        let mut out = format!(
            "# Instructions a packet up to each stage, each with the ones before; for '{START}' those of a \
             whole run over one packet.\n# Written by 'cargo xtask counts --renew'.\nwith = \"{}\"\n",
            self.with
        );
        for name in names() {
            if let Some(count) = self.counts.get(name) {
                let _ = writeln!(out, "{name} = {count}");
            }
        }
        out
    }
}

/// All figures, in the order of the way of a packet.
fn names() -> impl Iterator<Item = &'static str> {
    STAGES.into_iter().chain([WHOLE, START])
}

/// One line for each figure, and what became dearer.
fn compared(kept: &Figures, measured: &Figures) -> (String, Vec<String>) {
    let (mut lines, mut dearer, mut cheaper) = (String::new(), Vec::new(), false);
    for name in names() {
        let now = measured.counts.get(name).copied().unwrap_or_default();
        let Some(&before) = kept.counts.get(name) else {
            let _ = writeln!(lines, "{name:10} {now:>12}, nothing to compare with");
            dearer.push(format!("{name} (no figure is kept)"));
            continue;
        };
        let percent = (now as f64 / before.max(1) as f64 - 1.0) * 100.0;
        let _ =
            writeln!(lines, "{name:10} {now:>12} instructions, were {before:>12}: {percent:+.1} %");
        if percent > MOST_PERCENT {
            dearer.push(format!("{name} {percent:+.1} %"));
        }
        cheaper |= percent < LEAST_PERCENT;
    }
    if cheaper {
        lines.push_str("cheaper: run 'cargo xtask counts --renew', so that it stays so\n");
    }
    if kept.with != measured.with {
        let _ = writeln!(lines, "taken with {}; this is {}", kept.with, measured.with);
    }
    (lines, dearer)
}

/// Builds what is counted, and counts.
fn measure() -> Result<Figures, String> {
    let valgrind = find("valgrind").ok_or("'valgrind' is missing: apt-get install valgrind")?;
    run_command(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "-p",
        "wardwatch",
        "-p",
        "chores",
        "--bins",
    ]))?;
    let folder = target().join("counts");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mix: Vec<PathBuf> = MIX.iter().map(|name| root().join("testdata").join(name)).collect();
    let (long, packets) = bench::mix(&mix, PACKETS, &folder)?;
    let one = folder.join("one.pcap");
    bench::one_packet(&one)?;
    let configuration = folder.join("wardwatch.toml");
    let key = folder.join("site.key");
    std::fs::write(&key, [7; 32])
        .and_then(|()| {
            let text = format!("[privacy]\nkey_file = \"{}\"\n", key.display());
            std::fs::write(&configuration, text)
        })
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut counts = BTreeMap::new();
    let mut add = |name: &str, count: u64| {
        println!("{name}: {count}");
        counts.insert(name.to_owned(), count);
    };
    let stages = target().join("release/stages");
    for stage in STAGES {
        let count = |capture: &Path| instructions(&valgrind, &stages, &[Path::new(stage), capture]);
        add(stage, count(&long)?.saturating_sub(count(&one)?) / packets);
    }
    let wardwatch = target().join("release/wardwatch");
    let whole = |capture: &Path| {
        let out = folder.join("out");
        let words = [
            Path::new("analyze"),
            Path::new("--quiet"),
            Path::new("--config"),
            &configuration,
            Path::new("--out"),
            &out,
            capture,
        ];
        instructions(&valgrind, &wardwatch, &words)
    };
    let start = whole(&one)?;
    add(WHOLE, whole(&long)?.saturating_sub(start) / packets);
    add(START, start);
    Ok(Figures { with: with(&valgrind)?, counts })
}

/// Compiler and valgrind.
fn with(valgrind: &Path) -> Result<String, String> {
    let compiler = output(&mut command("rustc", &["--version"]))?;
    let valgrind = output(&mut command(&valgrind.display().to_string(), &["--version"]))?;
    let compiler: Vec<&str> = compiler.split_whitespace().take(2).collect();
    Ok(format!("{}, {}", compiler.join(" "), valgrind.trim()))
}

/// Instructions of one run.
fn instructions(valgrind: &Path, program: &Path, arguments: &[&Path]) -> Result<u64, String> {
    let mut run = Command::new(valgrind);
    run.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    run.args(arguments).current_dir(root());
    let done = run.output().map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    let count = done.status.success().then(|| collected(&said)).flatten();
    count.ok_or_else(|| format!("'{}' ended with {}: {said}", shown(&run), done.status))
}

/// Reads "==123== Collected : 4567".
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(with: &str, decode: u64) -> Figures {
        let mut counts: BTreeMap<String, u64> =
            names().map(|name| (name.to_owned(), 1_000)).collect();
        counts.insert("decode".to_owned(), decode);
        Figures { with: with.to_owned(), counts }
    }

    #[test]
    fn a_stage_that_became_dearer_is_named_and_one_that_became_cheaper_is_to_be_kept() {
        let kept = figures("a", 1_000);
        assert_eq!(compared(&kept, &figures("a", 1_079)).1, Vec::<String>::new());
        assert_eq!(compared(&kept, &figures("a", 1_090)).1, ["decode +9.0 %"]);
        let (lines, dearer) = compared(&kept, &figures("b", 900));
        assert!(
            dearer.is_empty() && lines.contains("--renew") && lines.contains("with a; this is b")
        );
        assert_eq!(compared(&Figures::default(), &kept).1.len(), names().count());
    }

    #[test]
    fn figures_are_read_as_they_were_written() {
        let figures = figures("rustc 1, valgrind-3", 77);
        assert_eq!(Figures::read(&figures.text()), figures);
    }

    #[test]
    fn the_sum_is_found_in_what_callgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(collected(said), Some(123_456));
        assert_eq!(collected("==7== killed"), None);
    }

    #[test]
    fn every_capture_of_the_mix_is_there() {
        for name in MIX {
            assert!(root().join("testdata").join(name).is_file(), "{name}");
        }
    }
}
