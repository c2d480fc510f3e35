//! What a site says about its response, in files that people write: `response.toml`, and what
//! devices need, in `profiles/*.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::device::DeviceClass;
use model::net::Mac;
use serde::Deserialize;

use super::Setting;
use crate::card::Contacts;
use crate::enforce::Enforcer;
use crate::enforcers;
use crate::essentials::{Essentials, Selector, profile};
use crate::ledger::Limits;
use crate::mud::{self, Other};
use crate::range::Range;
use crate::watch::Side;

/// Name of the site's file in the folder of response.
pub const FILE: &str = "response.toml";
/// Folder of what devices need, as declared by the hospital.
pub const PROFILES: &str = "profiles";
/// Largest file that is read.
const LARGEST: u64 = 4 << 20;

/// What the site says about itself, and how it enforces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// Who may reach a device in quarantine.
    pub management: Vec<Range>,
    /// Minutes without any flow after which the recording counts as broken.
    pub silent_minutes: Option<u64>,
    /// Whom to call.
    pub contacts: Contacts,
    /// What manufacturers declare, as the hospital adopted it.
    pub mud: Vec<Adopted>,
    /// Where packets are seen by whoever checks that a restriction took effect.
    pub verify: Vec<Eye>,
    /// When a segment of the ledger is closed.
    pub ledger: Segments,
    /// Places that enforce, and what is never touched.
    pub enforcers: enforcers::Config,
}

/// When a segment of the ledger is closed, and the next begun.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Segments {
    /// From this size on, in MiB: 1 to 4096.
    pub segment_mib: u64,
    /// From so many entries on: 1000 or more.
    pub segment_entries: u64,
}

impl Default for Segments {
    fn default() -> Self {
        let Limits { bytes, lines } = Limits::default();
        Self { segment_mib: bytes >> 20, segment_entries: lines }
    }
}

/// A manufacturer's MUD file (RFC 8520) that the hospital adopted for some of its devices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adopted {
    /// The file, from the folder of response on.
    pub file: PathBuf,
    /// Who adopted it.
    pub approved_by: String,
    /// When.
    pub approved_on: String,
    /// For the device of this name in the inventory.
    pub device: Option<String>,
    /// For devices of this best name.
    pub name: Option<String>,
    /// For the device with this Ethernet address.
    pub mac: Option<Mac>,
    /// For devices with an address in here.
    pub address: Option<Range>,
    /// For devices of this class.
    pub class: Option<DeviceClass>,
    /// Who the file's `my-controller` is here.
    #[serde(default)]
    pub my_controller: Vec<Range>,
    /// Who its other controllers are here, by their URI.
    #[serde(default)]
    pub controllers: BTreeMap<String, Vec<Range>>,
    /// What its `local-networks` are here; private addresses where absent.
    #[serde(default)]
    pub local_networks: Vec<Range>,
}

/// An interface on which it is checked that a restriction took effect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eye {
    /// Which.
    pub interface: String,
    /// On which side of the enforcer.
    pub side: Side,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct SetupError {
    /// Which.
    pub path: PathBuf,
    /// What is wrong, and where.
    pub why: String,
}

impl Setup {
    /// As written in a folder; empty where nothing is.
    ///
    /// # Errors
    /// When the file cannot be read: where, and what was expected.
    pub fn read(folder: &Path) -> Result<Self, SetupError> {
        let path = folder.join(FILE);
        let Some(text) = text(&path)? else { return Ok(Self::default()) };
        toml::from_str(&text).map_err(|error| SetupError { path, why: error.to_string() })
    }

    /// The enforcers that are configured.
    ///
    /// # Errors
    /// When one cannot be used as configured.
    pub fn enforcers(&self, folder: &Path) -> Result<Vec<Box<dyn Enforcer>>, SetupError> {
        enforcers::build(&self.enforcers, folder)
            .map_err(|error| SetupError { path: folder.join(FILE), why: error.to_string() })
    }

    /// What decisions are made with. `inside`, `clinical` and `versions` are the program's.
    ///
    /// # Errors
    /// When a profile cannot be read.
    pub fn setting(
        &self,
        folder: &Path,
        inside: Vec<Range>,
        clinical: Vec<Range>,
        versions: Vec<String>,
    ) -> Result<Setting, SetupError> {
        let silent = self.silent_minutes.unwrap_or(60).saturating_mul(60);
        Ok(Setting {
            management: self.management.clone(),
            inside,
            clinical,
            contacts: self.contacts.clone(),
            silent: Duration::from_secs(silent),
            essentials: self.essentials(folder)?,
            watched: !self.verify.is_empty(),
            versions,
            segments: self.segments(folder)?,
        })
    }

    /// When a segment of the ledger is closed.
    ///
    /// # Errors
    /// Where it is out of bounds.
    pub fn segments(&self, folder: &Path) -> Result<Limits, SetupError> {
        Limits::checked(self.ledger.segment_mib, self.ledger.segment_entries)
            .map_err(|why| SetupError { path: folder.join(FILE), why: format!("[ledger]: {why}") })
    }
}

impl Setup {
    /// What devices need, as declared by the hospital and by manufacturers.
    fn essentials(&self, folder: &Path) -> Result<Essentials, SetupError> {
        let mut essentials = profiles(folder)?;
        for adopted in &self.mud {
            let path = folder.join(&adopted.file);
            let refuse = |why: String| SetupError { path: path.clone(), why };
            let Some(text) = text(&path)? else {
                return Err(refuse(format!("it is adopted in {FILE}, and is not there")));
            };
            let mud = mud::read(text.as_bytes()).map_err(|error| refuse(error.to_string()))?;
            let (needs, missing) = mud.needs(|other| adopted.addresses(other));
            for what in mud.notes.iter().chain(&missing) {
                tracing::warn!(file = %path.display(), what, "a MUD file");
            }
            let selector = adopted.selector();
            if selector == Selector::default() {
                return Err(refuse(format!("{FILE} does not say for which devices it is")));
            }
            let approved = format!("{}, {}", adopted.approved_by, adopted.approved_on);
            essentials.add_mud(selector, needs, &approved);
        }
        Ok(essentials)
    }
}

impl Adopted {
    fn selector(&self) -> Selector {
        Selector {
            device: self.device.clone(),
            name: self.name.clone(),
            mac: self.mac,
            address: self.address,
            class: self.class,
        }
    }

    /// Where this site has what the file means.
    fn addresses(&self, other: &Other) -> Vec<Range> {
        match other {
            Other::MyController => self.my_controller.clone(),
            Other::Controller(uri) => self.controllers.get(uri).cloned().unwrap_or_default(),
            Other::LocalNetworks if self.local_networks.is_empty() => {
                let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
                private.iter().filter_map(|range| range.parse().ok()).collect()
            }
            Other::LocalNetworks => self.local_networks.clone(),
            // Whose device is of which maker is not known by MUD URL here: told as missing.
            _ => Vec::new(),
        }
    }
}

/// What devices need, as the hospital declared it, in the order of the files' names.
fn profiles(folder: &Path) -> Result<Essentials, SetupError> {
    let mut essentials = Essentials::default();
    let profiles = folder.join(PROFILES);
    let Ok(entries) = fs::read_dir(&profiles) else { return Ok(essentials) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
        let Some(text) = text(&path)? else { continue };
        let read = profile::read(&text);
        essentials.add(read.map_err(|error| SetupError { path, why: error.to_string() })?);
    }
    Ok(essentials)
}

/// The text of a file; nothing where there is none.
fn text(path: &Path) -> Result<Option<String>, SetupError> {
    let refuse = |why: String| SetupError { path: path.to_owned(), why };
    match fs::metadata(path) {
        Ok(about) if about.len() > LARGEST => Err(refuse(format!("larger than {LARGEST} bytes"))),
        Ok(_) => fs::read_to_string(path).map(Some).map_err(|error| refuse(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refuse(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(PROFILES)).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_without_files_is_a_site_that_has_said_nothing() {
        let folder = folder(&[]);
        let setup = Setup::read(folder.path()).unwrap();
        assert_eq!(setup, Setup::default());
        assert!(setup.enforcers(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn a_wrong_key_is_told_with_its_file_and_line() {
        let folder = folder(&[(FILE, "silent_minutes = 3\nmanagment = []\n")]);
        let error = Setup::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(FILE) && error.contains("managment"), "{error}");
    }

    #[test]
    fn segments_that_would_be_all_handing_on_are_refused() {
        let segments = |text: &str| {
            let folder = folder(&[(FILE, text)]);
            Setup::read(folder.path()).unwrap().segments(folder.path())
        };
        assert_eq!(segments("").unwrap(), Limits::default());
        let two = segments("[ledger]\nsegment_mib = 2\nsegment_entries = 5000").unwrap();
        assert_eq!(two, Limits { bytes: 2 << 20, lines: 5_000 });
        for wrong in ["segment_mib = 0", "segment_mib = 5000", "segment_entries = 10"] {
            let error = segments(&format!("[ledger]\n{wrong}")).unwrap_err().to_string();
            assert!(error.contains("[ledger]"), "{error}");
        }
    }

    #[test]
    fn a_mud_file_counts_for_the_devices_it_was_adopted_for_and_is_missed_where_it_is_not_there() {
        let adopted = "[[mud]]\nfile = \"pump.json\"\nclass = \"infusion_pump\"\n\
                       approved_by = \"committee\"\napproved_on = \"2026-01-31\"\n\
                       my_controller = [\"10.0.0.7\"]\n";
        let without = folder(&[(FILE, adopted)]);
        let setup = Setup::read(without.path()).unwrap();
        let error = setup.essentials(without.path()).unwrap_err().to_string();
        assert!(error.contains("pump.json") && error.contains("not there"), "{error}");
        let mud = crate::mud::Mud {
            about: crate::mud::About {
                url: "https://maker.example/pump.json".to_owned(),
                ..crate::mud::About::default()
            },
            rules: vec![crate::mud::Rule {
                way: crate::Way::Out,
                other: Other::MyController,
                proto: Some(crate::Proto::Tcp),
                port: Some(3613),
            }],
            notes: Vec::new(),
        };
        let text = crate::mud::write(&mud).unwrap();
        let with = folder(&[(FILE, adopted), ("pump.json", &text)]);
        let essentials = Setup::read(with.path()).unwrap().essentials(with.path()).unwrap();
        let told = format!("{essentials:?}");
        assert!(told.contains("3613") && told.contains("10.0.0.7"), "{told}");
    }
}
