//! The folder of response, and opening what is in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use ::respond::enforcers::{Blocklist, Outlet};
use ::respond::office::setup::{FILE, PROFILES};
use ::respond::office::{Setup, subject};
use ::respond::{Devices, History, Office, Range};
use anyhow::{Context, Result};
use model::Device;
use model::device::DeviceId;
use server::Blocklists;
use store::{Options, Query, SqliteStore, Store};

use super::FOLDER;
use crate::cli::OfficeArgs;
use crate::config::Config;
use crate::exit;
use crate::instance::STORE;
use crate::tables::say;

/// Name of the history's file.
const HISTORY: &str = "history.jsonl";

/// A folder of response, with what the site says about itself.
pub(crate) struct Place {
    folder: PathBuf,
    pub(crate) setup: Setup,
    inside: Vec<Range>,
    clinical: Vec<Range>,
}

impl Place {
    /// Below the folder of an instance.
    pub(crate) fn new(data: &Path, config: &Config) -> Result<Self> {
        let folder = data.join(FOLDER);
        let setup = Setup::read(&folder).map_err(exit::Usage::from_error)?;
        let ranges = |texts: &[String]| texts.iter().filter_map(|text| text.parse().ok()).collect();
        Ok(Self {
            folder,
            setup,
            inside: ranges(&config.site.internal),
            clinical: ranges(&config.site.clinical),
        })
    }

    /// As the command line says.
    pub(crate) fn of(args: &OfficeArgs) -> Result<Self> {
        let config = Config::load(args.config.as_deref()).map_err(exit::Usage::from_error)?;
        Self::new(&args.data, &config)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens the ledger and all that belongs to it. The network is unknown until somebody says.
    pub(crate) fn office(&self) -> Result<Office> {
        let versions = vec![format!("wardwatch {}", env!("CARGO_PKG_VERSION"))];
        let setting = self
            .setup
            .setting(&self.folder, self.inside.clone(), self.clinical.clone(), versions)
            .map_err(exit::Usage::from_error)?;
        let enforcers = self.setup.enforcers(&self.folder).map_err(exit::Usage::from_error)?;
        Ok(Office::open(&self.folder, setting, enforcers)?)
    }

    /// The block lists that firewalls fetch from here, where the site has a token for them.
    pub(crate) fn blocklists(&self) -> Result<Option<Blocklists>> {
        let Some(config) = &self.setup.enforcers.blocklist else { return Ok(None) };
        let Some(file) = &config.token_file else { return Ok(None) };
        let file = self.folder.join(file);
        let unusable = |error: &dyn std::fmt::Display| {
            exit::Usage::from_error(format!(
                "{}: {error}; make a token with 'openssl rand -hex 32'",
                file.display()
            ))
        };
        let token = fs::read_to_string(&file).map_err(|error| unusable(&error))?;
        let lists =
            Blocklist::new(self.folder.join(&config.folder), config.wildcards, Outlet::new());
        let lists = Blocklists::new(token.trim(), Arc::new(lists));
        Ok(Some(lists.map_err(|error| unusable(&error))?))
    }

    /// The same, with the network as the store and the history know it: for the command line.
    pub(crate) fn informed_office(&self, data: &Path) -> Result<Office> {
        self.informed(self.office()?, data)
    }

    /// An office that knows the network as the store and the history know it.
    pub(crate) fn informed(&self, office: Office, data: &Path) -> Result<Office> {
        let devices = stored_devices(data)?;
        let mut ground = office.learn();
        ground.devices = self.devices(&devices);
        ground.history = self.history()?;
        drop(ground);
        Ok(office)
    }

    /// The same site with a ledger that nobody keeps, for questions that decide nothing.
    pub(crate) fn scratch(&self) -> Result<Office> {
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let setting = self
            .setup
            .setting(&self.folder, self.inside.clone(), self.clinical.clone(), Vec::new())
            .map_err(exit::Usage::from_error)?;
        let enforcers = self.setup.enforcers(&self.folder).map_err(exit::Usage::from_error)?;
        Ok(Office::open(folder.path(), setting, enforcers)?)
    }

    /// Devices of the inventory, as response reckons with them.
    pub(crate) fn devices(&self, devices: &[Device]) -> Devices {
        let subjects = devices.iter().map(|device| subject(device, &self.clinical));
        Devices::new(subjects, self.inside.clone())
    }

    /// What was recorded; nothing where nothing was.
    pub(crate) fn history(&self) -> Result<History> {
        let path = self.folder.join(HISTORY);
        match fs::read(&path) {
            Ok(bytes) => History::load(&bytes).with_context(|| {
                format!("{}: put it aside, and the recording begins anew", path.display())
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(History::default()),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// Keeps what was recorded, all of it or as it was before.
    pub(crate) fn keep_history(&self, history: &History) -> std::io::Result<()> {
        let new = self.folder.join(format!("{HISTORY}.new"));
        let mut out = std::io::BufWriter::new(fs::File::create(&new)?);
        history.save(&mut out)?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&new, self.folder.join(HISTORY))
    }
}

fn stored_devices(data: &Path) -> Result<Vec<Device>> {
    let file = data.join(STORE);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let store = SqliteStore::open_read_only(&file, Options::default())
        .with_context(|| format!("{}: cannot be asked", file.display()))?;
    let mut query = Query { limit: Some(store::MAX_LIMIT), ..Query::default() };
    let mut devices = Vec::new();
    loop {
        let page = store.devices(&query)?;
        devices.extend(page.items);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(devices),
        }
    }
}

/// A device from its id or one of its addresses.
pub(crate) fn device(office: &Office, asked: &str) -> Result<DeviceId> {
    let ground = office.ground();
    if let Ok(address) = asked.parse() {
        let device = ground.devices.at(address).device().map(|device| device.id.clone());
        return device.with_context(|| format!("no device has the address {address}"));
    }
    Ok(DeviceId(asked.to_owned()))
}

/// `wardwatch respond init`.
pub(crate) fn init(args: &OfficeArgs) -> Result<ExitCode> {
    let folder = args.data.join(FOLDER);
    fs::create_dir_all(folder.join(PROFILES))
        .with_context(|| format!("{}: cannot be made", folder.display()))?;
    for (name, text) in [
        (FILE.to_owned(), include_str!("response.toml")),
        (format!("{PROFILES}/example.toml.off"), include_str!("profile.toml")),
    ] {
        let path = folder.join(name);
        if path.exists() {
            say(&format!("{}: is there already, and stays as it is.", path.display()));
            continue;
        }
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        say(&format!("{}: written.", path.display()));
    }
    Place::of(args)?.office()?;
    say("The ledger is begun, and the keys are made. Next: docs/response.md.");
    Ok(ExitCode::SUCCESS)
}
