//! Every protocol is there in a capture of real traffic, and every fuzz target has inputs to begin
//! with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use capture::Files;
use model::privacy::SiteKey;
use pipeline::worker::Worker;
use wire::Config;

use crate::fault::Fault;
use crate::seeds;

/// Protocols without a capture of their own, and why.
const EXEMPT: [(&str, &str); 1] = [("llmnr", "its messages are those of DNS, on another port")];

/// All captures of `testdata/`, by path.
pub(crate) fn files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut out = Vec::new();
    let mut open = vec![root.join("testdata")];
    while let Some(folder) = open.pop() {
        let entries =
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let ending = path.extension().unwrap_or_default();
            if path.is_dir() {
                open.push(path);
            } else if ending == "pcap" || ending == "pcapng" {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

/// What is missing.
pub(crate) fn faults(root: &Path) -> Result<Vec<Fault>, String> {
    let seen = recognised(&files(root)?)?;
    let mut out = Vec::new();
    for spec in protocols::ALL.iter().map(|protocol| protocol.spec()) {
        if let Some((name, why)) = EXEMPT.iter().find(|(name, _)| *name == spec.name) {
            println!("{name} needs no capture: {why}");
        } else if !seen.contains(spec.name) {
            let what = format!("no capture of testdata/ is recognised as '{}'", spec.name);
            let advice =
                "Capture a real client and server into testdata/, with a README.md that says which";
            out.push(Fault::named(spec.name, what, advice));
        }
    }
    for folder in files(root)?.iter().filter_map(|file| file.parent()).collect::<BTreeSet<_>>() {
        if !folder.join("README.md").is_file() {
            let advice = "Say with what it was captured, when, and under which licence";
            let shown = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
            out.push(Fault::file(&shown, "captures without a README.md", advice));
        }
    }
    for target in seeds::targets() {
        let folder = format!("fuzz/corpus/{target}");
        let any = std::fs::read_dir(root.join(&folder)).is_ok_and(|mut all| all.next().is_some());
        if !any {
            let advice = "Run 'cargo run -p chores -- seeds'";
            out.push(Fault::file(&folder, "fuzz target without inputs to begin with", advice));
        }
    }
    Ok(out)
}

/// Names of all protocols that the product recognises in captures.
fn recognised(files: &[PathBuf]) -> Result<BTreeSet<String>, String> {
    let mut out = BTreeSet::new();
    for file in files {
        // A worker for each: captures of different years are no one stretch of time.
        let mut worker = Worker::new(Config::default(), SiteKey::new(b"chores"));
        let mut chain = Files::new([file]);
        while let Some(block) = chain.next_block().map_err(|error| error.to_string())? {
            for (number, packet) in (block.first_packet()..).zip(block.packets()) {
                worker.packet(number, &packet);
            }
        }
        worker.finish(chain.packets_read());
        let told = worker.take();
        let observations = told.iter();
        out.extend(
            observations
                .filter(|o| o.is("flow.protocol"))
                .filter_map(|o| o.str("protocol").map(str::to_owned)),
        );
    }
    Ok(out)
}
