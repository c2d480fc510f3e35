//! Which enforcers a hospital has, typed and validated.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::acl::{Acl, AclConfig};
use super::blocklist::{Blocklist, BlocklistConfig};
use super::guarded::{Guarded, Never};
use super::nftables::{Nftables, NftablesConfig};
use super::openvswitch::{Openvswitch, OpenvswitchConfig};
use super::outlet::Outlet;
use super::radius::{Radius, RadiusConfig};
use super::webhook::{Webhook, WebhookConfig};
use crate::enforce::Enforcer;

/// Section `[enforcers]`. None is there unless it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is never touched, by any of them.
    pub never: Never,
    /// nftables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nftables: Option<NftablesConfig>,
    /// RADIUS change of authorisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<RadiusConfig>,
    /// Open vSwitch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openvswitch: Option<OpenvswitchConfig>,
    /// Block lists for firewalls to fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist: Option<BlocklistConfig>,
    /// Text for the network team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acl: Option<AclConfig>,
    /// A request to something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookConfig>,
}

/// A configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("enforcers.{section}: {why}")]
pub struct ConfigError {
    /// Which section.
    pub section: &'static str,
    /// What is wrong, and what to do.
    pub why: String,
}

fn wrong(section: &'static str) -> impl Fn(String) -> ConfigError {
    move |why| ConfigError { section, why }
}

/// Makes the enforcers of a configuration, each behind the list of what is never touched. Reads
/// files with secrets below `folder`, and does nothing else.
///
/// # Errors
/// The first thing that is wrong.
pub fn build(config: &Config, folder: &Path) -> Result<Vec<Box<dyn Enforcer>>, ConfigError> {
    build_through(config, folder, &Outlet::new())
}

/// The same, with all that goes out counted by `outlet`.
///
/// # Errors
/// The first thing that is wrong.
pub fn build_through(
    config: &Config,
    folder: &Path,
    outlet: &Outlet,
) -> Result<Vec<Box<dyn Enforcer>>, ConfigError> {
    let never = &config.never;
    never.check().map_err(wrong("never"))?;
    let mut all: Vec<Box<dyn Enforcer>> = Vec::new();
    if let Some(nftables) = &config.nftables {
        nftables.check().map_err(wrong("nftables"))?;
        all.push(guarded(never, Nftables::new(nftables.clone(), outlet.clone())));
    }
    if let Some(radius) = &config.radius {
        radius.check().map_err(wrong("radius"))?;
        let secret = secret(folder, &radius.secret_file).map_err(wrong("radius"))?;
        let accounting = radius.accounting.as_ref().map(|file| folder.join(file));
        let radius = RadiusConfig { accounting, ..radius.clone() };
        all.push(guarded(never, Radius::new(radius, secret, outlet.clone())));
    }
    if let Some(openvswitch) = &config.openvswitch {
        openvswitch.check().map_err(wrong("openvswitch"))?;
        all.push(guarded(never, Openvswitch::new(openvswitch.clone(), outlet.clone())));
    }
    if let Some(blocklist) = &config.blocklist {
        let folder = folder.join(&blocklist.folder);
        all.push(guarded(never, Blocklist::new(folder, blocklist.wildcards, outlet.clone())));
    }
    if let Some(acl) = &config.acl {
        acl.check().map_err(wrong("acl"))?;
        let folder = folder.join(&acl.folder);
        all.push(guarded(never, Acl::new(&acl.dialects, folder, outlet.clone())));
    }
    if let Some(webhook) = &config.webhook {
        webhook.check().map_err(wrong("webhook"))?;
        let secret = secret(folder, &webhook.secret_file).map_err(wrong("webhook"))?;
        let authorities = match &webhook.ca_file {
            Some(file) => std::fs::read(folder.join(file)).map_err(|error| {
                wrong("webhook")(format!("ca_file: {}: {error}", file.display()))
            })?,
            None => Vec::new(),
        };
        let made = Webhook::new(webhook.clone(), secret, &authorities, outlet.clone());
        all.push(guarded(never, made.map_err(wrong("webhook"))?));
    }
    Ok(all)
}

fn guarded<E: Enforcer + 'static>(never: &Never, enforcer: E) -> Box<dyn Enforcer> {
    Box::new(Guarded::new(never.clone(), enforcer))
}

/// A secret from a file, without the end of its line.
fn secret(folder: &Path, file: &PathBuf) -> Result<Vec<u8>, String> {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("secret_file: {}: {error}", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.len() < 16 {
        return Err(format!(
            "secret_file: {}: a secret of at least 16 characters is needed",
            path.display()
        ));
    }
    Ok(secret.as_bytes().to_vec())
}
