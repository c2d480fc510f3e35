//! A folder with a capture and the truth beside it: a made-up hospital, or a real one whose attacks
//! somebody wrote down.
//!
//! ```text
//! capture.pcap      or any *.pcap, *.pcapng, also .gz and .zst, read in the order of their names
//! truth.json        what happened, when, by whom
//! hosts.json        name, address and Ethernet address of every host
//! phases.json       where normal life alone ends
//! packets.labels    optional: which packets belong to which event
//! syslog.log, audit.ndjson   optional: what devices and applications wrote
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use drill::labels::{self, Run};
use drill::{HostEntry, Phases, Truth};
use model::Timestamp;
use serde::de::DeserializeOwned;

/// What is known of a site.
#[derive(Clone, Debug)]
pub struct Site {
    /// Name of the folder.
    pub name: String,
    /// Captures in order.
    pub captures: Vec<PathBuf>,
    /// Log files.
    pub logs: Vec<PathBuf>,
    /// What befell it.
    pub truth: Vec<Truth>,
    /// Its hosts, by name.
    pub hosts: BTreeMap<String, HostEntry>,
    /// When normal life alone ends.
    pub learn_until: Timestamp,
    /// Which packets belong to which event, where that is known.
    pub labels: Option<Vec<Run>>,
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path}: {why}")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is nothing to analyse.
    #[error("{0}: holds no capture (*.pcap, *.pcapng, also .gz or .zst)")]
    NoCapture(PathBuf),
    /// There is nothing to compare with.
    #[error(
        "{0}: holds no truth.json: what cannot be compared with the truth cannot be validated; \
         docs/validation.md says what has to be in it"
    )]
    NoTruth(PathBuf),
}

impl Site {
    /// Reads everything but the captures themselves.
    ///
    /// # Errors
    /// When a file is missing or does not hold what it should.
    pub fn read(folder: &Path) -> Result<Self, SiteError> {
        if !folder.join("truth.json").is_file() {
            return Err(SiteError::NoTruth(folder.to_owned()));
        }
        let captures = captures(folder)?;
        let phases: Phases = json(&folder.join("phases.json"))?;
        let path = folder.join("packets.labels");
        let labels = if path.is_file() {
            let read = labels::read(&text(&path)?);
            Some(read.map_err(|why| SiteError::Malformed { path, why: why.to_string() })?)
        } else {
            None
        };
        let logs = ["syslog.log", "audit.ndjson"].map(|name| folder.join(name));
        let name = folder.file_name().unwrap_or(folder.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            captures,
            logs: logs.into_iter().filter(|path| path.is_file()).collect(),
            truth: json(&folder.join("truth.json"))?,
            hosts: json(&folder.join("hosts.json"))?,
            learn_until: Timestamp::from_seconds_f64(phases.baseline_end_epoch),
            labels,
        })
    }

    /// The event that a packet belongs to, where packets are labelled.
    pub fn event_of(&self, packet: u64) -> Option<u32> {
        self.labels.as_ref().and_then(|runs| labels::event_of(runs, packet))
    }

    /// Name of the host with an address, and its Ethernet address.
    pub fn host(&self, ip: IpAddr) -> Option<(&str, &HostEntry)> {
        let ip = ip.to_string();
        self.hosts.iter().find(|(_, host)| host.ip == ip).map(|(name, host)| (&**name, host))
    }
}

fn captures(folder: &Path) -> Result<Vec<PathBuf>, SiteError> {
    let unreadable = |source| SiteError::Unreadable { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let plain = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        if plain.ends_with(".pcap") || plain.ends_with(".pcapng") {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() { Err(SiteError::NoCapture(folder.to_owned())) } else { Ok(found) }
}

fn text(path: &Path) -> Result<String, SiteError> {
    fs::read_to_string(path)
        .map_err(|source| SiteError::Unreadable { path: path.to_owned(), source })
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, SiteError> {
    serde_json::from_str(&text(path)?)
        .map_err(|why| SiteError::Malformed { path: path.to_owned(), why: why.to_string() })
}
