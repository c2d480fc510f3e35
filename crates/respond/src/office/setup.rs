//! What a site says about its response, in files that people write: `response.toml`, and what
//! devices need, in `profiles/*.toml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::Setting;
use crate::card::Contacts;
use crate::enforce::Enforcer;
use crate::enforcers;
use crate::essentials::{Essentials, profile};
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
    /// Where packets are seen by whoever checks that a restriction took effect.
    pub verify: Vec<Eye>,
    /// Places that enforce, and what is never touched.
    pub enforcers: enforcers::Config,
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
            essentials: essentials(folder)?,
            versions,
        })
    }
}

/// What devices need, as declared in the files of a folder, in the order of their names.
fn essentials(folder: &Path) -> Result<Essentials, SetupError> {
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
