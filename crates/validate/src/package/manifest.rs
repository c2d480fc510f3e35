//! What a package says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::PackageError;

/// The newest format that this program reads and the one it writes.
pub const FORMAT: u32 = 1;

/// The table of features that a model was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// Its version.
    pub version: u32,
    /// A digest of it, in the caller's words.
    pub digest: String,
}

/// Who the model is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Its name.
    pub name: String,
    /// Its version: each one larger than that of its parent.
    pub version: u64,
    /// The version it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// The features that it reads.
    pub features: Features,
    /// When it was made, in RFC 3339, as its maker said.
    pub created_at: String,
}

/// A file of the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// SHA-256, in hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub bytes: u64,
}

/// The manifest: what the signature is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of the package.
    pub format: u32,
    /// Who the model is.
    #[serde(flatten)]
    pub head: Head,
    /// Every other file.
    pub files: BTreeMap<String, File>,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Manifest {
    /// The features that the model reads.
    pub const fn features(&self) -> &Features {
        &self.head.features
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        let broken = |error: serde_json::Error| {
            PackageError::Malformed(format!("manifest.json, line {}: {error}", error.line()))
        };
        // A newer format may have fields that this program knows nothing of: ask for that first.
        let Format { format } = serde_json::from_slice(bytes).map_err(broken)?;
        if format > FORMAT {
            return Err(PackageError::Newer { found: format });
        }
        serde_json::from_slice(bytes).map_err(broken)
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
