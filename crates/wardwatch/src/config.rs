//! Configuration: every key with its unit, default and meaning.
//!
//! [`KEYS`] is the one table: `wardwatch config init` writes it as a file, the reference in
//! `docs/configuration.md` is made from it, and a test holds it against the types below.

mod keys;

use learn::behaviour::Tolerance;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::evidence;
use serde::{Deserialize, Serialize};

pub(crate) use keys::KEYS;

/// Folder for the packets of cases, in the data folder.
pub(crate) const EVIDENCE: &str = "evidence";

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) site: Site,
    pub(crate) learning: Learning,
    pub(crate) capture: CaptureConfig,
    pub(crate) evidence: EvidenceConfig,
    pub(crate) limits: Limits,
    pub(crate) logs: Logs,
    pub(crate) store: StoreConfig,
    pub(crate) server: ServerConfig,
    pub(crate) privacy: Privacy,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) internal: Vec<String>,
    pub(crate) clinical: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Learning {
    pub(crate) seconds: f64,
    pub(crate) settle_days: f64,
    pub(crate) case_minutes: f64,
    pub(crate) models: bool,
    pub(crate) false_alerts: f64,
    pub(crate) shift_hours: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CaptureConfig {
    pub(crate) interfaces: Vec<String>,
    pub(crate) threads: usize,
    pub(crate) ring_mib: u32,
    pub(crate) promiscuous: bool,
    pub(crate) user: String,
}

/// What is kept of the packets of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EvidenceKept {
    #[default]
    Off,
    Headers,
    Full,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EvidenceConfig {
    pub(crate) keep: EvidenceKept,
    pub(crate) ring_mib: u32,
    pub(crate) case_mib: u64,
    pub(crate) total_mib: u64,
    pub(crate) before_seconds: u64,
    pub(crate) after_seconds: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) flows: usize,
    pub(crate) flow_mib: usize,
    pub(crate) reassembly_mib: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Logs {
    pub(crate) syslog_udp: Option<SocketAddr>,
    pub(crate) syslog_tcp: Option<SocketAddr>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreConfig {
    pub(crate) max_mib: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerConfig {
    pub(crate) listen: SocketAddr,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Privacy {
    pub(crate) key_file: Option<PathBuf>,
}

impl Default for Site {
    fn default() -> Self {
        Self { name: "hospital".to_owned(), internal: Vec::new(), clinical: Vec::new() }
    }
}

impl Default for Learning {
    fn default() -> Self {
        let engine = detect::Settings::default();
        Self {
            seconds: engine.learning_seconds,
            settle_days: engine.settle_days,
            case_minutes: engine.case_minutes,
            models: engine.models,
            false_alerts: engine.tolerance.false_alerts,
            shift_hours: engine.tolerance.shift_hours,
        }
    }
}

impl Default for CaptureConfig {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            threads: 1,
            ring_mib: 4,
            promiscuous: true,
            user: "nobody".to_owned(),
        }
    }
}

impl Default for EvidenceConfig {
    fn default() -> Self {
        Self {
            keep: EvidenceKept::Off,
            ring_mib: 16,
            case_mib: 16,
            total_mib: 1_024,
            before_seconds: 10,
            after_seconds: 30,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { flows: 1 << 20, flow_mib: 1_024, reassembly_mib: 64 }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { max_mib: 2_048 }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8_470)) }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// It cannot be read.
    #[error(
        "{path}: cannot be read: {source}. Give another file with --config, or leave it out for the defaults"
    )]
    Read { path: String, source: std::io::Error },
    /// It is no TOML, or has an unknown key or a wrong value.
    #[error("{path}: {detail}\nRun 'wardwatch config init' for every key with its default")]
    Parse { path: String, detail: String },
    /// A value is out of range.
    #[error("{path}: {section}.{name}: {detail}")]
    Value { path: String, section: &'static str, name: &'static str, detail: String },
}

impl Config {
    /// From a file, or the defaults where there is none.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: shown.clone(),
            detail: error.to_string().trim_end().to_owned(),
        })?;
        config.check(&shown)?;
        Ok(config)
    }

    fn check(&self, path: &str) -> Result<(), ConfigError> {
        let refuse = |section, name, detail: String| ConfigError::Value {
            path: path.to_owned(),
            section,
            name,
            detail,
        };
        for (name, ranges) in [("internal", &self.site.internal), ("clinical", &self.site.clinical)]
        {
            for range in ranges {
                parse_range(range).map_err(|detail| refuse("site", name, detail))?;
            }
        }
        let times = [
            ("seconds", self.learning.seconds),
            ("settle_days", self.learning.settle_days),
            ("case_minutes", self.learning.case_minutes),
            ("false_alerts", self.learning.false_alerts),
            ("shift_hours", self.learning.shift_hours),
        ];
        for (name, value) in times {
            if !(value.is_finite() && value >= 0.0) {
                return Err(refuse(
                    "learning",
                    name,
                    format!("{value} is no time: give 0 or more"),
                ));
            }
        }
        if !(1..=64).contains(&self.capture.threads) {
            let detail = format!("{} is out of range: give 1 to 64", self.capture.threads);
            return Err(refuse("capture", "threads", detail));
        }
        if !(1..=4_096).contains(&self.capture.ring_mib) {
            let detail = format!("{} is out of range: give 1 to 4096", self.capture.ring_mib);
            return Err(refuse("capture", "ring_mib", detail));
        }
        let evidence = &self.evidence;
        let ranges = [
            ("ring_mib", u64::from(evidence.ring_mib), 0..=4_096),
            ("case_mib", evidence.case_mib, 1..=evidence.total_mib.min(65_536)),
            ("total_mib", evidence.total_mib, 1..=16 << 20),
            ("before_seconds", evidence.before_seconds, 0..=3_600),
            ("after_seconds", evidence.after_seconds, 0..=3_600),
        ];
        for (name, value, range) in ranges {
            if !range.contains(&value) {
                let detail =
                    format!("{value} is out of range: give {} to {}", range.start(), range.end());
                return Err(refuse("evidence", name, detail));
            }
        }
        if self.limits.flows < 1_000 {
            let detail = format!("{} is too few: give 1000 or more", self.limits.flows);
            return Err(refuse("limits", "flows", detail));
        }
        if self.store.max_mib < 16 {
            let detail = format!("{} is too small: give 16 or more", self.store.max_mib);
            return Err(refuse("store", "max_mib", detail));
        }
        Ok(())
    }

    /// False alerts that people can bear.
    pub(crate) fn tolerance(&self) -> Tolerance {
        let Learning { false_alerts, shift_hours, .. } = self.learning;
        Tolerance { false_alerts, shift_hours }
    }

    /// As the inventory wants it.
    pub(crate) fn inventory(&self) -> assets::Settings {
        let ranges = |texts: &[String]| {
            texts.iter().filter_map(|text| parse_range(text).ok()).collect::<Vec<_>>()
        };
        assets::Settings {
            internal: ranges(&self.site.internal),
            clinical: ranges(&self.site.clinical),
            ..assets::Settings::default()
        }
    }

    /// How evidence is kept in a data folder, where it is.
    pub(crate) fn evidence(&self, data: &Path) -> Option<evidence::Plan> {
        let config = &self.evidence;
        let keep = match config.keep {
            EvidenceKept::Off => return None,
            EvidenceKept::Headers => evidence::Keep::Headers,
            EvidenceKept::Full => evidence::Keep::Full,
        };
        (config.ring_mib > 0).then(|| evidence::Plan {
            folder: data.join(EVIDENCE),
            keep,
            ring_bytes: (config.ring_mib as usize) << 20,
            case_bytes: config.case_mib << 20,
            total_bytes: config.total_mib << 20,
            before: Duration::from_secs(config.before_seconds),
            after: Duration::from_secs(config.after_seconds),
        })
    }

    /// As the flow engine wants it.
    pub(crate) fn wire(&self) -> wire::Config {
        wire::Config {
            max_flows: self.limits.flows,
            max_flow_bytes: self.limits.flow_mib << 20,
            max_held_bytes: self.limits.reassembly_mib << 20,
            ..wire::Config::default()
        }
    }
}

/// "10.0.0.0/8" as an address and a length.
fn parse_range(text: &str) -> Result<(std::net::IpAddr, u8), String> {
    let refuse = || format!("'{text}' is no address range: give one such as 192.0.2.0/24");
    let (ip, bits) = text.split_once('/').ok_or_else(refuse)?;
    let ip: std::net::IpAddr = ip.parse().map_err(|_| refuse())?;
    let bits: u8 = bits.parse().map_err(|_| refuse())?;
    if bits > if ip.is_ipv4() { 32 } else { 128 } { Err(refuse()) } else { Ok((ip, bits)) }
}

/// The default configuration as a file, with every key explained.
pub(crate) fn written() -> String {
    let defaults = toml::Table::try_from(Config::default()).unwrap_or_default();
    let mut out = String::from(
        "# Wardwatch configuration. Every key with its default; what you leave out stays as it is here.\n",
    );
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            out.push_str(&format!("\n[{section}]\n"));
        }
        let unit = if key.unit.is_empty() { String::new() } else { format!(" ({})", key.unit) };
        out.push_str(&format!("# {}{unit}\n", key.doc));
        let value = defaults.get(section).and_then(|table| table.get(key.name));
        match (value, key.example) {
            (Some(value), _) => out.push_str(&format!("{} = {value}\n", key.name)),
            (None, example) => {
                out.push_str(&format!("# {} = {}\n", key.name, example.unwrap_or("\"\"")));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_keys_and_the_types_are_the_same() {
        let parsed: Config = toml::from_str(&written()).unwrap();
        assert_eq!(parsed, Config::default());
        let everything =
            written().replace("# syslog_", "syslog_").replace("# key_file", "key_file");
        let parsed: toml::Table = toml::from_str(&everything).unwrap();
        toml::from_str::<Config>(&everything).unwrap();
        let all = Config {
            logs: Logs {
                syslog_udp: "0.0.0.0:5514".parse().ok(),
                syslog_tcp: "0.0.0.0:5514".parse().ok(),
            },
            privacy: Privacy { key_file: Some("k".into()) },
            ..Config::default()
        };
        let types = toml::Table::try_from(all).unwrap();
        for (section, table) in &types {
            for name in table.as_table().unwrap().keys() {
                assert!(
                    parsed[section].get(name).is_some(),
                    "{section}.{name} has no line in KEYS"
                );
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.toml");
        for (text, expected) in [
            ("[site]\nnmae = \"x\"\n", "line 2"),
            ("[learning]\nseconds = \"ten\"\n", "line 2"),
            ("[site]\ninternal = [\"10.0.0.0\"]\n", "site.internal"),
            ("[capture]\nthreads = 0\n", "capture.threads"),
            ("[evidence]\nkeep = \"payload\"\n", "line 2"),
            ("[evidence]\ncase_mib = 9\ntotal_mib = 8\n", "evidence.case_mib"),
            ("[site\n", "line 1"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Config::load(Some(&path)).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("w.toml"), "{error}");
        }
    }
}
